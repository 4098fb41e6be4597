"""Paths: every segment leads to one, every path ends, every path and step is somebody's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import z3

from riskseg.expressions.smt import both, either
from riskseg.rules.calendar import Calendar
from riskseg.rules.model import Path, Strategy
from riskseg.strategy.proof.ask import Asker, verdict_of_any, verdict_of_none
from riskseg.strategy.proof.decision import Decision
from riskseg.strategy.proof.results import Result
from riskseg.treatment.calendar import closed_term


def prove_paths(strategy: Strategy, decision: Decision, asker: Asker) -> Iterator[Result]:
    solver = asker.solver(*decision.granted)
    file = f"{strategy.folder}/paths.yaml"
    leads = [z3.If(on, z3.IntVal(1), z3.IntVal(0)) for on in decision.paths.values()]
    yield verdict_of_none(
        Result("one-path", "paths", "proved", "", (), file, None),
        "This account's segment leads to no path, or to two.",
        solver,
        [z3.Sum(leads) != 1],
        [decision.account],
        asker,
    )
    for path in strategy.paths:
        yield _ends(path, strategy, file)
        here = [leg.here for s in decision.standings for leg in s.legs if leg.path is path]
        yield verdict_of_any(
            Result("path-reached", path.name, "proved", "", (), file, None),
            lambda: "No account is ever on it.",
            solver,
            [either(decision.paths.get(path.name, z3.BoolVal(False)), *here)],
            asker,
        )
        for number, step in enumerate(path.steps, start=1):
            is_due = either(
                *(
                    is_due
                    for standing in decision.standings
                    for of_route, is_due in standing.due
                    if of_route.path is path and of_route.number == number
                )
            )
            action = strategy.action(step.action)
            assert action is not None
            yield verdict_of_any(
                Result(
                    "step-taken",
                    f"{path.name} day {step.day} {step.action}",
                    "proved",
                    "",
                    (),
                    file,
                    step.line,
                ),
                lambda: "No account ever gets it: no account is there, or guards always forbid it.",
                solver,
                [both(is_due, decision.due == action.rank, decision.rank == action.rank)],
                asker,
            )
    for calendar in sorted(_calendars(strategy), key=str):
        yield verdict_of_none(
            Result("closed-day", str(calendar), "proved", "", (), file, None),
            "An action is emitted on a closed day.",
            solver,
            [both(_acts_by(calendar, strategy, decision), closed_term(calendar, decision.account))],
            [decision.account],
            asker,
        )


def _calendars(strategy: Strategy) -> set[Calendar]:
    calendars = {action.calendar for action in strategy.actions}
    calendars |= {step.calendar for path in strategy.paths for step in path.steps}
    return {calendar for calendar in calendars if calendar is not None}


def _acts_by(calendar: Calendar, strategy: Strategy, decision: Decision) -> Any:
    """That an action is emitted for a step of a calendar, or one of a calendar instead of it."""
    steps = either(
        *(
            is_due
            for standing in decision.standings
            for of_route, is_due in standing.due
            if of_route.step.calendar == calendar
        )
    )
    offered = either(*(decision.rank == a.rank for a in strategy.actions if a.calendar == calendar))
    return either(both(steps, decision.rank != 0), both(offered, decision.rank != decision.due))


def _ends(path: Path, strategy: Strategy, file: str) -> Result:
    by_name = {p.name: p for p in strategy.paths}
    walked, here = [path.name], path
    while here.then is not None and here.then not in walked:
        walked.append(here.then)
        here = by_name[here.then]
    if here.then is None:
        return Result("path-ends", path.name, "proved", "", (), file, None)
    way = " → ".join([*walked, here.then])
    return Result("path-ends", path.name, "refuted", f"It goes round: {way}.", (), file, None)
