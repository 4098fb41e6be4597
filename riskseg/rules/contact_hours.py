"""Contact hours: the hours of a day in which somebody may be reached, by the clock where they are.

Decisions are by the day. What a rule of hours means for an account on an as-of date is in two facts
of its row: in how many days the first hour is lawful, and from when until when today's are.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

_WAIT, _HOURS = "days until contact hours ", "contact hours "
DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Hours:
    """On the weekdays `days`, from one minute of the day until another: 480 to 1260 for 08:00 to
    21:00, and 1440 for the end of the day."""

    first: int
    last: int
    days: tuple[str, ...]

    def __str__(self) -> str:
        days = "" if len(self.days) == 7 else f" on {', '.join(self.days)}"
        return f"{clock(self.first)} to {clock(self.last)}{days}"


@dataclass(frozen=True, slots=True)
class ContactHours:
    """The hours by the clock of the time zone that the attribute `zone` names for an account.
    Where it names none, or there is no attribute, those common to all of `zones`: time zones, or
    countries with all of theirs. They are then said by the clock of the first of these."""

    hours: tuple[Hours, ...]
    zone: str | None
    zones: tuple[str, ...]

    @property
    def wait(self) -> str:
        """The fact that counts the days until one has a lawful hour: 0 where the as-of date has
        one, and unknown where no day does."""
        return _WAIT + self._said

    @property
    def window(self) -> str:
        """The fact that holds the lawful hours of the as-of date and the zone by whose clock they
        are said: `08:00 21:00 America/Chicago`; unknown where there is none."""
        return _HOURS + self._said

    @property
    def _said(self) -> str:
        hours = [[one.first, one.last, ",".join(one.days)] for one in self.hours]
        return json.dumps({"hours": hours, "zone": self.zone, "zones": self.zones})

    def __str__(self) -> str:
        where = f" in all of {', '.join(self.zones)}"
        if self.zone is not None:
            where = f" where {self.zone} says; where it is unknown{where}"
        return f"{'; '.join(map(str, self.hours))}{where}"


def hours_of(fact: str) -> tuple[ContactHours, bool] | None:
    """The hours that a fact is of, and whether it is the one that counts days; None for any other
    fact."""
    for prefix in (_WAIT, _HOURS):
        if fact.startswith(prefix):
            said = json.loads(fact.removeprefix(prefix))
            hours = (
                Hours(first, last, tuple(days.split(","))) for first, last, days in said["hours"]
            )
            return ContactHours(tuple(hours), said["zone"], tuple(said["zones"])), prefix == _WAIT
    return None


def counts_days(fact: str) -> bool:
    """Whether a fact counts the days until there is a lawful hour."""
    return fact.startswith(_WAIT)


def clock(minute: int) -> str:
    """A minute of the day as a clock shows it; the end of the day is 24:00."""
    return f"{minute // 60:02}:{minute % 60:02}"


def minute_of(text: str) -> int:
    """The minute of the day that a clock shows."""
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)
