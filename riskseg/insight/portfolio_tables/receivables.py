"""The table `receivables`: what each account owed at the end of every month of the last year."""

from __future__ import annotations

from datetime import date

from riskseg.domain.relations import Relation
from riskseg.features.snapshots import as_of_snapshots
from riskseg.insight.portfolio import Portfolio
from riskseg.insight.portfolio_tables.table import PortfolioTable
from riskseg.ledger.accounts import account_rows
from riskseg.ledger.ageing import AMOUNTS, LEDGER_AMOUNTS, aged_accounts, ledger_balances
from riskseg.ledger.allocation import bill_facts
from riskseg.ledger.settled import settled_bills
from riskseg.pipeline.asked import month_ends
from riskseg.pipeline.contracts import build
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import Stage

# Whole months that are looked back on.
MONTHS = 12


def ledger_days(portfolio: Portfolio, session: Session) -> list[date]:
    """The ends of the last months and the as-of date: what the ledger says of them needs no
    decision. One more month than `MONTHS`, for what was owed when the first of them began."""
    begun = session.ledger.first_on
    days = [*month_ends(portfolio.as_of, MONTHS + 1), portfolio.as_of]
    return [day for day in days if begun is None or day >= begun]


def account_days(days: list[date], first: int, last: int) -> Relation:
    """`snapshots` of the accounts numbered `first` to `last` on each of the days."""
    listed = ", ".join(f"(date '{day}')" for day in days)
    return Relation(
        "snapshots",
        f"""
        select cast(row_number() over (order by i.account_no, d.day) as integer) as snap,
            i.account_no, d.day as as_of
        from account_ids i
        cross join (values {listed}) d(day)
        where i.account_no between {first} and {last}
        """,
        materialized=True,
    )


def settle(portfolio: Portfolio, session: Session) -> None:
    """Set the bills apart that are over, once for all accounts: they need not be allocated anew for
    each of many days."""
    if "settled_bills" not in portfolio.tables:
        build(portfolio.engine, settled_bills(session.ledger.money))
        portfolio.tables.add("settled_bills")


class Receivables(PortfolioTable):
    """A row for each account and each of `ledger_days`, as it was known on that day: account_id,
    party_id (the account's own id where it has no party), day, is_there (whether `riskseg
    ageing` counts the account), days_past_due (of its oldest unpaid bill) and, in minor units,
    `AMOUNTS`, on_plan (what a kept plan covers of what was past due, a part of current) and billed
    (what was billed until then and not cancelled)."""

    name = "receivables"
    stage = Stage("receivables", "what accounts owed at the end of every month")
    needs = ("bills",)
    reads_decisions = False

    def rows(self, portfolio: Portfolio, session: Session, first: int, last: int) -> str:
        settle(portfolio, session)
        ledger, days = session.ledger, ledger_days(portfolio, session)
        existing = (
            as_of_snapshots(day, first, last, listed=ledger.listed, dated=ledger.dated).select
            for day in days
        )
        build(
            portfolio.engine,
            [
                account_days(days, first, last),
                # Of bills that fell due before, only those that are open or disputed count.
                *bill_facts(ledger.money, keep_days=0, shared=True, spans=False),
                *aged_accounts(),
                *ledger_balances(ledger.money),
                account_rows([], dated=ledger.dated),
                Relation("existing", " union all ".join(existing)),
                Relation("receivable_rows", _ROWS, materialized=True),
            ],
        )
        return "select * from receivable_rows"


_ROWS = f"""
        select i.account_id,
            coalesce(r.party_id, i.account_id) as party_id,
            s.as_of as day,
            e.account_no is not null or {" or ".join(f"l.{name} <> 0" for name in LEDGER_AMOUNTS)}
                as is_there,
            g.days_past_due,
            {", ".join(f"cast(g.{name} as bigint) as {name}" for name in (*AMOUNTS, "on_plan"))},
            cast(l.billed - l.cancelled as bigint) as billed
        from snapshots s
        join account_ids i on i.account_no = s.account_no
        join aged_accounts g on g.snap = s.snap
        join ledger_balances l on l.snap = s.snap
        left join account_rows r on r.snap = s.snap
        left join existing e on e.account_no = s.account_no and e.as_of = s.as_of
        """
