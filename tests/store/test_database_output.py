"""Rows in a table of a database: those of a date take the place of those of the same date, in the
table that is there, and nobody sees half."""

from __future__ import annotations

import itertools
import signal
import subprocess
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from riskseg.domain.problems import ProblemsError
from riskseg.run.assign import assign
from riskseg.run.replay import replay
from riskseg.store import sinks
from riskseg.store.sinks import Dated
from tests.support import treated

Run = Callable[..., subprocess.CompletedProcess[str]]

DAY = date(2026, 3, 2)
NEXT = DAY + timedelta(days=1)
SCHEMA = pa.schema([("account_id", pa.string()), ("owed", pa.decimal128(18, 2))])
ROWS = [{"account_id": f"A{n}", "owed": Decimal(n)} for n in range(4)]

_tables = itertools.count()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind, with a table's name that no other test has."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/d.db#decided_{next(_tables)}"
    return f"{request.getfixturevalue('postgres_url')}#decided_{next(_tables)}"


def put(
    url: str,
    day: date | None = DAY,
    rows: list[dict[str, Any]] = ROWS,
    *,
    run: str = "r1",
    key: tuple[str, ...] = ("account_id",),
) -> None:
    batch = pa.RecordBatch.from_pylist(rows, SCHEMA)
    sinks.write(url, SCHEMA, [batch], token=run, dated=None if day is None else Dated(day, key))


