"""The same ledger from every place that riskseg reads, on machines in three time zones: the same
bytes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from riskseg.run.assign import assign
from tests.sources.ledgers_in_databases import run
from tests.support.postgres import running
from tests.support.small import make

AS_OF = date(2026, 1, 1)
AT = datetime(2026, 1, 1, 9, tzinfo=UTC)
ACCOUNTS = 200
ZONE = "Europe/Berlin"


def ledger() -> dict[str, pa.Table]:
    """Bills due each month, of which most are paid; times of payment are instants around midnight,
    whose day in Berlin is another than in UTC."""
    accounts = [f"{number:06}" for number in range(ACCOUNTS)]
    bills, payments = [], []
    for number, account in enumerate(accounts):
        for month in range(1, 13):
            amount = Decimal(number * 37 + month * 101) / 100
            due = date(2025, month, 1 + number % 28)
            bills.append((account, f"{account}-{month}", due, amount))
            if (number + month) % 5:
                paid = datetime(due.year, due.month, due.day, 23, 30, tzinfo=UTC)
                payments.append((account, paid + timedelta(days=number % 40 - 5), amount))
    return {
        "accounts": pa.table({"account_id": accounts, "region": ["Köln", "Ulm"] * (ACCOUNTS // 2)}),
        "bills": pa.table(
            {
                "account_id": [bill[0] for bill in bills],
                "bill_id": [bill[1] for bill in bills],
                "due_on": [bill[2] for bill in bills],
                "amount": pa.array([bill[3] for bill in bills], pa.decimal128(12, 2)),
            }
        ),
        "payments": pa.table(
            {
                "account_id": [payment[0] for payment in payments],
                "paid_on": pa.array(
                    [payment[1] for payment in payments], pa.timestamp("us", "UTC")
                ),
                "amount": pa.array([payment[2] for payment in payments], pa.decimal128(12, 2)),
            }
        ),
    }


def as_texts(table: pa.Table) -> pa.Table:
    """As a file of texts writes it: a time with its offset."""

    def text(value: Any) -> str:
        return value.isoformat() if isinstance(value, date) else str(value)

    return pa.table({n: [text(v) for v in table[n].to_pylist()] for n in table.column_names})


def csv(delimiter: str, line_end: str, *, quoted: bool, bom: bool) -> Callable[..., str]:
    def write(root: Path, tables: dict[str, pa.Table], _: str) -> str:
        mark = '"' if quoted else ""
        for name, table in tables.items():
            rows = [table.column_names, *(row.values() for row in as_texts(table).to_pylist())]
            lines = [delimiter.join(f"{mark}{value}{mark}" for value in row) for row in rows]
            text = line_end.join(lines) + line_end
            content = text.encode("utf-8-sig" if bom else "utf-8")
            (root / "data" / f"{name}.csv").write_bytes(content)
        return sources(tables, '"data/{}.csv"')

    return write


def sources(tables: dict[str, pa.Table], from_: str) -> str:
    return "".join(f"[source.{name}]\nfrom = {from_.format(name)}\n" for name in tables)


def one_parquet(root: Path, tables: dict[str, pa.Table], _: str) -> str:
    for name, table in tables.items():
        pq.write_table(table, root / "data" / f"{name}.parquet")
    return sources(tables, '"data/{}.parquet"')


def many_parquet(root: Path, tables: dict[str, pa.Table], _: str) -> str:
    for name, table in tables.items():
        (root / "data" / name).mkdir()
        for part in range(0, table.num_rows, 500):
            pq.write_table(table.slice(part, 500), root / "data" / name / f"{part:05}.parquet")
    return sources(tables, '"data/{}/*.parquet"')


def hive(root: Path, tables: dict[str, pa.Table], _: str) -> str:
    for name, table in tables.items():
        for part in range(0, table.num_rows, 500):
            folder = root / "data" / name / f"part={part}"
            folder.mkdir(parents=True)
            pq.write_table(table.slice(part, 500), folder / "rows.parquet")
    text = sources({name: tables[name] for name in ("bills", "payments")}, '"data/{}/*/*.parquet"')
    # Of accounts every column would be an attribute, that of the folders too.
    return text + '[source.accounts]\nfrom = "data/accounts/part=0/rows.parquet"\n'


def workbook(root: Path, tables: dict[str, pa.Table], _: str) -> str:
    with pd.ExcelWriter(root / "data" / "ledger.xlsx") as writer:
        for name, table in tables.items():
            # A workbook has no zones: a time in it is of the zone of whoever wrote it.
            frame = pd.DataFrame(table.to_pydict())
            if name == "payments":
                frame["paid_on"] = [t.isoformat() for t in table["paid_on"].to_pylist()]
            frame.to_excel(writer, sheet_name=name, index=False)
    return "".join(
        f'[source.{name}]\nfrom = "data/ledger.xlsx"\n[source.{name}.read]\nsheet = "{name}"\n'
        for name in tables
    )


def into_database(url: str, tables: dict[str, pa.Table], schema: str | None) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    kinds: dict[Any, Any] = {
        pa.string(): sa.String(40),
        pa.date32(): sa.Date(),
        pa.decimal128(12, 2): sa.Numeric(12, 2),
        # SQLite keeps a time as a text, and has no zones.
        pa.timestamp("us", "UTC"): sa.String(40) if schema is None else sa.DateTime(True),
    }
    for name, table in tables.items():
        columns = [sa.Column(field.name, kinds[field.type]) for field in table.schema]
        rows = table.to_pylist()
        if schema is None and name == "payments":
            rows = [row | {"paid_on": row["paid_on"].isoformat()} for row in rows]
        target = sa.Table(name, sa.MetaData(), *columns, schema=schema)
        with engine.begin() as connection:
            target.create(connection)
            connection.execute(target.insert(), rows)


def sqlite(root: Path, tables: dict[str, pa.Table], _: str) -> str:
    into_database(f"sqlite:///{root / 'ledger.db'}", tables, None)
    return '[source]\nurl = "sqlite:///ledger.db"\n' + sources(tables, '"{}"')


def postgres(root: Path, tables: dict[str, pa.Table], url: str) -> str:
    run(url, "create schema ledger")
    into_database(url, tables, "ledger")
    return f'[source]\nurl = "{url}"\n' + sources(tables, '"ledger.{}"')


PLACES: dict[str, Callable[..., str]] = {
    "comma": csv(",", "\n", quoted=False, bom=False),
    "semicolon": csv(";", "\r\n", quoted=True, bom=True),
    "tab": csv("\t", "\n", quoted=False, bom=False),
    "parquet": one_parquet,
    "glob": many_parquet,
    "hive": hive,
    "excel": workbook,
    "sqlite": sqlite,
    "postgres": postgres,
}


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def moved(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield moved
    monkeypatch.undo()
    time.tzset()


@pytest.mark.slow
def test_the_same_ledger_is_decided_alike_from_everywhere(
    tmp_path: Path, machine: Callable[[str], None]
) -> None:
    decided: dict[bytes, list[str]] = {}
    with running() as url:
        for name, write in PLACES.items():
            root = make(tmp_path / name)
            for path in (root / "data").glob("*.csv"):
                path.unlink()
            head = f'[workspace]\nstrategy = "rules/s"\ntimezone = "{ZONE}"\n'
            (root / "riskseg.toml").write_text(head + write(root, ledger(), url))
            for zone in ("UTC", "America/New_York", "Asia/Tokyo"):
                machine(zone)
                assign(root, AS_OF, str(root / "d.csv"), at=AT)
                decided.setdefault((root / "d.csv").read_bytes(), []).append(f"{name} in {zone}")
    assert len(decided) == 1, list(decided.values())
    (content,) = decided
    assert content.count(b"\n") == ACCOUNTS + 1
