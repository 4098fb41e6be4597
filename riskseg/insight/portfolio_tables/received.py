"""The table `received`: what accounts paid in the days after each day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from riskseg.domain.relations import Relation
from riskseg.insight.portfolio import Portfolio
from riskseg.insight.portfolio_tables.table import PortfolioTable
from riskseg.ledger.ageing import payments_added
from riskseg.ledger.payments import undone_payments
from riskseg.pipeline.contracts import build
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import Stage

# Within how many days after a day it is asked what was paid.
HORIZONS = (7, 30, 60, 90)


class Received(PortfolioTable):
    """A row for each account, day and one of `HORIZONS`: account_id, day, within (days), and
    received, what the account paid in so many days after the day, less what was taken back or paid
    out, in minor units, as known at the end of them. Days whose horizon ends after the as-of date
    are not in it."""

    name = "received"
    stage = Stage("payments", "what accounts paid after each day")
    needs = ("bills", "payments")

    def rows(self, portfolio: Portfolio, session: Session, first: int, last: int) -> str:
        looked_at = [
            (day.day, within, day.day + timedelta(days=within))
            for day in portfolio.days
            for within in (0, *HORIZONS)
            if day.day + timedelta(days=within) <= portfolio.as_of
        ]
        return received(session, looked_at, first, last)


def received(
    session: Session, looked_at: Sequence[tuple[date, int, date]], first: int, last: int
) -> str:
    """A select of the columns of the table `received`, of a range of accounts: `looked_at` are
    days, each with the days within which something is paid and the day on which these end; every
    day is in it with 0 too."""
    ends = ", ".join(f"(date '{end}')" for end in sorted({end for *_, end in looked_at}))
    snapshots = f"""
    select cast(row_number() over (order by i.account_no, e.ends) as integer) as snap,
        i.account_no, e.ends as as_of
    from account_ids i
    cross join (values {ends}) e(ends)
    where i.account_no between {first} and {last}
    """
    listed = ", ".join(f"(date '{d}', {n}, date '{end}')" for d, n, end in looked_at)
    so_far = f"""
    select s.account_no, l.day, l.within,
        coalesce(p.paid, 0) - coalesce(p.taken_back, 0) - coalesce(p.paid_out, 0) as so_far
    from snapshots s
    join (values {listed}) l(day, within, ends) on l.ends = s.as_of
    left join payments_added p on p.snap = s.snap
    """
    money = session.ledger.money
    build(
        session.engine,
        [
            Relation("snapshots", snapshots, materialized=True),
            *([undone_payments()] if money.reverses else []),
            payments_added(money),
            Relation("received_so_far", so_far, materialized=True),
        ],
    )
    return """
    select i.account_id, a.day, a.within, a.so_far - b.so_far as received
    from received_so_far a
    join received_so_far b on b.account_no = a.account_no and b.day = a.day and b.within = 0
    join account_ids i on i.account_no = a.account_no
    where a.within > 0
    """
