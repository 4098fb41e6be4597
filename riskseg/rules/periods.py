"""Days from a first to a last, both included, either of which may be left open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from riskseg.rules.elements import Dated

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """`date.min` and `date.max` stand for an open side. False where it has no day."""

    first: date
    last: date

    @classmethod
    def of(cls, dated: Dated) -> Period:
        return cls(dated.effective_from or date.min, dated.effective_to or date.max)

    def within(self, other: Period) -> Period:
        """The days of both."""
        return Period(max(self.first, other.first), min(self.last, other.last))

    def __bool__(self) -> bool:
        return self.first <= self.last

    def __str__(self) -> str:
        if self.first == self.last:
            return f"on {self.first}"
        words = []
        if self.first > date.min:
            words.append(f"from {self.first}")
        if self.last < date.max:
            words.append(f"until {self.last}")
        return " ".join(words) or "always"


def gaps(whole: Period, parts: Iterable[Period]) -> list[Period]:
    """The days of `whole` that no part has, in order."""
    found = []
    free = whole.first  # the first day that nothing seen so far has
    for part in sorted((p.within(whole) for p in parts), key=lambda p: (p.first, p.last)):
        if not part:
            continue
        if part.first > free:
            found.append(Period(free, part.first - _DAY))
        if part.last >= whole.last:
            return found
        free = max(free, part.last + _DAY)
    return [*found, Period(free, whole.last)] if free <= whole.last else found
