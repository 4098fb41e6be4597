"""An estimate with its interval."""

from __future__ import annotations

from typing import NamedTuple


class Interval(NamedTuple):
    """An estimate with the ends of its 95% interval."""

    value: float
    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether a value lies within the interval, its ends included."""
        return self.low <= value <= self.high
