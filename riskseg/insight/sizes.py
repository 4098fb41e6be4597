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
                sum(balance_overdue) as overdue,
                count(*) filter (where action <> '{NO_ACTION}'),
                avg(probability),
                sum(cast(balance_overdue as double) * probability),
                count(probability),
                sum(balance),
                sum(paid)
            from ({subject.last_day()}) accounts_now
            left join {valued} v using (account_id)
            group by segment
            order by overdue desc nulls last, accounts desc, segment
        """)
        few = hidden_groups({row[0]: row[1] for row in rows})
        accounts = sum(row[1] for row in rows)
        known = [row[2] for row in rows if row[2] is not None]
        overdue = subject.amount(sum(known)) if known else None
        year = sum(row[-1] or 0 for row in rows)
        segments = tuple(
            SegmentSize(
                segment=segment,
                accounts=count,
                share=share_of(count, accounts),
                overdue=subject.amount_if_known(owed),
                share_of_overdue=None if owed is None else share_of(owed, overdue or 0),
                balance=None if balance is None else subject.of_minor(balance),
                due=due,
                probability=round(mean, 6) if scored and segment not in few else None,
                expected_loss=subject.amount_if_known(loss)
                if subject.of_default and segment not in few
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
        select day, segment, count(*), sum(balance_overdue),
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
            overdue=subject.amount_if_known(owed),
        )
        for day, segment, count, owed, of in rows
    )


SIZES = Sizes()
