"""What was paid of what was overdue, by segment, within days after accounts were decided."""

from __future__ import annotations

from riskseg.insight.insight import Insight
from riskseg.insight.intervals import NORMAL_95, ratio_of_sums
from riskseg.insight.portfolio import Portfolio
from riskseg.results.insights.collected import Collected, Collections
from riskseg.results.units import share_of


class CollectedShares(Insight[Portfolio, Collections]):
    """Of the overdue balance on each day, what its accounts paid within so many days, at most what
    was overdue. The interval is that of a ratio of sums over accounts (Cochran, Sampling
    Techniques, 1977, section 6.3): an account counts once, however many days it is looked at."""

    name = "collected"
    question = "What is paid of what is overdue, and how soon?"
    about = Portfolio
    needs = ("received",)

    def answer(self, subject: Portfolio) -> Collections:
        unit = 10**subject.scale
        rows = subject.engine.rows(f"""
            with looked_at as (
                select d.segment, d.account_id, r.within,
                    d.balance_overdue * {unit} as overdue,
                    least(greatest(r.received, 0), d.balance_overdue * {unit}) as paid
                from decided_days d
                join received r on r.account_id = d.account_id and r.day = d.day
                where d.balance_overdue > 0
            ),
            by_account as (
                select segment, within, account_id, count(*) as times,
                    cast(sum(overdue) as double) as overdue, cast(sum(paid) as double) as paid
                from looked_at
                group by segment, within, account_id
            )
            select segment, within, sum(times), count(*), sum(overdue), sum(paid),
                sum(paid * paid), sum(paid * overdue), sum(overdue * overdue)
            from by_account
            group by segment, within
            order by segment, within
        """)
        days = subject.engine.value("select count(distinct day) from received")
        return Collections(
            segments=tuple(_collected(subject, *row) for row in rows), days=int(days)
        )


def _collected(
    subject: Portfolio,
    segment: str,
    within: int,
    times: int,
    accounts: int,
    overdue: float,
    paid: float,
    *squares: float,
) -> Collected:
    of_paid, crossed, of_overdue = squares
    _, deviation = ratio_of_sums(
        accounts, overdue, paid, parts=of_paid, crossed=crossed, wholes=of_overdue
    )
    error = NORMAL_95 * deviation
    scale = -subject.scale
    return Collected(
        segment=segment,
        within=within,
        accounts=int(times),
        overdue=subject.amount(int(overdue)).scaleb(scale),
        paid=subject.amount(int(paid)).scaleb(scale),
        share=share_of(int(paid), int(overdue)),
        low=share_of(int(max(paid - error * overdue, 0.0)), int(overdue)),
        high=share_of(int(min(paid + error * overdue, overdue)), int(overdue)),
    )


COLLECTED = CollectedShares()
