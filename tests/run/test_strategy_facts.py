"""`strategy facts`: with the table that it writes, the exported query decides a workspace's own
accounts as `assign` does."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.run.strategy_export import export
from riskseg.run.strategy_facts import facts
from riskseg.store.sinks import InMemory
from tests.support import treated

MONDAY = date(2026, 1, 5)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Accounts on a path of several steps, which one of them leaves, with a week that was
    issued."""
    steps = [{"day": day, "action": action} for day, action in ((3, "sms"), (5, "letter"))]
    root = treated.write(
        tmp_path_factory.mktemp("facts") / "w",
        paths={"chase": {"steps": [*steps, {"day": 9, "action": "call"}]}},
        rows={
            "accounts": [{"account_id": f"A{n}", "treatment": "chase"} for n in range(6)],
            "bills": [
                {
                    "account_id": f"A{n}",
                    "bill_id": "B",
                    "due_on": MONDAY - timedelta(days=2 + n),
                    "amount": 10 + n,
                }
                for n in range(6)
            ],
            "payments": [
                {"account_id": "A5", "payment_id": "P", "paid_on": "2026-01-07", "amount": 15}
            ],
            "events": [{"account_id": "A4", "happened_on": "2026-01-06", "kind": "complaint"}],
        },
        guards=[{"hold": "complaint_open", "event": "complaint"}],
    )
    for n in range(3):
        treated.issue(root, MONDAY + timedelta(days=n))
    return root


def decided(root: Path, day: date) -> Iterator[dict[str, Any]]:
    """What DuckDB decides with the exported query over the table of facts."""
    target = InMemory()
    done = facts(root, None, day, target)
    assert done.rows == 6 and done.columns[0] == "account_id"
    exported = export(root, None, "duckdb")
    assert {f.column for f in exported.facts} | {"account_id", "as_of"} == set(done.columns)
    assert exported.sql is not None
    with duckdb.connect() as connection:
        connection.register("facts", done.to_arrow())
        answer = connection.sql(exported.sql).to_arrow_table()
    yield from sorted(answer.to_pylist(), key=lambda row: row["account_id"])


@pytest.mark.parametrize("days", [0, 3, 9])
def test_the_query_decides_the_accounts_as_assign_does(root: Path, days: int) -> None:
    day = MONDAY + timedelta(days=days)
    ours = sorted(treated.decide(root, day), key=lambda row: row["account_id"])
    for theirs, own in zip(decided(root, day), ours, strict=True):
        assert {name: _plain(own[name]) for name in theirs} == {
            name: _plain(value) for name, value in theirs.items()
        }
    assert len({row["action"] for row in ours}) > 1


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def test_days_stand_side_by_side_in_a_table(root: Path, tmp_path: Path) -> None:
    place = f"sqlite:///{tmp_path / 'w.db'}#facts"
    for day in (MONDAY, MONDAY + timedelta(days=1), MONDAY):
        done = facts(root, None, day, place)
        assert (done.rows, done.as_of) == (6, day)
    with closing(sqlite3.connect(tmp_path / "w.db")) as connection:
        assert connection.execute("select count(*) from facts").fetchall() == [(12,)]


def test_what_the_workspace_is_made_of_is_not_written_over(root: Path) -> None:
    source = root / "data" / "bills.csv"
    before = source.read_bytes()
    with pytest.raises(ProblemsError, match="RS010"):
        facts(root, None, MONDAY, str(source))
    assert source.read_bytes() == before
    written = facts(root, None, MONDAY, str(root / "facts.parquet"))
    assert pq.read_table(root / "facts.parquet").column_names == [*written.columns]
