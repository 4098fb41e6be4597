"""Payments in parts, reversals that are won back, refunds and pending payments: ledgers whose
values are worked out by hand."""

from __future__ import annotations

from datetime import date

import pytest

from riskseg.domain.problems import ProblemsError
from tests.ledger.facts import Account, Bill, Payment
from tests.ledger.loading import load_accounts


def day(number: int, month: int = 1) -> date:
    return date(2025, month, number)


BILLS = (Bill("1", day(10), 6000), Bill("2", day(20), 4000))
# One payment of 100.00, booked to both bills.
PARTS = (
    Payment(day(5), 6000, "p", "1", status="settled"),
    Payment(day(5), 4000, "p", "2", status="settled"),
)


def back(amount: int, on: int, reverses: str = "p", **more: str) -> Payment:
    return Payment(day(on, 2), amount, f"r{on}", status="settled", reverses=reverses, **more)


# A reversal of 100.00, booked to both bills.
REVERSED = (back(4000, 3, bill_id="2"), back(6000, 3, bill_id="1"))

# Payments, and as of the end of February: overdue, what bill 1 and bill 2 were paid, credit.
CASES: dict[str, tuple[tuple[Payment, ...], tuple[int, int, int, int]]] = {
    "in two parts": (PARTS, (0, 6000, 4000, 0)),
    "in two parts, reversed": ((*PARTS, back(10000, 3)), (10000, 0, 0, 0)),
    "in two parts, the one reversed": (
        (*PARTS, back(4000, 3, bill_id="2")),
        (4000, 6000, 0, 0),
    ),
    "in two parts, half reversed twice": ((*PARTS, back(5000, 3), back(5000, 4)), (10000, 0, 0, 0)),
    # The parts are 40.00 of bill 2 and 60.00 of bill 1: the smaller one is taken from first.
    "in two parts, some reversed": ((*PARTS, back(5000, 3)), (5000, 5000, 0, 0)),
    "in two parts, won back": (
        (*PARTS, back(10000, 3), back(10000, 4, "r3")),
        (0, 6000, 4000, 0),
    ),
    "in two parts, won back and reversed again": (
        (*PARTS, back(10000, 3), back(10000, 4, "r3"), back(10000, 5)),
        (10000, 0, 0, 0),
    ),
    "in two parts, won back and lost again": (
        (*PARTS, back(10000, 3), back(10000, 4, "r3"), back(10000, 5, "r4")),
        (10000, 0, 0, 0),
    ),
    "reversed in two parts, won back in one": (
        (*PARTS, *REVERSED, back(10000, 4, "r3")),
        (0, 6000, 4000, 0),
    ),
    # The smaller part, of bill 2, comes first, and 10.00 of bill 1.
    "reversed in two parts, half won back": (
        (*PARTS, *REVERSED, back(5000, 4, "r3")),
        (5000, 1000, 4000, 0),
    ),
    "reversed in two parts, the one won back": (
        (*PARTS, *REVERSED, back(6000, 4, "r3", bill_id="1")),
        (4000, 6000, 0, 0),
    ),
    "reversed in two parts, won back and lost again": (
        (*PARTS, *REVERSED, back(10000, 4, "r3"), back(10000, 5, "r4")),
        (10000, 0, 0, 0),
    ),
    # Both rows come to be of bill 2, and neither is the other once more.
    "reversed in two parts, won back for no bill and for one": (
        (*PARTS, *REVERSED, back(0, 4, "r3"), back(4000, 4, "r3", bill_id="2")),
        (6000, 0, 4000, 0),
    ),
    "reversed for one bill, and the rest": (
        (*PARTS, back(4000, 3, bill_id="2"), back(6000, 4)),
        (10000, 0, 0, 0),
    ),
    # 40.00 of bill 2 was taken and 10.00 of bill 1: all of the latter and 30.00 of the former.
    "reversed in turn, won back for the bill of which less was taken": (
        (*PARTS, back(5000, 3), back(4000, 4, "r3", bill_id="1")),
        (1000, 6000, 3000, 0),
    ),
    "reversed in turn, won back for one bill, lost again and won back for all": (
        (
            *PARTS,
            back(5000, 3),
            back(4000, 4, "r3", bill_id="1"),
            back(4000, 5, "r4"),
            back(4000, 6, "r5"),
        ),
        (1000, 6000, 3000, 0),
    ),
    "reversed by more than there was, won back for a bill of which less was taken": (
        (*PARTS, back(12000, 3), back(7000, 4, "r3", bill_id="1")),
        (4000, 6000, 0, 0),
    ),
    # Of r5 the one row takes 50.00 of the payment, the other gives 20.00 back to it. 60.00 of both
    # are reversed, the smaller one first: 20.00 are taken again, and 40.00 given back.
    "rows of one reversal, of which one takes and one gives back": (
        (
            Payment(day(5), 10000, "p"),
            back(3000, 3),
            back(5000, 5),
            back(2000, 5, "r3", bill_id="1"),
            back(6000, 6, "r5"),
        ),
        (4000, 6000, 0, 0),
    ),
    "in one part, reversed in two, won back": (
        (Payment(day(5), 10000, "p"), *REVERSED, back(10000, 4, "r3")),
        (0, 6000, 4000, 0),
    ),
    "won back": (
        (Payment(day(5), 6000, "p", "1"), back(6000, 3), back(6000, 4, "r3")),
        (4000, 6000, 0, 0),
    ),
    "won back and lost again": (
        (Payment(day(5), 6000, "p", "1"), back(6000, 3), back(6000, 4, "r3"), back(6000, 5, "r4")),
        (10000, 0, 0, 0),
    ),
    "won back in part": (
        (Payment(day(5), 6000, "p", "1"), back(6000, 3), back(1000, 4, "r3")),
        (9000, 1000, 0, 0),
    ),
    "won back more than was taken": (
        (Payment(day(5), 6000, "p", "1"), back(2000, 3), back(9000, 4, "r3")),
        (4000, 6000, 0, 0),
    ),
    "refunded": (
        (Payment(day(5), 13000), Payment(day(8, 2), 3000, status="refund")),
        (0, 6000, 4000, 0),
    ),
    "refunded in part": (
        (Payment(day(5), 13000), Payment(day(8, 2), 1000, status="refund")),
        (0, 6000, 4000, 2000),
    ),
    # No bill is opened again; what was paid out beyond the credit is below zero.
    "refunded beyond the credit": (
        (Payment(day(5), 10500), Payment(day(8, 2), 3000, status="refund")),
        (0, 6000, 4000, -2500),
    ),
    # On the day of the refund nothing was billed yet: all of the money was credit.
    "refunded before it was billed": (
        (Payment(day(2), 10000), Payment(day(3), 10000, status="refund")),
        (10000, 0, 0, 0),
    ),
    "refunded, and paid again": (
        (
            Payment(day(2), 6000),
            Payment(day(3), 6000, status="refund"),
            Payment(day(15), 6000),
        ),
        (4000, 6000, 0, 0),
    ),
    "refunded, and it came back": (
        (Payment(day(5), 13000), Payment(day(8), 3000, "f", status="refund"), back(3000, 3, "f")),
        (0, 6000, 4000, 3000),
    ),
    "refunded, and some of it came back": (
        (Payment(day(5), 13000), Payment(day(8), 3000, "f", status="refund"), back(1000, 3, "f")),
        (0, 6000, 4000, 1000),
    ),
    "refunded, and more came back than was paid out": (
        (Payment(day(5), 13000), Payment(day(8), 3000, "f", status="refund"), back(9000, 3, "f")),
        (0, 6000, 4000, 3000),
    ),
    "refunded, it came back and was paid out again": (
        (
            Payment(day(5), 13000),
            Payment(day(8), 3000, "f", status="refund"),
            back(3000, 3, "f"),
            back(2500, 4, "r3"),
        ),
        (0, 6000, 4000, 500),
    ),
    "refunded in two parts, of which one came back": (
        (
            Payment(day(5), 13000),
            Payment(day(8), 2000, "f", "1", status="refund"),
            Payment(day(8), 1000, "f", "2", status="refund"),
            back(2000, 3, "f", bill_id="1"),
        ),
        (0, 6000, 4000, 2000),
    ),
    "refunded before it was billed, and it came back": (
        (Payment(day(2), 10000), Payment(day(3), 10000, "f", status="refund"), back(10000, 3, "f")),
        (0, 6000, 4000, 0),
    ),
    "pending": (
        (Payment(day(5), 6000, "p", "1", status="pending"),),
        (10000, 0, 0, 0),
    ),
    "failed": ((Payment(day(5), 6000, "p", "1", status="failed"),), (10000, 0, 0, 0)),
}


