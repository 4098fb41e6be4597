"""Routes: the paths an account walks one after the other, and their steps in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from riskseg.domain.relations import literal
from riskseg.rules.model import Path, Repeat, Step
from riskseg.rules.sql import inner
from riskseg.rules.step_facts import (
    Elsewhere,
    instead_fact,
    issued_fact,
    occurrence_fact,
    outcome_fact,
)


@dataclass(frozen=True, slots=True)
class RouteStep:
    """A step of a route: `order` counts from 1 over all of its paths, `number` over those of its
    own; `leg` says which path of the route that is, from 0. `elsewhere` is what counts as the step
    where it was done on a path that is not of the route; `passes_over` says that steps may be
    passed over whose day was before the account came to the route."""

    order: int
    leg: int
    path: Path
    number: int
    step: Step
    elsewhere: Elsewhere
    passes_over: bool = False

    @property
    def issued(self) -> str:
        """The fact that says when the step was last issued."""
        return issued_fact(self.path.name, self.step.key)

    @property
    def occurrence(self) -> str:
        """The fact that says which occurrence of the step that was, where it repeats."""
        return occurrence_fact(self.path.name, self.step.key)

    @property
    def outcome(self) -> str:
        """The fact that says when an outcome of the step was last recorded."""
        return outcome_fact(self.path.name, self.step.key)

    @property
    def instead(self) -> str:
        """The fact that says when another action was last issued in the place of the step."""
        return instead_fact(self.path.name, self.step.key)

    @property
    def repeat(self) -> Repeat | None:
        """How the step repeats, if it does."""
        return self.path.repeat if self.step in self.path.repeated else None

    @property
    def every(self) -> int:
        """The days after which it comes again; 0 where it does not."""
        return self.repeat.every if self.repeat else 0


def route(path: Path, paths: Sequence[Path]) -> tuple[Path, ...]:
    """A path and those it goes on to, one after the other."""
    by_name = {p.name: p for p in paths}
    walked = [path]
    while (then := by_name.get(walked[-1].then or "")) is not None and then not in walked:
        walked.append(then)
    return tuple(walked)


def route_steps(walked: Sequence[Path]) -> tuple[RouteStep, ...]:
    """The steps of a route, in the order in which they come due."""
    names = tuple(path.name for path in walked)
    times: dict[tuple[str, str | None], int] = {}
    steps: list[RouteStep] = []
    for leg, path in enumerate(walked):
        for number, step in enumerate(path.steps, start=1):
            done = (step.action, step.template)
            times[done] = nth = times.get(done, 0) + 1
            elsewhere = Elsewhere(nth, step.action, step.template, names)
            passes_over = walked[0].passes_over is not None
            order = len(steps) + 1
            steps.append(RouteStep(order, leg, path, number, step, elsewhere, passes_over))
    return tuple(steps)


def routes_by_first(paths: Sequence[Path]) -> dict[str, tuple[Path, ...]]:
    """The route of each path that a segment leads to, by the name of that path."""
    return {path.name: route(path, paths) for path in paths if path.segments}


def by_first(values: Mapping[str, str]) -> str:
    """SQL of a value for each route, by the path that the account's route begins with."""
    if len(set(values.values())) == 1:
        return next(iter(values.values()))
    arms = " ".join(f"when {literal(name)} then {value}" for name, value in values.items())
    return f"(case {inner('first')} {arms} end)"


def length(path: Path) -> int:
    """The day of a path on which it is over: the day after the last step has come for the last
    time, or the first on which that is due no more. One that repeats without end is never over."""
    again = path.repeat.every * (path.repeat.at_most or 0) if path.repeat else 0
    return path.steps[-1].day + again + (path.due_for or 1) if path.steps else 0


def step_days(path: Path) -> Iterator[tuple[int, Step, range]]:
    """Each step of a path with its number, from 1, and the days of the path on which it is due
    unless it was issued, when it comes for the first time. Of a last step that stays due, only the
    first of them."""
    for number, step in enumerate(path.steps, start=1):
        ends = [following.day for following in path.steps[number : number + 1]]
        ends += [step.day + path.due_for] if path.due_for else []
        yield number, step, range(step.day, min(ends, default=step.day + 1))
