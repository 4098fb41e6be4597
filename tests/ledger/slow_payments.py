"""What stands of payments, slow and obvious: reversals, reversals of these, payments in parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

import duckdb

from tests.ledger.facts import Account, Payment


@cache
def id_order(name: str | None) -> int:
    """Rows alike in all else go by the engine's hash of their ids, which is all it keeps."""
    with duckdb.connect() as connection:
        [(found,)] = connection.execute("select hash(?::varchar)", [name]).fetchall()
    return int(found)


@dataclass(frozen=True)
class TakenBack:
    """What one reversal takes of the payment `root`, or gives back to it, once all of its chain is
    known."""

    root: str
    amount: int
    gives: bool
    bill_id: str | None
    known_on: date


def known(happened: date, recorded: date | None, as_of: date) -> bool:
    return happened <= as_of and (recorded is None or recorded <= as_of)


def known_on(payment: Payment) -> date:
    return max(payment.paid_on, payment.recorded_on or payment.paid_on)


def is_settled(payment: Payment) -> bool:
    return payment.status in (None, "settled")


def takes_back(payment: Payment) -> bool:
    return payment.reverses is not None and payment.status != "refund"


def taken_back(account: Account, payment_id: str | None, as_of: date) -> list[TakenBack]:
    """All that reversals do to a payment or a refund, as far as it is known as of a date."""
    rows = [row for row in account.payments if takes_back(row) and is_settled(row)]
    ids = {p.payment_id for p in account.payments if not takes_back(p)}

    def steps_of(row: Payment) -> list[TakenBack]:
        """What a row does to the payment that it names, or to those of the reversals before it."""
        assert row.reverses is not None
        if row.reverses in ids:
            return [TakenBack(row.reverses, abs(row.amount), False, row.bill_id, known_on(row))]
        before = [step for b in rows if b.payment_id == row.reverses for step in steps_of(b)]
        return _of_those_before(row, before)

    steps = [step for row in rows for step in steps_of(row)]
    return [step for step in steps if step.root == payment_id and step.known_on <= as_of]


def _of_those_before(row: Payment, before: Sequence[TakenBack]) -> list[TakenBack]:
    """What a reversal does to those that it reverses: to the one of its bill, or to all in turn."""
    of_bill = [step for step in before if step.bill_id and step.bill_id == row.bill_id]
    purse = abs(row.amount)
    steps = []
    for step in sorted(
        of_bill or before,
        key=lambda s: (
            s.known_on,
            s.amount,
            s.bill_id is None,
            id_order(s.bill_id),
            s.gives,
            id_order(s.root),
        ),
    ):
        amount = min(purse, step.amount)
        purse -= amount
        last = max(step.known_on, known_on(row))
        bill_id = step.bill_id or row.bill_id
        steps.append(TakenBack(step.root, amount, not step.gives, bill_id, last))
    return steps


def standing(account: Account, as_of: date) -> list[tuple[Payment, int, int]]:
    """The payments known as of a date, with what is left of each and what was taken back."""
    return _standing(account, as_of, lambda p: is_settled(p) and p.reverses is None)


def paid_out(account: Account, as_of: date) -> list[tuple[date, int]]:
    """The refunds known as of a date: the day of each, and what of it did not come back."""
    refunds = _standing(account, as_of, lambda p: p.status == "refund")
    return [(refund.paid_on, left) for refund, left, _ in refunds]


def _standing(
    account: Account, as_of: date, is_one: Callable[[Payment], bool]
) -> list[tuple[Payment, int, int]]:
    left = []
    for payment in filter(is_one, account.payments):
        if known(payment.paid_on, payment.recorded_on, as_of):
            parts = [
                p
                for p in account.payments
                if p.payment_id
                and p.payment_id == payment.payment_id
                and not takes_back(p)
                and (is_settled(p) or p.status == "refund")
            ]
            back = max(_taken(payment, parts, taken_back(account, payment.payment_id, as_of)), 0)
            left.append((payment, max(payment.amount - back, 0), back))
    return left


def _taken(payment: Payment, parts: Sequence[Payment], steps: Sequence[TakenBack]) -> int:
    """What is taken back of a payment, which is one of several parts, or of one."""
    if len(parts) < 2:
        return sum(-step.amount if step.gives else step.amount for step in steps)
    ordered = sorted(
        parts, key=lambda p: (p.paid_on, p.amount, p.bill_id is None, id_order(p.bill_id))
    )
    names = {p.bill_id for p in parts if p.bill_id}
    net: dict[str | None, int] = {}
    for step in steps:
        of = step.bill_id if step.bill_id in names else None
        net[of] = net.get(of, 0) + (-step.amount if step.gives else step.amount)
    purse = max(net.get(None, 0), 0)
    by_name, in_turn, won = [], [], 0
    for part in ordered:
        named = net.get(part.bill_id, 0) if part.bill_id else 0
        by_name.append(min(max(named, 0), part.amount))
        in_turn.append(min(purse, part.amount - by_name[-1]))
        purse -= in_turn[-1]
        # What is won back for this part's bill, of what was taken without naming it.
        of_part = min(max(-named, 0), in_turn[-1])
        in_turn[-1] -= of_part
        won += max(-named, 0) - of_part
    # What no part had room for comes first, and then the part that was taken from last.
    won = max(won - purse, 0)
    for index in reversed(range(len(ordered))):
        of_part = min(won, in_turn[index])
        in_turn[index] -= of_part
        won -= of_part
    index = next(index for index, part in enumerate(ordered) if part is payment)
    return by_name[index] + in_turn[index]
