"""Labels against a slow reference, which looks at the bills as of the day a label is known."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from riskseg.domain.relations import Relation
from riskseg.features.labels import default_labels, late_labels, later_snapshots
from riskseg.features.snapshots import cycle_snapshots, issue_snapshots, single_snapshots
from riskseg.ledger.allocation import bill_facts
from riskseg.pipeline.contracts import build
from tests.ledger.facts import Account
from tests.ledger.loading import Loaded, load_workspace, random_ledger
from tests.ledger.random_accounts import AS_OF
from tests.ledger.slow_allocation import BillFact, allocate
from tests.support.sampled import only

Key = tuple[str, date, str | None]
NAMES = ("everything", "plain", "named")


def days(count: int) -> timedelta:
    return timedelta(days=count)


def labels(
    loaded: Loaded, snapshots: Relation, known_after: int, label: Relation
) -> tuple[list[Key], dict[Key, int]]:
    """Every snapshot observed, and the labels of those that have one, as training makes them."""
    build(loaded.engine, [snapshots])
    loaded.engine.run("create or replace temp table observed as select * from snapshots")
    later = Relation("snapshots", later_snapshots(known_after).select, materialized=True)
    build(loaded.engine, [later, *bill_facts(loaded.ledger.money), label])
    rows = loaded.rows(
        "select i.account_id, o.*, l.label from observed o join account_ids i using (account_no) "
        "left join labels l using (snap)"
    )
    keys = {(r["account_id"], r["as_of"], r.get("focus_bill")): r["label"] for r in rows}
    assert len(keys) == len(rows)
    return list(keys), {k: v for k, v in keys.items() if v is not None}


def bills_known(account: Account, on: date) -> list[BillFact]:
    return allocate(account, on, 500).bills


def is_late(bill: BillFact, by_more_than: int) -> bool:
    return bill.cleared_on is None or bill.cleared_on > bill.due_on + days(by_more_than)


def late_reference(account: Account, key: Key, horizon: int, dpd: int) -> int | None:
    _, as_of, focus = key
    last = as_of + days(horizon)
    bills = [b for b in bills_known(account, last + days(dpd)) if b.due_on <= last]
    asked = [b for b in bills if (b.due_on > as_of if focus is None else b.bill_id == focus)]
    return max((int(is_late(b, dpd)) for b in asked), default=None)


def default_reference(account: Account, key: Key, horizon: int, dpd: int) -> int:
    _, as_of, _ = key
    last = as_of + days(horizon)
    if account.written_off_on is not None and as_of < account.written_off_on <= last:
        return 1
    for bill in bills_known(account, last):
        reached = bill.due_on + days(dpd)
        unpaid = bill.cleared_on is None or bill.cleared_on >= reached
        if as_of < reached <= last and unpaid:
            return 1
    return 0


def assert_both_outcomes(found: dict[Key, int]) -> None:
    counts = Counter(found.values())
    assert set(counts) == {0, 1}
    assert min(counts.values()) > 20


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("horizon", "dpd"), only((60, 14), [(60, 14), (20, 0)]))
def test_late(name: str, horizon: int, dpd: int) -> None:
    loaded = random_ledger(name)
    snapshots = cycle_snapshots(AS_OF[0], AS_OF[7], 95, seed=3)
    label = late_labels(horizon, dpd, of_focus_bill=False)
    keys, found = labels(loaded, snapshots, horizon + dpd, label)
    wanted = {k: late_reference(loaded.accounts[k[0]], k, horizon, dpd) for k in keys}
    assert found == {k: v for k, v in wanted.items() if v is not None}
    assert len(found) < len(keys)
    assert_both_outcomes(found)


@pytest.mark.slow  # the labels of accounts are compared every time
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("horizon", "dpd"), only((8, 5), [(60, 14), (8, 5)]))
def test_late_of_the_bill_in_question(name: str, horizon: int, dpd: int) -> None:
    """With a horizon of 8 days, a bill that gives 14 days to pay has no label yet."""
    loaded = random_ledger(name)
    label = late_labels(horizon, dpd, of_focus_bill=True)
    keys, found = labels(loaded, issue_snapshots(AS_OF[0], AS_OF[7]), horizon + dpd, label)
    wanted = {k: late_reference(loaded.accounts[k[0]], k, horizon, dpd) for k in keys}
    assert found == {k: v for k, v in wanted.items() if v is not None}
    assert_both_outcomes(found)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("horizon", "dpd"), only((90, 90), [(90, 90), (180, 30)]))
def test_default(name: str, horizon: int, dpd: int) -> None:
    loaded = random_ledger(name)
    snapshots = cycle_snapshots(AS_OF[0], AS_OF[7], 95, seed=4)
    keys, found = labels(loaded, snapshots, horizon, default_labels(horizon, dpd))
    accounts = loaded.accounts
    assert found == {k: default_reference(accounts[k[0]], k, horizon, dpd) for k in keys}
    assert_both_outcomes(found)


def test_a_write_off_reported_only_after_the_label_was_known_is_none(tmp_path: Path) -> None:
    (tmp_path / "accounts.csv").write_text(
        "account_id,valid_from,written_off_on\n"
        "in_time,2026-01-01,\nin_time,2026-03-31,2026-02-10\n"
        "too_late,2026-01-01,\ntoo_late,2026-04-02,2026-02-10\n"
        "before,2026-01-01,2026-01-31\n",
        encoding="utf-8",
    )
    (tmp_path / "bills.csv").write_text(
        "account_id,bill_id,due_on,amount\nin_time,b,2026-03-30,10\n", encoding="utf-8"
    )
    (tmp_path / "riskseg.toml").write_text(
        '[source.accounts]\nfrom = "accounts.csv"\n[source.bills]\nfrom = "bills.csv"\n',
        encoding="utf-8",
    )
    loaded = load_workspace(tmp_path)
    _, found = labels(loaded, single_snapshots(date(2026, 1, 31)), 60, default_labels(60, 90))
    assert {k[0]: v for k, v in found.items()} == {"in_time": 1, "too_late": 0, "before": 0}
