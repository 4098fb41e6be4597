"""The table `billed_months`: what was billed in each month, and what of it was unpaid later."""

from __future__ import annotations

from datetime import date, timedelta

from riskseg.domain.relations import Relation
from riskseg.insight.portfolio import Portfolio
from riskseg.insight.portfolio_tables.receivables import account_days, ledger_days, settle
from riskseg.insight.portfolio_tables.table import PortfolioTable
from riskseg.ledger.accounts import account_rows
from riskseg.ledger.allocation import bill_facts
from riskseg.pipeline.asked import month_ends
from riskseg.pipeline.contracts import build
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import Stage

ONE_DAY = timedelta(days=1)


class BilledMonths(PortfolioTable):
    """A row for each account, month of the last year in which it was billed, and end of that or a
    later month, as it was known then: account_id, party_id (the account's own id where it has
    no party), month (its last day), day and, in minor units, billed (what is owed of the bills
    issued in the month, paid or not) and unpaid."""

    name = "billed_months"
    stage = Stage(
        "vintages", "what was unpaid of every month's bills at the end of each later month"
    )
    needs = ("bills", "payments")
    reads_decisions = False

    def rows(self, portfolio: Portfolio, session: Session, first: int, last: int) -> str:
        settle(portfolio, session)
        ledger = session.ledger
        # A month that is not over tells nothing yet.
        months = [day for day in ledger_days(portfolio, session) if (day + ONE_DAY).day == 1]
        months = months or month_ends(portfolio.as_of, 1)
        build(
            portfolio.engine,
            [
                account_days(months, first, last),
                *bill_facts(ledger.money, shared=True, spans=False),
                account_rows([], dated=ledger.dated),
                Relation("billed_rows", _rows(months[0]), materialized=True),
            ],
        )
        return "select * from billed_rows"


def _rows(first: date) -> str:
    return f"""
        select i.account_id,
            coalesce(r.party_id, i.account_id) as party_id,
            last_day(b.issued_on) as month,
            b.as_of as day,
            cast(sum(b.paid + b.unpaid) as bigint) as billed,
            cast(sum(b.unpaid) as bigint) as unpaid
        from bill_facts b
        join snapshots s on s.snap = b.snap
        join account_ids i on i.account_no = s.account_no
        left join account_rows r on r.snap = b.snap
        where last_day(b.issued_on) between date '{first}' and b.as_of
        group by all
        """
