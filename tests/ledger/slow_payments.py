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

    def follow(name: str, before: TakenBack | None) -> None:
        for row in rows:
            if row.reverses != name:
                continue
            step = TakenBack(abs(row.amount), False, row.bill_id, known_on(row))
            if before is not None:
                step = TakenBack(
                    min(step.amount, before.amount),
                    not before.gives,
                    row.bill_id or before.bill_id,
                    max(step.known_on, before.known_on),
                )
            if is_settled(row):
                found.append(step)
                if row.payment_id is not None:
                    follow(row.payment_id, step)

    if payment_id is not None:
        follow(payment_id, None)
    return [step for step in found if step.known_on <= as_of]


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
    taken = 0
    for gives in (False, True):
        sign = -1 if gives else 1
        names = {p.bill_id for p in parts if p.bill_id}
        alike = [step for step in steps if step.gives is gives]
        taken += sign * sum(s.amount for s in alike if s.bill_id == payment.bill_id and s.bill_id)
        purse = sum(s.amount for s in alike if s.bill_id not in names)
        for part in ordered:
            from_part = min(purse, part.amount)
            purse -= from_part
            taken += sign * from_part if part is payment else 0
    return taken
