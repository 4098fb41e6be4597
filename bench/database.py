"""How long bills take from PostgreSQL into the engine, as a ratio to `COPY … TO STDOUT` of the same
rows, and how much memory that takes: `python bench/database.py [ROWS]`.

The server is the one that the tests start. Reading is done in a process of its own, so that its
memory is that of reading alone; a tenth of the rows is read first, to show what the rows add.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from riskseg.domain.problems import Problems
from riskseg.pipeline.session import open_checked, scratch_engine
from riskseg.sources.describe import map_sources
from tests.support.postgres import running

TOML = """[source]
url = "{url}"
[source.bills]
from = "{table}"
"""
MAKE = """
    create table {table} as
    select 'A' || lpad((n / 10)::text, 8, '0') as account_id,
        'B' || n as bill_id,
        date '2020-01-01' + (n % 2000)::int as due_on,
        (n % 100000 / 100.0)::numeric(12, 2) as amount,
        'a note that nobody reads, of some length' as note
    from generate_series(1, {rows}) as n
    """
READ = "account_id, bill_id, due_on, amount"


def main() -> None:
    if len(sys.argv) > 1 and sys.argv[1] == "read":
        read(Path(sys.argv[2]))
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    with running() as url:
        address = url.replace("+psycopg", "")
        for count in (rows // 10, rows):
            table = f"bills_{count}"
            with psycopg.connect(address, autocommit=True) as connection:
                connection.execute(MAKE.format(table=table, rows=count))
                connection.execute(f"vacuum analyze {table}")
            copied = min(copy(address, table) for _ in range(3))
            with tempfile.TemporaryDirectory() as folder:
                (Path(folder) / "riskseg.toml").write_text(TOML.format(url=url, table=table))
                words = [sys.executable, __file__, "read", folder]
                seconds, before, peak = min(
                    tuple(map(float, subprocess.check_output(words, text=True).split()))
                    for _ in range(3)
                )
            print(
                f"{count:,} bills: COPY {copied:.2f} s, read {seconds:.2f} s, "
                f"ratio {seconds / copied:.2f}; memory {before:.0f} MB before, "
                f"{peak:.0f} MB at most"
            )


def copy(address: str, table: str) -> float:
    """Seconds of a COPY of the columns that are read, which keeps nothing."""
    with psycopg.connect(address) as connection, connection.cursor() as cursor:
        started = time.perf_counter()
        with cursor.copy(f"copy (select {READ} from {table}) to stdout") as rows:
            for _ in rows:
                pass
        return time.perf_counter() - started


def read(folder: Path) -> None:
    """Print the seconds of reading the sources, and the memory before it and at most."""
    workspace, problems = open_checked(folder), Problems()
    with scratch_engine(workspace) as engine:
        before = memory()
        started = time.perf_counter()
        map_sources(engine, workspace, problems)
        seconds = time.perf_counter() - started
        problems.raise_if_any()
    print(seconds, before, memory())


def memory() -> float:
    """The most megabytes that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
