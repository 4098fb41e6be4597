"""The table `fed`: what each source holds, and how much of it came lately."""

from __future__ import annotations

from collections.abc import Iterator

from riskseg.domain.relations import literal
from riskseg.domain.source_tables import DATED_TABLES
from riskseg.insight.portfolio import Portfolio
from riskseg.insight.portfolio_tables.table import PortfolioTable
from riskseg.pipeline.feeds import Figures, breaches, earlier_figures, feed_figures, rows_before
from riskseg.pipeline.quarantine import bad_row_counts
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import Stage
from riskseg.sources.describe import fingerprints

# The days of a period, and the periods before the last that say what is usual.
DAYS, BEFORE = 30, 12


class Fed(PortfolioTable):
    """A row for each source: source, rows, set_apart (rows that fail the contract), rows_before
    (the median of earlier runs; null where none had another input), newest (the last day up to the
    as-of date on which anything became known; null without dates), lately (the rows that became
    known in the last `DAYS` days), usual (the median of the `BEFORE` periods of as many days
    before, as far as the source goes back; null without dates or any such period), and breach,
    what riskseg.toml expects otherwise; null where it is as expected."""

    name = "fed"
    stage = Stage("feeds", "what each source holds, and what came lately")
    is_of_accounts = False

    def made_of(self, portfolio: Portfolio, accounts: tuple[int, int]) -> None:
        """Nothing is kept: rows are compared with those of earlier runs, and by the next question
        there may be another."""

    def rows(self, portfolio: Portfolio, session: Session, first: int, last: int) -> str:
        if self.name in portfolio.tables:
            return "select * from fed where false"
        return " union all ".join(_of_sources(portfolio, session))


def _of_sources(portfolio: Portfolio, session: Session) -> Iterator[str]:
    engine, ledger, as_of = session.engine, session.ledger, portfolio.as_of
    now = fingerprints(engine, session.workspace)
    bad = bad_row_counts(ledger.bad)
    all_figures = feed_figures(engine, ledger, as_of, session.scale, ledger.sources)
    for table, figures in all_figures.items():
        source = ledger.authored[table]
        earlier = earlier_figures([*portfolio.runs], table, now.get(table, ""))
        found = breaches(source, figures, earlier, as_of, session.scale)
        breach = " ".join(problem.what for problem in found)
        before = rows_before(earlier)
        set_apart = bad.get(table, 0)
        yield f"""
        select {literal(table)} as source, {figures["rows"]} as rows, {set_apart} as set_apart,
            cast({"null" if before is None else before} as bigint) as rows_before,
            {_dated(table, figures, portfolio)},
            cast({literal(breach) if breach else "null"} as varchar) as breach
        """


def _dated(table: str, figures: Figures, portfolio: Portfolio) -> str:
    """The columns that only a source with dates has."""
    if table not in DATED_TABLES or figures["newest"] is None:
        return (
            "cast(null as date) as newest, cast(null as bigint) as lately, "
            "cast(null as bigint) as usual"
        )
    known = f"from {table} where fault is null and known_on <= date '{portfolio.as_of}'"
    period = f"(date '{portfolio.as_of}' - known_on) // {DAYS}"
    return f"""
            date '{figures["newest"]}' as newest,
            (select count(*) {known} and {period} = 0) as lately,
            (
                select cast(quantile_disc(coalesce(arrived, 0), 0.5) as bigint)
                from range(1, {BEFORE + 1}) p(period)
                left join (
                    select {period} as period, count(*) as arrived {known} group by 1
                ) a using (period)
                where (p.period + 1) * {DAYS} - 1 <=
                    (select max(date '{portfolio.as_of}' - known_on) {known})
            ) as usual
        """