@pytest.fixture(scope="module")
def found() -> dict[str, tuple[int, ...]]:
    accounts = [
        Account(name, (BILLS[0], BILLS[1]), payments) for name, (payments, _) in CASES.items()
    ]
    loaded = load_accounts(accounts)
    loaded.bill_facts(loaded.as_of(day(28, 2)))
    rows = loaded.rows(
        """
        select i.account_id, t.overdue, t.credit,
            max(b.paid) filter (where b.bill_id = '1') as first,
            max(b.paid) filter (where b.bill_id = '2') as second
        from totals t
        join snapshots s on s.snap = t.snap
        join account_ids i on i.account_no = s.account_no
        join bill_facts b on b.snap = t.snap
        group by all
        """
    )
    return {r["account_id"]: (r["overdue"], r["first"], r["second"], r["credit"]) for r in rows}


@pytest.mark.parametrize("name", CASES)
def test_it_is_as_worked_out_by_hand(name: str, found: dict[str, tuple[int, ...]]) -> None:
    assert found[name] == CASES[name][1]


def test_what_is_pending_is_a_fact_and_no_money() -> None:
    pending = Payment(day(5), 6000, "p", "1", status="pending")
    loaded = load_accounts([Account("a", BILLS, (pending,))])
    (row,) = loaded.facts_of(loaded.as_of(day(28, 2)))
    facts = ("balance_overdue", "pending_payment", "failed_payments_6m", "payments_3m")
    assert [str(row[fact]) for fact in facts] == ["100.00", "60.00", "0", "0"]


def test_reversals_that_go_round_in_a_circle_are_bad_rows() -> None:
    """One of the rows names the payment, and is none of them."""
    payments = (
        Payment(day(5), 10000, "p"),
        back(1000, 3),
        back(2000, 3, "r4", bill_id="1"),
        back(3000, 4, "r3"),
    )
    with pytest.raises(ProblemsError) as raised:
        load_accounts([Account("a", BILLS, payments)])
    (problem,) = raised.value.problems
    assert problem.code == "RS110"
    assert "(2 rows," in problem.what
