"""What the question `cures` gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from riskseg.results.insights.answer import Answer, clearly_apart, too_few, with_months
from riskseg.results.part import Part
from riskseg.results.units import ShareOrNone


class Cured(Part):
    """How many accounts in arrears of a segment were out of them within some days. All but their
    number is null for fewer than 10 accounts."""

    segment: str
    within: int
    """Days after a day on which the accounts were decided."""
    accounts: int
    """Accounts in arrears, once for each day they are looked at."""
    cured: int | None
    """Those that paid until nothing was overdue."""
    on_plan: int | None
    """Those whose arrears a kept plan covered."""
    share_cured: ShareOrNone
    low: ShareOrNone
    """The lower end of the 95% interval of the share, by party."""
    high: ShareOrNone
    share_on_plan: ShareOrNone


class CureRates(Answer):
    """How many accounts in arrears cure, by segment. Observed: no effect of treatment."""

    segments: tuple[Cured, ...]
    as_of: date

    def words(self) -> str:
        longest = max((row.within for row in self.segments), default=0)
        known = [
            row for row in self.segments if row.within == longest and row.share_cured is not None
        ]
        if not known:
            return (
                "Too few accounts in arrears were decided long enough ago. "
                f"{with_months('cures', self.as_of)}"
            )
        text = f"Within {longest} days, in no segment clearly more accounts in arrears cured."
        if (apart := clearly_apart(known, lambda row: row.share_cured)) is not None:
            best, worst = apart
            text = (
                f"Within {longest} days, {best.share_cured:.0%} of the accounts in arrears cured "
                f'in "{best.segment}" and {worst.share_cured:.0%} in "{worst.segment}".'
            )
        text += (
            " These shares are observed: segments hold different accounts, so none of them is the "
            "effect of a treatment."
        )
        return text + too_few(row.segment for row in self.segments if row.share_cured is None)

    def tables(self) -> Mapping[str, Sequence[Part]]:
        return {"Cure rates": self.segments}
