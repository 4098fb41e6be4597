"""Of bills and payments only what differs from row to row is stored, and the ledger is the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ledger.facts import write_workspace
from tests.ledger.loading import LACKING, Loaded, as_reported, load_workspace
from tests.ledger.random_accounts import random_accounts

WHOLE = "[engine]\nkeep_staged = false"


def load(folder: Path, lacking: str, settings: str) -> Loaded:
    without = LACKING[lacking]
    accounts = [as_reported(account, without) for account in random_accounts(20, seed=3)]
    settings = f"max_unmatched = 1\n{settings}"
    return load_workspace(write_workspace(folder, accounts, without=without, settings=settings))


@pytest.mark.parametrize("lacking", LACKING)
def test_the_ledger_is_that_of_whole_tables(tmp_path: Path, lacking: str) -> None:
    (tmp_path / "short").mkdir()
    (tmp_path / "whole").mkdir()
    short = load(tmp_path / "short", lacking, "")
    whole = load(tmp_path / "whole", lacking, WHOLE)
    assert "stored_bills" in short.engine.tables()
    assert "stored_bills" not in whole.engine.tables()
    for table in ("bills", "payments", "ledger_bills", "ledger_payments"):
        assert short.engine.columns(table) == whole.engine.columns(table)
        in_order = f"select * from {table} order by all"
        assert short.engine.rows(in_order) == whole.engine.rows(in_order)


@pytest.mark.parametrize(
    ("lacking", "stored"),
    [
        (
            "plain",
            {
                "stored_bills": ["account_no", "bill_id", "issued_on", "due_on", "amount_minor"],
                "stored_payments": ["account_no", "paid_on", "amount_minor", "method"],
            },
        ),
        ("named", {"stored_payments": ["account_no", "paid_on", "amount_minor", "known_on"]}),
        ("everything", {"payments": ["account_no", "paid_on", "amount_minor", "known_on"]}),
    ],
)
def test_what_all_rows_have_alike_is_not_stored(
    tmp_path: Path, lacking: str, stored: dict[str, list[str]]
) -> None:
    engine = load(tmp_path, lacking, "").engine
    tables = engine.tables()
    for table, columns in stored.items():
        assert table in tables
        assert [*engine.columns(table)][: len(columns)] == columns
    if lacking == "plain":
        assert {*engine.columns("stored_payments")} == {*stored["stored_payments"], "fault"}
