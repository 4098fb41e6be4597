"""Bill facts: what is paid, open and overdue of every bill, as of any dates, in one statement.

The rule, applied to the facts known at a snapshot's as-of date and to nothing else:

1. A payment that names a bill pays that bill, up to its amount, in the order of payment days.
2. All other money (payments that name none, what a named payment leaves over, negative bills)
   is the account's pool. It pays bills in the order they fall due; the rest waits as credit.
3. A bill is cleared on the first day on which what the account owes through it, from the pool's
   point of view, is below `arrears_from`, and what was paid by name had left less than that of
   the bill itself; a residue of pennies does not keep a bill open.

Step 2 needs no loop and no as-of join: with bills laid end to end in due order and money laid
end to end in payment order, a bill is cleared by the first money that reaches its far end. So
both are put in one row of cumulative amounts, and a window finds, from each bill, the next money.
"""

from __future__ import annotations

from dataclasses import dataclass

from riskseg.domain.relations import Relation


@dataclass(frozen=True, slots=True)
class Money:
    """What the ledger at hand contains: what it lacks costs nothing. `arrears_from` is in minor
    units; `reverses` says that payments fail or are reversed, `readable_ids` that the ids of bills
    are kept as texts and not as hashes."""

    names_bills: bool
    reverses: bool
    cancels: bool
    disputes: bool
    credits: bool
    arrears_from: int
    readable_ids: bool = False

    def bill_order(self, bill_id: str) -> str:
        """SQL by which bills of one day are put in order: the same however ids are kept."""
        return f"hash({bill_id})" if self.readable_ids else bill_id


def bill_facts(
    money: Money, *, keep_days: int | None = None, shared: bool = False, spans: bool = True
) -> list[Relation]:
    """Relations that end in `bill_facts`, a row a snapshot and bill, and `totals`, one a snapshot.

    They read `ledger_bills`, `ledger_payments` and `snapshots` (snap, account_no, as_of).
    `bill_facts`: snap, as_of, bill_id, issued_on, due_on, amount_minor, disputed, paid, cleared_on
    (null while open), overdue, days_past_due; money in minor units.
    `totals`: snap, bills, first_billed_on, last_billed_on, open, overdue, has_paid, credit.

    `keep_days` drops bills that fell due longer ago, unless something of the account is overdue:
    they are allocated like the others, but no feature looks at them. None keeps every bill.
    `shared` says that the tables of :mod:`riskseg.ledger.settled` are there: what is over is then
    not allocated for each snapshot anew. `spans` says that episodes are asked for, which look at
    late bills of any age.
    """
    relations = [
        _known_bills(money, shared),
        *([_OVER] if shared else []),
        *_pool(money, shared),
        _residuals(money),
        _laid_bills(money),
        _LAID_POOL,
        _POOLS,
        _billed(shared),
        _BILL_TOTALS,
        _TOTALS_WITH_SETTLED if shared else _TOTALS,
        *_cleared(money, keep_days, "allocated" if shared else "bill_facts"),
    ]
    return [*relations, _with_settled(keep_days, spans)] if shared else relations


def owed_sql(money: Money) -> str:
    """What is owed of the bill `b`."""
    return "greatest(b.amount_minor - b.disputed, 0)" if money.disputes else "b.amount_minor"


def due_order(money: Money, residual: str) -> str:
    """SQL of the order in which the pool pays bills.

    Bills alike in all of this are interchangeable, but for their attributes; the id last makes
    the order total."""
    order = ["due_on", "issued_on"]
    order += ["disputed"] if money.disputes else []
    order += ["named_on"] if money.names_bills else []
    bill_order = money.bill_order("bill_id")
    return ", ".join(dict.fromkeys([*order, residual, "amount_minor", bill_order]))


# How much of each snapshot's account is settled by then, where anything is.
_OVER = Relation(
    "over",
    """
    select s.snap, z.* exclude (account_no, settled_from)
    from snapshots s
    asof join settled_totals z
        on z.account_no = s.account_no and s.as_of >= z.settled_from
    """,
    materialized=True,
)


