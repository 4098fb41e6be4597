"""What the question `vintages` gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from riskseg.results.insights.answer import Answer
from riskseg.results.part import Part
from riskseg.results.units import Money, MoneyOrNone, ShareOrNone

# Months, or days, after which the sentence compares the latest vintage with the first.
COMPARED_MONTHS, COMPARED_DAYS = 3, 90


class BilledVintage(Part):
    """What was billed in a month, and what of it was unpaid some months later, as known then.
    What was unpaid, and its share, are null for fewer than 10 accounts: what was billed less that
    is what they paid."""

    month: date
    """The last day of the month in which the bills were issued."""
    months_after: int
    """Whole months after that day."""
    accounts: int
    billed: Money
    """What was owed of these bills, paid or not."""
    unpaid: MoneyOrNone
    share: ShareOrNone
    """Of what was billed, what was unpaid."""
    low: ShareOrNone
    """The lower end of the 95% interval of the share, by party."""
    high: ShareOrNone


class EpisodeVintage(Part):
    """The arrears episodes that began in a month, and how many went on after some days. All but
    their number is null for fewer than 10 accounts."""

    month: date
    """The last day of the month in which they began."""
    days_after: int
    """Days after each episode began."""
    episodes: int
    cured: int | None
    """Those that were over by then, paid."""
    on_plan: int | None
    """Those that were over by then, as a kept plan covered the arrears."""
    share: ShareOrNone
    """Of the episodes, those that went on."""
    low: ShareOrNone
    """The lower end of the 95% interval of the share, by party."""
    high: ShareOrNone
    arrears: MoneyOrNone
    """What was owed of the bills that began them."""
    share_of_arrears: ShareOrNone
    """Of this amount, that of the episodes that went on."""


class Vintages(Answer):
    """How much of what was billed in a month stays unpaid, and how many of the episodes that began
    in it go on. Only what is over by the as-of date is counted."""

    billed: tuple[BilledVintage, ...]
    """The latest month first, as `episodes`."""
    episodes: tuple[EpisodeVintage, ...]

    def words(self) -> str:
        text = ""
        bills = [
            r for r in self.billed if r.months_after == COMPARED_MONTHS and r.share is not None
        ]
        if bills:
            last, first = bills[0], bills[-1]
            text = f"Of what was billed in {last.month:%Y-%m}, {last.share:.1%} was unpaid "
            text += f"{COMPARED_MONTHS} months later"
            if first is not last:
                text += f"; of {first.month:%Y-%m}, {first.share:.1%}"
            text += ". "
        began = [r for r in self.episodes if r.days_after == COMPARED_DAYS and r.share is not None]
        if began:
            latest, earliest = began[0], began[-1]
            text += f"Of the arrears episodes that began in {latest.month:%Y-%m}, "
            text += f"{latest.share:.1%} went on after {COMPARED_DAYS} days"
            if latest is not earliest:
                text += f"; of {earliest.month:%Y-%m}, {earliest.share:.1%}"
            text += "."
        return text.strip() or "The history is too short: no month is over for long enough."

    def tables(self) -> Mapping[str, Sequence[Part]]:
        return {"Unpaid by month of billing": self.billed, "Episodes by month": self.episodes}
