"""Allocation against a slow reference: to the penny and to the day, over random ledgers."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import pytest

from riskseg.domain.relations import Relation
from tests.ledger.facts import Account, Bill, Payment
from tests.ledger.loading import (
    LACKING,
    Loaded,
    Row,
    load_accounts,
    random_ledger,
    slow_allocations,
)
from tests.ledger.random_accounts import AS_OF
from tests.support.sampled import only

BILL = (
    "paid",
    "cleared_on",
    "unpaid",
    "overdue",
    "days_past_due",
    "issued_on",
    "due_on",
    "amount_minor",
)
BILL_SQL = (
    "select i.account_id, b.* from bill_facts b join snapshots s using (snap) "
    "join account_ids i using (account_no)"
)
TOTALS_SQL = (
    "select i.account_id, s.as_of, t.* from totals t join snapshots s using (snap) "
    "join account_ids i using (account_no)"
)

Key = tuple[str, date, str]


def every_snapshot(days: tuple[date, ...]) -> Relation:
    """All accounts as of all the days, in one pass."""
    listed = ", ".join(f"(date '{d}')" for d in days)
    return Relation(
        "snapshots",
        "select cast(row_number() over (order by account_no, as_of) as integer) as snap, "
        f"account_no, as_of from account_ids cross join (values {listed}) v(as_of)",
        materialized=True,
    )


def bill_rows(loaded: Loaded) -> dict[Key, Row]:
    return {(r["account_id"], r["as_of"], r["bill_id"]): r for r in loaded.rows(BILL_SQL)}


@pytest.mark.parametrize("arrears_from", only(1, [0, 1, 500]))
@pytest.mark.parametrize("name", LACKING)
def test_bills_and_totals_equal_the_reference(name: str, arrears_from: int) -> None:
    loaded = random_ledger(name).with_arrears_from(arrears_from)
    loaded.bill_facts(every_snapshot(AS_OF))
    found = bill_rows(loaded)
    totals = {(r["account_id"], r["as_of"]): r for r in loaded.rows(TOTALS_SQL)}
    bills = 0
    for as_of in AS_OF:
        for account_id, reference in slow_allocations(name, as_of, arrears_from).items():
            for bill in reference.bills:
                row = found[account_id, as_of, bill.bill_id]
                assert [row[c] for c in BILL] == [
                    bill.paid,
                    bill.cleared_on,
                    bill.unpaid,
                    bill.overdue,
                    bill.days_past_due,
                    bill.issued_on,
                    bill.due_on,
                    bill.amount,
                ], (account_id, as_of, bill)
                bills += 1
            total = totals[account_id, as_of]
            assert (
                total["bills"],
                total["first_billed_on"],
                total["open"],
                total["overdue"],
                total["credit"],
                total["has_paid"],
            ) == (
                len(reference.bills),
                reference.first_billed_on,
                reference.open,
                reference.overdue,
                reference.credit,
                bool(reference.pool),
            ), (account_id, as_of)
    assert bills == len(found)
    assert len(totals) == len(AS_OF) * len(loaded.accounts)


@pytest.mark.slow  # it says whether the random ledgers are good ones
def test_the_random_ledgers_reach_every_outcome() -> None:
    """What the comparison above would be worth nothing without."""
    late = early = open_ = credit = by_name = residue = 0
    for as_of in AS_OF:
        for allocation in slow_allocations("everything", as_of, 500).values():
            credit += allocation.credit > 0
            residue += 0 < allocation.overdue < 500
            for bill in allocation.bills:
                late += bill.days_past_due > 0 and bill.cleared_on is not None
                early += bill.cleared_on is not None and bill.cleared_on <= bill.due_on
                open_ += bill.cleared_on is None
                by_name += bill.named_on is not None
    assert min(late, early, open_, credit, by_name, residue) > 200


@pytest.mark.slow  # each date is compared with the reference every time
@pytest.mark.parametrize("name", only("everything", LACKING))
def test_one_pass_for_many_dates_equals_one_at_a_time(name: str) -> None:
    loaded = random_ledger(name)
    loaded.bill_facts(every_snapshot(AS_OF))
    together = bill_rows(loaded)
    apart: dict[Key, Row] = {}
    for as_of in AS_OF:
        loaded.bill_facts(every_snapshot((as_of,)))
        apart |= bill_rows(loaded)
    for rows in (together, apart):
        for row in rows.values():
            del row["snap"]
    assert together == apart


@pytest.mark.parametrize("keep_days", only(30, [0, 30, 182]))
def test_bills_that_no_feature_looks_at_may_go(keep_days: int) -> None:
    """Whatever stays is the same, and nothing that is overdue or recent goes."""
    loaded = random_ledger("everything")
    for as_of in AS_OF[6:9]:
        loaded.bill_facts(every_snapshot((as_of,)))
        everything = bill_rows(loaded)
        loaded.bill_facts(every_snapshot((as_of,)), keep_days)
        kept = bill_rows(loaded)
        assert kept.items() <= everything.items()
        assert len(kept) < len(everything)
        for key in everything.keys() - kept.keys():
            row = everything[key]
            assert row["overdue"] == 0
            assert row["cleared_on"] is not None
            assert row["due_on"] < as_of - timedelta(days=keep_days)


# The rule, case by case: bills and payments on days of January, and the day each is cleared


def jan(day: int) -> date:
    return date(2026, 1, day)


B1 = Bill("b1", jan(10), 10_000, jan(1))
B2 = Bill("b2", jan(20), 10_000, jan(2))

CASES: dict[str, tuple[tuple[Bill, ...], tuple[Payment, ...], dict[str, int | None], int]] = {
    "the oldest due first": ((B2, B1), (Payment(jan(5), 10_000),), {"b1": 5, "b2": None}, 0),
    "the bill it names first": (
        (B1, B2),
        (Payment(jan(5), 10_000, bill_id="b2"),),
        {"b1": None, "b2": 5},
        0,
    ),
    "an excess pays the oldest": (
        (B1, B2),
        (Payment(jan(5), 20_000, bill_id="b2"),),
        {"b1": 5, "b2": 5},
        0,
    ),
    "and what is left waits as credit": (
        (B1, B2),
        (Payment(jan(5), 20_001),),
        {"b1": 5, "b2": 5},
        1,
    ),
    "credit pays a bill on the day it is issued": (
        (B1, Bill("b3", jan(25), 500, jan(8))),
        (Payment(jan(3), 10_500),),
        {"b1": 3, "b3": 8},
        0,
    ),
    "a reversal undoes": (
        (B1,),
        (Payment(jan(5), 10_000, "p"), Payment(jan(9), -10_000, "q", reverses="p")),
        {"b1": None},
        0,
    ),
    "a part taken back": (
        (B1,),
        (Payment(jan(5), 10_000, "p"), Payment(jan(9), 600, "q", reverses="p")),
        {"b1": None},
        0,
    ),
    "a failed payment pays nothing": (
        (B1,),
        (Payment(jan(5), 10_000, "p", status="failed"),),
        {"b1": None},
        0,
    ),
    "a negative bill is a credit": (
        (B1, Bill("c", jan(12), -10_000, jan(12))),
        (),
        {"b1": 12},
        0,
    ),
    "a disputed amount is not owed": (
        (Bill("b1", jan(10), 10_000, jan(1), disputed_amount=4_000),),
        (Payment(jan(6), 6_000),),
        {"b1": 6},
        0,
    ),
    "a cancelled bill is none, and money that names it is free": (
        (Bill("b1", jan(10), 10_000, jan(1), cancelled_on=jan(15)), B2),
        (Payment(jan(5), 10_000, bill_id="b1"),),
        {"b2": 5},
        0,
    ),
    "pennies keep no bill open": ((B1,), (Payment(jan(9), 9_501),), {"b1": 9}, 0),
    "five pounds do": ((B1,), (Payment(jan(9), 9_500),), {"b1": None}, 0),
    "the last pennies by name make no bill late": (
        (B1,),
        (Payment(jan(9), 9_700, bill_id="b1"), Payment(jan(28), 300, bill_id="b1")),
        {"b1": 9},
        0,
    ),
    "the last five pounds by name do": (
        (B1,),
        (Payment(jan(9), 9_500, bill_id="b1"), Payment(jan(28), 500, bill_id="b1")),
        {"b1": 28},
        0,
    ),
    "nothing owed is cleared when it is issued": (
        (Bill("b1", jan(10), 0, jan(4)),),
        (),
        {"b1": 4},
        0,
    ),
}


@cache
def cases_found() -> tuple[list[Row], list[Row]]:
    loaded = load_accounts(
        [Account(case, bills, payments) for case, (bills, payments, _, _) in CASES.items()]
    )
    loaded.bill_facts(every_snapshot((jan(31),)))
    return loaded.rows(BILL_SQL), loaded.rows(TOTALS_SQL)


@pytest.mark.parametrize("case", CASES)
def test_the_rule_case_by_case(case: str) -> None:
    _, _, cleared, credit = CASES[case]
    bills, totals = cases_found()
    found = {r["bill_id"]: r["cleared_on"] for r in bills if r["account_id"] == case}
    assert found == {b: jan(day) if day else None for b, day in cleared.items()}
    assert [r["credit"] for r in totals if r["account_id"] == case] == [credit]
