"""How large each segment is, what it owes, and how that went over time."""

from __future__ import annotations

from riskseg.insight.insight import Insight
from riskseg.insight.portfolio import Portfolio
from riskseg.insight.small_numbers import hidden_groups
from riskseg.results.insights.sizes import SegmentSize, SegmentSizes, SizeOnDay
from riskseg.results.units import share_of
from riskseg.rules.elements import NO_ACTION


class Sizes(Insight[Portfolio, SegmentSizes]):
    """Accounts, what they owe and paid, and expected loss by segment, the most overdue first."""

    name = "size"
    question = "How large is each segment, and what does it owe?"
    about = Portfolio
    may_read = ("valued",)

    def answer(self, subject: Portfolio) -> SegmentSizes:
        # Without bills nobody knows what else is owed, or what was paid.
        valued = "valued"
        if valued not in subject.tables:
            valued = "(select null as account_id, null as balance, null as paid where false)"
        rows = subject.engine.rows(f"""
            select segment,
                count(*) as accounts,
                coalesce(sum(balance_overdue), 0) as overdue,
                count(*) filter (where action <> '{NO_ACTION}'),
                avg(probability),
                sum(cast(balance_overdue as double) * probability),
                count(probability),
                sum(balance),
                sum(paid)
            from ({subject.last_day()}) accounts_now
            left join {valued} v using (account_id)
            group by segment
            order by overdue desc, accounts desc, segment
        """)
        few = hidden_groups({row[0]: row[1] for row in rows})
        accounts = sum(row[1] for row in rows)
        overdue = subject.amount(sum(row[2] for row in rows))
        year = sum(row[-1] or 0 for row in rows)
        segments = tuple(
            SegmentSize(
                segment=segment,
                accounts=count,
                share=share_of(count, accounts),
                overdue=subject.amount(owed),
                share_of_overdue=share_of(owed, overdue),
                balance=None if balance is None else subject.of_minor(balance),
                due=due,
                probability=round(mean, 6) if scored and segment not in few else None,
                expected_loss=subject.amount(loss)
                if scored and subject.of_default and segment not in few
                else None,
                paid=None if paid is None or segment in few else subject.of_minor(paid),
                share_of_paid=None if paid is None or segment in few else share_of(paid, year),
            )
            for segment, count, owed, due, mean, loss, scored, balance, paid in rows
        )
        return SegmentSizes(
            segments=segments,
            trend=_trend(subject),
            accounts=accounts,
            overdue=overdue,
            suppressed=tuple(
                segment
                for segment, *_, scored, _, paid in rows
                if (scored or paid is not None) and segment in few
            ),
        )


def _trend(subject: Portfolio) -> tuple[SizeOnDay, ...]:
    rows = subject.engine.rows("""
        select day, segment, count(*), coalesce(sum(balance_overdue), 0),
            sum(count(*)) over (partition by day)
        from decided_days
        group by day, segment
        order by day desc, segment
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
