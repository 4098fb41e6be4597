"""Calendars: the days on which actions are taken, as a strategy says them.

Whether a day is one of them is known from facts of the account's row, the same for all accounts of
an as-of date, so that what was decided can be decided again when a holiday has been proclaimed
since.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNTIL_OPEN, _BEFORE, _AFTER = "days until open ", "closed days before ", "closed days after "


@dataclass(frozen=True, slots=True)
class Calendar:
    """The weekdays `days` are open, less the public holidays of a country or a part of it, such as
    GB-ENG. What falls on a closed day is done on the next open day, or on the `previous`."""

    days: tuple[str, ...] = WEEKDAYS
    holidays: str | None = None
    closed: Literal["next", "previous"] = "next"

    @property
    def open_days(self) -> str:
        """Which days are open, in one word or two."""
        days = ",".join(day for day in WEEKDAYS if day in self.days)
        return f"{days} {self.holidays}" if self.holidays else days

    def __str__(self) -> str:
        return f"{self.open_days}, closed: {self.closed}"

    @property
    def until_open(self) -> str:
        """The fact that counts the days until the next open one: 0 on an open day."""
        return _UNTIL_OPEN + self.open_days

    @property
    def closed_before(self) -> str:
        """The fact that counts the closed days that end on the day before."""
        return _BEFORE + self.open_days

    @property
    def closed_after(self) -> str:
        """The fact that counts the closed days from the day after an open one; 0 on a closed
        day."""
        return _AFTER + self.open_days


def counted_by(fact: str) -> tuple[str, Calendar] | None:
    """What a fact counts, `until_open`, `closed_before` or `closed_after`, and the calendar by
    which it counts; None for any other fact."""
    for prefix, counts in (
        (_UNTIL_OPEN, "until_open"),
        (_BEFORE, "closed_before"),
        (_AFTER, "closed_after"),
    ):
        if fact.startswith(prefix):
            days, _, holidays = fact.removeprefix(prefix).partition(" ")
            return counts, Calendar(tuple(days.split(",")), holidays or None)
    return None
