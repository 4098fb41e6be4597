"""A plan is the list of stages that is carried out: `--plan` prints that very list, and progress is
reported as it is worked through."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from queue import SimpleQueue
from typing import Any

_log = logging.getLogger("riskseg.stages")

# How long is waited for a job to end by itself, or after an interrupt, before it is interrupted.
_PATIENCE_SECONDS = 0.1


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

    def log(self) -> None:
        """Log that the stage is reached, in the thread that carries out its statements."""
        stage_text = f"{self.name}: {self.does}"
        _log.info(stage_text, extra={"stage": stage_text})


@dataclass(frozen=True, slots=True)
class SideBySide:
    """How several items are worked on at a time. `most` takes the job: so many are. `job` takes the
    job, an item and how many are worked on at a time, and makes a job of the item alone, which
    carries out the stages in a thread of its own. Once it has, `take` takes both jobs, in the order
    of the items; what it returns is iterable, and goes into the stream."""

    most: Callable[[Any], int]
    job: Callable[[Any, Any, int], Job]
    take: Callable[[Any, Any], Iterator[Any]]


@dataclass(frozen=True, slots=True)
class ForEach:
    """Stages that are carried out for each of several items, one item after the other, or
    `side_by_side`.

    `items` takes the job; it is empty as long as they are not known. Where there is an `into`, what
    the last of the stages returns is iterable, and `into` takes the job and all of it as one
    stream: no more items are in memory than are worked on, and the one that is taken. `into` is
    reported once the stream has ended.
    """

    each: str
    items: Callable[[Any], Sequence[Any]]
    stages: tuple[Stage, ...]
    into: Stage | None = None
    side_by_side: SideBySide | None = None


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
    whatever is entered into `opened` is closed at the end of it."""

    def __init__(self, progress: Progress | None) -> None:
        self.progress = progress or Progress()
        self.opened = ExitStack()
        # Ends what another thread does for this job, as soon as may be.
        self.interrupt: Callable[[], None] = lambda: None

    def carry_out(self, plan: Plan) -> None:
        """Work through a plan, reporting each stage as it is reached."""
        weight_done = 0

        def reach(stage: Stage) -> None:
            nonlocal weight_done
            self.progress.reached(
                stage, weight_done, sum(self._weight(plan_part) for plan_part in plan)
            )
            weight_done += stage.weight

        with self.opened:
            try:
                for plan_part in plan:
                    if isinstance(plan_part, Stage):
                        reach(plan_part)
                        plan_part.log()
                        plan_part.run(self)
                        continue
                    with closing(self._stream(plan_part, reach)) as stream:
                        if plan_part.into is not None:
                            plan_part.into.run(self, stream)
                        else:
                            for _ in stream:
                                pass
            except NothingLeft:
                return

    def _stream(self, part: ForEach, reach: Callable[[Stage], None]) -> Generator[Any, None, None]:
        if part.side_by_side is not None:
            with closing(self._side_by_side(part, part.side_by_side, reach)) as jobs:
                for job in jobs:
                    yield from part.side_by_side.take(self, job)
        else:
            for item in part.items(self):
                for stage in part.stages:
                    reach(stage)
                    stage.log()
                    result = stage.run(self, item)
                if part.into is not None:
                    yield from result
        if part.into is not None:
            reach(part.into)
            part.into.log()

    def _side_by_side(
        self, part: ForEach, how: SideBySide, reach: Callable[[Stage], None]
    ) -> Generator[Job, None, None]:
        """The jobs of the items, each of which has carried out its stages, in the order of the
        items. Progress is reported in the thread that takes them."""
        items = part.items(self)
        at_a_time = max(1, min(how.most(self), len(items)))
        reports: SimpleQueue[Callable[[], None]] = SimpleQueue()
        working: deque[tuple[Job, Future[None]]] = deque()

        def carry_out(job: Job, item: Any) -> None:
            with job.opened:
                for stage in part.stages:
                    reports.put(partial(reach, stage))
                    stage.log()
                    stage.run(job, item)

        def begin(item: Any) -> None:
            job = how.job(self, item, at_a_time)
            future = pool.submit(carry_out, job, item)
            future.add_done_callback(lambda _: reports.put(lambda: None))
            working.append((job, future))

        with ThreadPoolExecutor(at_a_time) as pool:
            try:
                left = iter(items)
                for item in islice(left, at_a_time):
                    begin(item)
                while working:
                    job, future = working[0]
                    while not (future.done() and reports.empty()):
                        reports.get()()
                    future.result()
                    working.popleft()
                    for item in islice(left, 1):
                        begin(item)
                    yield job
            finally:
                _end(working)

    def _weight(self, part: Stage | ForEach) -> int:
        if isinstance(part, Stage):
            return part.weight
        each = sum(stage.weight for stage in part.stages)
        return max(1, len(part.items(self))) * each + (part.into.weight if part.into else 0)


def _end(working: Collection[tuple[Job, Future[None]]]) -> None:
    """End the jobs of items that nobody takes any more."""
    for _, future in working:
        future.cancel()
    while wait([future for _, future in working], timeout=_PATIENCE_SECONDS).not_done:
        for job, future in working:
            if not future.done():
                job.interrupt()
    for job, _ in working:
        job.opened.close()
