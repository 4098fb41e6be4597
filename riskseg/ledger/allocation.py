"""Bill facts: what is paid, open and overdue of every bill, as of any dates, in one statement.

The rule, applied to the facts known at a snapshot's as-of date and to nothing else:

1. A payment that names a bill pays that bill, up to its amount, in the order of payment days.
   What is in dispute of a bill, as far as that leaves it unpaid, is then not owed.
2. All other money (payments that name none, what a named payment leaves over, negative bills)
   is the account's pool. It pays bills in the order they fall due; the rest waits as credit.
3. A bill is cleared on the first day on which what the account owes through it, from the pool's
   point of view, is below `arrears_from`, and what was paid by name had left less than that of
   the bill itself; a residue of pennies does not keep a bill open.

Step 2 needs no loop: with bills laid end to end in due order and money laid end to end in payment
order, a bill is cleared by the first money that reaches its far end.
"""

from __future__ import annotations

from riskseg.domain.relations import Relation
from riskseg.ledger.clearing import RE_AGED, clearing, late_days_sql, plan_columns
from riskseg.ledger.disputes import bill_disputes, dispute_states
from riskseg.ledger.money import (
    Money,
    due_order,
    known_rows,
    owed_as_known_sql,
    past_due_sql,
    stands_sql,
)
from riskseg.ledger.payments import undone_payments
from riskseg.ledger.plans import plan_states
from riskseg.ledger.pool import pool
from riskseg.ledger.refunds import refunds, with_refunds


def bill_facts(
    money: Money, *, keep_days: int | None = None, shared: bool = False, spans: bool = True
) -> list[Relation]:
    """Relations that end in `bill_facts`, a row a snapshot and bill, and `totals`, one a snapshot.

    They read `ledger_bills`, `ledger_payments`, `snapshots` (snap, account_no, as_of) and, where
    there are plans, instalments or disputes, `ledger_events`.
    `bill_facts`: snap, as_of, bill_id, issued_on, due_on, amount_minor, disputed, paid, cleared_on
    (null while open), unpaid, overdue, days_past_due; money in minor units. What is `unpaid` and
    past due is overdue, unless a plan that is kept covers it.
    `totals`: snap, bills, first_billed_on, last_billed_on, open, overdue, paid, has_paid, credit;
    `paid` is what is paid of all bills, and what was paid out.

    `keep_days` drops bills that fell due longer ago, unless they are not owed in full or something
    of the account is overdue: they are allocated like the others, but no feature looks at them.
    None keeps every bill.
    `shared` says that the tables of :mod:`riskseg.ledger.settled` are there: what is over is then
    not allocated for each snapshot anew. `spans` says that episodes are asked for, which look at
    late bills of any age.
    """
    relations = [undone_payments()] if money.reverses else []
    if money.plans is not None:
        relations += plan_states(
            money.plans, reverses=money.reverses, names_bills=money.names_bills
        )
    if money.raises_disputes:
        relations += dispute_states() + bill_disputes(readable_ids=money.readable_ids)
    relations += [
        _known_bills(money, shared),
        *([_OVER] if shared else []),
        *pool(money, shared),
        _residuals(money),
        *([_unnamed_taken(money)] if money.disputes_amounts else []),
        *_paid_out(money),
        _laid_bills(money),
        _LAID_POOL,
        _POOLS,
        _billed(money, shared),
        _bill_totals(money),
        _totals(money, shared),
        *clearing(money, keep_days, "allocated" if shared else "bill_facts"),
    ]
    return [*relations, _with_settled(money, keep_days, spans)] if shared else relations


def _paid_out(money: Money) -> list[Relation]:
    if not money.refunds:
        return []
    return refunds(money.residual, _left_to_pool(money), reverses=money.reverses)


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


def _known_bills(money: Money, shared: bool) -> Relation:
    no_credit = "b.amount_minor >= 0" if money.credits else "true"
    covers = "left join covers c on c.snap = s.snap" if money.plans else ""
    in_dispute, disputes = "", ""
    if money.raises_disputes:
        in_dispute = ", coalesce(d.in_dispute, 0) as in_dispute"
        disputes = "left join bill_disputes d on d.snap = s.snap and d.bill_id = b.bill_id"
    return Relation(
        "known_bills",
        f"""
        select s.snap, b.bill_id, b.issued_on, b.due_on, b.amount_minor, b.disputed,
            {owed_as_known_sql(money)} as owed{in_dispute}{plan_columns(money, "b")}
        from {known_rows("bills", "b", shared)}
        {covers}
        {disputes}
        where {stands_sql(money)}
            and {no_credit}
        """,
        materialized=money.names_bills,
    )


