"""What `insight` gives: the answer to a question about segments, as tables."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated

import pyarrow as pa
from pydantic import SerializeAsAny, WithJsonSchema

from riskseg.domain.words import counted
from riskseg.results.base import Result
from riskseg.results.part import Part
from riskseg.results.runs import Written
from riskseg.results.units import Hidden, Money, MoneyOrNone, Ratio, RatioOrNone, Share, ShareOrNone

# A group of fewer accounts is not named in words: chance decides what is said of it.
FEWEST = 10


class Answer(Part):
    """The answer to a question: a sentence or two, and tables."""

    @abstractmethod
    def words(self) -> str:
        """The answer in a sentence or two."""

    @abstractmethod
    def tables(self) -> Mapping[str, Sequence[Part]]:
        """Its tables by their titles; the rows of each are of one class. The first one is the
        answer, and is what is written to a file."""


class InsightDay(Part):
    """A day on which accounts were decided, and by what."""

    day: date
    run: str | None
    """The run of the journal; null where it was decided for this answer, by the strategy in force
    on that day."""
    strategy: str
    """The version of the strategy."""
    accounts: int


class SegmentSize(Part):
    """A segment on a day."""

    segment: str
    accounts: int
    share: Share
    """Of all accounts."""
    overdue: Money
    share_of_overdue: Share
    due: int
    """The accounts that an action is due for."""
    probability: ShareOrNone
    """The mean of the probabilities."""
    expected_loss: MoneyOrNone
    """The sum of overdue balance times probability over the accounts that have one; null where
    none has, or where it is not the probability of a default."""


class SizeOnDay(Part):
    """A segment on one of several days."""

    day: date
    segment: str
    accounts: int
    share: Share
    overdue: Money


class SegmentSizes(Answer):
    """How large each segment is, and what it owes."""

    segments: tuple[SegmentSize, ...]
    trend: tuple[SizeOnDay, ...]
    accounts: int
    overdue: Money

    def words(self) -> str:
        largest = max(self.segments, key=lambda size: size.overdue, default=None)
        if largest is None:
            return "There are no accounts."
        return (
            f'"{largest.segment}" owes most: {largest.share_of_overdue:.0%} of what is overdue, '
            f"with {largest.share:.0%} of the accounts."
        )

    def tables(self) -> Mapping[str, Sequence[Part]]:
        return {"Segments": self.segments, "Segments over time": self.trend}


class Flow(Part):
    """The accounts that went from one segment to another between two days."""

    before: str
    """`absent` where the account was not there."""
    after: str
    """`absent` where the account is not there any more."""
    accounts: int
    share: Share
    """Of the accounts that were in the segment before."""
    overdue_before: Money
    overdue_after: Money


class Driver(Part):
    """A band or tier that changed for accounts which went from one segment to another."""

    before: str
    after: str
    fact: str
    change: str
    accounts: int
    share: Share
    """Of the accounts that went so."""


class Movement(Answer):
    """How accounts move between segments."""

    first: date
    last: date
    flows: tuple[Flow, ...]
    drivers: tuple[Driver, ...]
    """What changed for the accounts of the largest flows between two segments."""
    moved: int
    """The accounts that are in another segment, of those there on both days."""
    stayed: int
    stability_index: RatioOrNone
    """The population stability index of the shares of segments: 0 where they are the same. Null
    where there were no accounts."""
    stability_by_chance: RatioOrNone
    """What it would be on average if the accounts of both days were drawn at random from one
    population."""

    def words(self) -> str:
        both = self.moved + self.stayed
        share = Decimal(self.moved) / both if both else Decimal(0)
        return (
            f"Between {self.first} and {self.last}, {self.moved:,} of {both:,} accounts "
            f"({share:.1%}) went to another segment."
        )

    def tables(self) -> Mapping[str, Sequence[Part]]:
        return {"Flows": self.flows, "What changed": self.drivers}


class RollRate(Part):
    """The accounts that were in one state and are in another, and their share of those that were in
    the first."""

    before: str
    after: str
    accounts: int
    share: Share


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

    def words(self) -> str:
        share = Decimal(self.cured) / self.late if self.late else Decimal(0)
        return (
            f"Of {counted(self.late, 'account')} past due on {self.first}, {self.cured:,} "
            f"({share:.1%}) were not past due on {self.last}. Of all accounts, {self.better:,} "
            f"went to an earlier bucket and {self.worse:,} to a later one."
        )

    def tables(self) -> Mapping[str, Sequence[Part]]:
        return {"Roll rates": self.rates}


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


class Difference(Part):
    """A feature or attribute in which the accounts of a segment differ from all others."""

    segment: str
    compared: str
    """What is compared, in words."""
    fact: Hidden
    value: Hidden
    """`mean` of a number; else the value whose share is compared."""
    here: Ratio
    """The mean, or the share of accounts, in the segment."""
    elsewhere: Ratio
    """The same of all other accounts."""
    index: RatioOrNone
    """`here` in per cent of `elsewhere`; null where that has no meaning."""
    standardised: Ratio
    """The difference in units of the pooled standard deviation."""
    low: Ratio
    """The lower end of the 95% interval of `here` less `elsewhere`."""
    high: Ratio
    """Its upper end."""
    accounts: int
    """The accounts of the segment that the mean is of, or that have the value."""


class Profile(Answer):
    """In what each segment differs most from all other accounts."""

    differences: tuple[Difference, ...]
    """By segment, the largest standardised difference first."""
    suppressed: tuple[str, ...]
    """The segments of too few accounts to be described."""
    least: int
    """The accounts that a segment, or a value in it, needs to be described."""

    def words(self) -> str:
        largest = max(self.differences, key=lambda d: abs(d.standardised), default=None)
        if largest is None:
            return "No segment differs from the others in any feature or attribute."
        form = ",.2f" if largest.value == "mean" else ".0%"
        text = (
            f'"{largest.segment}" stands out most: {largest.compared}, {largest.here:{form}} '
            f"against {largest.elsewhere:{form}} elsewhere."
        )
        if self.suppressed:
            text += (
                f" Not described, with fewer than {self.least} accounts: "
                f"{', '.join(self.suppressed)}."
            )
        return text

    def tables(self) -> Mapping[str, Sequence[Part]]:
        return {"Differences": self.differences}


class InsightRows(Written):
    """The first table of an answer."""

    def _title(self) -> str:
        return f"{counted(self.rows, 'row')} in {self.place}."


class InsightResult(Result):
    """A question about the segments, answered."""

    name: str
    question: str
    as_of: date
    days: tuple[InsightDay, ...]
    """The days that the answer is made from, the last of them the as-of date."""
    currency: str
    scale: int
    """The decimals of an amount."""
    answer: Annotated[SerializeAsAny[Answer], WithJsonSchema({"type": "object"})]
    """Its keys are those of the question."""
    notes: tuple[str, ...]
    rows: InsightRows | None = None
    """The first table, where it was written or kept in memory."""

    def _title(self) -> str:
        return f"{self.question}\n{self.answer.words()}"

    def to_arrow(self) -> pa.Table:
        """The first table of the answer."""
        rows = next(iter(self.answer.tables().values()), ())
        return pa.Table.from_pylist([row.model_dump() for row in rows])


class ReportSection(Part):
    """A question of the report, with its answer."""

    name: str
    title: str
    question: str
    command: str
    """The command that gives the same."""
    answer: Annotated[SerializeAsAny[Answer] | None, WithJsonSchema({"type": ["object", "null"]})]
    """Its keys are those of the question; null where it cannot be answered."""
    absent: str | None
    """Why it is not answered."""


class SegmentReport(Result):
    """Every question about the segments, answered as of a date."""

    as_of: date
    compare: date | None
    """The earlier day that movement is seen from."""
    strategy: str
    """The name of the strategy in force."""
    days: tuple[InsightDay, ...]
    currency: str
    scale: int
    """The decimals of an amount."""
    sections: tuple[ReportSection, ...]
    notes: tuple[str, ...]
    place: str | None = None
    """Where it was written."""

    def _title(self) -> str:
        return f"{self.strategy}: segments as of {self.as_of}, {len(self.sections)} questions."

    def to_arrow(self) -> pa.Table:
        """A row for each question: its name, and its answer in words."""
        return pa.Table.from_pylist(
            [
                {
                    "name": section.name,
                    "question": section.question,
                    "answer": section.answer.words() if section.answer else section.absent,
                }
                for section in self.sections
            ]
        )
