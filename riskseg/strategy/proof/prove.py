"""Every property of a strategy, one after the other."""

from __future__ import annotations

from collections.abc import Iterator

from riskseg.rules.model import Strategy
from riskseg.rules.proof_account import Granted, any_account
from riskseg.strategy.proof.ask import Asker
from riskseg.strategy.proof.decision import decide
from riskseg.strategy.proof.paths import prove_paths
from riskseg.strategy.proof.people import prove_people
from riskseg.strategy.proof.protection import prove_protection
from riskseg.strategy.proof.results import Result
from riskseg.strategy.proof.rules import prove_other_rules, prove_restrictions
from riskseg.strategy.proof.tables import prove_tables


def prove(strategy: Strategy, granted: Granted, asker: Asker) -> Iterator[Result]:
    """The result of each property, for every account that `granted` and the facts' bounds allow."""
    decision = decide(strategy, any_account(strategy.facts, granted))
    yield from prove_tables(strategy, decision, granted, asker)
    kinds = (prove_paths, prove_restrictions, prove_protection, prove_people, prove_other_rules)
    for kind in kinds:
        yield from kind(strategy, decision, asker)
