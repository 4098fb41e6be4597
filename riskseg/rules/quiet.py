"""Quiet periods: days on which some actions are not taken, as a strategy says them.

How many days are left of one is a fact of the account's row, the same for all accounts of an as-of
date, as what a calendar says of the day is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

_LEFT = "quiet days left of "
# A period of more days than these in a row is no pause but an end.
MOST_QUIET_DAYS = 3660


@dataclass(frozen=True, slots=True)
class QuietPeriod:
    """From a first day to a last, both included: two dates, `2026-09-08`, or two days of every
    year, `12-24`. One of every year may go on over the turn of the year."""

    first: str
    last: str

    def includes(self, day: date) -> bool:
        """Whether a day is one of it."""
        if len(self.first) > len("12-24"):
            return self.first <= day.isoformat() <= self.last
        of_year = f"{day:%m-%d}"
        if self.first <= self.last:
            return self.first <= of_year <= self.last
        return of_year >= self.first or of_year <= self.last

    def __str__(self) -> str:
        return self.first if self.first == self.last else f"{self.first} to {self.last}"


def quiet_fact(periods: Sequence[QuietPeriod]) -> str:
    """The fact that counts the days until one is in none of the periods: 0 where the as-of date
    is."""
    return _LEFT + ",".join(f"{period.first}:{period.last}" for period in periods)


def counted_periods(fact: str) -> tuple[QuietPeriod, ...]:
    """The periods of which a fact counts the days left; none for any other fact."""
    if not fact.startswith(_LEFT):
        return ()
    pairs = (period.split(":") for period in fact.removeprefix(_LEFT).split(","))
    return tuple(QuietPeriod(first, last) for first, last in pairs)


def quiet_days_left(periods: Sequence[QuietPeriod], day: date) -> int:
    """How many days after a day the first one comes that no period includes; at most
    `MOST_QUIET_DAYS`."""
    for days in range(MOST_QUIET_DAYS):
        later = day + timedelta(days=days)
        if not any(period.includes(later) for period in periods):
            return days
    return MOST_QUIET_DAYS
