"""The table `profiled`: every feature and attribute of the accounts of the last day."""

from __future__ import annotations

from riskseg.domain.relations import fact_column
from riskseg.insight.portfolio import Portfolio
from riskseg.insight.portfolio_tables.table import PortfolioTable
from riskseg.pipeline.decisions import make_facts
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import Stage


class Profiled(PortfolioTable):
    """A row for each account of the last day: account_id, segment, and the `fact_column` of each of
    the portfolio's facts, as it is known now of that day."""

    name = "profiled"
    stage = Stage("profile", "every feature and attribute as of the date")

    def rows(self, portfolio: Portfolio, session: Session, first: int, last: int) -> str:
        make_facts(session, portfolio.facts, portfolio.as_of, first, last)
        columns = ", ".join(f"f.{fact_column(name)}" for name in portfolio.facts)
        return f"""
        select d.account_id, d.segment, {columns}
        from facts f
        join account_ids i on i.account_no = f.account_no
        join ({portfolio.last_day()}) d on d.account_id = i.account_id
        """
