"""What the question `arrears` gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from riskseg.domain.ageing import PAST_DUE, AgeingBucket
from riskseg.results.insights.answer import Answer, KeyFigure
from riskseg.results.part import Part
from riskseg.results.units import Money, RatioOrNone, Share, ShareOrNone, share_of


class AgedBalance(Part):
    """What was unpaid on a day of bills of an age."""

    day: date
    bucket: str
    """Days past due; `current` is what is not past due, or on a plan that is kept."""
    accounts: int
    """Accounts whose oldest unpaid bill is of this age."""
    balance: Money
    share: Share
    """Of all that was unpaid and owed on the day."""


class ArrearsMonth(Part):
    """What was owed at the end of a month, and what was collected in it."""

    month: date
    """Its last day."""
    receivables: Money
    """What was unpaid, disputed amounts included; credit is not taken off."""
    overdue: Money
    disputed: Money
    """What is disputed of the receivables: ageing, and so `overdue`, leaves it out."""
    billed: Money
    """What was billed in the month, less what was cancelled in it."""
    collected: Money
    """What was paid or credited of bills: what was owed before, and billed, and is not owed any
    more."""
    dso: RatioOrNone
    """Days sales outstanding: receivables / billed * days of the month. Null where nothing was
    billed."""
    cei: ShareOrNone
    """Collections effectiveness index: (opening receivables + billed - closing receivables) /
    (opening receivables + billed - closing receivables that are not past due). Null where nothing
    could be collected."""
    low: ShareOrNone
    """The lower end of the 95% interval of the index, by party."""
    high: ShareOrNone


class Arrears(Answer):
    """How old the arrears are, and how well they are collected, month by month."""

    days: tuple[AgedBalance, ...]
    """The ends of the last months and the as-of date, the latest first."""
    months: tuple[ArrearsMonth, ...]
    """The latest first."""

    def words(self) -> str:
        if not self.days:
            return "No bill was known in the last year."
        first, last = self.days[-1].day, self.days[0].day
        text = (
            f"On {last}, {self._share(last, *PAST_DUE):.1%} of what was owed was past due, "
            f"{self._share(last, PAST_DUE[-1]):.1%} by more than 90 days"
        )
        if first < last:
            text += f"; on {first}, {self._share(first, *PAST_DUE):.1%} was past due"
        if disputed := next((month for month in self.months if month.disputed), None):
            text += (
                f". Receivables are more than the sum of ageing by what is disputed "
                f"({disputed.disputed:,.2f} on {disputed.month})"
            )
        months = [month for month in self.months if month.cei is not None and month.dso is not None]
        if not months:
            return f"{text}."
        month = months[0]
        return (
            f"{text}. In {month.month:%Y-%m}, {month.cei:.1%} of what could be collected was "
            f"collected (CEI), and {month.dso:,.0f} days of billing were unpaid at its end (DSO)."
        )

    def _share(self, day: date, *buckets: AgeingBucket) -> Share:
        """The part of what was owed on a day that is of some ages."""
        rows = [row for row in self.days if row.day == day]
        labels = {bucket.label for bucket in buckets}
        return share_of(
            sum((row.balance for row in rows if row.bucket in labels), Decimal(0)),
            sum((row.balance for row in rows), Decimal(0)),
        )

    def key_figures(self) -> Sequence[KeyFigure]:
        if not self.days:
            return ()
        old = self._share(self.days[0].day, PAST_DUE[-1])
        figures = [KeyFigure(f"{old:.1%}", "of what is owed past due by more than 90 days")]
        month = next((month for month in self.months if month.cei is not None), None)
        if month is not None:
            name = f"of what could be collected in {month.month:%Y-%m} was collected (CEI)"
            figures.append(KeyFigure(f"{month.cei:.1%}", name))
        return figures

    def tables(self) -> Mapping[str, Sequence[Part]]:
        return {"Ageing over time": self.days, "Collection by month": self.months}
