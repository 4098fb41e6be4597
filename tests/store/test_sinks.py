from __future__ import annotations

import csv
import datetime as dt
import gzip
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql

from riskseg.domain.problems import Problems, ProblemsError
from riskseg.store import sinks
from riskseg.store.files import sha256_of, sweep
from riskseg.store.sinks import Written, check, write
from riskseg.store.sinks import database_tables as database
from tests.support.sampled import one_in

Run = Callable[..., subprocess.CompletedProcess[str]]

RUN_ID = "r1"
ENDINGS = [".parquet", ".csv", ".csv.gz", ".json", ".jsonl"]

SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("as_of", pa.date32()),
        ("balance", pa.decimal128(18, 2)),
        ("ratio", pa.decimal128(38, 10)),
        ("step", pa.int32()),
        ("live", pa.bool_()),
        ("number", pa.float64()),
        ("segment", pa.dictionary(pa.int8(), pa.string())),
        ("reasons", pa.list_(pa.string())),
    ],
    metadata={"made": "by chance"},
)
ROWS: list[dict[str, Any]] = [
    {
        "account_id": 'A,"1"\n\u2028é\x01\\',
        "as_of": dt.date(2026, 3, 2),
        "balance": Decimal("-31.20"),
        "ratio": Decimal("0.0000000001"),
        "step": 3,
        "live": True,
        "number": 0.1,
        "segment": "self_cure",
        "reasons": ["owes, much", 'said "no"'],
    },
    {
        "account_id": "",
        "as_of": dt.date(1999, 12, 31),
        "balance": Decimal("0.00"),
        "ratio": Decimal("0E-10"),
        "step": 0,
        "live": False,
        "number": float("nan"),
        "segment": "standard",
        "reasons": [],
    },
    dict.fromkeys(SCHEMA.names),
    {
        "account_id": "A3",
        "as_of": dt.date(2026, 3, 2),
        "balance": Decimal("9999999999999999.99"),
        "ratio": Decimal("-9999999999999999999999999999.0000000001"),
        "step": -1,
        "live": True,
        "number": 1e-9,
        "segment": "self_cure",
        "reasons": ["x"],
    },
]
CSV = (
    "account_id,as_of,balance,ratio,step,live,number,segment,reasons\n"
    '"A,""1""\n\u2028é\x01\\",2026-03-02,-31.20,0.0000000001,3,true,0.1,self_cure,'
    '"[""owes, much"", ""said \\""no\\""""]"\n'
    '"",1999-12-31,0.00,0.0000000000,0,false,nan,standard,[]\n'
    ",,,,,,,,\n"
    "A3,2026-03-02,9999999999999999.99,-9999999999999999999999999999.0000000001,-1,true,1e-9,"
    'self_cure,"[""x""]"\n'
)


def batches(rows: list[dict[str, Any]] = ROWS, sizes: tuple[int, ...] = ()) -> Iterator[Any]:
    """Rows in batches of `sizes`, the rest in one more; each with its own dictionary."""
    start = 0
    for size in (*sizes, len(rows)):
        yield pa.RecordBatch.from_pylist(rows[start : start + size], SCHEMA)
        start += size


def put(target: object, rows: list[dict[str, Any]] = ROWS, sizes: tuple[int, ...] = ()) -> Written:
    return write(str(target), SCHEMA, batches(rows, sizes), token=RUN_ID)


def as_json(row: dict[str, Any]) -> dict[str, Any]:
    """What a row is when JSON has been read with exact numbers."""
    row = dict(row)
    row["as_of"] = row["as_of"] and row["as_of"].isoformat()
    number = row["number"]
    row["number"] = None if number is None or number != number else Decimal(repr(number))
    return row


