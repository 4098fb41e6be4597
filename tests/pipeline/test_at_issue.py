"""A model observed at issue decides, explains and is replayed by the bill that it scores."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from riskseg.run.assign import assign
from riskseg.run.explain import explain
from riskseg.run.init import init
from riskseg.run.replay import replay
from riskseg.run.score import score
from riskseg.run.train import train
from tests.ledger.facts import Account, Bill, Payment, write_workspace
from tests.support.portfolio import AT

START = date(2024, 1, 1)
TODAY = START + timedelta(days=720)
SPEC = """\
name: outcome
target: {event: late, days_past_due: 5, horizon_days: 30}
observe: {at: issue, for: 420 days, history: 60 days}
hold_out: {last: 120 days}
learners: [scorecard]
"""


def bill(name: str, issued: int, recorded: int, amount: int = 5_000, **more: date) -> Bill:
    """A bill issued and recorded so many days before today."""
    on = TODAY - timedelta(days=issued)
    return Bill(name, on + timedelta(days=14), amount, on, TODAY - timedelta(days=recorded), **more)


# What account A0 to A6 have besides, and the bill by which each is decided today, if any.
LATEST: list[tuple[list[Bill], str | None]] = [
    ([bill("issued today", 0, 0)], "issued today"),
    ([bill("recorded today", 3, 0)], "recorded today"),
    ([bill("issued today, too", 0, 0), bill("recorded", 2, 0)], "issued today, too"),
    ([bill("late", 4, 0), bill("known before", 1, 1)], None),
    ([bill("of nothing", 0, 0, amount=0)], None),
    ([bill("cancelled", 0, 0, cancelled_on=TODAY)], None),
    ([bill("recorded tomorrow", 0, -1)], None),
]


def accounts() -> list[Account]:
    found = []
    for n in range(60):
        draw = random.Random(n)  # noqa: S311
        bills = [
            bill(f"B{n}-{k}", 30 * k + 7 + n % 3, 30 * k + 7 + n % 3 - n % 4, 5_000 + 100 * k)
            for k in range(22)
        ]
        late = 0.1 + 0.6 * (n % 3 == 0)
        payments = tuple(
            Payment(one.due_on + timedelta(days=25 if draw.random() < late else -2), one.amount)
            for one in bills[1:]
        )
        bills += LATEST[n][0] if n < len(LATEST) else []
        found.append(Account(f"A{n:02d}", tuple(bills), payments))
    return found


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("at_issue") / "w"
    init(root, "account-file")
    write_workspace(
        root,
        accounts(),
        tables=("bills", "payments"),
        without=["payments.bill_id"],
        settings='strategy = "rules/account-file"',
    )
    (root / "models/outcome.yaml").write_text(SPEC)
    train(root, (), at=AT)
    return root


def decided(root: Path, day: date) -> dict[str, Decimal | None]:
    out = root / f"{day}.parquet"
    assign(root, day, str(out), at=AT)
    return {row["account_id"]: row["p_bad"] for row in pq.read_table(out).to_pylist()}


def scores(root: Path, day: date) -> dict[str, dict[str, Decimal]]:
    """The probabilities of each account's bills of the day."""
    out = root / "scores.parquet"
    score(root, day, str(out))
    found: dict[str, dict[str, Decimal]] = {}
    for row in pq.read_table(out).to_pylist():
        found.setdefault(row["account_id"], {})[row["bill_id"]] = row["p_outcome"]
    return found


@pytest.mark.parametrize("n", range(len(LATEST)))
def test_an_account_is_decided_by_its_latest_bill_of_the_day(workspace: Path, n: int) -> None:
    """It is the bill issued last, if it became known that day: what `score` has a row for."""
    account, bill_id = f"A{n:02d}", LATEST[n][1]
    by_bill = scores(workspace, TODAY).get(account, {})
    wanted = None if bill_id is None else by_bill[bill_id]
    assert decided(workspace, TODAY)[account] == wanted


@pytest.mark.parametrize("days", [4, 7, 9])
def test_whoever_is_decided_has_a_score(workspace: Path, days: int) -> None:
    day = TODAY - timedelta(days=days)
    reported, by_bill = decided(workspace, day), scores(workspace, day)
    assert {account: list(p.values()) for account, p in by_bill.items()} == {
        account: [p] for account, p in reported.items() if p is not None
    }
    assert by_bill or days == 4


def test_explain_and_replay_see_the_same_bill(workspace: Path) -> None:
    reported = decided(workspace, TODAY)
    assert replay(workspace, "last").verdict == "same bytes"
    since = replay(workspace, "last", from_source=True).since
    assert since is not None and since.decisions is not None and since.decisions.rows == 0
    for account in ("A01", "A03"):
        for fresh in (False, True):
            story = explain(workspace, account, TODAY, fresh=fresh)
            assert story.decision["p_bad"] == reported[account]
            assert bool(story.scores[0].reasons) is (reported[account] is not None)
