"""The facts of one account as plain objects, and how they become a workspace's files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


@dataclass(frozen=True)
class Bill:
    """Amounts are in pence; what the source does not say is None."""

    bill_id: str
    due_on: date
    amount: int
    issued_on: date | None = None
    recorded_on: date | None = None
    disputed_amount: int | None = None
    cancelled_on: date | None = None


@dataclass(frozen=True)
class Payment:
    paid_on: date
    amount: int
    payment_id: str | None = None
    bill_id: str | None = None
    recorded_on: date | None = None
    method: str | None = None
    status: str | None = None
    reverses: str | None = None


@dataclass(frozen=True)
class Event:
    happened_on: date
    kind: str
    recorded_on: date | None = None
    channel: str | None = None
    outcome: str | None = None
    amount: int | None = None
    until: date | None = None
    ref: str | None = None
    bill_id: str | None = None


@dataclass(frozen=True)
class Instalment:
    plan_id: str
    due_on: date
    amount: int
    recorded_on: date | None = None


@dataclass(frozen=True)
class Account:
    account_id: str
    bills: tuple[Bill, ...] = ()
    payments: tuple[Payment, ...] = ()
    events: tuple[Event, ...] = ()
    opened_on: date | None = None
    closed_on: date | None = None
    written_off_on: date | None = None
    instalments: tuple[Instalment, ...] = ()


_MONEY = pa.decimal128(18, 2)
_COLUMNS: dict[str, dict[str, pa.DataType]] = {
    "accounts": {
        "opened_on": pa.date32(),
        "closed_on": pa.date32(),
        "written_off_on": pa.date32(),
    },
    "bills": {
        "bill_id": pa.string(),
        "due_on": pa.date32(),
        "amount": _MONEY,
        "issued_on": pa.date32(),
        "recorded_on": pa.date32(),
        "disputed_amount": _MONEY,
        "cancelled_on": pa.date32(),
    },
    "payments": {
        "paid_on": pa.date32(),
        "amount": _MONEY,
        "payment_id": pa.string(),
        "bill_id": pa.string(),
        "recorded_on": pa.date32(),
        "method": pa.string(),
        "status": pa.string(),
        "reverses": pa.string(),
    },
    "events": {
        "happened_on": pa.date32(),
        "kind": pa.string(),
        "recorded_on": pa.date32(),
        "channel": pa.string(),
        "outcome": pa.string(),
        "amount": _MONEY,
        "until": pa.date32(),
        "ref": pa.string(),
        "bill_id": pa.string(),
    },
    "instalments": {
        "plan_id": pa.string(),
        "due_on": pa.date32(),
        "amount": _MONEY,
        "recorded_on": pa.date32(),
    },
}


def write_workspace(
    folder: Path,
    accounts: Iterable[Account],
    *,
    tables: Sequence[str] = tuple(_COLUMNS),
    without: Sequence[str] = (),
    settings: str = "",
) -> Path:
    """A workspace of Parquet files, one a table with rows, with every column of the contract but
    those in `without` (each as `table.column`)."""
    listed = list(accounts)
    toml = f"[workspace]\n{settings}\n"
    for table in tables:
        rows = [
            (a.account_id, fact)
            for a in listed
            for fact in ([a] if table == "accounts" else getattr(a, table))
        ]
        if not rows:
            continue
        columns = {
            name: pa.array([_cell(getattr(fact, name), type_) for _, fact in rows], type_)
            for name, type_ in _COLUMNS[table].items()
            if f"{table}.{name}" not in without
        }
        ids = pa.array([account_id for account_id, _ in rows], pa.string())
        pq.write_table(pa.table({"account_id": ids, **columns}), folder / f"{table}.parquet")
        toml += f'[source.{table}]\nfrom = "{table}.parquet"\n'
    (folder / "riskseg.toml").write_text(toml, encoding="utf-8")
    return folder


def _cell(value: object, type_: pa.DataType) -> object:
    return Decimal(str(value)).scaleb(-2) if type_ == _MONEY and value is not None else value
