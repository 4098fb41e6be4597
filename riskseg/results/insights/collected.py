"""What the question `collected` gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from riskseg.results.insights.answer import FEWEST, Answer
from riskseg.results.part import Part
from riskseg.results.units import Money, Share


class Collected(Part):
    """What was paid of the overdue balance of a segment's accounts within some days."""

    segment: str
    within: int
    """Days after a day on which the accounts were decided."""
    accounts: int
    """Accounts with an overdue balance, once for each day they are looked at."""
    overdue: Money
    paid: Money
    """What they paid, at most what was overdue."""
    share: Share
    low: Share
    """The lower end of the 95% interval of the share, by accounts."""
    high: Share


class Collections(Answer):
    """What was paid of what was overdue, by segment. Observed: no effect of treatment."""

    segments: tuple[Collected, ...]
    days: int
    """The days that are looked at."""

    def words(self) -> str:
        longest = max((row.within for row in self.segments), default=0)
        rows = [r for r in self.segments if r.within == longest and r.accounts >= FEWEST]
        if not rows:
            return "Too few accounts with an overdue balance were decided long enough ago."
        best, worst = (pick(rows, key=lambda row: row.share) for pick in (max, min))
        return (
            f"Within {longest} days, {best.share:.0%} of what was overdue was paid in "
            f'"{best.segment}" and {worst.share:.0%} in "{worst.segment}". These shares are '
            "observed: segments hold different accounts, so none of them is the effect of a "
            "treatment."
        )

    def tables(self) -> Mapping[str, Sequence[Part]]:
        return {"Paid of what was overdue": self.segments}
