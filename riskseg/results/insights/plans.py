"""What the question `plans` gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from riskseg.domain.words import first_few
from riskseg.results.insights.answer import FEWEST, Answer, KeyFigure
from riskseg.results.insights.arrangements import Arrangements, kept_in_words
from riskseg.results.part import Part
from riskseg.results.units import Money, MoneyOrNone, ShareOrNone


class ArrearsOnPlan(Part):
    """How much of the arrears a kept plan covered on a day. What was on a plan is null where that
    was of fewer than 10 accounts."""

    day: date
    arrears: Money
    """What was unpaid and past due, on a plan or not."""
    on_plan: MoneyOrNone = None
    accounts: int | None = None
    """Those that had arrears on a plan."""
    share: ShareOrNone = None
    """Of the arrears, what was on a plan."""
    low: ShareOrNone = None
    """The lower end of the 95% interval of the share, by party."""
    high: ShareOrNone = None


class SegmentOnPlan(Part):
    """How much of the arrears of a segment a kept plan covers on the as-of date. What is on a plan
    is null where fewer than 10 accounts have arrears, or have them on a plan."""

    segment: str
    arrears: Money
    on_plan: MoneyOrNone = None
    accounts: int | None = None
    """Those that have arrears on a plan."""
    share: ShareOrNone = None
    low: ShareOrNone = None
    """The lower end of the 95% interval of the share, by party."""
    high: ShareOrNone = None


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
        known = [day for day in self.days if day.share is not None]
        if len(known) < len(self.days):
            text += f" Not shown, with fewer than {FEWEST} accounts on a plan: " + first_few(
                [str(day.day) for day in self.days if day.share is None]
            )
            text += "."
        if not known:
            return text
        last, first = known[0], known[-1]
        on_plan = f"On {last.day}, {last.share:.1%} of the arrears was on a plan"
        if first.day < last.day:
            on_plan += f"; on {first.day} it was {first.share:.1%}"
        return f"{on_plan}. {text}"

    def key_figures(self) -> Sequence[KeyFigure]:
        return [
            KeyFigure(f"{day.share:.1%}", "of the arrears on a plan")
            for day in self.days[:1]
            if day.share is not None
        ]

    def tables(self) -> Mapping[str, Sequence[Part]]:
        return {
            "Arrears on a plan": self.days,
            "Arrears on a plan by segment": self.arrears,
            "Plans by segment": self.segments,
            "Plans by channel": self.channels,
            "Plans by month": self.months,
        }
