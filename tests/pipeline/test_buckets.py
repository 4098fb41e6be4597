"""Buckets of accounts, each in an engine of its own, against the ledger in one."""

from __future__ import annotations

import pickle
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from riskseg.features.snapshots import as_of_snapshots
from riskseg.pipeline.buckets import Bucket, bucket, bucket_ledger, in_common, in_engine
from riskseg.pipeline.contracts import build
from riskseg.pipeline.decisions import make_facts
from riskseg.pipeline.facts import facts
from riskseg.pipeline.session import LedgerInEngine, begin, open_checked, scratch_engine
from tests.features.test_accounts_together import ACCOUNTS, BILLS, DAY, EXPECTED, NAMES, shown
from tests.ledger.loading import LACKING, Loaded, random_ledger
from tests.ledger.random_accounts import AS_OF
from tests.support.sampled import only

ALL_FACTS = "select * exclude (snap) from facts order by account_no"


def in_buckets(loaded: Loaded, day: date, count: int) -> list[tuple[Any, ...]]:
    """Every fact of every account, of so many buckets that have gone through bytes."""
    whole = LedgerInEngine(loaded.engine, loaded.ledger, loaded.catalogue, 2)
    given = in_common(whole)
    accounts, rows = loaded.ledger.accounts, []
    for number in range(count):
        first, last = accounts * number // count + 1, accounts * (number + 1) // count
        made = bucket(loaded.engine, given.tables, first, last)
        sent: Bucket = pickle.loads(pickle.dumps(made))  # noqa: S301  # made on the line before
        with in_engine(given, sent) as ledger:
            make_facts(ledger, [*loaded.facts, *loaded.ledger.attributes], day, first, last)
            rows += ledger.engine.rows(ALL_FACTS)
    return rows


@pytest.mark.parametrize("name", only("everything", LACKING))
@pytest.mark.parametrize("count", only(8, [1, 8, 64]))
def test_every_fact_is_that_of_the_whole_ledger(name: str, count: int) -> None:
    loaded, day = random_ledger(name), AS_OF[-3]
    ledger = loaded.ledger
    snapshots = as_of_snapshots(day, 1, ledger.accounts, listed=ledger.listed, dated=ledger.dated)
    wanted = [*loaded.facts, *ledger.attributes]
    build(loaded.engine, facts(ledger, loaded.catalogue, 2, wanted, snapshots))
    together = loaded.engine.columns("facts")
    assert len([name for name in together if name.startswith("@")]) > 50
    expected = loaded.engine.rows(ALL_FACTS)
    assert in_buckets(loaded, day, count) == expected


@pytest.mark.parametrize("count", [1, 2, 6])
def test_accounts_of_a_party_see_each_other_from_any_bucket(tmp_path: Path, count: int) -> None:
    (tmp_path / "accounts.csv").write_text(ACCOUNTS)
    (tmp_path / "bills.csv").write_text(BILLS)
    (tmp_path / "riskseg.toml").write_text(
        '[source.accounts]\nfrom = "accounts.csv"\n[source.bills]\nfrom = "bills.csv"\n'
    )
    found = {}
    with scratch_engine(open_checked(tmp_path)) as engine:
        session = begin(open_checked(tmp_path), engine)
        given, accounts = bucket_ledger(session), session.ledger.accounts
        for number in range(count):
            first, last = accounts * number // count + 1, accounts * (number + 1) // count
            sent = bucket(engine, given.tables, first, last)
            with in_engine(given, sent) as ledger:
                make_facts(ledger, NAMES, DAY, first, last)
                listed = ", ".join(f'"@{name}"' for name in NAMES)
                for account, *values in ledger.engine.rows(
                    f"select account_id, {listed} from facts join account_ids using (account_no)"
                ):
                    found[account] = tuple(values)
    assert shown(found) == EXPECTED


def test_a_bucket_has_nothing_of_other_accounts() -> None:
    loaded = random_ledger("everything")
    whole = LedgerInEngine(loaded.engine, loaded.ledger, loaded.catalogue, 2)
    sent = bucket(loaded.engine, in_common(whole).tables, 11, 20)
    rows = {name: table for name, table in sent.rows.items() if "account_no" in table.column_names}
    assert {"ledger_bills", "ledger_payments", "account_ids"} <= {*rows}
    assert all({*table["account_no"].to_pylist()} <= {*range(11, 21)} for table in rows.values())