def _ledger(name: str, alias: str, shared: bool) -> str:
    """Rows of the ledger known at each snapshot `s`, less those of bills that are settled by then
    where these are `shared`."""
    table = f"{'open' if shared else 'ledger'}_{name} {alias}"
    over = f" and {alias}.settled_from > s.as_of" if shared else ""
    return (
        f"{table} join snapshots s on s.account_no = {alias}.account_no "
        f"and {alias}.known_on <= s.as_of{over}"
    )


def _known_bills(money: Money, shared: bool) -> Relation:
    positive = " and b.amount_minor >= 0" if money.credits else ""
    return Relation(
        "known_bills",
        f"""
        select s.snap, s.as_of, b.bill_id, b.issued_on, b.due_on, b.amount_minor, b.disputed,
            {owed_sql(money)} as owed
        from {_ledger("bills", "b", shared)}
        where true{_standing(money)}{positive}
        """,
        materialized=money.names_bills,
    )


def _with_settled(keep_days: int | None, spans: bool) -> Relation:
    """`bill_facts` of what was allocated, and of the settled bills that a feature can see."""
    seen = "true"
    if keep_days is not None:
        late = " or (t.overdue > 0 and z.cleared_on > z.due_on)" if spans else ""
        seen = f"z.due_on >= s.as_of - {keep_days}{late}"
    return Relation(
        "bill_facts",
        f"""
        select * from allocated
        union all
        select s.snap, s.as_of, z.bill_id, z.issued_on, z.due_on, z.amount_minor, z.disputed,
            z.owed as paid,
            z.cleared_on,
            0 as overdue,
            case when z.due_on < s.as_of then greatest(z.cleared_on - z.due_on, 0) else 0 end
                as days_past_due
        from settled_bills z
        join snapshots s on s.account_no = z.account_no and z.settled_from <= s.as_of
        join totals t on t.snap = s.snap
        where {seen}
        """,
    )


def _standing(money: Money) -> str:
    return " and (b.cancelled_on is null or b.cancelled_on > s.as_of)" if money.cancels else ""


def _pool(money: Money, shared: bool) -> list[Relation]:
    """Relations up to `pool` (snap, paid_on, amount_minor) and `named` (snap, bill_id, paid,
    paid_on).

    A named payment of a last few pennies, less than `arrears_from`, is no reason to call the bill
    late: `paid_on` is the day of the last one that found more than that unpaid.
    """
    relations = [*([undone_payments()] if money.reverses else []), _money(money, shared)]
    pool = "select snap, paid_on, amount_minor from money"
    if money.names_bills:
        relations += [_LAID_NAMED, _USED_NAMED, _named(money)]
        pool = """
        select m.snap, m.paid_on, m.amount_minor
        from money m
        where not exists (
            select 1 from known_bills b where b.snap = m.snap and b.bill_id = m.bill_id
        )
        union all
        select snap, paid_on, amount_minor - used from used_named where amount_minor > used
        """
    if money.credits:
        pool += f"""
        union all
        select s.snap, b.issued_on, -b.amount_minor
        from {_ledger("bills", "b", shared)}
        where b.amount_minor < 0{_standing(money)}
        """
    if shared and not money.names_bills:
        # What was settled is laid before the rest in one piece: no open bill's end lies within it.
        pool += """
        union all
        select snap, date '0001-01-01', pooled from over where pooled > 0
        """
    return [*relations, Relation("pool", pool)]


def undone_payments() -> Relation:
    """`undone` (snap, payment_id, amount_minor): what was taken back of a payment, as known."""
    return Relation(
        "undone",
        """
        select s.snap, p.reverses as payment_id, cast(sum(p.amount_minor) as bigint) as amount_minor
        from ledger_payments p
        join snapshots s on s.account_no = p.account_no and p.known_on <= s.as_of
        where p.settled and p.reverses is not null
        group by s.snap, p.reverses
        """,
    )


