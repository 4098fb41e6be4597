"""Ageing once more, slow and obvious: one account, one as-of date, plain loops."""

from __future__ import annotations

from datetime import date

from tests.ledger.facts import Account
from tests.ledger.slow_allocation import allocate, issued, left_of_payments
from tests.ledger.slow_payments import known, paid_out

BUCKETS = {"d1_30": (1, 30), "d31_60": (31, 60), "d61_90": (61, 90), "d90_plus": (91, 10**6)}


def aged(account: Account, as_of: date, arrears_from: int) -> dict[str, int]:
    """What is unpaid by age, disputed and in credit, in pence."""
    allocation = allocate(account, as_of, arrears_from)
    amounts = dict.fromkeys(("current", *BUCKETS), 0)
    for bill in allocation.bills:
        for bucket, (first, last) in BUCKETS.items():
            if first <= (as_of - bill.due_on).days <= last:
                amounts[bucket] += bill.overdue
    billed = sum(bill.amount for bill in allocation.bills)
    paid = sum(bill.paid for bill in allocation.bills)
    amounts["current"] = allocation.open - allocation.overdue
    amounts["disputed"] = billed - paid - allocation.open
    amounts["credit"] = allocation.credit
    amounts["balance"] = booked(account, as_of)
    return amounts


def booked(account: Account, as_of: date) -> int:
    """The balance as a clerk keeps it: each thing that is known, one after the other."""
    balance = 0
    for bill in account.bills:
        is_cancelled = bill.cancelled_on is not None and bill.cancelled_on <= as_of
        if known(issued(bill), bill.recorded_on, as_of) and not is_cancelled:
            balance += bill.amount
    balance += sum(left for _, left in paid_out(account, as_of))
    balance -= sum(left for _, left in left_of_payments(account, as_of))
    return balance
