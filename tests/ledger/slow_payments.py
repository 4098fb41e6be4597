"""What stands of payments, slow and obvious: reversals, reversals of these, payments in parts."""

from __future__ import annotations

from collections.abc import Sequence
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
    """What one reversal takes of a payment, or gives back to it, once all of its chain is known."""

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
    """All that reversals do to a payment, as far as it is known as of a date."""
    rows = [p for p in account.payments if takes_back(p)]
    found: list[TakenBack] = []

    def follow(name: str, before: list[TakenBack] | None) -> None:
        """All that names `name`, which did `before`; None where it is the payment."""
        by_id: dict[str, list[TakenBack]] = {}
        for row in rows:
            if row.reverses != name or not is_settled(row):
                continue
            steps = [TakenBack(abs(row.amount), False, row.bill_id, known_on(row))]
            if before is not None:
                steps = _of_those_before(row, before)
            found.extend(steps)
            if row.payment_id is not None:
                by_id.setdefault(row.payment_id, []).extend(steps)
        for reversal, steps in by_id.items():
            follow(reversal, steps)

    if payment_id is not None:
        follow(payment_id, None)
    return [step for step in found if step.known_on <= as_of]


def _of_those_before(row: Payment, before: Sequence[TakenBack]) -> list[TakenBack]:
    """What a reversal does to those that it reverses: to the one of its bill, or to all in turn."""
    of_bill = [step for step in before if step.bill_id and step.bill_id == row.bill_id]
    purse = abs(row.amount)
    steps = []
    for step in sorted(
        of_bill or before,
        key=lambda s: (s.known_on, s.amount, s.bill_id is None, id_order(s.bill_id)),
    ):
        amount = min(purse, step.amount)
        purse -= amount
        last = max(step.known_on, known_on(row))
        steps.append(TakenBack(amount, not step.gives, step.bill_id or row.bill_id, last))
    return steps


def standing(account: Account, as_of: date) -> list[tuple[Payment, int, int]]:
    """The payments known as of a date, with what is left of each and what was taken back."""
    payments = [p for p in account.payments if is_settled(p) and p.reverses is None]
    left = []
    for payment in payments:
        if known(payment.paid_on, payment.recorded_on, as_of):
            parts = [p for p in payments if p.payment_id and p.payment_id == payment.payment_id]
            back = max(_taken(payment, parts, taken_back(account, payment.payment_id, as_of)), 0)
            left.append((payment, max(payment.amount - back, 0), back))
    return left


def _taken(payment: Payment, parts: Sequence[Payment], steps: Sequence[TakenBack]) -> int:
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
    for part in ordered:
        named = net.get(part.bill_id, 0) if part.bill_id else 0
        from_part = min(purse, part.amount - min(max(named, 0), part.amount))
        purse -= from_part
        if part is payment:
            return min(max(named + from_part, 0), part.amount)
    raise AssertionError(payment)
