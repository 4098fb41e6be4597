"""What the arguments of the API may be, and what use cases are given for them."""

from __future__ import annotations

import getpass
import logging
import os
from datetime import UTC, date, datetime
from pathlib import Path

from riskseg.domain.words import is_one_line
from riskseg.pipeline.stages import Progress
from riskseg.store.sinks import InMemory

Day = date | str
Place = str | os.PathLike[str]

_log = logging.getLogger("riskseg")


def day(value: Day) -> date:
    """A date, or the date that a text such as "2026-06-30" is."""
    if isinstance(value, datetime):
        return value.date()
    return date.fromisoformat(value) if isinstance(value, str) else value


def day_or_none(value: Day | None) -> date | None:
    return None if value is None else day(value)


def today(value: Day | None) -> date:
    """The day that is given, or the one that the clock of this machine shows."""
    return date.today() if value is None else day(value)


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


def progress() -> Progress:
    """Remarks that a person should see are warnings of the logger `riskseg`; its information is
    how far a stage is, and that of `riskseg.stages` which one it is."""
    return Progress(
        within=lambda share, text: _log.info("%s", text) if text else None,
        note=lambda text: _log.warning("%s", text),
    )