def exact(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def test_csv(tmp_path: Path) -> None:
    written = put(tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes().decode() == CSV
    assert written == Written(str(tmp_path / "out.csv"), len(ROWS), sha256_of(tmp_path / "out.csv"))
    with (tmp_path / "out.csv").open(newline="") as file:
        read = list(csv.DictReader(file))
    assert [row["account_id"] for row in read] == [row["account_id"] or "" for row in ROWS]
    assert json.loads(read[0]["reasons"]) == ROWS[0]["reasons"]


def test_csv_gz_tells_neither_name_nor_time(tmp_path: Path) -> None:
    put(tmp_path / "out.csv.gz")
    packed = (tmp_path / "out.csv.gz").read_bytes()
    assert gzip.decompress(packed).decode() == CSV
    assert packed[3:8] == bytes(5)  # no flags, no time


def test_json_lines(tmp_path: Path) -> None:
    put(tmp_path / "out.jsonl")
    lines = (tmp_path / "out.jsonl").read_text().removesuffix("\n").split("\n")
    assert [exact(line) for line in lines] == [as_json(row) for row in ROWS]
    assert '"balance":-31.20,"ratio":0.0000000001,' in lines[0]


def test_json(tmp_path: Path) -> None:
    put(tmp_path / "out.json")
    assert exact((tmp_path / "out.json").read_text()) == [as_json(row) for row in ROWS]


def test_parquet(tmp_path: Path) -> None:
    put(tmp_path / "out.parquet")
    read = pq.read_table(tmp_path / "out.parquet")
    assert read.schema.field("segment").type == pa.string()
    assert b"made" not in (read.schema.metadata or {})
    whole = read.drop_columns("number").to_pylist()
    assert whole == [{k: v for k, v in row.items() if k != "number"} for row in ROWS]


def test_parquet_has_row_groups_of_100_000(tmp_path: Path) -> None:
    schema = pa.schema([("n", pa.int64())])
    sizes = [1, 99_998, 2, 150_000, 0]
    numbers = iter(range(sum(sizes)))
    parts = [pa.record_batch([[next(numbers) for _ in range(n)]], schema=schema) for n in sizes]
    write(str(tmp_path / "a.parquet"), schema, parts, token=RUN_ID)
    found = pq.ParquetFile(tmp_path / "a.parquet")
    groups = [found.metadata.row_group(i).num_rows for i in range(found.num_row_groups)]
    assert groups == [100_000, 100_000, 50_001]
    assert found.read()["n"].to_pylist() == list(range(250_001))


def test_groups_are_passed_on_as_soon_as_they_are_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sinks, "GROUP", 3)
    schema = pa.schema([("n", pa.int64())])
    taken = []

    def parts() -> Iterator[Any]:
        for size in (1, 1, 5, 0, 4):
            taken.append(size)
            yield pa.record_batch([[0] * size], schema=schema)

    found = [(table.num_rows, len(taken)) for table in sinks._groups(parts(), schema, schema)]
    assert found == [(3, 3), (3, 3), (3, 5), (2, 5)]


@pytest.mark.parametrize(
    ("values", "kind", "text"),
    [
        (["0", "-7", "120"], pa.decimal128(5, 0), ["0", "-7", "120"]),
        (["100", "-2300"], pa.decimal128(5, -2), ["100", "-2300"]),
        (["0.01", "-0.01", "5.00"], pa.decimal128(3, 2), ["0.01", "-0.01", "5.00"]),
        (["0.0000001", "-0E-9"], pa.decimal256(76, 9), ["0.000000100", "0.000000000"]),
        ([True, False], pa.bool_(), ["true", "false"]),
        (["2026-03-02"], pa.date32(), ["2026-03-02"]),
        ([None], pa.null(), [""]),
    ],
)
def test_values_as_text(tmp_path: Path, values: list[Any], kind: Any, text: list[str]) -> None:
    if pa.types.is_decimal(kind):
        values = [Decimal(value) for value in values]
    elif pa.types.is_date(kind):
        values = [dt.date.fromisoformat(value) for value in values]
    # A slice of a longer array, as engines hand them out.
    column = pa.array([*values[:1], *values], kind).slice(1)
    batch = pa.record_batch({"n": range(len(text)), "v": column})
    write(str(tmp_path / "a.csv"), batch.schema, [batch], token=RUN_ID)
    lines = (tmp_path / "a.csv").read_text().splitlines()[1:]
    assert lines == [f"{n},{value}" for n, value in enumerate(text)]


@pytest.mark.parametrize("value", ["\t", "\x00", "\x1f", "\\", '"', "\x7fé\u2028", "plain"])
def test_any_text_is_json(tmp_path: Path, value: str) -> None:
    batch = pa.record_batch({'a "key"': [value, None]})
    write(str(tmp_path / "a.jsonl"), batch.schema, [batch], token=RUN_ID)
    lines = (tmp_path / "a.jsonl").read_bytes().decode().removesuffix("\n").split("\n")
    assert [json.loads(line) for line in lines] == [{'a "key"': value}, {'a "key"': None}]


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_rows(tmp_path: Path, ending: str) -> None:
    target = tmp_path / f"out{ending}"
    assert put(target, []).rows == 0
    raw = gzip.decompress(target.read_bytes()) if ending == ".csv.gz" else target.read_bytes()
    if ending == ".parquet":
        assert pq.read_table(target).num_rows == 0
        assert pq.read_table(target).column_names == SCHEMA.names
    else:
        head = CSV.split("\n")[0] + "\n"
        expected = {".csv": head, ".csv.gz": head, ".json": "[\n]\n", ".jsonl": ""}
        assert raw.decode() == expected[ending]


@settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    sizes=st.lists(st.integers(0, 5), max_size=6),
    picks=st.lists(st.integers(0, len(ROWS) - 1), max_size=20),
    group=st.integers(1, 7),
)
def test_bytes_do_not_depend_on_batches(
    tmp_path: Path, sizes: list[int], picks: list[int], group: int
) -> None:
    rows = [ROWS[i] for i in picks]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sinks, "GROUP", group)
        for ending in ENDINGS:
            one = put(tmp_path / f"one{ending}", rows)
            other = put(tmp_path / f"other{ending}", rows, tuple(sizes))
            assert (one.sha256, one.rows) == (other.sha256, len(rows))


