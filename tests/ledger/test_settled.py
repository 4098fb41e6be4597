"""What is over of an account is shared by its snapshots: the facts are those of no sharing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from riskseg.domain.relations import Relation
from riskseg.features.snapshots import issue_snapshots
from riskseg.ledger.allocation import bill_facts
from riskseg.ledger.settled import settled_bills
from riskseg.pipeline.contracts import build
from tests.ledger.facts import Account, Bill, Payment
from tests.ledger.loading import LACKING, Loaded, Row, load_accounts, random_ledger
from tests.ledger.random_accounts import AS_OF, START
from tests.ledger.test_allocation import every_snapshot
from tests.support.sampled import only


def assert_alike(loaded: Loaded, snapshots: Relation, *, focus: bool) -> None:
    alone = loaded.facts_of(snapshots, focus=focus)
    build(loaded.engine, settled_bills(loaded.ledger.money))
    assert loaded.facts_of(snapshots, focus=focus, shared=True) == alone
    assert loaded.engine.value("select count(*) from settled_bills") > 50


@pytest.mark.parametrize("arrears_from", only(500, [0, 500]))
@pytest.mark.parametrize("name", only("everything", LACKING))
def test_facts_are_those_of_bills_allocated_anew(name: str, arrears_from: int) -> None:
    loaded = random_ledger(name).with_arrears_from(arrears_from)
    assert_alike(loaded, every_snapshot(AS_OF[3:]), focus=False)
    assert_alike(loaded, issue_snapshots(START, AS_OF[-1]), focus=True)


def allocated(loaded: Loaded, snapshots: Relation, *, shared: bool) -> tuple[list[Row], list[Row]]:
    found = Relation("found_bills", "select * from bill_facts", materialized=True)
    build(loaded.engine, [snapshots, *bill_facts(loaded.ledger.money, shared=shared), found])
    return (
        loaded.rows("select * from found_bills order by snap, bill_id"),
        loaded.rows("select * from totals order by snap"),
    )


@pytest.mark.slow  # what is asked of them is compared every time
@pytest.mark.parametrize("arrears_from", only(500, [0, 1, 500, 2000]))
@pytest.mark.parametrize("name", LACKING)
def test_bills_and_totals_are_those_of_bills_allocated_anew(name: str, arrears_from: int) -> None:
    """Those are compared with a slow reference in `test_allocation`."""
    loaded = random_ledger(name).with_arrears_from(arrears_from)
    days = {*AS_OF, *(START + timedelta(days=n) for n in (*range(0, 60, 7), *range(60, 700, 50)))}
    snapshots = every_snapshot(tuple(sorted(days)))
    build(loaded.engine, settled_bills(loaded.ledger.money))
    shared = allocated(loaded, snapshots, shared=True)
    shared_rows = loaded.engine.value("select count(*) from billed")
    assert shared == allocated(loaded, snapshots, shared=False)
    assert shared_rows < loaded.engine.value("select count(*) from billed")


@pytest.mark.parametrize("named", [True, False])
def test_what_is_over_is_not_allocated_again(named: bool) -> None:
    """A bill a week, paid four weeks after it was issued: five of them are open at any time."""
    weeks, week = 200, timedelta(days=7)
    bills = [
        Bill(f"b{n}", START + n * week + 2 * week, 1_000 + n, START + n * week)
        for n in range(weeks)
    ]
    payments = [
        Payment(START + (n + 4) * week, 1_000 + n, bill_id=f"b{n}" if named else None)
        for n in range(weeks)
    ]
    lacking = () if named else ("payments.bill_id",)
    loaded = load_accounts([Account("a", tuple(bills), tuple(payments))], without=lacking)
    build(loaded.engine, settled_bills(loaded.ledger.money))
    issues = issue_snapshots(START, START + weeks * week)
    bills_, totals = allocated(loaded, issues, shared=True)
    assert len(bills_) == weeks * (weeks + 1) / 2
    assert [t["bills"] for t in totals] == list(range(1, weeks + 1))
    assert loaded.engine.value("select count(*) from billed") <= 5 * weeks
    assert loaded.engine.value("select count(*) from laid_pool") <= 3 * weeks
