"""What is over of an account, so that many snapshots of it need not allocate it anew.

`settled_bills` are bills that are paid and never change again from the day `settled_from`;
`settled_totals` tells how many they are of an account by each day, what the pool's order holds
of them (`owed`) and the pool's money that none but they can reach (`pooled`); `open_bills` and
`open_payments` are the ledger's with the day from which each is over.
"""

from __future__ import annotations

from riskseg.domain.relations import Relation
from riskseg.ledger.money import Money, due_order, owed_sql
from riskseg.ledger.payments import TAKEN_BACK

# A bill that is never settled, or money that is never spent, is so after every date there is.
_NEVER = "date '9999-12-31'"


def settled_bills(money: Money) -> list[Relation]:
    """Tables of the whole ledger: `settled_bills`, `settled_totals`, `open_bills` and
    `open_payments`."""
    return _by_name(money) if money.names_bills else _in_order(money)


def _without_refunds(money: Money) -> str:
    """Whether nothing was paid out to the account of a bill `b`: what a refund takes hangs on every
    bill and payment before it."""
    if not money.refunds:
        return "true"
    return """not exists (
                    select 1 from ledger_payments r
                    where r.account_no = b.account_no and r.refund
                )"""


def _undisputed(money: Money) -> str:
    """Whether no event disputes bills of the account of a bill `b`: a dispute may yet be raised, or
    rejected, and what is settled stays so."""
    if not money.raises_disputes:
        return "true"
    return """not exists (
                    select 1 from ledger_events e
                    where e.account_no = b.account_no and e.kind = 'dispute'
                )"""


def _by_name(money: Money) -> list[Relation]:
    """A bill that payments naming it pay to the penny takes nothing from the pool and leaves
    nothing to it, and from the day all of them are known it never changes again."""
    return [
        _naming_payments(money),
        _settled_by_name(money),
        Relation(
            "settled_totals",
            """
            select distinct account_no, settled_from,
                count(*) over so_far as bills,
                min(issued_on) over so_far as first_billed_on,
                max(issued_on) over so_far as last_billed_on,
                cast(sum(owed) over so_far as bigint) as paid,
                0 as owed,
                0 as pooled
            from settled_bills
            window so_far as (partition by account_no order by settled_from)
            """,
            materialized=True,
        ),
        _open_by_name("bills"),
        _open_by_name("payments"),
    ]


def _naming_payments(money: Money) -> Relation:
    """Payments that name a bill; `stands` where nothing of one was taken back."""
    stands, is_payment = "true", "true"
    if money.reverses:
        is_payment = "p.reverses is null"
        stands = """not exists (
                select 1 from ledger_payments r
                where r.account_no = p.account_no and r.reverses = p.payment_id and r.settled
            )"""
    return Relation(
        "naming_payments",
        f"""
        select p.account_no, p.bill_id, p.paid_on, p.known_on, p.amount_minor,
            cast(
                sum(p.amount_minor) over (
                    partition by p.account_no, p.bill_id
                    order by p.paid_on, p.amount_minor, p.payment_id
                    rows unbounded preceding
                ) as bigint
            ) as reached,
            {stands} as stands
        from ledger_payments p
        where p.settled and p.bill_id is not null
            and {is_payment}
        """,
    )


def _settled_by_name(money: Money) -> Relation:
    owed = owed_sql(money)
    not_cancelled = "b.cancelled_on is null" if money.cancels else "true"
    no_credit = "b.amount_minor >= 0" if money.credits else "true"
    unpaid = f"{owed} - (p.reached - p.amount_minor)"
    return Relation(
        "settled_bills",
        f"""
        select b.account_no, b.bill_id, b.issued_on, b.due_on, b.amount_minor, b.disputed,
            {owed} as owed,
            greatest(b.known_on, max(p.known_on)) as settled_from,
            greatest(
                max(p.paid_on)
                    filter (where p.amount_minor > 0 and {unpaid} >= {money.arrears_from}),
                b.issued_on
            ) as cleared_on
        from ledger_bills b
        join naming_payments p on p.account_no = b.account_no and p.bill_id = b.bill_id
        where {not_cancelled}
            and {no_credit}
            and {_undisputed(money)}
        group by b.account_no, b.bill_id, b.issued_on, b.due_on, b.amount_minor, b.disputed,
            b.known_on
        having sum(p.amount_minor) = {owed} and bool_and(p.stands)
        """,
        materialized=True,
    )


