"""Payments as they are known: what of each stands, after what was taken back of it."""

from __future__ import annotations

from typing import NamedTuple

from riskseg.domain.relations import Relation

# What reversals `p` of one payment take back of it together.
TAKEN_BACK = """greatest(
            cast(sum(case when p.won_back then -p.amount_minor else p.amount_minor end) as bigint),
            0
        )"""


class StandingPayment(NamedTuple):
    """SQL of what stands of a payment `p`: the amount, what is joined to know it, and which rows
    of `ledger_payments` are payments."""

    amount: str
    join: str
    condition: str


def standing_payment(reverses: bool, *, snapshot: str) -> StandingPayment:
    """What stands of a payment; with `reverses`, less what was taken back of it by the `snapshot`,
    an alias, as `undone` says."""
    if not reverses:
        return StandingPayment("p.amount_minor", "", "p.settled")
    return StandingPayment(
        "greatest(p.amount_minor - coalesce(u.amount_minor, 0), 0)",
        f"left join undone u on u.snap = {snapshot}.snap and u.part_id = p.part_id",
        "p.settled and p.reverses is null",
    )


def undone_payments() -> Relation:
    """`undone` (snap, part_id, amount_minor): what was taken back of a payment, as known, less what
    was won back of it."""
    return Relation(
        "undone",
        f"""
        select s.snap, p.undoes as part_id, {TAKEN_BACK} as amount_minor
        from ledger_payments p
        join snapshots s on s.account_no = p.account_no and p.known_on <= s.as_of
        where p.settled and p.reverses is not null
        group by s.snap, p.undoes
        """,
    )
