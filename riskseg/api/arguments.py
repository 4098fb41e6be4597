"""What the arguments of the API may be, and what use cases are given for them."""

from __future__ import annotations

import getpass
import logging
import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from riskseg import run as use_cases
from riskseg.domain.problems import OUR_FAULT, ProblemsError
from riskseg.domain.words import DAYS_AGO, is_one_line
from riskseg.pipeline.stages import Progress
from riskseg.run.metrics import Measured
from riskseg.store.sinks import InMemory
from riskseg.workspace import day_of

Day = date | str
Place = str | os.PathLike[str]

R = TypeVar("R", bound=Measured)

_log = logging.getLogger("riskseg")


def day(value: Day, root: Path | None = None) -> date:
    """A date, or the date that a text names: "2026-06-30", or "today" or "yesterday" in the time
    zone of the workspace in `root`. Raises ValueError for what is none."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str) and value in DAYS_AGO:
        return today(None, root) - timedelta(days=DAYS_AGO[value])
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(
            f"{value!r} is not a day. Give a date, or a text such as "
            '"2026-06-30", "today" or "yesterday".'
        ) from None


def day_or_none(value: Day | None, root: Path | None = None) -> date | None:
    return None if value is None else day(value, root)


def today(value: Day | None, root: Path | None = None) -> date:
    """The day that is given, or the one that it is in the time zone of the workspace in `root`."""
    return day_of(datetime.now(UTC), root) if value is None else day(value, root)


def path_or_none(value: Place | None) -> Path | None:
    return None if value is None else Path(value)


def target(out: Place | None) -> str | InMemory:
    """Where rows are written: a place, or memory where none is named."""
    return InMemory() if out is None else str(out)


def moment(at: datetime | None) -> datetime:
    """The time to be journalled. The clock is read here and in `cli/`, and nowhere else."""
    if at is None:
        return datetime.now(UTC).replace(microsecond=0)
    if at.tzinfo is None:
        raise ValueError("at needs a time zone, for instance datetime.now(UTC).")
    return at


def person(by: str | None) -> str:
    """The name to journal: the one given, or else that of the user who runs this."""
    if by is not None and not (by.strip() and is_one_line(by)):
        raise ValueError("by is a name in one line, without control characters.")
    return by or getpass.getuser()


def one_line(reason: str) -> str:
    if not is_one_line(reason):
        raise ValueError("reason is one line, without control characters.")
    return reason


def measured(command: str, root: Path, place: Place | None, work: Callable[[Progress], R]) -> R:
    """What a piece of work gives. Where a `place` is named, what it measured is written there, as
    the option --metrics of the command does, also if it fails."""
    if place is None:
        return work(progress())
    measuring = use_cases.measuring.Measuring(command, root, Path(place))
    try:
        result = work(measuring.over(progress()))
    except ProblemsError as error:
        measuring.failed(error.exit_code, error.problems, moment(None))
        raise
    except Exception:
        measuring.failed(OUR_FAULT, (), moment(None))
        raise
    measuring.done(result, moment(None))
    return result


def progress() -> Progress:
    """What nobody should miss is a warning of the logger `riskseg`; its information is other
    remarks and how far a stage is, and that of `riskseg.stages` which one it is."""
    return Progress(
        within=lambda share, text: _log.info("%s", text) if text else None,
        note=lambda text: _log.info("%s", text),
        warning=lambda text: _log.warning("%s", text),
    )
