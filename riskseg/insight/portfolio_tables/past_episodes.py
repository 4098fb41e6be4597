"""The table `past_episodes`: every arrears episode of the accounts, as known on the as-of date."""

from __future__ import annotations

from riskseg.domain.relations import Relation
from riskseg.insight.portfolio import Portfolio
from riskseg.insight.portfolio_tables.receivables import account_days
from riskseg.insight.portfolio_tables.table import PortfolioTable
from riskseg.ledger.accounts import account_rows
from riskseg.ledger.allocation import bill_facts
from riskseg.pipeline.contracts import build
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import Stage
from riskseg.treatment.episodes import episode_spans


class PastEpisodes(PortfolioTable):
    """A row for each arrears episode: account_id, party_id (the account's own id where it has
    no party), and started_on, ended_on, by_plan and amount as
    :func:`riskseg.treatment.episodes.episode_spans` has them."""

    name = "past_episodes"
    stage = Stage("episodes", "when accounts fell into arrears, and when they were out of them")
    needs = ("bills", "payments")
    reads_decisions = False

    def rows(self, portfolio: Portfolio, session: Session, first: int, last: int) -> str:
        ledger = session.ledger
        build(
            portfolio.engine,
            [
                account_days([portfolio.as_of], first, last),
                *bill_facts(ledger.money),
                *episode_spans(plans=ledger.money.plans is not None),
                account_rows([], dated=ledger.dated),
                Relation("episode_rows", _ROWS, materialized=True),
            ],
        )
        return "select * from episode_rows"


_ROWS = """
        select i.account_id,
            coalesce(r.party_id, i.account_id) as party_id,
            e.started_on, e.ended_on, e.by_plan, e.amount
        from episode_spans e
        join snapshots s on s.snap = e.snap
        join account_ids i on i.account_no = s.account_no
        left join account_rows r on r.snap = e.snap
        """
