"""Ids of bills and payments are distinguished by their letter case, as texts and as hashes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from riskseg.domain.problems import Problems
from riskseg.engine import DuckDB
from riskseg.features.snapshots import as_of_snapshots
from riskseg.ledger.allocation import bill_facts
from riskseg.pipeline.contracts import build
from riskseg.pipeline.load import load
from riskseg.sources.unchanged import readable
from riskseg.workspace import open_workspace
from tests.ledger.facts import Account, Bill, Payment, write_workspace

AS_OF = date(2026, 3, 1)


BOTH = Account(
    "A",
    bills=(
        Bill("B1", date(2026, 1, 10), 10_00, issued_on=date(2026, 1, 1)),
        Bill("b1", date(2026, 1, 20), 30_00, issued_on=date(2026, 1, 1)),
    ),
    payments=(
        Payment(date(2026, 1, 15), 30_00, payment_id="P1", bill_id="b1"),
        Payment(date(2026, 1, 16), 4_00, payment_id="p1", bill_id="B1"),
        Payment(date(2026, 1, 18), -4_00, payment_id="R", reverses="p1"),
    ),
)
# What the payment names is no bill, so that its money pays the bill that fell due first.
NEITHER = Account(
    "A",
    bills=(
        Bill("C", date(2026, 1, 10), 10_00, issued_on=date(2026, 1, 1)),
        Bill("B1", date(2026, 1, 20), 30_00, issued_on=date(2026, 1, 1)),
    ),
    payments=(Payment(date(2026, 1, 15), 10_00, payment_id="P1", bill_id="b1"),),
)


@pytest.mark.parametrize("texts", [False, True], ids=["hashes", "texts"])
@pytest.mark.parametrize(
    ("account", "paid"), [(BOTH, (0, 30_00)), (NEITHER, (10_00, 0))], ids=["both", "neither"]
)
def test_ids_that_differ_by_case_are_two(
    tmp_path: Path, account: Account, paid: tuple[int, int], texts: bool
) -> None:
    problems = Problems()
    folder = write_workspace(tmp_path, [account], settings="max_unmatched = 1.0")
    workspace = open_workspace(folder, problems)
    assert workspace is not None
    with DuckDB(reads=readable(workspace), threads=1) as engine:
        ledger = load(engine, workspace, problems, texts=texts)
        problems.raise_if_any()
        assert ledger is not None and not ledger.bad
        assert engine.value("select count(*) from ledger_bills") == len(account.bills)
        assert engine.value("select count(*) from ledger_payments") == len(account.payments)
        snapshots = as_of_snapshots(AS_OF, 1, 1, listed=ledger.listed, dated=ledger.dated)
        build(engine, [snapshots, *bill_facts(ledger.money)])
        found = engine.rows("select paid from bill_facts order by amount_minor")
    assert tuple(minor for (minor,) in found) == paid


def test_a_payment_taken_back_is_named_in_its_own_case(tmp_path: Path) -> None:
    account = Account(
        "A",
        bills=BOTH.bills,
        payments=(
            Payment(date(2026, 1, 15), 30_00, payment_id="P1"),
            Payment(date(2026, 1, 18), -30_00, payment_id="R", reverses="p1"),
        ),
    )
    problems = Problems()
    workspace = open_workspace(write_workspace(tmp_path, [account]), problems)
    assert workspace is not None
    with DuckDB(reads=readable(workspace), threads=1) as engine:
        assert load(engine, workspace, problems) is None
    assert [problem.code for problem in problems] == ["RS110"]
