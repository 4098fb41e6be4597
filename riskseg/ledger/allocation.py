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
    `bill_facts`: snap, as_of, bill_id, issued_on, due_on, minor (amount), disputed, paid,
    cleared_on (null while open), overdue, days_past_due; money in minor units.
    `totals`: snap, bills, first_billed_on, last_billed_on, open, overdue, has_paid, credit.

    `keep_days` drops bills that fell due longer ago, unless something of the account is overdue:
    they are allocated like the others, but no feature looks at them. None keeps every bill.
    `shared` says that the tables of :mod:`riskseg.ledger.settled` are there: what is over is then
    not allocated for each snapshot anew. `spans` says that episodes are asked for, which look at
    late bills of any age.
    """
    relations = [
        *_bills(money, shared),
        *([_OVER] if shared else []),
        *_pool(money, shared),
        *_laid(money, shared),
        *_cleared(money, keep_days, "allocated" if shared else "bill_facts"),
    ]
    return [*relations, _with_settled(keep_days, spans)] if shared else relations


def owed_sql(money: Money) -> str:
    """What is owed of the bill `b`."""
    return "greatest(b.minor - b.disputed, 0)" if money.disputes else "b.minor"


def due_order(money: Money, residual: str) -> str:
    """SQL of the order in which the pool pays bills.

    Bills alike in all of this are interchangeable, but for their attributes; the id last makes
    the order total."""
    order = ["due_on", "issued_on"]
    order += ["disputed"] if money.disputes else []
    order += ["named_on"] if money.names_bills else []
    return ", ".join(dict.fromkeys([*order, residual, "minor", money.bill_order("bill_id")]))


# How much of each snapshot's account is settled by then, where anything is.
_OVER = Relation(
    "over",
    "select s.snap, z.* exclude (account_no, settled_from) from snapshots s asof join "
    "settled_totals z on z.account_no = s.account_no and s.as_of >= z.settled_from",
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


def _bills(money: Money, shared: bool) -> list[Relation]:
    positive = " and b.minor >= 0" if money.credits else ""
    return [
        Relation(
            "known_bills",
            "select s.snap, s.as_of, b.bill_id, b.issued_on, b.due_on, b.minor, b.disputed, "
            f"{owed_sql(money)} as owed from {_ledger('bills', 'b', shared)} "
            f"where true{_standing(money)}{positive}",
            materialized=money.names_bills,
        )
    ]


def _with_settled(keep_days: int | None, spans: bool) -> Relation:
    """`bill_facts` of what was allocated, and of the settled bills that a feature can see."""
    seen = ""
    if keep_days is not None:
        late = " or (t.overdue > 0 and z.cleared_on > z.due_on)" if spans else ""
        seen = f" where z.due_on >= s.as_of - {keep_days}{late}"
    return Relation(
        "bill_facts",
        "select * from allocated union all select s.snap, s.as_of, z.bill_id, z.issued_on, "
        "z.due_on, z.minor, z.disputed, z.owed as paid, z.cleared_on, 0 as overdue, "
        "case when z.due_on < s.as_of then greatest(z.cleared_on - z.due_on, 0) else 0 end "
        "as days_past_due from settled_bills z join snapshots s on s.account_no = z.account_no "
        f"and z.settled_from <= s.as_of join totals t on t.snap = s.snap{seen}",
    )


def _standing(money: Money) -> str:
    return " and (b.cancelled_on is null or b.cancelled_on > s.as_of)" if money.cancels else ""


def _pool(money: Money, shared: bool) -> list[Relation]:
    """Relations up to `pool` (snap, paid_on, minor) and `named` (snap, bill_id, paid, paid_on).

    A named payment of a last few pennies, less than `arrears_from`, is no reason to call the bill
    late: `paid_on` is the day of the last one that found more than that unpaid.
    """
    found: list[Relation] = []
    undone, left, original = "", "p.minor", ""
    if money.reverses:
        found.append(undone_payments())
        undone = " left join undone u on u.snap = s.snap and u.payment_id = p.payment_id"
        left = "cast(greatest(p.minor - coalesce(u.minor, 0), 0) as bigint)"
        original = " and p.reverses is null"
    named = ", p.bill_id, p.payment_id" if money.names_bills else ""
    found.append(
        Relation(
            "money",
            f"select s.snap, p.paid_on, {left} as minor{named} "
            f"from {_ledger('payments', 'p', shared)}{undone} where p.settled{original}",
            materialized=money.names_bills,
        )
    )
    pool = "select snap, paid_on, minor from money"
    if money.names_bills:
        found += [
            Relation(
                "laid_named",
                "select m.snap, m.bill_id, m.paid_on, m.minor, b.owed, cast(sum(m.minor) over "
                "(partition by m.snap, m.bill_id order by m.paid_on, m.minor, m.payment_id rows "
                "unbounded preceding) as bigint) as reached from money m join known_bills b "
                "on b.snap = m.snap and b.bill_id = m.bill_id",
            ),
            Relation(
                "used_named",
                "select snap, bill_id, paid_on, minor, owed - (reached - minor) as before, "
                "least(greatest(owed - (reached - minor), 0), minor) as used from laid_named",
                materialized=True,
            ),
            Relation(
                "named",
                "select snap, bill_id, cast(sum(used) as bigint) as paid, max(paid_on) filter "
                f"(where before >= {money.arrears_from}) as paid_on "
                "from used_named where used > 0 group by snap, bill_id",
            ),
        ]
        pool = (
            "select m.snap, m.paid_on, m.minor from money m where not exists (select 1 from "
            "known_bills b where b.snap = m.snap and b.bill_id = m.bill_id) "
            "union all select snap, paid_on, minor - used from used_named where minor > used"
        )
    if money.credits:
        pool += (
            " union all select s.snap, b.issued_on, -b.minor "
            f"from {_ledger('bills', 'b', shared)} where b.minor < 0{_standing(money)}"
        )
    if shared and not money.names_bills:
        # What was settled is laid before the rest in one piece: no open bill's end lies within it.
        pool += " union all select snap, date '0001-01-01', pooled from over where pooled > 0"
    return [*found, Relation("pool", pool)]


def undone_payments() -> Relation:
    """`undone` (snap, payment_id, minor): what was taken back of a payment, as known."""
    return Relation(
        "undone",
        "select s.snap, p.reverses as payment_id, cast(sum(p.minor) as bigint) as minor "
        "from ledger_payments p join snapshots s on s.account_no = p.account_no and "
        "p.known_on <= s.as_of where p.settled and p.reverses is not null "
        "group by s.snap, p.reverses",
    )


def _laid(money: Money, shared: bool) -> list[Relation]:
    """Bills and pool laid end to end: `billed`, `laid_pool`, and `totals` of both."""
    # What every row would have alike is left out of the sort and added behind it.
    sorted_, added = ["b.snap", "b.as_of", "b.bill_id", "b.issued_on", "b.due_on", "b.minor"], []
    if money.disputes:
        sorted_ += ["b.disputed"]
    else:
        added += ["0 as disputed"]
    join = ""
    if money.names_bills:
        sorted_ += [
            "b.owed - coalesce(n.paid, 0) as residual",
            "coalesce(n.paid, 0) as named_paid",
            "n.paid_on as named_on",
        ]
        join = " left join named n on n.snap = b.snap and n.bill_id = b.bill_id"
    else:
        sorted_ += ["b.owed as residual"] if money.disputes else []
        added += [] if money.disputes else ["minor as residual"]
        added += ["0 as named_paid", "cast(null as date) as named_on"]
    residual = "residual" if money.names_bills or money.disputes else "minor"
    order = due_order(money, residual)
    bills, first, last = "coalesce(b.bills, 0)", "b.first_billed_on", "b.last_billed_on"
    far_end, spent, over = "b.far_end", "coalesce(b.pool_paid, 0)", ""
    if shared:
        bills += " + coalesce(z.bills, 0)"
        first = "least(b.first_billed_on, z.first_billed_on)"
        last = "greatest(b.last_billed_on, z.last_billed_on)"
        far_end, spent = "(b.far_end + coalesce(z.owed, 0))", f"{spent} - coalesce(z.owed, 0)"
        over = " left join over z on z.snap = {}.snap"
    return [
        Relation("residuals", f"select {', '.join(sorted_)} from known_bills b{join}"),
        Relation(
            "laid_bills",
            f"select {', '.join(['*', *added])}, cast(sum({residual}) over (partition by snap "
            f"order by {order} rows unbounded preceding) as bigint) as far_end "
            "from residuals",
        ),
        Relation(
            "laid_pool",
            "select snap, paid_on, cast(sum(minor) over (partition by snap order by paid_on "
            "rows unbounded preceding) as bigint) as reached from pool",
            materialized=True,
        ),
        Relation(
            "pools",
            "select snap, max(reached) as reached from laid_pool group by snap",
            materialized=True,
        ),
        Relation(
            "billed",
            f"select b.* replace ({far_end} as far_end), coalesce(p.reached, 0) as pooled, "
            f"least(greatest(coalesce(p.reached, 0) - ({far_end} - b.residual), 0), b.residual) "
            "as pool_paid from laid_bills b left join pools p on p.snap = b.snap"
            f"{over.format('b')}",
            materialized=True,
        ),
        Relation(
            "bill_totals",
            "select snap, count(*) as bills, min(issued_on) as first_billed_on, "
            "max(issued_on) as last_billed_on, cast(sum(residual - pool_paid) as bigint) as open, "
            "cast(sum(case when due_on < as_of then residual - pool_paid else 0 end) as bigint) "
            "as overdue, cast(sum(pool_paid) as bigint) as pool_paid from billed group by snap",
        ),
        Relation(
            "totals",
            f"select s.snap, {bills} as bills, {first} as first_billed_on, "
            f"{last} as last_billed_on, "
            "coalesce(b.open, 0) as open, "
            "coalesce(b.overdue, 0) as overdue, p.snap is not null as has_paid, "
            f"coalesce(p.reached, 0) - {spent} as credit from snapshots s left join bill_totals b "
            f"on b.snap = s.snap left join pools p on p.snap = s.snap{over.format('s')}",
            materialized=True,
        ),
    ]


def _cleared(money: Money, keep_days: int | None, name: str) -> list[Relation]:
    """From bills and pool laid end to end to the day each bill was cleared: the relation `name`."""
    kept = "select * from billed"
    if keep_days is not None:
        kept = (
            "select b.* from billed b join totals t on t.snap = b.snap "
            f"where b.due_on >= b.as_of - {keep_days} or t.overdue > 0"
        )
    # Less than `arrears_from` is no arrear: a bill is cleared one minor unit past that.
    slack = max(money.arrears_from - 1, 0)
    return [
        Relation("kept", kept),
        Relation(
            # What the pool must reach for the bill to be cleared; null where it need not reach
            # anything, as the bill is paid by name or too little is owed through it.
            "marked",
            "select *, case when residual > 0 and far_end > "
            f"{slack} then far_end - {slack} end as mark from kept",
            materialized=True,
        ),
        Relation("first_marks", "select snap, min(mark) as mark from marked group by snap"),
        Relation(
            "side_by_side",
            "select snap, mark as reach, bill_id, cast(null as date) as paid_on from marked "
            "where mark <= pooled union all select p.snap, p.reached, null, p.paid_on "
            "from laid_pool p join first_marks f on f.snap = p.snap and p.reached >= f.mark",
        ),
        Relation(
            "met",
            "select snap, bill_id, min(paid_on) over (partition by snap order by reach desc, "
            "bill_id is null desc rows unbounded preceding) as pool_on from side_by_side",
        ),
        Relation(
            "cleared",
            "select b.*, case when b.mark is null then greatest(b.named_on, b.issued_on) "
            "else greatest(m.pool_on, b.named_on, b.issued_on) end as cleared_on from marked b "
            "left join met m on m.snap = b.snap and m.bill_id = b.bill_id "
            "where b.mark is null or b.mark <= b.pooled union all "
            "select *, cast(null as date) from marked where mark > pooled",
        ),
        Relation(
            name,
            "select snap, as_of, bill_id, issued_on, due_on, minor, disputed, "
            "named_paid + pool_paid as paid, cleared_on, "
            "case when due_on < as_of then residual - pool_paid else 0 end as overdue, "
            "case when due_on < as_of then greatest(coalesce(cleared_on, as_of) - due_on, 0) "
            "else 0 end as days_past_due from cleared",
            materialized=True,
        ),
    ]
