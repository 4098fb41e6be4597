"""People decide: no significant decision that depends on a special category of personal data, such
as health, is taken by machine alone (UK GDPR, article 22B).

An action that a person approves of first never is. For those that are `automatic`, two accounts are
compared that differ in nothing but the flag: where one gets such an action, so does the other.
"""

from __future__ import annotations

from collections.abc import Iterator

from riskseg.domain.facts import Kind
from riskseg.expressions.smt import constant, either
from riskseg.rules.model import Strategy
from riskseg.rules.proof_account import changed
from riskseg.strategy.proof.ask import Asker, verdict_of_none
from riskseg.strategy.proof.decision import Decision, decide
from riskseg.strategy.proof.results import Result


def prove_people(strategy: Strategy, decision: Decision, asker: Asker) -> Iterator[Result]:
    """For each flag of a special category, where any significant action is automatic."""
    automatic = [a.rank for a in strategy.actions if a.significant and not a.approvers]
    if not automatic:
        return
    account = decision.account
    for flag in strategy.special_category:
        for value in (True, False):
            term = constant(value, Kind.BOOLEAN, account.texts)
            other = decide(strategy, changed(account, **{flag: term}))
            claim = verdict_of_none(
                Result(
                    "people-decide",
                    flag,
                    "proved",
                    file=f"{strategy.folder}/strategy.yaml",
                ),
                f"With the flag {str(value).lower()} the action is another, and no person "
                "approves of it.",
                asker.solver(*decision.granted, *other.granted),
                [
                    either(*(decision.rank == rank for rank in automatic)),
                    other.rank != decision.rank,
                ],
                [account, other.account],
                asker,
            )
            if claim.verdict != "proved":
                break
        yield claim
