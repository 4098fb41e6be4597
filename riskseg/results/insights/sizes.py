"""What the question `size` gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from riskseg.results.insights.answer import Answer, KeyFigure, too_few
from riskseg.results.part import Part
from riskseg.results.units import MoneyOrNone, Share, ShareOrNone


class SegmentSize(Part):
    """A segment on a day."""

    segment: str
    accounts: int
    share: Share
    """Of all accounts."""
    overdue: MoneyOrNone
    """Null where nothing is known of what is owed: where there are no bills."""
    share_of_overdue: ShareOrNone
    balance: MoneyOrNone
    """All that is owed, due or not, less credit; null where there are no bills."""
    due: int
    """The accounts that an action is due for."""
    probability: ShareOrNone
    """The mean of the probabilities; null for fewer than 10 accounts."""
    expected_loss: MoneyOrNone
    """The sum of overdue balance times probability over the accounts that have one; null where
    none has, or fewer than 10 accounts are in it, or where it is not that of a default."""
    paid: MoneyOrNone
    """What its accounts paid in the last year, less what was taken back or paid out; null for fewer
    than 10 accounts, or where there are no bills."""
    share_of_paid: ShareOrNone


class SizeOnDay(Part):
    """A segment on one of several days."""

    day: date
    segment: str
    accounts: int
    share: Share
    overdue: MoneyOrNone
    """Null where nothing is known of what was owed."""


class SegmentSizes(Answer):
    """How large each segment is, and what it owes."""

    segments: tuple[SegmentSize, ...]
    trend: tuple[SizeOnDay, ...]
    """The latest day first."""
    accounts: int
    overdue: MoneyOrNone
    """Null where nothing is known of what is owed."""
    suppressed: tuple[str, ...]
    """The segments of too few accounts for a mean, an expected loss, or what was paid."""

    def words(self) -> str:
        if not self.segments:
            return "There are no accounts."
        # The segment that owes most is the first.
        largest = self.segments[0]
        if not self.overdue:
            largest = max(self.segments, key=lambda size: size.accounts)
            text = f'"{largest.segment}" is the largest, with {largest.share:.0%} of the accounts.'
            if self.overdue is None:
                text += " What accounts owe is worked out from bills, and there are none."
            return text + too_few(
                self.suppressed, "Probabilities and payments not shown", of_total=True
            )
        of_overdue = largest.share_of_overdue or 0
        text = (
            f'"{largest.segment}" owes most: {of_overdue:.0%} of what is overdue, '
            f"with {largest.share:.0%} of the accounts."
        )
        known = [(size.share_of_paid, size.segment) for size in self.segments if size.share_of_paid]
        if known:
            share, segment = max(known)
            text += f' "{segment}" paid most in the last year: {share:.0%} of all that was paid.'
        return text + too_few(
            self.suppressed, "Probabilities and payments not shown", of_total=True
        )

    def key_figures(self) -> Sequence[KeyFigure]:
        accounts = KeyFigure(f"{self.accounts:,}", "accounts")
        if self.overdue is None:
            return (accounts,)
        return (accounts, KeyFigure(f"{self.overdue:,.0f}", "overdue"))

    def tables(self) -> Mapping[str, Sequence[Part]]:
        return {"Segments": self.segments, "Segments over time": self.trend}