def test_a_batch_of_another_shape_is_an_error_and_writes_nothing(tmp_path: Path) -> None:
    other = pa.record_batch({"x": [1]})
    with pytest.raises(pa.ArrowInvalid):
        write(str(tmp_path / "out.csv"), SCHEMA, [other], token=RUN_ID)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (
            "out.txt",
            "Use one of .parquet, .csv, .csv.gz, .json, .jsonl, .xlsx, or a URL such as",
        ),
        ("out", "Use one of .parquet"),
        ("out.parquet.gz", "Use one of .parquet"),
        ("absent/out.csv", "absent does not exist"),
        ("folder.csv", "This is a folder"),
        ("sqlite:///x.db", "Add #table at its end."),
        ("sqlite:///x.db#", "Add #table at its end."),
        ("postgresql://ann:secret@host/db", "postgresql://ann:***@host/db: A database URL must"),
        ("://ann:secret@host#t", "://ann:***@host: This is not a database URL."),
        ("sqlite:///absent/x.db#t", "absent does not exist"),
        ("nosuch://ann:secret@host/x#t", '"nosuch" is not a kind of database that is known here.'),
        ("mysql+pymysql://ann:secret@host/x#t", 'The driver "pymysql" is not installed.'),
    ],
)
def test_a_target_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "pymysql", None)  # as if it were not installed
    Path("folder.csv").mkdir()

    def untouched() -> Iterator[Any]:
        pytest.fail("the work must not begin")
        yield

    with pytest.raises(ProblemsError) as raised:
        write(target, SCHEMA, untouched(), token=RUN_ID)
    (found,) = raised.value.problems
    assert found.code == ("RS024" if "not installed" in says else "RS010")
    assert says in str(found)
    assert "secret" not in str(found)
    problems = Problems()
    check(target, problems)
    assert list(problems) == [found]
    assert [p.name for p in tmp_path.iterdir()] == ["folder.csv"]


