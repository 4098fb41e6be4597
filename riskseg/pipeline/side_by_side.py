"""Ranges of accounts that are worked on side by side, in engines beside that of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from riskseg.engine import Engine, statements_are_logged
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import Job, SideBySide

# What one leaves idle of the machine, such as while rows are scored or written, the other takes.
_AT_A_TIME = 2


def side_by_side(
    job: Callable[[Any, Session], Job], take: Callable[[Any, Any], Iterator[Any]]
) -> SideBySide:
    """`job` takes the run and its session over an engine beside its own, and makes the job of a
    range; `take` takes the run and that job, once it has carried out its stages."""

    def of_range(run: Any, _accounts: Any, at_a_time: int) -> Job:
        engine = run.session.engine
        beside = engine.beside(max(1, engine.threads // at_a_time))
        made = job(run, replace(run.session, engine=beside))
        made.opened.enter_context(beside)
        made.interrupt = beside.interrupt
        return made

    return SideBySide(lambda run: ranges_at_a_time(run.session.engine), of_range, take)


def ranges_at_a_time(engine: Engine) -> int:
    """How many ranges are worked on. Where statements are logged, people read them in their order:
    it is one."""
    return 1 if statements_are_logged() else min(_AT_A_TIME, engine.threads)