def _open_by_name(table: str) -> Relation:
    return Relation(
        f"open_{table}",
        f"""
        select f.*, coalesce(z.settled_from, {_NEVER}) as settled_from
        from ledger_{table} f
        left join settled_bills z on z.account_no = f.account_no and z.bill_id = f.bill_id
        """,
        materialized=True,
    )


def _in_order(money: Money) -> list[Relation]:
    """Where no payment names a bill, the pool pays all of them, in the order they fall due.

    Bills and money are laid end to end as they are in the end. From the day on which a bill, all
    before it and all money up to the first that reaches its far end are known as they stay, these
    come first: whatever else becomes known comes behind them, or it would be among them in the
    end. So the bill is settled, and what it took of the money is the same for ever.
    """
    slack = max(money.arrears_from - 1, 0)
    return [
        *_bills_in_order(money),
        *_money_in_order(money),
        Relation(
            "money_reaching",
            """
            select account_no, reached,
                min(paid_on) as paid_on,
                min(known_through) as known_through
            from money_in_order
            where reached > 0
            group by account_no, reached
            """,
            materialized=True,
        ),
        _settled_in_order(slack),
        Relation(
            "settled_so_far",
            """
            select distinct account_no, settled_from,
                count(*) over so_far as bills,
                min(issued_on) over so_far as first_billed_on,
                max(issued_on) over so_far as last_billed_on,
                max(far_end) over so_far as owed,
                max(far_end) over so_far as paid
            from settled_bills
            window so_far as (partition by account_no order by settled_from)
            """,
        ),
        Relation(
            "settled_totals",
            f"""
            select z.*, coalesce(m.reached, 0) as pooled
            from settled_so_far z
            asof left join money_reaching m
                on m.account_no = z.account_no and z.owed - {slack} >= m.reached
            """,
            materialized=True,
        ),
        *_open_in_order(money, slack),
    ]


def _settled_in_order(slack: int) -> Relation:
    return Relation(
        "settled_bills",
        f"""
        select b.account_no, b.bill_id, b.issued_on, b.due_on, b.amount_minor, b.disputed, b.owed,
            b.far_end,
            greatest(b.known_through, p.known_through) as settled_from,
            case
                when b.owed > 0 and b.far_end > {slack} then greatest(m.paid_on, b.issued_on)
                else b.issued_on
            end as cleared_on
        from bills_in_order b
        asof left join money_reaching p
            on p.account_no = b.account_no and b.far_end <= p.reached
        asof left join money_reaching m
            on m.account_no = b.account_no and b.far_end - {slack} <= m.reached
        where b.stands and (p.reached is not null or b.far_end = 0)
        """,
        materialized=True,
    )


def _bills_in_order(money: Money) -> list[Relation]:
    """`bills_in_order`: a bill that is cancelled in the end holds its place, worth nothing, until
    it is."""
    owed = owed_sql(money)
    lasting, stays_from, stands = owed, "b.known_on", "true"
    if money.cancels:
        lasting = f"case when b.cancelled_on is null then {owed} else 0 end"
        stays_from = "greatest(b.known_on, b.cancelled_on)"
        stands = "b.cancelled_on is null"
    return [
        Relation(
            "bills_to_lay",
            f"""
            select b.account_no, b.bill_id, b.issued_on, b.due_on, b.amount_minor, b.disputed,
                {owed} as owed,
                {lasting} as lasting,
                {stays_from} as stays_from,
                {stands} as stands
            from ledger_bills b
            where b.amount_minor >= 0
                and {_undisputed(money)}
                and {_without_refunds(money)}
            """,
        ),
        Relation(
            "bills_in_order",
            f"""
            select *,
                cast(sum(lasting) over laid as bigint) as far_end,
                max(stays_from) over laid as known_through
            from bills_to_lay
            window laid as (
                partition by account_no
                order by {due_order(money, "owed")}
                rows unbounded preceding
            )
            """,
            materialized=True,
        ),
    ]


