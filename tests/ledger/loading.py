"""Workspaces loaded into an engine, and what tests ask of them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from riskseg.domain.facts import Fact
from riskseg.domain.problems import Problems
from riskseg.domain.relations import Relation
from riskseg.engine import DuckDB, Engine
from riskseg.features.catalogue import Catalogue, read_catalogue
from riskseg.features.snapshots import as_of_snapshots
from riskseg.ledger.allocation import bill_facts
from riskseg.pipeline.contracts import build
from riskseg.pipeline.facts import facts
from riskseg.pipeline.load import Ledger, load
from riskseg.pipeline.workspace_facts import workspace_facts
from riskseg.sources.unchanged import readable
from riskseg.workspace import open_workspace
from tests.ledger.facts import Account, Payment, write_workspace
from tests.ledger.random_accounts import random_accounts
from tests.ledger.slow_allocation import Allocation, allocate

Row = dict[str, Any]

# Which columns a source lacks decides which SQL is written; each is a ledger of its own.
LACKING: dict[str, tuple[str, ...]] = {
    "everything": (),
    "plain": (
        "bills.recorded_on",
        "bills.disputed_amount",
        "bills.cancelled_on",
        "payments.payment_id",
        "payments.bill_id",
        "payments.recorded_on",
        "payments.status",
        "payments.reverses",
    ),
    "reversed": ("payments.bill_id", "bills.disputed_amount", "payments.status"),
    "unnamed": ("payments.bill_id",),
    "named": ("payments.reverses", "bills.cancelled_on", "bills.issued_on"),
}
SIZES = {"everything": 1_000, "plain": 200, "reversed": 200, "unnamed": 300, "named": 200}


@dataclass
class Loaded:
    """`accounts` hold just what the source reported, so that a reference sees no more."""

    engine: Engine
    ledger: Ledger
    catalogue: Catalogue
    facts: dict[str, Fact]
    accounts: dict[str, Account]

    def with_arrears_from(self, minor: int) -> Loaded:
        money = replace(self.ledger.money, arrears_from=minor)
        return replace(self, ledger=replace(self.ledger, money=money))

    def as_of(self, day: date) -> Relation:
        ledger = self.ledger
        return as_of_snapshots(day, 1, ledger.accounts, listed=ledger.listed, dated=ledger.dated)

    def bill_facts(self, snapshots: Relation, keep_days: int | None = None) -> None:
        build(self.engine, [snapshots, *bill_facts(self.ledger.money, keep_days=keep_days)])

    def facts_of(self, snapshots: Relation, **options: bool) -> list[Row]:
        """Every fact there is, one row a snapshot, with the account's id."""
        wanted = [*self.facts, *self.ledger.attributes]
        build(
            self.engine,
            facts(self.ledger, self.catalogue, 2, wanted, snapshots, **options),
        )
        return self.rows(
            "select * exclude (snap, account_no) from facts join account_ids "
            "using (account_no) order by account_id, as_of, facts.snap"
        )

    def rows(self, sql: str) -> list[Row]:
        table = self.engine.arrow(sql)
        columns = [table.column(n).to_pylist() for n in table.column_names]
        names = [n.removeprefix("@") for n in table.column_names]
        return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


@cache
def shipped_catalogue() -> Catalogue:
    problems = Problems()
    catalogue = read_catalogue(None, problems)
    problems.raise_if_any()
    return catalogue


def load_workspace(folder: Path, accounts: Iterable[Account] = (), threads: int = 2) -> Loaded:
    """The ledger of a workspace that has no Problems."""
    problems = Problems()
    workspace = open_workspace(folder, problems)
    problems.raise_if_any()
    assert workspace is not None
    engine = DuckDB(reads=readable(workspace), threads=threads)
    ledger = load(engine, workspace, problems, texts=True)
    problems.raise_if_any()
    assert ledger is not None
    here, known = workspace_facts(shipped_catalogue(), ledger, problems)
    problems.raise_if_any()
    return Loaded(engine, ledger, here, known, {a.account_id: a for a in accounts})


def load_accounts(accounts: Sequence[Account], **options: Any) -> Loaded:
    """Random payments name bills that are not there."""
    options.setdefault("settings", "max_unmatched = 1")
    with tempfile.TemporaryDirectory() as folder:
        return load_workspace(write_workspace(Path(folder), accounts, **options), accounts)


@cache
def random_ledger(name: str) -> Loaded:
    """Random accounts loaded once for all tests; `name` is one of LACKING."""
    lacking = LACKING[name]
    reported = [as_reported(a, lacking) for a in random_accounts(SIZES[name], seed=7)]
    return load_accounts(reported, without=lacking)


@cache
def slow_allocations(name: str, as_of: date, arrears_from: int) -> dict[str, Allocation]:
    """The reference's allocation of every account of a random ledger."""
    accounts = random_ledger(name).accounts
    return {a: allocate(account, as_of, arrears_from) for a, account in accounts.items()}


def as_reported(account: Account, lacking: Sequence[str]) -> Account:
    """The account less what the source has no column for, and less rows that would be bad."""

    def reported(table: str, fact: Any) -> Any:
        names = [n.removeprefix(f"{table}.") for n in lacking if n.startswith(f"{table}.")]
        return replace(fact, **dict.fromkeys(names))

    def in_one_part(payments: Iterable[Payment]) -> list[Payment]:
        """One row for each payment, where nothing says which bill each is booked to."""
        if "payments.bill_id" not in lacking or "payments.payment_id" in lacking:
            return list(payments)
        by_id = {p.payment_id or n: p for n, p in enumerate(payments)}
        return list(by_id.values())

    reversible = "payments.reverses" not in lacking
    disputable = "bills.disputed_amount" not in lacking
    return replace(
        account,
        bills=tuple(reported("bills", b) for b in account.bills),
        payments=tuple(
            reported("payments", p)
            for p in in_one_part(account.payments)
            if p.reverses is None or reversible
        ),
        events=tuple(e for e in account.events if e.kind != "dispute" or disputable),
    )