def read(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def test_a_database_table_is_exact(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db#decisions"
    assert put(url, sizes=(1, 2)) == Written(url, len(ROWS), None)
    columns = ", ".join(SCHEMA.names)
    found = read(tmp_path / "x.db", f"SELECT {columns}, typeof(balance) FROM decisions")
    assert [row[0] for row in found] == [row["account_id"] for row in ROWS]
    first, _, nulls, last = found
    assert first[1:] == (
        "2026-03-02",
        "-31.20",
        "0.0000000001",
        3,
        1,
        0.1,
        "self_cure",
        '["owes, much", "said \\"no\\""]',
        "text",
    )
    assert nulls[:-1] == (None,) * len(SCHEMA)
    assert last[2:4] == ("9999999999999999.99", "-9999999999999999999999999999.0000000001")


def test_a_larger_database_gets_types_of_its_own() -> None:
    columns = [sa.Column(f.name, database._type(f.type)) for f in sinks._plain(SCHEMA)]
    dialect = postgresql.dialect()
    assert {c.name: c.type.compile(dialect=dialect) for c in columns} == {
        "account_id": "TEXT",
        "as_of": "DATE",
        "balance": "NUMERIC(18, 2)",
        "ratio": "NUMERIC(38, 10)",
        "step": "BIGINT",
        "live": "BOOLEAN",
        "number": "DOUBLE PRECISION",
        "segment": "TEXT",
        "reasons": "TEXT",
    }
    bind = columns[2].type.process_bind_param
    assert bind(Decimal("31.20"), dialect) == Decimal("31.20")


def test_a_reader_of_the_database_sees_the_old_table_until_the_end(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    url = f"sqlite:///{path}#decisions"
    put(url, ROWS[:1])

    def watched() -> Iterator[Any]:
        for batch in batches(ROWS * 2, (3, 3)):
            assert read(path, "SELECT count(*) FROM decisions") == [(1,)]
            yield batch

    assert write(url, SCHEMA, watched(), token=RUN_ID).rows == 2 * len(ROWS)
    assert read(path, "SELECT count(*) FROM decisions") == [(2 * len(ROWS),)]


def test_a_database_that_refuses(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("This is a text and no database at all. " * 40)
    with pytest.raises(ProblemsError, match=r"RS010 .*refuses: file is not a database"):
        put(f"sqlite:///{tmp_path}/x.db#decisions")
    columns = ", 1 AS ".join(SCHEMA.names)
    with closing(sqlite3.connect(tmp_path / "y.db")) as connection:
        connection.execute(f"CREATE VIEW decisions AS SELECT 1 AS {columns}, 'r' AS run_id")
    with pytest.raises(ProblemsError, match=r"RS010 .*refuses: .*decisions"):
        put(f"sqlite:///{tmp_path}/y.db#decisions")
    assert read(tmp_path / "y.db", "SELECT name FROM sqlite_master") == [("decisions",)]


@pytest.mark.parametrize("old", [True, False])
@pytest.mark.parametrize("target", one_in(3, ["x.db", *(f"out{e}" for e in ENDINGS)]))
def test_killed_in_the_middle_nobody_sees_half(
    run: Run, tmp_path: Path, target: str, old: bool
) -> None:
    path = tmp_path / target
    url = f"sqlite:///{path}#decisions" if target == "x.db" else str(path)
    if old:
        put(url, ROWS[:1])
    before = path.read_bytes() if old else None
    reported = run(
        """
        import os, signal, sys
        import pyarrow as pa
        from riskseg.store import sinks

        sinks.GROUP = 1000
        batch = pa.record_batch({"step": list(range(1000))})

        def batches():
            yield from [batch] * 20
            os.kill(os.getpid(), signal.SIGKILL)

        sinks.write(sys.argv[1], batch.schema, batches(), token="r1")
        """,
        url,
    )
    assert reported.returncode == -signal.SIGKILL, reported.stderr
    if target == "x.db":
        seen = read(path, "SELECT name FROM sqlite_master")
        assert seen == ([("decisions",)] if old else [])
        assert not old or read(path, "SELECT count(*) FROM decisions") == [(1,)]
    else:
        assert (path.read_bytes() if path.exists() else None) == before
        assert len(sweep([tmp_path])) == 1
    put(url)
    assert sorted(p.name for p in tmp_path.iterdir()) == [target]
