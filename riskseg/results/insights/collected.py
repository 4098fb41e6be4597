"""What the question `collected` gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from riskseg.results.insights.answer import Answer, clearly_apart, too_few, with_months
from riskseg.results.part import Part
from riskseg.results.units import Money, MoneyOrNone, ShareOrNone


class Collected(Part):
    """What was paid of the overdue balance of a segment's accounts within some days.
    What was paid, and its share, are null for fewer than 10 accounts."""

    segment: str
    within: int
    """Days after a day on which the accounts were decided."""
    accounts: int
    """Accounts with an overdue balance, once for each day they are looked at."""
    overdue: Money
    paid: MoneyOrNone
    """What they paid, at most what was overdue."""
    share: ShareOrNone
    low: ShareOrNone
    """The lower end of the 95% interval of the share, by party."""
    high: ShareOrNone


class Collections(Answer):
    """What was paid of what was overdue, by segment. Observed: no effect of treatment."""

    segments: tuple[Collected, ...]
    days: int
    """The days that are looked at."""
    as_of: date

    def words(self) -> str:
        longest = max((row.within for row in self.segments), default=0)
        known = [row for row in self.segments if row.within == longest and row.share is not None]
        if not known:
            return (
                "Too few accounts with an overdue balance were decided long enough ago. "
                f"{with_months('collected', self.as_of)}"
            )
        text = f"Within {longest} days, no segment paid clearly more of what was overdue."
        if (apart := clearly_apart(known, lambda row: row.share)) is not None:
            best, worst = apart
            text = (
                f"Within {longest} days, {best.share:.0%} of what was overdue was paid in "
                f'"{best.segment}" and {worst.share:.0%} in "{worst.segment}".'
            )
        return (
            f"{text} These shares are observed: segments hold different accounts, so none of them "
            "is the effect of a treatment."
        ) + too_few(row.segment for row in self.segments if row.share is None)

    def tables(self) -> Mapping[str, Sequence[Part]]:
        return {"Paid of what was overdue": self.segments}
