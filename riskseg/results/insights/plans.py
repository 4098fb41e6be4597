"""What the question `plans` gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from riskseg.results.insights.answer import Answer, KeyFigure
from riskseg.results.insights.arrangements import Arrangements, kept_in_words
from riskseg.results.part import Part
from riskseg.results.units import Money, MoneyOrNone, Share, ShareOrNone


class ArrearsOnPlan(Part):
    """How much of the arrears a kept plan covered on a day."""

    day: date
    arrears: Money
    """What was unpaid and past due, on a plan or not."""
    on_plan: Money
    accounts: int
    """Those that had arrears on a plan."""
    share: Share
    """Of the arrears, what was on a plan."""
    low: Share
    """The lower end of the 95% interval of the share, by party."""
    high: Share


class SegmentOnPlan(Part):
    """How much of the arrears of a segment a kept plan covers on the as-of date. What is on a plan
    is null for fewer than 10 accounts that have arrears, on a plan or not."""

    segment: str
    arrears: Money
    on_plan: MoneyOrNone
    accounts: int | None
    """Those that have arrears on a plan."""
    share: ShareOrNone
    low: ShareOrNone
    """The lower end of the 95% interval of the share, by party."""
    high: ShareOrNone


class PlansKept(Answer):
    """How much of the arrears is on a plan, and what came of the plans of the last twelve
    months."""

    days: tuple[ArrearsOnPlan, ...]
    """The ends of the last months and the as-of date, the latest first."""
    arrears: tuple[SegmentOnPlan, ...]
    """By segment, that with most arrears first."""
    total: Arrangements | None
    """All of them together; null where there are none."""
    segments: tuple[Arrangements, ...]
    channels: tuple[Arrangements, ...]
    months: tuple[Arrangements, ...]
    """The latest first."""

    def words(self) -> str:
        text = kept_in_words(self.total, self.segments, "plan")
        if not self.days:
            return text
        last, first = self.days[0], self.days[-1]
        on_plan = f"On {last.day}, {last.share:.1%} of the arrears was on a plan"
        if first.day < last.day:
            on_plan += f"; on {first.day} it was {first.share:.1%}"
        return f"{on_plan}. {text}"

    def key_figures(self) -> Sequence[KeyFigure]:
        return [KeyFigure(f"{day.share:.1%}", "of the arrears on a plan") for day in self.days[:1]]

    def tables(self) -> Mapping[str, Sequence[Part]]:
        return {
            "Arrears on a plan": self.days,
            "Arrears on a plan by segment": self.arrears,
            "Plans by segment": self.segments,
            "Plans by channel": self.channels,
            "Plans by month": self.months,
        }
