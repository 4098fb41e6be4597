"""What the question `roll` gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from riskseg.domain.words import counted
from riskseg.results.insights.answer import Answer, too_few
from riskseg.results.part import Part
from riskseg.results.units import ShareOrNone


class RollRate(Part):
    """The accounts that were in one state and are in another, and their share of those that were in
    the first. Where these were fewer than 10 there is one row, whose `after` is `not shown` and
    whose share is null."""

    before: str
    after: str
    accounts: int
    share: ShareOrNone


class Roll(Answer):
    """How accounts roll between ageing buckets from one day to another."""

    first: date
    last: date
    rates: tuple[RollRate, ...]
    late: int
    """The accounts that were past due on the first day, and are still there."""
    cured: int
    """Those of them that are not past due any more."""
    better: int
    """The accounts in an earlier bucket than before."""
    worse: int
    """The accounts in a later bucket than before."""
    known: int
    """The accounts of which the days past due are known on both days."""

    def words(self) -> str:
        if not self.known:
            return (
                f"Of no account is it known how many days it was past due both on {self.first} and "
                f"on {self.last}. Days past due are worked out from bills."
            )
        share = Decimal(self.cured) / self.late if self.late else Decimal(0)
        return (
            f"Of {counted(self.late, 'account')} past due on {self.first}, {self.cured:,} "
            f"({share:.1%}) were not past due on {self.last}. Of all accounts, {self.better:,} "
            f"went to an earlier bucket and {self.worse:,} to a later one."
        ) + too_few(
            (rate.before for rate in self.rates if rate.share is None),
            "Where accounts went is not shown",
            of_total=True,
        )

    def tables(self) -> Mapping[str, Sequence[Part]]:
        return {"Roll rates": self.rates}
