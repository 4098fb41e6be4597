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
# Each of these stands for so many accounts, enough for shares to be shown.
COPIES = 10
ACCOUNTS = {"a": "gentle", "b": "gentle", "c": "firm", "d": "firm"}


def payment(account: str, number: int, day: str, amount: object, **more: object) -> treated.Row:
    return {
        "account_id": account,
        "payment_id": f"{account}{number}",
        "paid_on": day,
        "amount": amount,
    } | more


def copied(row: treated.Row, copy: int) -> treated.Row:
    """The row of another account, with payments of its own."""
    names = ("account_id", "payment_id", "reverses")
    return {**row, **{name: f"{row[name]}-{copy}" for name in names if row.get(name)}}


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


def workspace(place: Path, copies: int) -> Path:
    """A copy of `a` and one of `b` are of one party until it ends; the others are their own."""
    rows: dict[str, list[treated.Row]] = {
        "accounts": [
            {
                "account_id": account,
                "valid_from": day,
                "treatment": segment,
                "party_id": "p" if account in "ab" and day == FIRST else None,
            }
            for account, segment in ACCOUNTS.items()
            for day in (FIRST, LAST)
        ],
        "bills": [
            {"account_id": account, "bill_id": "1", "due_on": "2026-01-20", "amount": 100}
            for account in ACCOUNTS
        ],
        "payments": PAYMENTS,
    }
    paths = {name: {"steps": [{"day": 1, "action": "sms"}]} for name in ("gentle", "firm")}
    copies_of = {
        name: [
            {**copied(row, copy), **({"party_id": f"p{copy}"} if row.get("party_id") else {})}
            for row in own
            for copy in range(copies)
        ]
        for name, own in rows.items()
    }
    return treated.write(place, paths=paths, rows=copies_of)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return workspace(tmp_path / "w", COPIES)


def test_it_is_what_was_paid_at_most_what_was_overdue(root: Path) -> None:
    assign(root, FIRST, str(root / "d.parquet"), at=treated.AT)
    answer = insight(root, "collected", Asked(LAST)).answer
    assert isinstance(answer, Collections)
    found = {(row.segment, row.within): row for row in answer.segments}
    assert {key: (row.accounts, row.overdue, row.paid) for key, row in found.items()} == {
        ("gentle", 7): (2 * COPIES, 200 * COPIES, 90 * COPIES),
        ("gentle", 30): (2 * COPIES, 200 * COPIES, 100 * COPIES),
        ("firm", 7): (2 * COPIES, 200 * COPIES, 0),
        ("firm", 30): (2 * COPIES, 200 * COPIES, 20 * COPIES),
    }
    # By party, as of the day: each party with two accounts paid 90 of 200.
    gentle, firm = found["gentle", 7], found["firm", 30]
    assert gentle.share == gentle.low == gentle.high == Decimal("0.45")
    # The others are parties of their own: half of them paid 20, half nothing, of 100 each.
    reach = 1.96 * (20 * 10**2 * 20 / 19) ** 0.5 / 2000
    assert float(firm.low or 0) == pytest.approx(0.1 - reach, abs=1e-6)
    assert float(firm.high or 0) == pytest.approx(0.1 + reach, abs=1e-6)


def test_of_few_accounts_no_payments_are_shown(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w", 4)
    assign(root, FIRST, str(root / "d.parquet"), at=treated.AT)
    answer = insight(root, "collected", Asked(LAST)).answer
    assert isinstance(answer, Collections)
    hidden = {(r.accounts, r.overdue, r.paid, r.share, r.low, r.high) for r in answer.segments}
    assert hidden == {(8, 800, None, None, None, None)}
    assert "Too few accounts" in answer.words()


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
