"""Money that pays bills: what payments that name a bill pay of it, and the pool of all other money.

A named payment of a last few pennies, less than `arrears_from`, is no reason to call the bill late:
the `paid_on` of `named` is the day of the last one that found more than that unpaid and not in
dispute.
"""

from __future__ import annotations

from riskseg.domain.relations import Relation
from riskseg.ledger.money import Money, known_rows, stands_sql
from riskseg.ledger.payments import standing_payment


def pool(money: Money, shared: bool) -> list[Relation]:
    """Relations up to `pool` (snap, paid_on, amount_minor) and, where payments name bills, `named`
    (snap, bill_id, paid, paid_on). Where payments are taken back they read `undone`."""
    relations = [_known_money(money, shared)]
    if money.names_bills:
        relations += [_laid_named(money), _USED_NAMED, _named(money)]
        parts = [_NAMING_UNKNOWN_BILLS, _LEFT_OVER_BY_NAMED]
    else:
        parts = [_ALL_MONEY]
    if money.credits:
        parts.append(_credits(money, shared))
    if shared and not money.names_bills:
        parts.append(_MONEY_OF_SETTLED_BILLS)
    return [*relations, Relation("pool", "union all".join(parts))]


def _known_money(money: Money, shared: bool) -> Relation:
    """`money`: payments as they are known, less what was taken back of them."""
    named = ", p.bill_id, p.payment_id" if money.names_bills else ""
    payment = standing_payment(money.reverses, snapshot="s")
    select = f"""
        select s.snap, p.paid_on, {payment.amount} as amount_minor{named}
        from {known_rows("payments", "p", shared)}
        {payment.join}
        where {payment.condition}
        """
    return Relation("money", select, materialized=money.names_bills)


def _laid_named(money: Money) -> Relation:
    """Payments laid end to end on the bill they name, and what of each it needs."""
    in_dispute = "b.in_dispute" if money.raises_disputes else "0"
    return Relation(
        "laid_named",
        f"""
        select m.snap, m.bill_id, m.paid_on, m.amount_minor, b.owed,
            {in_dispute} as in_dispute,
            cast(
                sum(m.amount_minor) over (
                    partition by m.snap, m.bill_id
                    order by m.paid_on, m.amount_minor, m.payment_id
                    rows unbounded preceding
                ) as bigint
            ) as reached
        from money m
        join known_bills b on b.snap = m.snap and b.bill_id = m.bill_id
        """,
    )


_USED_NAMED = Relation(
    "used_named",
    """
    select snap, bill_id, paid_on, amount_minor,
        owed - in_dispute - (reached - amount_minor) as before,
        least(greatest(owed - (reached - amount_minor), 0), amount_minor) as used
    from laid_named
    """,
    materialized=True,
)


def _named(money: Money) -> Relation:
    return Relation(
        "named",
        f"""
        select snap, bill_id, cast(sum(used) as bigint) as paid,
            max(paid_on) filter (where before >= {max(money.arrears_from, 1)}) as paid_on
        from used_named
        where used > 0
        group by snap, bill_id
        """,
    )


# What the pool is made of, each a select of (snap, paid_on, amount_minor).
_ALL_MONEY = """
        select snap, paid_on, amount_minor from money
        """
_NAMING_UNKNOWN_BILLS = """
        select m.snap, m.paid_on, m.amount_minor
        from money m
        where not exists (
            select 1 from known_bills b where b.snap = m.snap and b.bill_id = m.bill_id
        )
        """
_LEFT_OVER_BY_NAMED = """
        select snap, paid_on, amount_minor - used from used_named where amount_minor > used
        """
# What was settled is laid before the rest in one piece: no open bill's end lies within it.
_MONEY_OF_SETTLED_BILLS = """
        select snap, date '0001-01-01', pooled from over where pooled > 0
        """


def _credits(money: Money, shared: bool) -> str:
    """Negative bills, as part of the pool."""
    return f"""
        select s.snap, b.issued_on, -b.amount_minor
        from {known_rows("bills", "b", shared)}
        where b.amount_minor < 0
            and {stands_sql(money)}
        """
