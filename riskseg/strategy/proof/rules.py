"""Rules: what each claims of itself is asked of z3."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from riskseg.rules.model import Strategy
from riskseg.rules.rule import FILE, Claim, Restriction, Rule
from riskseg.strategy.proof.ask import Asker, verdict_of_any, verdict_of_none
from riskseg.strategy.proof.decision import Decision
from riskseg.strategy.proof.results import Result


def prove_restrictions(strategy: Strategy, decision: Decision, asker: Asker) -> Iterator[Result]:
    """The results of the rules that forbid actions."""
    yield from _prove(strategy.guards, strategy, decision, asker)


def prove_other_rules(strategy: Strategy, decision: Decision, asker: Asker) -> Iterator[Result]:
    """The results of all others, such as the properties that the owner declares."""
    others = [rule for rule in strategy.rules if not isinstance(rule, Restriction)]
    yield from _prove(others, strategy, decision, asker)


def _prove(
    rules: Sequence[Rule], strategy: Strategy, decision: Decision, asker: Asker
) -> Iterator[Result]:
    solver = asker.solver(*decision.granted)
    for rule in rules:
        for claim in rule.claimed(decision, strategy.actions, strategy.guards):
            file = f"{strategy.folder}/{FILE}"
            claimed = Result(claim.name, rule.name, "proved", "", (), file, rule.line)
            yield _result(claim, claimed, solver, decision, asker)


def _result(claim: Claim, claimed: Result, solver: Any, decision: Decision, asker: Asker) -> Result:
    verdict_result = claimed
    for question in claim.questions:
        fault, asked = question.fault, question.asked
        if claim.some:
            verdict_result = verdict_of_any(claimed, partial(str, fault), solver, asked, asker)
        else:
            verdict_result = verdict_of_none(
                claimed, fault, solver, asked, [decision.account], asker
            )
        if verdict_result.verdict != "proved":
            break
    return verdict_result
