"""The days that a question about segments is asked of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Asked:
    """What is asked about: the accounts as of a date; the day that movement is seen from, or None
    for the one before; and of how many past months the ends are decided anew."""

    as_of: date
    compare: date | None = None
    months: int = 0

    @property
    def days(self) -> set[date]:
        """The days that are wanted, whether a run of the journal decided them or not."""
        compared = [self.compare] if self.compare else []
        return {self.as_of, *compared, *month_ends(self.as_of, self.months)}


def month_ends(until: date, count: int) -> list[date]:
    """The last days of the last `count` whole months before a day, the earliest first."""
    found = []
    first = until.replace(day=1)
    for _ in range(count):
        last = first - timedelta(days=1)
        found.append(last)
        first = last.replace(day=1)
    return found[::-1]
