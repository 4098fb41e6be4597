"""What was paid of what was overdue, followed by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.pipeline.asked import Asked
from riskseg.results.insights.collected import Collections
from riskseg.run.assign import assign
from riskseg.run.insight import insight
from tests.support import treated

FIRST, LAST = date(2026, 2, 1), date(2026, 3, 10)
ACCOUNTS = {"a": "gentle", "b": "gentle", "c": "firm", "d": "firm"}


def payment(account: str, number: int, day: str, amount: object, **more: object) -> treated.Row:
    return {
        "account_id": account,
        "payment_id": f"{account}{number}",
        "paid_on": day,
        "amount": amount,
    } | more


# On 1 February each account owes 100. `a` pays 30 within a week, and 100 more within 30 days: more
# than was overdue. `b` pays 60, which are taken back after ten days. `c` paid before, and its
# payment of 20 is recorded after a week. `d` pays nothing.
PAYMENTS = [
    payment("a", 1, "2026-02-05", 30),
    payment("a", 2, "2026-02-20", 100),
    payment("b", 1, "2026-02-03", 60),
    payment("b", 2, "2026-02-13", 60, reverses="b1"),
    payment("c", 1, "2026-02-04", 20, recorded_on="2026-02-10"),
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    rows = {
        "accounts": [
            {"account_id": account, "valid_from": FIRST, "treatment": segment}
            for account, segment in ACCOUNTS.items()
        ],
        "bills": [
            {"account_id": account, "bill_id": "1", "due_on": "2026-01-20", "amount": 100}
            for account in ACCOUNTS
        ],
        "payments": PAYMENTS,
    }
    paths = {name: {"steps": [{"day": 1, "action": "sms"}]} for name in ("gentle", "firm")}
    return treated.write(tmp_path / "w", paths=paths, rows=rows)


def test_it_is_what_was_paid_at_most_what_was_overdue(root: Path) -> None:
    assign(root, FIRST, str(root / "d.parquet"), at=treated.AT)
    answer = insight(root, "collected", Asked(LAST)).answer
    assert isinstance(answer, Collections)
    found = {(row.segment, row.within): row for row in answer.segments}
    assert {key: (row.accounts, row.overdue, row.paid) for key, row in found.items()} == {
        ("gentle", 7): (2, 200, 90),
        ("gentle", 30): (2, 200, 100),
        ("firm", 7): (2, 200, 0),
        ("firm", 30): (2, 200, 20),
    }
    assert found["gentle", 7].share == Decimal("0.45")
    assert found["gentle", 7].low < Decimal("0.45") < found["gentle", 7].high


def test_without_bills_it_cannot_be_asked(root: Path) -> None:
    toml = (root / "riskseg.toml").read_text()
    (root / "riskseg.toml").write_text(toml[: toml.index("[source.bills]")])
    rules = root / "rules" / "treated"
    head = (rules / "strategy.yaml").read_text().replace("priority: balance_overdue\n", "")
    (rules / "strategy.yaml").write_text(head)
    paths = (rules / "paths.yaml").read_text()
    (rules / "paths.yaml").write_text(paths.replace("episode_started_on", "as_of"))
    with pytest.raises(ProblemsError, match="RS640"):
        insight(root, "collected", Asked(LAST))
