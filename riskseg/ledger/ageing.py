"""Ageing: what is unpaid of every account by how long it is past due, and the same balance once
more, added up from the rows of the ledger without any allocation.

The balance of an account is what is unpaid and owed, and what is disputed, less money that waits as
credit. Allocation only decides which bill a penny pays, so the balance is also what was billed,
less what was cancelled, credited and paid, and what was paid out: the two must agree to the penny
as of every date.
"""

from __future__ import annotations

from riskseg.domain.ageing import PAST_DUE
from riskseg.domain.relations import Relation
from riskseg.ledger.money import Money
from riskseg.ledger.payments import standing_payment

# The columns of `aged_accounts` that are amounts, in minor units, in the order they are shown.
AMOUNTS = ("current", *(bucket.column for bucket in PAST_DUE), "disputed", "credit", "balance")


def aged_accounts() -> list[Relation]:
    """Relations that end in `aged_accounts`: snap, account_no, days_past_due and, in minor units,
    `AMOUNTS` and on_plan.

    They read `snapshots`, `bill_facts`, whatever its `keep_days`, and `totals`. A bill is in the
    bucket of the days since its due date; `current` are bills that are not past due, or that a kept
    plan covers. `on_plan` is what is past due of the latter. `disputed` is what is not owed of the
    bills: in dispute, or found not to be owed. `days_past_due` is that of the oldest bill that is
    not cleared, as the feature of that name.
    """
    buckets = "".join(
        f""",
            coalesce(
                sum(overdue) filter (where {bucket.holds("as_of - due_on")}), 0
            ) as {bucket.column}"""
        for bucket in PAST_DUE
    )
    columns = ", ".join(f"coalesce(b.{bucket.column}, 0) as {bucket.column}" for bucket in PAST_DUE)
    return [
        Relation(
            "aged_bills",
            f"""
        select snap,
            sum(amount_minor - paid - unpaid) as disputed,
            sum(unpaid) filter (where due_on < as_of and overdue = 0) as on_plan,
            max(days_past_due) filter (where cleared_on is null) as days_past_due{buckets}
        from bill_facts
        group by snap
        """,
        ),
        Relation(
            "aged_accounts",
            f"""
        select s.snap, s.account_no,
            coalesce(b.days_past_due, 0) as days_past_due,
            t.open - t.overdue as current,
            {columns},
            coalesce(b.disputed, 0) as disputed,
            t.credit,
            t.open + coalesce(b.disputed, 0) - t.credit as balance,
            coalesce(b.on_plan, 0) as on_plan
        from snapshots s
        join totals t on t.snap = s.snap
        left join aged_bills b on b.snap = s.snap
        """,
        ),
    ]


# What the ledger says of an account's money, in minor units, beside its balance.
LEDGER_AMOUNTS = ("billed", "cancelled", "credited", "paid", "taken_back", "paid_out")


def ledger_balances(money: Money) -> list[Relation]:
    """Relations that end in `ledger_balances`: snap, account_no, `LEDGER_AMOUNTS` and
    `ledger_balance`, in minor units, from the rows known at each snapshot and nothing else.

    They read `snapshots`, `ledger_bills`, `ledger_payments` and, where payments are taken back,
    `undone`.
    """
    return [
        Relation(
            "bills_added",
            """
        select s.snap,
            sum(b.amount_minor) filter (where b.amount_minor > 0) as billed,
            sum(b.amount_minor) filter (
                where b.amount_minor > 0 and b.cancelled_on <= s.as_of
            ) as cancelled,
            -sum(b.amount_minor) filter (
                where b.amount_minor < 0 and coalesce(b.cancelled_on > s.as_of, true)
            ) as credited
        from ledger_bills b
        join snapshots s on s.account_no = b.account_no and b.known_on <= s.as_of
        group by s.snap
        """,
        ),
        payments_added(money),
        Relation(
            "ledger_balances",
            f"""
        select s.snap, s.account_no,
            {", ".join(f"coalesce({name}, 0) as {name}" for name in LEDGER_AMOUNTS)},
            coalesce(billed, 0) - coalesce(cancelled, 0) - coalesce(credited, 0)
                - coalesce(paid, 0) + coalesce(taken_back, 0) + coalesce(paid_out, 0)
                as ledger_balance
        from snapshots s
        left join bills_added b on b.snap = s.snap
        left join payments_added p on p.snap = s.snap
        """,
        ),
    ]


def payments_added(money: Money) -> Relation:
    """`payments_added`: snap, and, in minor units, what was paid, what of it was taken back, and
    what was paid out, as known at each snapshot.

    It reads `snapshots`, `ledger_payments` and, where payments are taken back, `undone`.
    """
    payment = standing_payment(money.reverses, snapshot="s")
    return Relation(
        "payments_added",
        f"""
        select s.snap,
            sum(p.amount_minor) filter (where not p.refund) as paid,
            sum(p.amount_minor - {payment.amount}) filter (where not p.refund) as taken_back,
            sum({payment.amount}) filter (where p.refund) as paid_out
        from ledger_payments p
        join snapshots s on s.account_no = p.account_no and p.known_on <= s.as_of
        {payment.join}
        where ({payment.condition}) or (p.refund and p.reverses is null)
        group by s.snap
        """,
    )
