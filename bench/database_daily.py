"""What commands take whose sources are in PostgreSQL: with nothing kept between them, with rows
that are read as a whole and kept, and with rows that are read by what has changed.

    python bench/database_daily.py [--accounts 100000] [--dir DIR]

The data are those of bench/pipeline.py: 24 monthly bills an account and the payments to them, in a
server that the tests start. Each line is a process of its own, in this order: `assign` with nothing
kept, `explain` of one account after it, `assign` again after 3% of the accounts have paid again,
and `explain` after that. Ratios are to the same command with nothing kept.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import duckdb
import psycopg
from pipeline import AS_OF, make_data, make_workspace, run
from scale import PAID_AGAIN

from tests.support.postgres import running

TABLES = {
    "accounts": "account_id text primary key",
    "bills": "account_id text, bill_id text primary key, issued_on date, due_on date, "
    "amount numeric(18, 2), changed_at timestamptz not null",
    "payments": "payment_id bigint primary key, account_id text, paid_on date, "
    "amount numeric(18, 2), changed_at timestamptz not null",
}
# As it is read from the files: what the database adds is a key, and when a row was written.
SELECTS = {
    "accounts": "select account_id from '{file}'",
    "bills": "select account_id, bill_id, issued_on, due_on, amount, issued_on from '{file}'",
    "payments": "select row_number() over (), account_id, paid_on, amount, paid_on from '{file}'",
}
PAY_AGAIN = f"""
    insert into payments
    select (select max(payment_id) from payments) + row_number() over (), account_id,
        '{AS_OF}', 1.00, timestamptz '{AS_OF} 12:00Z'
    from accounts
    where ('x' || substr(md5(account_id), 1, 6))::bit(24)::int % 100 < {PAID_AGAIN}
    """
INCREMENTAL = """
[source.{table}.incremental]
watermark = "changed_at"
key = "{key}"
"""
WAYS = ("nothing kept", "read as a whole", "by what has changed")


def fill(address: str, data: Path) -> None:
    """Copy the files into the database."""
    with psycopg.connect(address, autocommit=True) as connection, duckdb.connect() as files:
        for table, columns in TABLES.items():
            connection.execute(f"create table {table} ({columns})")
            select = SELECTS[table].format(file=data / f"{table}.parquet")
            csv = data / f"{table}.csv"
            files.execute(f"copy ({select}) to '{csv}' (header false)")
            with (
                connection.cursor().copy(f"copy {table} from stdin (format csv)") as rows,
                csv.open("rb") as file,
            ):
                while chunk := file.read(1 << 20):
                    rows.write(chunk)
            csv.unlink()
            if "changed_at" in columns:
                connection.execute(f"create index on {table} (changed_at)")
            connection.execute(f"vacuum analyze {table}")


def toml(url: str, way: str) -> str:
    """riskseg.toml over the database."""
    settings = f'[workspace]\nstrategy = "rules/household-utility"\n[source]\nurl = "{url}"\n'
    if way == WAYS[0]:
        settings = f"[engine]\nkeep_staged = false\n{settings}"
    for table in TABLES:
        settings += f'[source.{table}]\nfrom = "{table}"\n'
        if way == WAYS[2] and table != "accounts":
            settings += INCREMENTAL.format(table=table, key=f"{table.removesuffix('s')}_id")
    return settings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--dir", type=Path, default=Path("bench-data"))
    given = parser.parse_args()
    root = (given.dir / f"database-{given.accounts}").resolve()
    make_data(root / "data", given.accounts)
    print("| what | way | clock s | processor s | ratio of the clock | GiB |")
    print("|---|---|--:|--:|--:|--:|")
    with running() as url:
        address = url.replace("+psycopg", "")
        fill(address, root / "data")
        make_workspace(root / "trained", root / "data")
        for way in WAYS:
            shutil.rmtree(root / way.replace(" ", "-"), ignore_errors=True)
            shutil.copytree(root / "trained", root / way.replace(" ", "-"))
            (root / way.replace(" ", "-") / "riskseg.toml").write_text(toml(url, way))
        clocks: dict[str, float] = {}
        for what in ("assign", "explain", "assign, day after", "explain, day after"):
            if what == "assign, day after":
                with psycopg.connect(address, autocommit=True) as connection:
                    connection.execute(PAY_AGAIN)
            for way in WAYS:
                workspace = root / way.replace(" ", "-")
                riskseg = [sys.executable, "-m", "riskseg", "-w", str(workspace)]
                words = (
                    ["explain", "A00000007", "--as-of", AS_OF]
                    if what.startswith("explain")
                    else ["assign", "--as-of", AS_OF, "--out", str(workspace / "d.parquet")]
                )
                clock, memory, processor = run([*riskseg, *words])
                ratio = clock / clocks.setdefault(what, clock)
                print(
                    f"| {what} | {way} | {clock:.1f} | {processor:.1f} | {ratio:.2f} "
                    f"| {memory:.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