def asked(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """The rows of the last of some statements, in which @table stands for the table."""
    address, _, table = url.partition("#")
    engine = sa.create_engine(address, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            result = connection.exec_driver_sql(statement.replace("@table", table))
        return [tuple(row) for row in result] if result.returns_rows else []


def runs_by_day(url: str) -> list[tuple[str, str, int]]:
    query = "select as_of, run_id, count(*) from @table group by 1, 2 order by 1, 2"
    return [(str(day), run, rows) for day, run, rows in asked(url, query)]


def test_rows_of_a_date_take_the_place_of_those_of_the_same_date(url: str) -> None:
    put(url, DAY, run="r1")
    put(url, NEXT, ROWS[:3], run="r2")
    assert runs_by_day(url) == [(str(DAY), "r1", 4), (str(NEXT), "r2", 3)]
    put(url, DAY, ROWS[:2], run="r3")
    assert runs_by_day(url) == [(str(DAY), "r3", 2), (str(NEXT), "r2", 3)]
    put(url, DAY, [], run="r4")
    assert runs_by_day(url) == [(str(NEXT), "r2", 3)]


def test_rows_of_no_date_take_the_place_of_all(url: str) -> None:
    for run in ("r1", "r2"):
        put(url, None, run=run)
    assert asked(url, "select run_id, count(*) from @table group by 1") == [("r2", 4)]


def test_a_table_that_is_made_has_a_key(url: str) -> None:
    put(url)
    address, _, table = url.partition("#")
    inspector = sa.inspect(sa.create_engine(address, poolclass=sa.NullPool))
    key = inspector.get_pk_constraint(table)["constrained_columns"]
    assert sorted(key) == ["account_id", "as_of"]
    with pytest.raises(ProblemsError, match="RS010"):
        put(url, NEXT, [*ROWS, ROWS[0]], run="r2")
    assert runs_by_day(url) == [(str(DAY), "r1", 4)]


def test_views_and_indexes_stay(url: str) -> None:
    put(url)
    view, index = (f"{url.rpartition('#')[2]}_{what}" for what in ("view", "index"))
    asked(url, f"create view {view} as select account_id from @table")
    asked(url, f"create index {index} on @table (owed)")
    put(url, DAY, ROWS[:3], run="r2")
    put(url, NEXT, ROWS[:3], run="r3")
    assert asked(url, f"select count(*) from {view}") == [(6,)]
    address, _, table = url.partition("#")
    inspector = sa.inspect(sa.create_engine(address, poolclass=sa.NullPool))
    assert index in [found["name"] for found in inspector.get_indexes(table)]


def test_grants_stay(postgres_url: str) -> None:
    url = f"{postgres_url}#granted"
    put(url)
    asked(url, "create role reader_of_decisions", "grant select on @table to reader_of_decisions")
    put(url, NEXT, run="r2")
    put(url, DAY, run="r3")
    granted = "select has_table_privilege('reader_of_decisions', '@table', 'select')"
    assert asked(url, granted) == [(True,)]


def test_a_column_that_the_table_lacks_is_named_with_what_adds_it(url: str) -> None:
    asked(url, "create table @table (account_id text, as_of date, remark text)")
    with pytest.raises(ProblemsError) as raised:
        put(url)
    problems = raised.value.problems
    assert [problem.code for problem in problems] == ["RS010", "RS010"]
    assert 'no column "owed"' in problems[0].what and 'no column "run_id"' in problems[1].what
    for problem in problems:
        asked(url, problem.hint[problem.hint.index("ALTER TABLE") :])
    # What the table has beside is left as it is.
    put(url)
    assert asked(url, "select count(*), count(remark) from @table") == [(4, 0)]


@pytest.mark.parametrize(
    ("of_type", "rounds"),
    [
        ("integer", True),
        ("numeric(18, 1)", True),
        ("numeric(12, 2)", False),
        ("numeric", False),
        ("double precision", False),
        ("text", False),
    ],
)
def test_a_column_that_would_round_is_refused(
    postgres_url: str, of_type: str, rounds: bool
) -> None:
    url = f"{postgres_url}#decided_{next(_tables)}"
    asked(url, f"create table @table (account_id text, as_of date, owed {of_type}, run_id text)")
    rows = [{"account_id": "A", "owed": Decimal("10.25")}]
    if not rounds:
        put(url, rows=rows)
        assert [str(Decimal(owed)) for (owed,) in asked(url, "select owed from @table")] == [
            "10.25"
        ]
        return
    with pytest.raises(ProblemsError) as raised:
        put(url, rows=rows)
    (problem,) = raised.value.problems
    assert problem.what.startswith(f'The column "owed" of the table is {of_type.upper()}')
    assert "change the type of the column to NUMERIC(18, 2)." in problem.hint
    assert asked(url, "select count(*) from @table") == [(0,)]


def test_what_fails_half_way_changes_nothing(url: str) -> None:
    put(url)

    def batches() -> Iterator[pa.RecordBatch]:
        yield from [pa.RecordBatch.from_pylist(ROWS, SCHEMA)] * (sinks.GROUP // 4 + 1)
        raise RuntimeError("the work ends here")

    with pytest.raises((RuntimeError, ProblemsError)):
        sinks.write(url, SCHEMA, batches(), token="r2", dated=Dated(DAY))
    assert runs_by_day(url) == [(str(DAY), "r1", 4)]


def test_a_run_that_is_killed_half_way_changes_nothing(run: Run, url: str) -> None:
    put(url)
    killed = run(
        """
        import os, signal, sys
        from datetime import date
        import pyarrow as pa
        from riskseg.store import sinks

        sinks.GROUP = 1000

        def batches():
            for first in range(0, 5000, 1000):
                ids = [f"B{n}" for n in range(first, first + 1000)]
                yield pa.record_batch({"account_id": ids})
            os.kill(os.getpid(), signal.SIGKILL)

        schema = pa.schema([("account_id", pa.string())])
        dated = sinks.Dated(date(2026, 3, 2), ("account_id",))
        sinks.write(sys.argv[1], schema, batches(), token="r2", dated=dated)
        """,
        url,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert runs_by_day(url) == [(str(DAY), "r1", 4)]
    put(url, run="r3")
    assert runs_by_day(url) == [(str(DAY), "r3", 4)]


def test_a_run_is_replayed_from_a_table_of_several_days(tmp_path: Path) -> None:
    workspace = treated.write(
        tmp_path / "w",
        paths={"chase": {"steps": [{"day": 3, "action": "sms"}]}},
        rows={
            "accounts": [{"account_id": f"A{n}", "treatment": "chase"} for n in range(3)],
            "bills": [
                {"account_id": f"A{n}", "bill_id": "B", "due_on": DAY, "amount": 50 + n}
                for n in range(3)
            ],
        },
    )
    url = f"sqlite:///{tmp_path}/d.db#decisions"
    days = [DAY + timedelta(days=3), DAY + timedelta(days=4)]
    done = [assign(workspace, day, url, at=treated.AT, reasons="none") for day in days]
    assert runs_by_day(url) == [
        (str(day), run.run_id, 3) for day, run in zip(days, done, strict=True)
    ]
    assert [replay(workspace, run.run_id).verdict for run in done] == ["same rows"] * 2
