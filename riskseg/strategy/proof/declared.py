"""What the strategy's owner declares in guards.yaml with `prove:`."""

from __future__ import annotations

from collections.abc import Iterator

from riskseg.expressions.smt import either
from riskseg.rules.model import Strategy
from riskseg.strategy.proof.ask import Asker, verdict_of_none
from riskseg.strategy.proof.decision import Decision
from riskseg.strategy.proof.results import Result


def prove_declared(strategy: Strategy, decision: Decision, asker: Asker) -> Iterator[Result]:
    solver = asker.solver(*decision.granted)
    for declared in strategy.properties:
        term = decision.term(declared.that.expression)
        broken = term.false if declared.that.unknown else either(term.false, term.unknown)
        file = f"{strategy.folder}/guards.yaml"
        yield verdict_of_none(
            Result("declared", declared.name, "proved", "", (), file, declared.line),
            f"It does not hold: {declared.that.expression.text}",
            solver,
            [broken],
            [decision.account],
            asker,
        )
