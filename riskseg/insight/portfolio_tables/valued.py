"""The table `valued`: what each account owes in all, and what it paid in the last year."""

from __future__ import annotations

from datetime import timedelta

from riskseg.domain.relations import Relation
from riskseg.insight.portfolio import Portfolio
from riskseg.insight.portfolio_tables.receivables import account_days
from riskseg.insight.portfolio_tables.table import PortfolioTable
from riskseg.ledger.ageing import ledger_balances
from riskseg.ledger.payments import undone_payments
from riskseg.pipeline.contracts import build
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import Stage

# The days of the last year, as features count it.
YEAR = 365


class Valued(PortfolioTable):
    """A row for each account, as known on the as-of date: account_id and, in minor units, balance
    (what it owes in all, due or not, less credit) and paid (what it paid in the last year, less
    what was taken back or paid out; null where there are no payments)."""

    name = "valued"
    stage = Stage("value", "what accounts owe in all, and what they paid in the last year")
    needs = ("bills",)
    reads_decisions = False

    def rows(self, portfolio: Portfolio, session: Session, first: int, last: int) -> str:
        money, as_of = session.ledger.money, portfolio.as_of
        paid = "l.paid - l.taken_back - l.paid_out"
        if "payments" not in session.ledger.sources:
            paid = "cast(null as bigint)"
        build(
            portfolio.engine,
            [
                account_days([as_of - timedelta(days=YEAR), as_of], first, last),
                *([undone_payments()] if money.reverses else []),
                *ledger_balances(money),
                Relation(
                    "valued_rows",
                    f"""
        select i.account_id,
            cast(max(l.ledger_balance) filter (where s.as_of = date '{as_of}') as bigint)
                as balance,
            cast(
                max({paid}) filter (where s.as_of = date '{as_of}')
                - max({paid}) filter (where s.as_of < date '{as_of}')
                as bigint
            ) as paid
        from snapshots s
        join ledger_balances l on l.snap = s.snap
        join account_ids i on i.account_no = s.account_no
        group by i.account_id
        """,
                    materialized=True,
                ),
            ],
        )
        return "select * from valued_rows"
