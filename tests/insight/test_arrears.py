"""Ageing over time, DSO and CEI, against `riskseg ageing` and plain Python over the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from riskseg.insight.arrears import ARREARS
from riskseg.pipeline.asked import Asked
from riskseg.report.segments.charts.arrears import ageing_over_time
from riskseg.results.insights.arrears import Arrears, ArrearsMonth
from riskseg.results.insights.report import SegmentReport
from riskseg.run.insight import insight
from tests.insight.of_ledger import portfolio
from tests.insight.slow_ageing import BUCKETS, aged
from tests.insight.test_ageing import answered
from tests.ledger.facts import Account, Bill, Instalment, Payment
from tests.ledger.loading import LACKING, Loaded, as_reported, load_accounts
from tests.ledger.random_accounts import random_accounts
from tests.ledger.slow_allocation import issued
from tests.ledger.slow_payments import known
from tests.support import treated
from tests.support.sampled import only

AS_OF = date(2025, 2, 10)


def arrears(loaded: Loaded, as_of: date, partitions: int = 2) -> Arrears:
    return ARREARS.answer(portfolio(loaded, as_of, ARREARS.needs, partitions=partitions))


def billed(account: Account, day: date) -> int:
    """What was billed by then and stands."""
    return sum(
        bill.amount
        for bill in account.bills
        if bill.amount > 0
        and known(issued(bill), bill.recorded_on, day)
        and (bill.cancelled_on is None or bill.cancelled_on > day)
    )


@pytest.mark.parametrize("lacking", only("everything", LACKING))
def test_it_is_that_of_the_ledger(lacking: str) -> None:
    accounts = [as_reported(account, LACKING[lacking]) for account in random_accounts(40, seed=5)]
    loaded = load_accounts(accounts, without=LACKING[lacking])
    answer = arrears(loaded, AS_OF)
    days = list(dict.fromkeys(row.day for row in answer.days))
    assert days[:2] == [AS_OF, date(2025, 1, 31)] and days[-1] == date(2024, 1, 31)
    for day in days:
        found = {r.bucket: (r.accounts, r.balance) for r in answer.days if r.day == day}
        total = answered(loaded, day).total
        assert found == {b.bucket: (b.accounts, b.amount) for b in total.buckets}
    arrears_from = loaded.ledger.money.arrears_from
    for month in answer.months:
        before = month.month.replace(day=1) - timedelta(days=1)
        owed = [aged(account, month.month, arrears_from) for account in accounts]
        opening = [aged(account, before, arrears_from) for account in accounts]
        of_month = sum(billed(a, month.month) - billed(a, before) for a in accounts)
        closing = sum(map(receivables, owed))
        collected = sum(map(receivables, opening)) + of_month - closing
        assert month.receivables == Decimal(closing) / 100
        assert month.collected == Decimal(collected) / 100
        assert month.overdue == Decimal(sum(a[b] for a in owed for b in BUCKETS)) / 100
        assert month.billed == Decimal(of_month) / 100
        assert month.disputed == Decimal(sum(a["disputed"] for a in owed)) / 100
        of_ageing = sum(row.balance for row in answer.days if row.day == month.month)
        assert month.receivables == of_ageing + month.disputed
        whole = collected + closing - sum(account["current"] for account in owed)
        assert month.cei == (round(Decimal(collected) / whole, 6) if whole else None)
    assert len(answer.months) == 12
    drawn = ageing_over_time(answer, SegmentReport.model_construct(currency="GBP", scale=2))
    assert drawn is not None and drawn.count(" days: GBP") == len(answer.days)


def receivables(owed: dict[str, int]) -> int:
    return owed["current"] + sum(owed[bucket] for bucket in BUCKETS) + owed["disputed"]


def test_a_month_worked_out_by_hand() -> None:
    """Opening 100 + 60 billed - closing 90 are 70 collected, of 160 - 50 that are not due yet."""
    bills = [
        Bill("1", date(2025, 1, 20), 10000, issued_on=date(2025, 1, 5)),
        Bill("2", date(2025, 3, 5), 5000, issued_on=date(2025, 2, 5)),
        Bill("3", date(2025, 2, 20), 1000, issued_on=date(2025, 2, 6)),
    ]
    payments = (Payment(date(2025, 2, 10), 7000, "p"),)
    answer = arrears(load_accounts([Account("a", tuple(bills), payments)]), date(2025, 2, 28), 1)
    (month,) = [m for m in answer.months if m.month == date(2025, 2, 28)]
    # Of one party alone no interval can be wider than nothing.
    share = round(Decimal(70) / 110, 6)
    assert month == ArrearsMonth(
        month=date(2025, 2, 28),
        receivables=Decimal("90.00"),
        overdue=Decimal("40.00"),
        disputed=Decimal("0.00"),
        billed=Decimal("60.00"),
        collected=Decimal("70.00"),
        dso=Decimal(90 * 28) / 60,
        cei=share,
        low=share,
        high=share,
    )
    assert "44.4% of what was owed was past due, 0.0% by more than 90 days" in answer.words()
    assert "In 2025-02, 63.6%" in answer.words()


@pytest.mark.parametrize("parties", [{}, {"a": "P", "b": "P"}])
def test_the_interval_is_by_party(tmp_path: Path, parties: Mapping[str, str]) -> None:
    """Of each 100 billed in February the accounts paid so much; all of it was due."""
    paid = {"a": 100, "b": 80, "c": 0, "d": 40}
    rows = {
        "accounts": [{"account_id": a, "party_id": parties.get(a, "")} for a in paid],
        "bills": [
            {"account_id": a, "bill_id": "1", "due_on": "2026-02-15", "amount": 100} for a in paid
        ],
        "payments": [
            {"account_id": a, "payment_id": a, "paid_on": "2026-02-16", "amount": amount}
            for a, amount in paid.items()
            if amount
        ]
        + [{"account_id": "c", "payment_id": "early", "paid_on": "2026-01-31", "amount": 1}],
    }
    root = treated.write(tmp_path / "w", paths={}, rows=rows)
    answer = insight(root, "arrears", Asked(date(2026, 2, 28))).answer
    assert isinstance(answer, Arrears)
    (month,) = [m for m in answer.months if m.month == date(2026, 2, 28)]
    by_party: dict[str, list[float]] = {}
    for account, amount in paid.items():
        party = by_party.setdefault(parties.get(account) or account, [0.0, 0.0])
        party[0] += amount + (account == "c")
        party[1] += 100
    part, whole = (sum(values) for values in zip(*by_party.values(), strict=True))
    share, n = part / whole, len(by_party)
    spread = sum((y - share * x) ** 2 for y, x in by_party.values())
    error = 1.96 * (n / (n - 1) * spread) ** 0.5 / whole
    assert month.cei is not None and month.low is not None and month.high is not None
    assert [float(v) for v in (month.cei, month.low, month.high)] == pytest.approx(
        [share, max(share - error, 0), min(share + error, 1)], abs=1e-6
    )


def test_what_a_kept_plan_covers_is_on_it() -> None:
    day = date(2025, 1, 1)
    accounts = [
        Account(
            "a",
            (Bill("1", day, 10000), Bill("2", day + timedelta(days=20), 3000)),
            instalments=(Instalment("x", day + timedelta(days=60), 10000, day),),
        )
    ]
    subject = portfolio(load_accounts(accounts), date(2025, 1, 31), ARREARS.needs)
    (row,) = subject.engine.rows(
        "select current, d1_30, on_plan from receivables where day = '2025-01-31'"
    )
    assert row == (10000, 3000, 10000)
