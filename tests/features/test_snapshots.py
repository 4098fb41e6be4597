"""Which account is looked at as of which date."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from riskseg.domain.relations import Relation
from riskseg.features.snapshots import cycle_snapshots, issue_snapshots
from riskseg.pipeline.contracts import build
from tests.ledger.facts import Account, Bill
from tests.ledger.loading import Loaded, load_accounts, random_ledger
from tests.ledger.random_accounts import AS_OF

FIRST, LAST, EVERY = date(2026, 1, 1), date(2026, 6, 30), 30


def snapshots(loaded: Loaded, relation: Relation) -> dict[str, list[date]]:
    build(loaded.engine, [relation])
    found: dict[str, list[date]] = {}
    for row in loaded.rows(
        "select account_id, as_of from snapshots join account_ids using (account_no) "
        "order by account_id, snap"
    ):
        found.setdefault(row["account_id"], []).append(row["as_of"])
    return found


def cycle(
    ids: list[str], seed: int, first: date = FIRST, last: date = LAST
) -> dict[str, list[date]]:
    return snapshots(
        load_accounts([Account(i) for i in ids]), cycle_snapshots(first, last, EVERY, seed)
    )


def test_each_account_at_its_own_phase_of_the_cycle() -> None:
    found = cycle([f"{n}" for n in range(300)], seed=1)
    assert len(found) == 300
    for days in found.values():
        assert FIRST <= days[0] < FIRST + timedelta(days=EVERY)
        assert LAST - timedelta(days=EVERY) < days[-1] <= LAST
        assert {(b - a).days for a, b in pairwise(days)} == {EVERY}
    assert {days[-1] for days in found.values()} == {LAST - timedelta(days=n) for n in range(EVERY)}


def test_a_phase_is_the_accounts_own_whoever_else_there_is() -> None:
    few, many = cycle(["x", "y"], seed=1), cycle(["a", "b", "x", "y", "z"], seed=1)
    assert few == {k: many[k] for k in few}
    assert few != cycle(["x", "y"], seed=2)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (FIRST, LAST),
        (date(2026, 2, 17), date(2026, 5, 1)),
        (date(2026, 3, 9), date(2026, 3, 9)),
        (date(1999, 12, 20), date(2000, 2, 2)),  # about the day that cycles are counted from
        (date(1961, 3, 3), date(1961, 7, 28)),
    ],
)
def test_any_window_has_those_of_a_wider_one(first: date, last: date) -> None:
    ids = [f"{n}" for n in range(60)]
    wide = cycle(ids, 1, first - timedelta(days=100), last + timedelta(days=77))
    within = {k: [d for d in days if first <= d <= last] for k, days in wide.items()}
    assert cycle(ids, 1, first, last) == {k: days for k, days in within.items() if days}


def test_a_snapshot_for_each_bill_on_the_day_it_was_known() -> None:
    day = timedelta(days=1)
    due = FIRST + 20 * day
    bills = (
        Bill("issued", due, 100, FIRST),
        Bill("recorded later", due, 100, FIRST - day, FIRST + 3 * day),
        Bill("too early", due, 100, FIRST - day),
        Bill("too late", due, 100, due, LAST + day),
        Bill("nothing", due, 0, FIRST),
        Bill("credit", due, -100, FIRST),
        Bill("cancelled at once", due, 100, FIRST, cancelled_on=FIRST),
        Bill("cancelled later", due, 100, FIRST, cancelled_on=FIRST + day),
    )
    loaded = load_accounts([Account("a", bills)])
    build(loaded.engine, [issue_snapshots(FIRST, LAST)])
    rows = loaded.rows("select focus_bill, as_of from snapshots")
    assert {r["focus_bill"]: r["as_of"] for r in rows} == {
        "issued": FIRST,
        "recorded later": FIRST + 3 * day,
        "cancelled later": FIRST,
    }


def test_an_account_is_there_from_the_day_it_opened() -> None:
    loaded = random_ledger("everything")
    for as_of in AS_OF:
        there = {
            a.account_id
            for a in loaded.accounts.values()
            if a.opened_on is None or a.opened_on <= as_of
        }
        assert set(snapshots(loaded, loaded.as_of(as_of))) == there


def test_without_an_accounts_table_an_account_begins_with_its_first_fact() -> None:
    accounts = [
        Account("begun", (Bill("b", LAST, 100, FIRST),)),
        Account("tomorrow", (Bill("b", LAST, 100, FIRST + timedelta(days=1)),)),
    ]
    loaded = load_accounts(accounts, tables=["bills"])
    assert set(snapshots(loaded, loaded.as_of(FIRST))) == {"begun"}
