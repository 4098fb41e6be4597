"""How large each segment is, what it owes, and how that went over time."""

from __future__ import annotations

from riskseg.insight.insight import Insight
from riskseg.insight.portfolio import Portfolio
from riskseg.results.insights.answer import FEWEST
from riskseg.results.insights.sizes import SegmentSize, SegmentSizes, SizeOnDay
from riskseg.results.units import share_of
from riskseg.rules.elements import NO_ACTION


class Sizes(Insight[Portfolio, SegmentSizes]):
    """Accounts, overdue balance and expected loss by segment, the most overdue first."""

    name = "size"
    question = "How large is each segment, and what does it owe?"
    about = Portfolio

    def answer(self, subject: Portfolio) -> SegmentSizes:
        rows = subject.engine.rows(f"""
            select segment,
                count(*) as accounts,
                coalesce(sum(balance_overdue), 0) as overdue,
                count(*) filter (where action <> '{NO_ACTION}'),
                avg(probability),
                sum(cast(balance_overdue as double) * probability),
                count(probability)
            from ({subject.last_day()}) accounts_now
            group by segment
            order by overdue desc, accounts desc, segment
        """)
        accounts = sum(row[1] for row in rows)
        overdue = subject.amount(sum(row[2] for row in rows))
        segments = tuple(
            SegmentSize(
                segment=segment,
                accounts=count,
                share=share_of(count, accounts),
                overdue=subject.amount(owed),
                share_of_overdue=share_of(owed, overdue),
                due=due,
                probability=round(mean, 6) if scored and count >= FEWEST else None,
                expected_loss=subject.amount(loss)
                if scored and subject.of_default and count >= FEWEST
                else None,
            )
            for segment, count, owed, due, mean, loss, scored in rows
        )
        return SegmentSizes(
            segments=segments,
            trend=_trend(subject),
            accounts=accounts,
            overdue=overdue,
            suppressed=tuple(
                segment for segment, count, *_, scored in rows if scored and count < FEWEST
            ),
        )


def _trend(subject: Portfolio) -> tuple[SizeOnDay, ...]:
    rows = subject.engine.rows("""
        select day, segment, count(*), coalesce(sum(balance_overdue), 0),
            sum(count(*)) over (partition by day)
        from decided_days
        group by day, segment
        order by day, segment
    """)
    return tuple(
        SizeOnDay(
            day=day,
            segment=segment,
            accounts=count,
            share=share_of(count, int(of)),
            overdue=subject.amount(owed),
        )
        for day, segment, count, owed, of in rows
    )


SIZES = Sizes()
