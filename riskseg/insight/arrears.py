"""How old what is owed is, and how well it is collected, at the end of every month."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from riskseg.domain.ageing import BUCKETS, bucket_sql
from riskseg.insight.insight import Insight
from riskseg.insight.intervals import observed_share, share_columns
from riskseg.insight.portfolio import Portfolio
from riskseg.results.insights.arrears import AgedBalance, Arrears, ArrearsMonth
from riskseg.results.units import share_of


class ArrearsOverTime(Insight[Portfolio, Arrears]):
    """Ageing at the end of every month, as `riskseg ageing` has it, with days sales outstanding and
    the collections effectiveness index, both by the formulas of the Credit Research Foundation
    ("Performance Measures for Credit, Collections and Accounts Receivable").

    Receivables are all that is unpaid of bills, disputed amounts included. Credit that waits is not
    taken off: it pays later bills, and counts as collected then.
    """

    name = "arrears"
    question = "How old are the arrears, and how well are they collected?"
    about = Portfolio
    needs = ("receivables",)

    def answer(self, subject: Portfolio) -> Arrears:
        return Arrears(days=_ageing(subject), months=_months(subject))


def _ageing(subject: Portfolio) -> tuple[AgedBalance, ...]:
    columns = ", ".join(f"sum({bucket.column})" for bucket in BUCKETS)
    counts = ", ".join(
        f"count(*) filter (where is_there and bucket = '{bucket.label}')" for bucket in BUCKETS
    )
    rows = subject.engine.rows(f"""
        select day, {columns}, {counts}
        from (select *, {bucket_sql("days_past_due")} as bucket from receivables) r
        group by day
        order by day desc
    """)
    return tuple(
        AgedBalance(
            day=day,
            bucket=bucket.label,
            accounts=accounts,
            balance=subject.of_minor(balance),
            share=share_of(balance, sum(figures[: len(BUCKETS)])),
        )
        for day, *figures in rows
        for bucket, balance, accounts in zip(
            BUCKETS, figures[: len(BUCKETS)], figures[len(BUCKETS) :], strict=True
        )
    )


def _months(subject: Portfolio) -> tuple[ArrearsMonth, ...]:
    rows = subject.engine.rows(f"""
        with owed as (
            select *,
                current + {" + ".join(b.column for b in BUCKETS[1:])} + disputed as closing
            from receivables
            where day = last_day(day)
        ),
        months as (
            select day, party_id, closing, current,
                {" + ".join(b.column for b in BUCKETS[1:])} as overdue,
                disputed,
                lag(closing) over by_month as opening,
                billed - lag(billed) over by_month as billed
            from owed
            window by_month as (partition by account_id order by day)
        ),
        by_party as (
            select day, party_id, sum(closing) as closing, sum(overdue) as overdue,
                sum(disputed) as disputed,
                sum(billed) as billed,
                sum(opening + billed - closing) as collected,
                sum(opening + billed - current) as collectable
            from months
            where opening is not null
            group by day, party_id
        )
        select day, sum(closing), sum(overdue), sum(disputed), sum(billed),
            {share_columns("collected", "collectable")}
        from by_party
        group by day
        order by day desc
    """)
    return tuple(_month(subject, *row) for row in rows)


def _month(
    subject: Portfolio,
    day: date,
    closing: int,
    overdue: int,
    disputed: int,
    billed: int,
    parties: int,
    collected: int,
    collectable: int,
    *squares: int,
) -> ArrearsMonth:
    index = observed_share(parties, collected, collectable, *squares) if collectable else None
    return ArrearsMonth(
        month=day,
        receivables=subject.of_minor(closing),
        overdue=subject.of_minor(overdue),
        disputed=subject.of_minor(disputed),
        billed=subject.of_minor(billed),
        collected=subject.of_minor(collected),
        dso=round(Decimal(int(closing)) / Decimal(int(billed)) * day.day, 2) if billed else None,
        cei=index and index.share,
        low=index and index.low,
        high=index and index.high,
    )


ARREARS = ArrearsOverTime()