def _with_settled(money: Money, keep_days: int | None, spans: bool) -> Relation:
    """`bill_facts` of what was allocated, and of the settled bills that a feature can see."""
    seen = "true"
    if keep_days is not None:
        seen = f"due_on >= as_of - {keep_days}"
        seen += " or disputed > 0" if money.disputes else ""
        if spans:
            seen = f"({seen} or (account_overdue > 0 and cleared_on > due_on))"
    covers = "left join covers c on c.snap = s.snap" if money.plans else ""
    settled = f"""
            select s.snap, s.as_of, z.*, t.overdue as account_overdue{plan_columns(money, "z")}
            from settled_bills z
            join snapshots s on s.account_no = z.account_no and z.settled_from <= s.as_of
            join totals t on t.snap = s.snap
            {covers}
            """
    if money.plans:
        settled = f"""
            select {RE_AGED}
            from ({settled}) z
            """
    return Relation(
        "bill_facts",
        f"""
        select * from allocated
        union all
        select snap, as_of, bill_id, issued_on, due_on, amount_minor,
            least(disputed, amount_minor) as disputed,
            owed as paid,
            cleared_on,
            0 as unpaid,
            0 as overdue,
            {late_days_sql(money)} as days_past_due
        from ({settled}) z
        where {seen}
        """,
    )


def _residuals(money: Money) -> Relation:
    """What of each bill is left to the pool."""
    disputed = ", b.disputed" if money.disputes else ""
    unpaid = "b.owed - coalesce(n.paid, 0)" if money.names_bills else "b.owed"
    residual = unpaid
    if money.raises_disputes:
        disputed = f", b.disputed + least(b.in_dispute, {unpaid}) as disputed"
        residual = f"greatest({unpaid} - b.in_dispute, 0)"
    plan = ", b.plan_from, b.re_aged_to, b.agreed_on" if money.plans else ""
    bill = f"b.snap, b.bill_id, b.issued_on, b.due_on, b.amount_minor{disputed}{plan}"
    if money.names_bills:
        select = f"""
        select {bill},
            {residual} as residual,
            coalesce(n.paid, 0) as named_paid,
            n.paid_on as named_on
        from known_bills b
        left join named n on n.snap = b.snap and n.bill_id = b.bill_id
        """
    elif money.disputes or money.raises_disputes:
        select = f"""
        select {bill},
            {residual} as residual
        from known_bills b
        """
    else:
        select = f"""
        select {bill}
        from known_bills b
        """
    return Relation("residuals", select)


def _unnamed_taken(money: Money) -> Relation:
    """`undisputed`: the same less the amounts that are disputed without naming a bill: of the bills
    issued by then they take what is left, in the order in which these are paid."""

    def taken(amount: str) -> str:
        return f"least(greatest({amount} - (far_end - open_to_it), 0), open_to_it)"

    return Relation(
        "undisputed",
        f"""
        select * exclude (open_to_it, far_end, unnamed, unnamed_upheld)
            replace (
                residual - {taken("unnamed")} as residual,
                disputed + {taken("unnamed")} - {taken("unnamed_upheld")} as disputed
            )
        from (
            select *,
                cast(
                    sum(open_to_it) over (
                        partition by snap
                        order by {due_order(money, "residual")}
                        rows unbounded preceding
                    ) as bigint
                ) as far_end
            from (
                select r.*,
                    case when r.issued_on <= d.raised_on then r.residual else 0 end as open_to_it,
                    coalesce(d.in_dispute + d.upheld, 0) as unnamed,
                    coalesce(d.upheld, 0) as unnamed_upheld
                from residuals r
                left join unnamed_disputes d on d.snap = r.snap
            ) r
        ) r
        """,
    )