def _money(money: Money, shared: bool) -> Relation:
    """`money`: payments as they are known, less what was taken back of them."""
    named = ", p.bill_id, p.payment_id" if money.names_bills else ""
    payments = _ledger("payments", "p", shared)
    if money.reverses:
        select = f"""
        select s.snap, p.paid_on,
            cast(greatest(p.amount_minor - coalesce(u.amount_minor, 0), 0) as bigint)
                as amount_minor{named}
        from {payments}
        left join undone u on u.snap = s.snap and u.payment_id = p.payment_id
        where p.settled and p.reverses is null
        """
    else:
        select = f"""
        select s.snap, p.paid_on, p.amount_minor as amount_minor{named}
        from {payments}
        where p.settled
        """
    return Relation("money", select, materialized=money.names_bills)


# Payments laid end to end on the bill they name, and what of each it needs.
_LAID_NAMED = Relation(
    "laid_named",
    """
    select m.snap, m.bill_id, m.paid_on, m.amount_minor, b.owed,
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
        owed - (reached - amount_minor) as before,
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
            max(paid_on) filter (where before >= {money.arrears_from}) as paid_on
        from used_named
        where used > 0
        group by snap, bill_id
        """,
    )


def _residuals(money: Money) -> Relation:
    """What of each bill is left to the pool. These rows are sorted: what all of them have alike is
    added behind the sort, by :func:`_laid_bills`."""
    disputed = ", b.disputed" if money.disputes else ""
    bill = f"b.snap, b.as_of, b.bill_id, b.issued_on, b.due_on, b.amount_minor{disputed}"
    if money.names_bills:
        select = f"""
        select {bill},
            b.owed - coalesce(n.paid, 0) as residual,
            coalesce(n.paid, 0) as named_paid,
            n.paid_on as named_on
        from known_bills b
        left join named n on n.snap = b.snap and n.bill_id = b.bill_id
        """
    elif money.disputes:
        select = f"select {bill}, b.owed as residual from known_bills b"
    else:
        select = f"select {bill} from known_bills b"
    return Relation("residuals", select)


def _laid_bills(money: Money) -> Relation:
    """Bills laid end to end, in the order in which the pool pays them."""
    added = [] if money.disputes else ["0 as disputed"]
    if not money.names_bills:
        added += [] if money.disputes else ["amount_minor as residual"]
        added += ["0 as named_paid", "cast(null as date) as named_on"]
    residual = "residual" if money.names_bills or money.disputes else "amount_minor"
    return Relation(
        "laid_bills",
        f"""
        select {", ".join(["*", *added])},
            cast(
                sum({residual}) over (
                    partition by snap
                    order by {due_order(money, residual)}
                    rows unbounded preceding
                ) as bigint
            ) as far_end
        from residuals
        """,
    )


_LAID_POOL = Relation(
    "laid_pool",
    """
    select snap, paid_on,
        cast(
            sum(amount_minor) over (
                partition by snap order by paid_on rows unbounded preceding
            ) as bigint
        ) as reached
    from pool
    """,
    materialized=True,
)
_POOLS = Relation(
    "pools",
    "select snap, max(reached) as reached from laid_pool group by snap",
    materialized=True,
)


def _billed(shared: bool) -> Relation:
    """Bills and what the pool pays of each. Where settled bills are `shared`, they lie before
    these."""
    far_end = "(b.far_end + coalesce(z.owed, 0))" if shared else "b.far_end"
    over = "left join over z on z.snap = b.snap" if shared else ""
    return Relation(
        "billed",
        f"""
        select b.* replace ({far_end} as far_end),
            coalesce(p.reached, 0) as pooled,
            least(
                greatest(coalesce(p.reached, 0) - ({far_end} - b.residual), 0), b.residual
            ) as pool_paid
        from laid_bills b
        left join pools p on p.snap = b.snap
        {over}
        """,
        materialized=True,
    )


