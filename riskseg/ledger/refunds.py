"""Refunds: money that was paid out to the customer.

A refund takes what is credit at the close of its day: the pool's money of that day and before,
less what bills issued by then take of it, less earlier refunds. It takes no more than that of the
pool: a bill that was paid is never opened again by it, and what was paid out beyond the credit is a
credit below zero. In the order in which the pool pays, what a refund takes stands like a bill that
fell due on its day, without an id. A refund that is reversed came back: from the day on which that
is known, it was never paid out.
"""

from __future__ import annotations

from riskseg.domain.relations import Relation
from riskseg.ledger.money import Money
from riskseg.ledger.payments import standing_payment


def refunds(residual: str, bills: str, *, reverses: bool) -> list[Relation]:
    """Relations from `pool` and the relation `bills`, whose `residual` the pool is to pay, up to
    `refunds_taken` (snap, paid_on, amount_minor) and `refunds_beyond` (snap, beyond), what
    was paid out beyond the credit. With `reverses`, less what came back of it."""
    refund = standing_payment(reverses, snapshot="s")
    return [
        Relation(
            "refunds_paid",
            f"""
            select s.snap, p.paid_on, cast(sum({refund.amount}) as bigint) as amount_minor
            from ledger_payments p
            join snapshots s on s.account_no = p.account_no and p.known_on <= s.as_of
            {refund.join}
            where p.refund and p.reverses is null
            group by s.snap, p.paid_on
            """,
            materialized=True,
        ),
        Relation(
            "credit_at_refunds",
            f"""
            select r.snap, r.paid_on, r.amount_minor,
                cast(coalesce(m.received, 0) - coalesce(b.billed, 0) as bigint) as credit
            from refunds_paid r
            left join (
                select r.snap, r.paid_on, sum(p.amount_minor) as received
                from refunds_paid r
                join pool p on p.snap = r.snap and p.paid_on <= r.paid_on
                group by r.snap, r.paid_on
            ) m on m.snap = r.snap and m.paid_on = r.paid_on
            left join (
                select r.snap, r.paid_on, sum(b.{residual}) as billed
                from refunds_paid r
                join {bills} b on b.snap = r.snap and b.issued_on <= r.paid_on
                group by r.snap, r.paid_on
            ) b on b.snap = r.snap and b.paid_on = r.paid_on
            """,
        ),
        # What all refunds up to a day have taken, from the one day to the next.
        Relation(
            "refunds_so_far",
            """
            select snap, paid_on,
                list_reduce(
                    list_prepend(
                        {'amount': cast(0 as bigint), 'credit': cast(0 as bigint)},
                        list({'amount': amount_minor, 'credit': credit}) over (
                            partition by snap order by paid_on rows unbounded preceding
                        )
                    ),
                    lambda before, now: {
                        'amount': greatest(
                            before.amount, least(before.amount + now.amount, now.credit)
                        ),
                        'credit': now.credit
                    }
                ).amount as taken
            from credit_at_refunds
            """,
        ),
        Relation(
            "refunds_taken",
            """
            select snap, paid_on,
                taken - lag(taken, 1, 0) over (partition by snap order by paid_on) as amount_minor
            from refunds_so_far
            """,
            materialized=True,
        ),
        Relation(
            "refunds_beyond",
            """
            select p.snap, cast(sum(p.amount_minor) - sum(t.amount_minor) as bigint) as beyond
            from refunds_paid p
            join refunds_taken t on t.snap = p.snap and t.paid_on = p.paid_on
            group by p.snap
            """,
        ),
    ]


def with_refunds(money: Money, bills: str) -> str:
    """What stands after FROM for the bills that the pool pays, with what refunds take of it."""
    if not money.refunds:
        return bills
    named = ["amount_minor as residual"] if money.has_residuals else []
    named += ["0 as disputed"] if money.disputes or money.raises_disputes else []
    named += ["0 as named_paid"] if money.names_bills else []
    taken = ", ".join(["snap", "paid_on as issued_on", "paid_on as due_on", "amount_minor", *named])
    return f"""(
            select * from {bills}
            union all by name
            select {taken} from refunds_taken where amount_minor > 0
        )"""
