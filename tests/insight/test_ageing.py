"""Ageing: worked out by hand, and against a slow reference on random ledgers."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from riskseg.domain.ageing import BUCKETS, bucket_sql
from riskseg.engine import DuckDB
from riskseg.insight.ageing import AGEING, AgedAccounts
from riskseg.ledger.ageing import AMOUNTS
from riskseg.results.ageing import AgedTotals
from tests.insight.slow_ageing import aged, booked
from tests.ledger.facts import Account, Bill, Event, Payment
from tests.ledger.loading import LACKING, Loaded, as_reported, load_accounts, load_workspace
from tests.ledger.random_accounts import AS_OF, random_accounts

D = date(2025, 6, 30)
DAY = timedelta(days=1)


def age(loaded: Loaded, as_of: date, partitions: int = 1) -> AgedAccounts:
    subject = AgedAccounts(loaded.engine, loaded.ledger, 2, as_of)
    loaded.engine.run("drop table if exists ageing")
    accounts = loaded.ledger.accounts
    edges = [accounts * n // partitions for n in range(partitions + 1)]
    for first, last in pairwise(edges):
        subject.add(first + 1, last)
    return subject


def answered(loaded: Loaded, as_of: date) -> AgedTotals:
    return AGEING.answer(age(loaded, as_of))


def test_a_ledger_worked_out_by_hand() -> None:
    """One account with a bill in every bucket, a credit, a dispute, a cancelled bill and a
    reversed payment; one that is paid up; one of later."""
    ages = {"current": -5, "1-30": 30, "31-60": 31, "61-90": 61, "90+": 91}
    amounts = {"current": 1000, "1-30": 2000, "31-60": 3000, "61-90": 4000, "90+": 5000}
    bills = [
        Bill(bucket, D - days * DAY, amounts[bucket], issued_on=D - 100 * DAY)
        for bucket, days in ages.items()
    ]
    rich = (
        *bills,
        Bill("disputed", D - 10 * DAY, 700, issued_on=D - 20 * DAY),
        Bill("cancelled", D - 10 * DAY, 900, cancelled_on=D - DAY),
        Bill("not cancelled yet", D - 10 * DAY, 60, cancelled_on=D + DAY),
    )
    payments = (
        Payment(D - 50 * DAY, 4000, "p1"),
        Payment(D - 40 * DAY, 4000, "p2", reverses="p1"),
        Payment(D - 3 * DAY, 500, "p3", bill_id="90+"),
        Payment(D - 3 * DAY, 5000, "p4", bill_id="90+", recorded_on=D + DAY),
        Payment(D - 3 * DAY, 5000, "p5", status="failed"),
    )
    accounts = [
        Account("a", rich, payments, (Event(D - 2 * DAY, "dispute", bill_id="disputed"),)),
        Account("b", (Bill("1", D - 9 * DAY, 1000),), (Payment(D - 9 * DAY, 1250, "p"),)),
        Account("c", (Bill("1", D + 9 * DAY, 1000, issued_on=D + DAY),), opened_on=D + DAY),
    ]
    answer = answered(load_accounts(accounts), D)
    total = answer.total
    assert total.accounts == 2
    assert {b.bucket: (b.accounts, b.holding, b.amount) for b in total.buckets} == {
        "current": (1, 1, Decimal("10.00")),
        "1-30": (0, 1, Decimal("20.60")),
        "31-60": (0, 1, Decimal("30.00")),
        "61-90": (0, 1, Decimal("40.00")),
        "90+": (1, 1, Decimal("45.00")),
    }
    assert (total.overdue, total.disputed, total.credit, total.balance) == (
        Decimal("135.60"),
        Decimal("7.00"),
        Decimal("2.50"),
        Decimal("150.10"),
    )
    ledger = answer.ledger.model_dump()
    assert {name: str(value) for name, value in ledger.items()} == {
        "billed": "176.60",
        "cancelled": "9.00",
        "credited": "0.00",
        "paid": "57.50",
        "taken_back": "40.00",
        "paid_out": "0.00",
        "balance": "150.10",
        "difference": "0.00",
        "accounts": "0",
    }


def test_a_date_on_which_there_is_no_account_yet() -> None:
    payments = (Payment(D - DAY, 100, "p1", status="pending"),)
    bills = (Bill("1", D + 9 * DAY, 1000, issued_on=D + DAY),)
    total = answered(load_accounts([Account("a", bills, payments, opened_on=D + DAY)]), D).total
    assert (total.accounts, total.overdue, total.balance) == (0, 0, 0)


def check_against_reference(accounts: list[Account], lacking: str, days: tuple[date, ...]) -> int:
    """Hold every account of a ledger against the reference as of some days; how many were
    compared."""
    reported = [as_reported(account, LACKING[lacking]) for account in accounts]
    loaded = load_accounts(reported, without=LACKING[lacking])
    compared = 0
    arrears_from = loaded.ledger.money.arrears_from
    for as_of in days:
        subject = age(loaded, as_of, partitions=1 + len(reported) % 2)
        rows = {
            row["account_id"]: row
            for row in loaded.rows("select * from ageing join account_ids using (account_no)")
        }
        for account in reported:
            expected = aged(account, as_of, arrears_from)
            if (row := rows.get(account.account_id)) is None:
                assert not any(expected.values()), (account.account_id, as_of)
                continue
            compared += 1
            assert {name: row[name] for name in AMOUNTS} == expected, (account.account_id, as_of)
            assert row["ledger_balance"] == booked(account, as_of), (account.account_id, as_of)
        answer = AGEING.answer(subject)
        assert (str(answer.ledger.difference), answer.ledger.accounts) == ("0.00", 0)
        assert answer.ledger.balance == sum(b.amount for b in answer.total.buckets) + (
            answer.total.disputed - answer.total.credit
        )
    return compared


@pytest.mark.parametrize("lacking", ["everything", "reversed"])
def test_it_agrees_with_a_slow_reference(lacking: str) -> None:
    accounts = random_accounts(40, seed=14)
    assert check_against_reference(accounts, lacking, (AS_OF[8],)) > 25


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_it_agrees_with_a_slow_reference_on_a_thousand_ledgers(part: int) -> None:
    """Small ledgers: what one holds decides which SQL is written."""
    names = list(LACKING)
    for number in range(100 * part, 100 * part + 100):
        accounts = random_accounts(1 + number % 12, seed=1000 + number)
        if not any(account.bills for account in accounts):
            continue  # a workspace without bills has no ageing (RS640)
        check_against_reference(
            accounts, names[number % len(names)], (AS_OF[number // 5 % len(AS_OF)],)
        )


def test_every_day_lies_in_one_bucket() -> None:
    with DuckDB() as engine:
        rows = engine.rows(f"select d, {bucket_sql('d')} from range(0, 200) r(d) order by d")
    assert [bucket.label for bucket in BUCKETS] == list(dict.fromkeys(label for _, label in rows))
    edges = [
        day for (day, label), (_, before) in zip(rows[1:], rows, strict=False) if label != before
    ]
    assert edges == [1, 31, 61, 91]


def test_groups_are_those_of_the_day(tmp_path: Path) -> None:
    """An attribute with dates is taken as it was; an account whose rows begin later has none."""
    (tmp_path / "bills.csv").write_text(
        "account_id,bill_id,due_on,amount\n"
        "a,1,2025-01-01,10\nb,2,2025-01-01,20\nc,3,2025-01-01,40\n"
    )
    (tmp_path / "accounts.csv").write_text(
        "account_id,valid_from,region\n"
        "a,2024-01-01,north\na,2025-03-01,south\nb,2024-01-01,south\nc,2025-03-01,south\n"
    )
    (tmp_path / "riskseg.toml").write_text(
        '[source.bills]\nfrom = "bills.csv"\n[source.accounts]\nfrom = "accounts.csv"\n'
    )
    loaded = load_workspace(tmp_path)
    groups = {}
    for day in (date(2025, 2, 1), date(2025, 3, 1)):
        subject = AgedAccounts(loaded.engine, loaded.ledger, 2, day, "region")
        loaded.engine.run("drop table if exists ageing")
        subject.add(1, 3)
        answer = AGEING.answer(subject)
        assert sum(group.balance for group in answer.groups) == answer.total.balance
        groups[day.month] = [(g.value, g.accounts, str(g.balance)) for g in answer.groups]
    assert groups == {
        2: [("north", 1, "10.00"), ("south", 1, "20.00"), (None, 1, "40.00")],
        3: [("south", 3, "70.00")],
    }