_BILL_TOTALS = Relation(
    "bill_totals",
    """
    select snap,
        count(*) as bills,
        min(issued_on) as first_billed_on,
        max(issued_on) as last_billed_on,
        cast(sum(residual - pool_paid) as bigint) as open,
        cast(sum(case when due_on < as_of then residual - pool_paid else 0 end) as bigint)
            as overdue,
        cast(sum(pool_paid) as bigint) as pool_paid
    from billed
    group by snap
    """,
)
_TOTALS = Relation(
    "totals",
    """
    select s.snap,
        coalesce(b.bills, 0) as bills,
        b.first_billed_on as first_billed_on,
        b.last_billed_on as last_billed_on,
        coalesce(b.open, 0) as open,
        coalesce(b.overdue, 0) as overdue,
        p.snap is not null as has_paid,
        coalesce(p.reached, 0) - coalesce(b.pool_paid, 0) as credit
    from snapshots s
    left join bill_totals b on b.snap = s.snap
    left join pools p on p.snap = s.snap
    """,
    materialized=True,
)
_TOTALS_WITH_SETTLED = Relation(
    "totals",
    """
    select s.snap,
        coalesce(b.bills, 0) + coalesce(z.bills, 0) as bills,
        least(b.first_billed_on, z.first_billed_on) as first_billed_on,
        greatest(b.last_billed_on, z.last_billed_on) as last_billed_on,
        coalesce(b.open, 0) as open,
        coalesce(b.overdue, 0) as overdue,
        p.snap is not null as has_paid,
        coalesce(p.reached, 0) - coalesce(b.pool_paid, 0) - coalesce(z.owed, 0) as credit
    from snapshots s
    left join bill_totals b on b.snap = s.snap
    left join pools p on p.snap = s.snap
    left join over z on z.snap = s.snap
    """,
    materialized=True,
)


def _cleared(money: Money, keep_days: int | None, name: str) -> list[Relation]:
    """From bills and pool laid end to end to the day each bill was cleared: the relation `name`."""
    kept = "select * from billed"
    if keep_days is not None:
        kept = f"""
        select b.*
        from billed b
        join totals t on t.snap = b.snap
        where b.due_on >= b.as_of - {keep_days} or t.overdue > 0
        """
    # Less than `arrears_from` is no arrear: a bill is cleared one minor unit past that.
    slack = max(money.arrears_from - 1, 0)
    # What the pool must reach for a bill to be cleared; null where it need not reach anything, as
    # the bill is paid by name or too little is owed through it.
    marked = f"""
        select *,
            case when residual > 0 and far_end > {slack} then far_end - {slack} end as mark
        from kept
        """
    return [
        Relation("kept", kept),
        Relation("marked", marked, materialized=True),
        Relation("first_marks", "select snap, min(mark) as mark from marked group by snap"),
        _SIDE_BY_SIDE,
        _MET,
        _CLEARED,
        Relation(
            name,
            """
            select snap, as_of, bill_id, issued_on, due_on, amount_minor, disputed,
                named_paid + pool_paid as paid,
                cleared_on,
                case when due_on < as_of then residual - pool_paid else 0 end as overdue,
                case
                    when due_on < as_of then greatest(coalesce(cleared_on, as_of) - due_on, 0)
                    else 0
                end as days_past_due
            from cleared
            """,
            materialized=True,
        ),
    ]


# The marks that bills wait for, and the money that reaches them: a bill is met by the next money.
_SIDE_BY_SIDE = Relation(
    "side_by_side",
    """
    select snap, mark as reach, bill_id, cast(null as date) as paid_on
    from marked
    where mark <= pooled
    union all
    select p.snap, p.reached, null, p.paid_on
    from laid_pool p
    join first_marks f on f.snap = p.snap and p.reached >= f.mark
    """,
)
_MET = Relation(
    "met",
    """
    select snap, bill_id,
        min(paid_on) over (
            partition by snap order by reach desc, bill_id is null desc rows unbounded preceding
        ) as pool_on
    from side_by_side
    """,
)
_CLEARED = Relation(
    "cleared",
    """
    select b.*,
        case
            when b.mark is null then greatest(b.named_on, b.issued_on)
            else greatest(m.pool_on, b.named_on, b.issued_on)
        end as cleared_on
    from marked b
    left join met m on m.snap = b.snap and m.bill_id = b.bill_id
    where b.mark is null or b.mark <= b.pooled
    union all
    select *, cast(null as date) from marked where mark > pooled
    """,
)
