"""The paths an account walks one after the other, and what is due on which day of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from riskseg.strategy.checked import NO_ACTION, Path


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days of one path, first and last included (None: without end), on which the same is due.

    Days count from the path's own day 0, and `step` from 1. `next_action` and `next_day` are of
    the path's next step, None after its last.
    """

    first: int | None
    last: int | None
    step: int | None
    action: str
    template: str | None
    next_action: str | None
    next_day: int | None


def route(path: Path, paths: Sequence[Path]) -> tuple[Path, ...]:
    """A path and those it goes on to, one after the other."""
    by_name = {p.name: p for p in paths}
    found = [path]
    while (then := found[-1].then) is not None:
        found.append(by_name[then])
    return tuple(found)


def length(path: Path) -> int:
    """The day of a path on which it is over: its last step is not due any more."""
    return path.steps[-1].day + path.due_for if path.steps else 0


def stretches(path: Path) -> list[Stretch]:
    """All days of a path, in order, without gap or overlap."""
    steps = path.steps
    starts: set[int] = set()
    for step, after in zip(steps, (*steps[1:], None), strict=False):
        starts.add(step.day)
        end = step.day + path.due_for
        if after is None or end < after.day:
            starts.add(end)
    bounds = sorted(starts)
    found = []
    for first, beyond in zip([None, *bounds], [*bounds, None], strict=True):
        at = first if first is not None else beyond - 1 if beyond is not None else 0
        begun = [n for n, step in enumerate(steps, start=1) if step.day <= at]
        due = begun[-1] if begun and at < steps[begun[-1] - 1].day + path.due_for else None
        ahead = next((step for step in steps if step.day > at), None)
        found.append(
            Stretch(
                first,
                None if beyond is None else beyond - 1,
                due,
                steps[due - 1].action if due else NO_ACTION,
                steps[due - 1].template if due else None,
                ahead.action if ahead else None,
                ahead.day if ahead else None,
            )
        )
    return found