def _left_to_pool(money: Money) -> str:
    """The relation that says it."""
    return "undisputed" if money.disputes_amounts else "residuals"


def _laid_bills(money: Money) -> Relation:
    """Bills laid end to end, in the order in which the pool pays them."""
    return Relation(
        "laid_bills",
        f"""
        select *,
            cast(
                sum({money.residual}) over (
                    partition by snap
                    order by {due_order(money, money.residual)}
                    rows unbounded preceding
                ) as bigint
            ) as far_end
        from {with_refunds(money, _left_to_pool(money))}
        """,
    )


_LAID_POOL = Relation(
    "laid_pool",
    """
    select snap, paid_on, amount_minor,
        cast(
            sum(amount_minor) over (
                partition by snap order by paid_on rows unbounded preceding
            ) as bigint
        ) as reached
    from pool
    """,
    materialized=True,
)
# What the pool of each snapshot reaches in all, null where no money has come; and its as-of date,
# which the rows that are sorted then need not have.
_POOLS = Relation(
    "pools",
    """
    select s.snap, s.as_of, p.reached
    from snapshots s
    left join (select snap, max(reached) as reached from laid_pool group by snap) p
        on p.snap = s.snap
    """,
    materialized=True,
)


def _billed(money: Money, shared: bool) -> Relation:
    """Bills and what the pool pays of each. Where settled bills are `shared`, they lie before
    these."""
    far_end = "(b.far_end + coalesce(z.owed, 0))" if shared else "b.far_end"
    over = "left join over z on z.snap = b.snap" if shared else ""
    residual = f"b.{money.residual}"
    return Relation(
        "billed",
        f"""
        select p.as_of, b.* replace ({far_end} as far_end),
            least(
                greatest(coalesce(p.reached, 0) - ({far_end} - {residual}), 0), {residual}
            ) as pool_paid
        from laid_bills b
        join pools p on p.snap = b.snap
        {over}
        """,
        materialized=True,
    )


def _bill_totals(money: Money) -> Relation:
    # What a refund takes is laid among the bills, and is none.
    is_bill = " filter (where bill_id is not null)" if money.refunds else ""
    unpaid = f"{money.residual} - pool_paid"
    return Relation(
        "bill_totals",
        f"""
    select snap,
        count(*){is_bill} as bills,
        min(issued_on){is_bill} as first_billed_on,
        max(issued_on){is_bill} as last_billed_on,
        cast(sum({unpaid}){is_bill} as bigint) as open,
        cast(
            sum(case when {past_due_sql(money)} then {unpaid} else 0 end){is_bill}
            as bigint
        ) as overdue,
        cast(sum(pool_paid) as bigint) as pool_paid,
        cast(sum({money.named_paid} + pool_paid) as bigint) as paid
    from billed
    group by snap
    """,
    )


def _totals(money: Money, shared: bool) -> Relation:
    """`totals`, a row for each snapshot. Settled bills, where they are `shared`, are paid."""
    bills, first, last, owed, paid = (
        "coalesce(b.bills, 0)",
        "b.first_billed_on",
        "b.last_billed_on",
        "coalesce(b.pool_paid, 0)",
        "coalesce(b.paid, 0)",
    )
    joins = ""
    if shared:
        bills += " + coalesce(z.bills, 0)"
        first, last = f"least({first}, z.first_billed_on)", f"greatest({last}, z.last_billed_on)"
        owed += " + coalesce(z.owed, 0)"
        paid += " + coalesce(z.paid, 0)"
        joins += "left join over z on z.snap = s.snap"
    if money.refunds:
        owed += " + coalesce(r.beyond, 0)"
        paid += " + coalesce(r.beyond, 0)"
        joins += """
    left join refunds_beyond r on r.snap = s.snap"""
    return Relation(
        "totals",
        f"""
    select s.snap,
        {bills} as bills,
        {first} as first_billed_on,
        {last} as last_billed_on,
        coalesce(b.open, 0) as open,
        coalesce(b.overdue, 0) as overdue,
        {paid} as paid,
        s.reached is not null as has_paid,
        coalesce(s.reached, 0) - ({owed}) as credit
    from pools s
    left join bill_totals b on b.snap = s.snap
    {joins}
    """,
        materialized=True,
    )
