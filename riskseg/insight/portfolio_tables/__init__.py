"""The tables that questions about segments need beside the decisions of the days, by name.

Each is one object in a file of its own, made only where a question that is asked needs it.
"""

from __future__ import annotations

from collections.abc import Mapping

from riskseg.insight.portfolio_tables.arranged import Planned, Promised
from riskseg.insight.portfolio_tables.billed_months import BilledMonths
from riskseg.insight.portfolio_tables.came_true import CameTrue
from riskseg.insight.portfolio_tables.cycle_days import CycleDays
from riskseg.insight.portfolio_tables.fed import Fed
from riskseg.insight.portfolio_tables.followed import Followed
from riskseg.insight.portfolio_tables.outcomes import Outcomes
from riskseg.insight.portfolio_tables.past_episodes import PastEpisodes
from riskseg.insight.portfolio_tables.profiled import Profiled
from riskseg.insight.portfolio_tables.receivables import Receivables
from riskseg.insight.portfolio_tables.received import Received
from riskseg.insight.portfolio_tables.table import PortfolioTable
from riskseg.insight.portfolio_tables.valued import Valued

TABLES: Mapping[str, PortfolioTable] = {
    table.name: table
    for table in (
        Valued(),
        Profiled(),
        Receivables(),
        Received(),
        CameTrue(),
        Outcomes(),
        Promised(),
        Planned(),
        Followed(),
        Fed(),
        CycleDays(),
        PastEpisodes(),
        BilledMonths(),
    )
}
