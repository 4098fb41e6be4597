"""A plan is the list of stages that is carried out: `--plan` prints that very list, and progress is
reported as it is worked through."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    pass

_log = logging.getLogger("riskseg.stages")


def _not_given(*_: Any) -> None:
    raise AssertionError("a stage of a plan has a function that carries it out")


@dataclass(frozen=True, slots=True)
class Stage:
    """One thing a run does: its name, what it does, and the function that does it.

    `run` takes the job and, in a :class:`ForEach`, an item. A stage that several use cases share is
    declared without it; each use case says what carries it out with :meth:`by`. `weight` is about
    how long it takes, in units of a short stage.
    """

    name: str
    does: str
    weight: int = 1
    run: Callable[..., Any] = field(default=_not_given, compare=False, repr=False)

    def by(self, run: Callable[..., Any]) -> Stage:
        """The stage, carried out by `run`."""
        return replace(self, run=run)


@dataclass(frozen=True, slots=True)
class ForEach:
    """Stages that are carried out for each of several items, one item after the other.

    `items` takes the job; it is empty as long as they are not known. Where there is an `into`, what
    the last of the stages returns is iterable, and `into` takes the job and all of it as one
    stream: no more than one item is in memory. `into` is reported once the stream has ended.
    """

    each: str
    items: Callable[[Any], Sequence[Any]]
    stages: tuple[Stage, ...]
    into: Stage | None = None


Plan = Sequence[Stage | ForEach]


def listed(plan: Plan) -> Iterator[tuple[Stage, str]]:
    """Every stage of a plan in the order they are reported, and what it is repeated for, if
    anything."""
    for part in plan:
        if isinstance(part, Stage):
            yield part, ""
        else:
            yield from ((stage, part.each) for stage in part.stages)
            if part.into is not None:
                yield part.into, ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How a run reports where it is: `reached(stage, done, total)` at the start of each stage, in
    units of a stage's weight, and `within(share, text)` as a long one goes on: the share of it that
    is done, from 0 to 1, and what it does now, if that is worth saying.

    `note` passes on a remark that somebody who watches may want to see. `warn` passes on what
    nobody should miss: what is wrong, or may be, with the data, the models or the journal. It goes
    to `warning`, or to `note` where that is left out. All default to silence.
    """

    reached: Callable[[Stage, int, int], None] = lambda _stage, _done, _total: None
    within: Callable[[float, str], None] = lambda _share, _text: None
    note: Callable[[str], None] = lambda _text: None
    warning: Callable[[str], None] | None = None

    def warn(self, text: str) -> None:
        (self.warning or self.note)(text)


class NothingLeft(Exception):
    """Raised by a stage after which there is nothing left to do: the rest are not carried out."""


class Job:
    """What a run holds while its plan is carried out (each stage is logged by `riskseg.stages`):
    whatever is entered into `opened` is closed
    at the end of it."""

    def __init__(self, progress: Progress | None) -> None:
        self.progress = progress or Progress()
        self.opened = ExitStack()

    def carry_out(self, plan: Plan) -> None:
        """Work through a plan, reporting each stage as it is reached."""
        weight_done = 0

        def reach(stage: Stage) -> None:
            nonlocal weight_done
            stage_text = f"{stage.name}: {stage.does}"
            _log.info(stage_text, extra={"stage": stage_text})
            self.progress.reached(
                stage, weight_done, sum(self._weight(plan_part) for plan_part in plan)
            )
            weight_done += stage.weight

        with self.opened:
            try:
                for plan_part in plan:
                    if isinstance(plan_part, Stage):
                        reach(plan_part)
                        plan_part.run(self)
                        continue
                    stream = self._stream(plan_part, reach)
                    if plan_part.into is not None:
                        plan_part.into.run(self, stream)
                    else:
                        for _ in stream:
                            pass
            except NothingLeft:
                return

    def _stream(self, part: ForEach, reach: Callable[[Stage], None]) -> Iterator[Any]:
        for item in part.items(self):
            for stage in part.stages:
                reach(stage)
                result = stage.run(self, item)
            if part.into is not None:
                yield from result
        if part.into is not None:
            reach(part.into)

    def _weight(self, part: Stage | ForEach) -> int:
        if isinstance(part, Stage):
            return part.weight
        each = sum(stage.weight for stage in part.stages)
        return max(1, len(part.items(self))) * each + (part.into.weight if part.into else 0)
