"""What the question `fairness` gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated

from riskseg.domain.words import counted, first_few
from riskseg.results.insights.answer import Answer, KeyFigure, too_few, with_months
from riskseg.results.part import Part
from riskseg.results.units import Ratio, RatioOrNone, Share, Unit

# As many clear differences are named in the sentence, those of cohorts that are protected in the
# strategy before others.
MOST_NAMED = 3


class LegalFrame(Part):
    """What the law of a place asks to be compared. No legal advice."""

    name: str
    words: str
    applies: str
    """To whom or what, and since when."""
    source: str
    cohorts: tuple[str, ...]
    """The kinds of facts that are compared: `protective`, `protected`, `named`."""
    measures: tuple[str, ...]
    least_ratio: Decimal | None = None
    """The part of the highest rate of any group under which a group is named, where there is such a
    threshold."""
    written_on: date
    """When this entry was written."""
    unconfirmed: str
    """Which of it was taken from secondary sources."""


class CohortTreatment(Part):
    """How the accounts in arrears of a cohort are treated, and all others."""

    cohort: str
    level: str
    measure: str
    """`contacted`, `harshness`, `offered help`, `significant action`, `plan`, `cured` or
    `complaint`."""
    accounts: int
    """Accounts that were in arrears on any of the days."""
    here: Share
    """The share of their days in arrears on which it is due, or after which it comes within 30
    days; of harshness the mean, from 0 for nothing or help to 1 for the harshest action."""
    elsewhere: Share
    """The same of all other accounts in arrears."""
    low: Share
    """The lower end of the 95% interval of `here` less `elsewhere`, by party."""
    high: Share
    """Its upper end."""
    is_clear: bool
    """Whether the difference is clear though many are looked at."""
    mirrored: Annotated[bool, Unit.HIDDEN]
    """Whether another row says the same, the other way round: it does not count as a comparison."""
    ratio: RatioOrNone
    """The rate of what is good for customers as a part of the highest rate of any level; null where
    the legal frame has no threshold for it."""

    @property
    def alone(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0


class Proxy(Part):
    """A fact that the strategy or its models read, and that tells by itself who is in a cohort."""

    cohort: str
    level: str
    fact: str
    auc: Ratio
    """0.5 where it predicts nothing, 1 where it predicts everything."""
    low: Ratio
    """The lower end of its 95% interval."""
    high: Ratio


class TreatmentByCohort(Answer):
    """Whether accounts in arrears are treated alike, whoever they are. Observed: cohorts may differ
    in what they owe, too."""

    cohorts: tuple[CohortTreatment, ...]
    proxies: tuple[Proxy, ...]
    compared: tuple[str, ...]
    """The facts whose values are compared."""
    suppressed: tuple[str, ...]
    """The values of too few accounts in arrears to be compared."""
    comparisons: int
    """The differences that are looked at; of a flag, or of two values that are all there are,
    one."""
    alone: int
    """Those whose 95% interval leaves out 0, taken by itself."""
    clear: int
    """Those that are clear though so many are looked at: among differences called so, one in twenty
    is chance on average (Benjamini and Hochberg, Journal of the Royal Statistical Society B 57,
    1995)."""
    protective: tuple[str, ...]
    """The facts among `compared` that protect accounts in the strategy."""
    not_known: tuple[str, ...]
    """The measures that are not compared, as they need days that are 30 days old."""
    as_of: date
    frame: LegalFrame | None
    """The legal frame that riskseg.toml names."""

    def words(self) -> str:
        if not self.compared:
            text = (
                "No cohorts are declared. For a column of the accounts, such as a region, write "
                "`protected = true` under `[source.accounts.columns.region]` in riskseg.toml; or "
                "name it under `fairness: {by: [region]}` in the spec of a model in models/, or, "
                "where it protects accounts, under `protective` in strategy.yaml."
            )
            return f"{text}{self._framed()}"
        return "".join(
            (
                self._differences(),
                self._under_the_threshold(),
                self._proxies_in_words(),
                self._framed(),
                self._too_early(),
                too_few(self.suppressed),
            )
        )

    def _differences(self) -> str:
        rows = [row for row in self.cohorts if row.is_clear and not row.mirrored]
        if not rows:
            return (
                "No cohort is clearly treated differently from the other accounts in arrears: of "
                f"{counted(self.comparisons, 'comparison')}, none is clear."
            )
        rows.sort(key=lambda row: row.cohort not in self.protective)
        named = "; ".join(
            f"{row.cohort} = {row.level}, {row.measure} {row.here:.1%} against "
            f"{row.elsewhere:.1%} for the others"
            for row in rows[:MOST_NAMED]
        )
        if len(rows) > MOST_NAMED:
            named += f"; and {len(rows) - MOST_NAMED} more below"
        by_chance = Decimal(self.comparisons) / 20
        return (
            f"Of {counted(self.comparisons, 'comparison')}, {self.alone} show a difference by "
            f"their 95% interval, where chance alone gives about {by_chance:.0f}. "
            f"{self.clear} {'is' if self.clear == 1 else 'are'} clear when that is allowed for: "
            f"{named}. Cohorts may differ in what they owe, too: these differences are observed, "
            "and no verdict."
        )

    def _under_the_threshold(self) -> str:
        least = self.frame.least_ratio if self.frame else None
        if least is None:
            return ""
        under = [
            f"{row.cohort} = {row.level} ({row.measure}, {row.ratio:.2f})"
            for row in self.cohorts
            if row.ratio is not None and row.ratio < least
        ]
        if not under:
            return f" No group has less than {least} of the highest rate of what is good for it."
        return (
            f" Under {least} of the highest rate of what is good for customers: {first_few(under)}."
        )

    def _too_early(self) -> str:
        if not self.not_known:
            return ""
        return (
            f" Not compared: {', '.join(self.not_known)}, since too few accounts were in arrears "
            f"on a day that is 30 days old. {with_months('fairness', self.as_of)}"
        )

    def _proxies_in_words(self) -> str:
        if not self.proxies:
            return ""
        most = max(self.proxies, key=lambda proxy: proxy.auc)
        facts = {proxy.fact for proxy in self.proxies}
        return (
            f" {counted(len(facts), 'fact')} that the strategy or its models use can stand in for "
            f"a cohort, most of all {most.fact} for {most.cohort} = {most.level} (AUC "
            f"{most.auc:.2f})."
        )

    def _framed(self) -> str:
        if self.frame is None:
            return ""
        frame = self.frame
        return (
            f' Legal frame "{frame.name}": {frame.words} ({frame.source}). From secondary sources, '
            f"to be confirmed by a lawyer: {frame.unconfirmed}."
        )

    def key_figures(self) -> Sequence[KeyFigure]:
        if not self.compared:
            return ()
        return (KeyFigure(f"{self.clear:,}", "clear differences in treatment between cohorts"),)

    def tables(self) -> Mapping[str, Sequence[Part]]:
        return {
            "Treatment by cohort": self.cohorts,
            "Facts that can stand in for a cohort": self.proxies,
        }