def _money_in_order(money: Money) -> list[Relation]:
    """`money_in_order`: payments as reversals leave them, and credits with their `bill_id`."""
    parts = [_payments_to_lay(money), *([_credits_to_lay(money)] if money.credits else [])]
    return [
        Relation("money_to_lay", "union all".join(parts)),
        Relation(
            "money_in_order",
            """
            select *,
                cast(sum(lasting) over laid as bigint) as reached,
                max(stays_from) over laid as known_through
            from money_to_lay
            window laid as (
                partition by account_no
                order by paid_on, stays_from, lasting
                rows unbounded preceding
            )
            """,
            materialized=True,
        ),
    ]


def _payments_to_lay(money: Money) -> str:
    columns = """p.account_no, p.payment_id, p.part_id, p.paid_on, p.known_on, p.amount_minor,
            null as bill_id"""
    if not money.reverses:
        return f"""
        select {columns},
            p.amount_minor as lasting,
            p.known_on as stays_from
        from ledger_payments p
        where p.settled
        """
    return f"""
        select {columns},
            greatest(p.amount_minor - coalesce(u.amount_minor, 0), 0) as lasting,
            greatest(p.known_on, u.known_on) as stays_from
        from ledger_payments p
        left join (
            select account_no, undoes, {TAKEN_BACK} as amount_minor, max(known_on) as known_on
            from ledger_payments p
            where settled and reverses is not null
            group by account_no, undoes
        ) u on u.account_no = p.account_no and u.undoes = p.part_id
        where p.settled and p.reverses is null
        """


def _credits_to_lay(money: Money) -> str:
    lasting, stays_from = "-b.amount_minor", "b.known_on"
    if money.cancels:
        lasting = "case when b.cancelled_on is null then -b.amount_minor else 0 end"
        stays_from = "greatest(b.known_on, b.cancelled_on)"
    return f"""
        select b.account_no, null, null, b.issued_on, b.known_on, b.amount_minor, b.bill_id,
            {lasting},
            {stays_from}
        from ledger_bills b
        where b.amount_minor < 0
        """


# Bills, and credits among them, with the day from which each is over.
_OVER_AS_BILLS = """
            select account_no, bill_id, settled_from from settled_bills
            """
_OVER_AS_CREDITS = """
            select account_no, bill_id, settled_from from money_over where bill_id is not null
            """


def _open_in_order(money: Money, slack: int) -> list[Relation]:
    """Money is over once the far end of a settled bill leaves it behind, by as much as a bill may
    lack and be cleared: then no open bill can be cleared by it. A payment that is worth nothing in
    the end is over when that is known."""
    parts = [_OVER_AS_BILLS, *([_OVER_AS_CREDITS] if money.credits else [])]
    return [
        Relation(
            "settled_ends",
            """
            select account_no, far_end, min(settled_from) as settled_from
            from settled_bills
            where far_end > 0
            group by account_no, far_end
            """,
        ),
        Relation(
            "money_over",
            f"""
            select m.account_no, m.payment_id, m.part_id, m.paid_on, m.known_on, m.amount_minor,
                m.bill_id,
                greatest(coalesce(e.settled_from, {_NEVER}), m.known_through) as settled_from
            from money_in_order m
            asof left join settled_ends e
                on e.account_no = m.account_no and m.reached + {slack} <= e.far_end
            """,
            materialized=True,
        ),
        Relation(
            "open_payments",
            """
            select *,
                true as settled,
                null as reverses
            from money_over
            where bill_id is null
            """,
            materialized=True,
        ),
        Relation("over_bills", "union all".join(parts)),
        Relation(
            "open_bills",
            f"""
            select f.*, coalesce(z.settled_from, {_NEVER}) as settled_from
            from ledger_bills f
            left join over_bills z on z.account_no = f.account_no and z.bill_id = f.bill_id
            """,
            materialized=True,
        ),
    ]
