"""Roll rates: of the accounts in each state of arrears on one day, how many are in which state on
another.

Bands and segments move by the same arithmetic as ageing buckets, so a state is any text.
"""

from __future__ import annotations

from collections import Counter
from datetime import date

from riskseg.domain.ageing import BUCKETS, CURRENT, bucket_sql
from riskseg.engine import Engine
from riskseg.insight.insight import Insight
from riskseg.insight.portfolio import Portfolio
from riskseg.insight.small_numbers import hidden_groups
from riskseg.results.insights.answer import NOT_SHOWN
from riskseg.results.insights.roll_rates import Roll, RollRate
from riskseg.results.units import share_of

# The state of an account that is observed on one of the days alone.
ABSENT = "absent"


def roll_rates(engine: Engine, states: str, first: date, last: date) -> tuple[RollRate, ...]:
    """The roll rates between two days, in the order of the states.

    `states` is a relation of the engine, a row for each account and day: account_id, day and state,
    a text. An account with a row on one of the days alone is `ABSENT` on the other; one without a
    row on either is not counted. Shares of one state before add up to 1, but for rounding.
    """
    moved = engine.rows(
        f"""
        with before as (
            select account_id, state from {states} where day = date '{first}'
        ),
        after as (
            select account_id, state from {states} where day = date '{last}'
        ),
        moved as (
            select coalesce(b.state, '{ABSENT}') as before,
                coalesce(a.state, '{ABSENT}') as after
            from before b
            full join after a on a.account_id = b.account_id
        )
        select before, after, count(*) as accounts, sum(count(*)) over (partition by before)
        from moved
        group by before, after
        order by before, after
        """
    )
    return tuple(
        RollRate(
            before=before,
            after=after,
            accounts=accounts,
            share=share_of(accounts, int(of)),
        )
        for before, after, accounts, of in moved
    )


# The state of an account of which no days past due are known.
_UNKNOWN = "unknown"


class Rolls(Insight[Portfolio, Roll]):
    """How accounts roll between ageing buckets from one day to another, and how many cure."""

    name = "roll"
    question = "How do accounts roll between ageing buckets?"
    about = Portfolio
    needs_earlier_day = True

    def answer(self, subject: Portfolio) -> Roll:
        assert subject.compare is not None
        states = f"""(
            select account_id, day, case when days_past_due is null then '{_UNKNOWN}'
                else {bucket_sql("days_past_due")} end as state
            from decided_days
        )"""
        rates = roll_rates(subject.engine, states, subject.compare, subject.as_of)
        order = {label: n for n, label in enumerate([*(b.label for b in BUCKETS)])}
        of: Counter[str] = Counter()
        for rate in rates:
            of[rate.before] += rate.accounts
        known = [rate for rate in rates if rate.before in order and rate.after in order]
        late = [rate for rate in known if rate.before != CURRENT.label]
        last, few = len(order), hidden_groups(of)
        return Roll(
            first=subject.compare,
            last=subject.as_of,
            rates=tuple(
                sorted(
                    [
                        *(rate for rate in rates if rate.before not in few),
                        *(_as_one(state, of[state]) for state in few),
                    ],
                    key=lambda r: (order.get(r.before, last), order.get(r.after, last), r.before),
                )
            ),
            late=sum(rate.accounts for rate in late),
            cured=sum(rate.accounts for rate in late if rate.after == CURRENT.label),
            better=sum(r.accounts for r in known if order[r.after] < order[r.before]),
            known=sum(r.accounts for r in known),
            worse=sum(r.accounts for r in known if order[r.after] > order[r.before]),
        )


def _as_one(state: str, accounts: int) -> RollRate:
    """The accounts of a state of which it is not shown where they went."""
    return RollRate(before=state, after=NOT_SHOWN, accounts=accounts, share=None)


ROLLS = Rolls()
