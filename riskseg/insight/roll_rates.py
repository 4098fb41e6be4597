"""Roll rates: of the accounts in each state of arrears on one day, how many are in which state on
another.

Bands and segments move by the same arithmetic as ageing buckets, so a state is any text.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from riskseg.engine import Engine
from riskseg.results.part import Part

# The state of an account that is observed on one of the days alone.
ABSENT = "absent"


class RollRate(Part):
    """The accounts that were in one state and are in another, and their share of those that were in
    the first, with six decimals."""

    before: str
    after: str
    accounts: int
    share: Decimal


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
            share=round(Decimal(accounts) / Decimal(int(of)), 6),
        )
        for before, after, accounts, of in moved
    )
