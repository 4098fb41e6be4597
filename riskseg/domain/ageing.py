"""Ageing buckets: ranges of days past due in which receivables are grouped."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AgeingBucket:
    """A range of days past due, `first` and `last` included; `last` is None where it is open.
    `column` is its name in tables and files, `label` the one that people read."""

    label: str
    column: str
    first: int
    last: int | None

    def holds(self, days: str) -> str:
        """The condition that a number of days, given as SQL, lies in the bucket."""
        if self.last is None:
            return f"{days} >= {self.first}"
        return f"{days} between {self.first} and {self.last}"


CURRENT = AgeingBucket("current", "current", 0, 0)
PAST_DUE = (
    AgeingBucket("1-30", "d1_30", 1, 30),
    AgeingBucket("31-60", "d31_60", 31, 60),
    AgeingBucket("61-90", "d61_90", 61, 90),
    AgeingBucket("90+", "d90_plus", 91, None),
)
BUCKETS = (CURRENT, *PAST_DUE)


def bucket_sql(days: str) -> str:
    """The label of the bucket in which a number of days past due, given as SQL, lies."""
    arms = " ".join(f"when {bucket.holds(days)} then '{bucket.label}'" for bucket in PAST_DUE)
    return f"case {arms} else '{CURRENT.label}' end"
