"""What the question `fairness` gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from riskseg.domain.words import counted
from riskseg.results.insights.answer import Answer
from riskseg.results.part import Part
from riskseg.results.units import Ratio, Share


class CohortTreatment(Part):
    """How often something is due for the accounts in arrears of a cohort, and for all others."""

    cohort: str
    level: str
    measure: str
    """`contacted`, `offered help` or `significant action`."""
    accounts: int
    """Accounts that were in arrears on any of the days."""
    here: Share
    """The share of their days in arrears on which it is due."""
    elsewhere: Share
    """The same of all other accounts in arrears."""
    low: Ratio
    """The lower end of the 95% interval of `here` less `elsewhere`."""
    high: Ratio
    """Its upper end."""

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves no difference out."""
        return self.low > 0 or self.high < 0


class TreatmentByCohort(Answer):
    """Whether accounts in arrears are treated alike, whoever they are."""

    cohorts: tuple[CohortTreatment, ...]
    compared: tuple[str, ...]
    """The facts whose values are compared."""
    least: int
    """The accounts in arrears that a value needs to be compared."""

    def words(self) -> str:
        if not self.compared:
            return "No cohorts are declared: declare a column as `protected`, or name it in a spec."
        clear = [row for row in self.cohorts if row.is_clear]
        if not clear:
            return "No cohort is treated clearly otherwise than the other accounts in arrears."
        largest = max(clear, key=lambda row: abs(row.here - row.elsewhere))
        return (
            f"{counted(len(clear), 'difference')} cannot be put down to chance; the largest: "
            f"{largest.cohort} = {largest.level}, {largest.measure} on {largest.here:.1%} of the "
            f"days in arrears, against {largest.elsewhere:.1%} for the others. Cohorts may differ "
            "in what they owe, too."
        )

    def tables(self) -> Mapping[str, Sequence[Part]]:
        return {"Treatment by cohort": self.cohorts}
