"""Guards: what they forbid is never emitted, and what they offer instead is lawful."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from riskseg.expressions.smt import both, either
from riskseg.rules.model import Guard, Strategy
from riskseg.rules.proof_account import condition_holds
from riskseg.strategy.proof.ask import Asker, verdict_of_any, verdict_of_none
from riskseg.strategy.proof.decision import Decision
from riskseg.strategy.proof.results import Claim, Result


def prove_guards(strategy: Strategy, decision: Decision, asker: Asker) -> Iterator[Result]:
    solver = asker.solver(*decision.granted)
    account = decision.account
    for guard in strategy.guards:

        def result(claim: Claim, guard: Guard = guard) -> Result:
            file = f"{strategy.folder}/guards.yaml"
            return Result(claim, guard.name, "proved", "", (), file, guard.line)

        held = decision.guards[guard.name]
        ranks = [a.rank for a in strategy.actions if a.name in guard.never]
        emitted = either(*(decision.rank == rank for rank in ranks))
        if guard.kind == "hold":
            yield verdict_of_none(
                result("hold-stops"),
                "Something is emitted while the hold lasts.",
                solver,
                [held, decision.rank != 0],
                [account],
                asker,
            )
        else:
            yield verdict_of_none(
                result("guard-holds"),
                "An action is emitted that it forbids.",
                solver,
                [held, emitted],
                [account],
                asker,
            )
        condition = guard.when
        in_itself = (
            either(
                account.term(condition.expression).false, account.term(condition.expression).unknown
            )
            if guard.negated
            else condition_holds(condition, account)
        )
        yield verdict_of_any(
            result("guard-used"),
            lambda: "No account there can be is one it speaks of.",
            solver,
            [in_itself],
            asker,
        )
        if guard.instead is not None:
            yield _instead(guard, strategy, decision, solver, asker, result("instead-lawful"))


def _instead(
    guard: Guard, strategy: Strategy, decision: Decision, solver: Any, asker: Asker, result: Result
) -> Result:
    """Holds aside, which stop everything: no other guard in force forbids what this one offers."""
    offered = strategy.action(guard.instead or "")
    assert offered is not None
    due = either(*(decision.due == a.rank for a in strategy.actions if a.name in guard.never))
    milder = [a for a in strategy.actions if a.name in guard.never and a.rank < offered.rank]
    others = {
        g.name: decision.guards[g.name]
        for g in strategy.guards
        if g.kind != "hold" and g.name != guard.name and offered.name in g.never
    }
    if milder:
        due_milder = either(*(decision.due == a.rank for a in milder))
        harsher = both(decision.guards[guard.name], due_milder, decision.rank == offered.rank)
        found = verdict_of_none(
            result,
            f"{offered.name} is harsher than the step's own action.",
            solver,
            [harsher],
            [decision.account],
            asker,
        )
        if found.verdict != "proved":
            return found
    refused = both(decision.guards[guard.name], due, either(*others.values()))
    return verdict_of_none(
        result,
        f"Another guard forbids {offered.name} here: {', '.join(others)}.",
        solver,
        [refused],
        [decision.account],
        asker,
    )
