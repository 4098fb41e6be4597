"""What was paid of what was overdue, by segment, within days after accounts were decided."""

from __future__ import annotations

from riskseg.insight.insight import Insight
from riskseg.insight.intervals import observed_share, share_columns
from riskseg.insight.portfolio import Portfolio
from riskseg.results.insights.answer import FEWEST
from riskseg.results.insights.collected import Collected, Collections


class CollectedShares(Insight[Portfolio, Collections]):
    """Of the overdue balance on each day, what its accounts paid within so many days, at most what
    was overdue. The interval is that of a ratio of sums over parties (Cochran, Sampling
    Techniques, 1977, section 6.3): a party counts once, however many accounts and days it has."""

    name = "collected"
    question = "What is paid of what is overdue, and how soon?"
    about = Portfolio
    needs = ("received",)

    def answer(self, subject: Portfolio) -> Collections:
        unit = 10**subject.scale
        rows = subject.engine.rows(f"""
            with looked_at as (
                select d.segment, d.party_id, d.account_id, r.within,
                    cast(d.balance_overdue * {unit} as bigint) as overdue,
                    least(greatest(r.received, 0), cast(d.balance_overdue * {unit} as bigint))
                        as paid
                from decided_days d
                join received r on r.account_id = d.account_id and r.day = d.day
                where d.balance_overdue > 0
            ),
            by_party as (
                select segment, within, party_id,
                    count(*) as times,
                    count(distinct account_id) as accounts,
                    sum(overdue) as overdue,
                    sum(paid) as paid
                from looked_at
                group by segment, within, party_id
            )
            select segment, within, sum(times), sum(accounts), {share_columns("paid", "overdue")}
            from by_party
            group by segment, within
            order by segment, within
        """)
        days = subject.engine.value("select count(distinct day) from received")
        return Collections(
            segments=tuple(_collected(subject, *row) for row in rows),
            days=int(days),
            as_of=subject.as_of,
        )


def _collected(
    subject: Portfolio, segment: str, within: int, times: int, accounts: int, *observed: int
) -> Collected:
    _, paid, overdue, *_ = observed
    share = observed_share(*observed) if accounts >= FEWEST else None
    return Collected(
        segment=segment,
        within=within,
        accounts=int(times),
        overdue=subject.of_minor(overdue),
        paid=subject.of_minor(paid) if share else None,
        share=share and share.share,
        low=share and share.low,
        high=share and share.high,
    )


COLLECTED = CollectedShares()
