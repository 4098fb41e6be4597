"""Sources in tables that Spark knows, and outputs into such tables."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.run.assign import assign
from riskseg.run.replay import replay
from riskseg.run.score import score
from riskseg.run.worklist import worklist
from riskseg.store.files import own_parts, part_token
from tests.support import portfolio as p
from tests.support import spark as installed

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Copy = Callable[[Path], Path]
pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")
SLOW = pytest.mark.slow
MASTER = "local[2]"
ADDRESS = f"spark://{MASTER}"


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """Spark with a database `risk` of its own."""
    installed.required()
    from riskseg.engine.spark import Spark

    session = Spark(MASTER).session
    folder = tmp_path_factory.mktemp("lakehouse")
    session.sql(f"create database risk location '{folder}'")
    session.conf.set("spark.sql.shuffle.partitions", "1")
    yield session
    session.conf.unset("spark.sql.shuffle.partitions")
    session.sql("drop database risk cascade")


@pytest.fixture(scope="module")
def in_tables(
    session: SparkSession, trained: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The trained workspace, its sources in tables of Spark."""
    workspace = p.copied(trained, tmp_path_factory.mktemp("tables") / "w")
    for table in p.TABLES:
        frame = session.read.csv(str(workspace / f"data/{table}.csv"), header=True)
        frame.write.saveAsTable(f"risk.{table}")
        (workspace / f"data/{table}.csv").unlink()
        p.replace(workspace, "riskseg.toml", f'"data/{table}.csv"', f'"risk.{table}"')
    p.replace(workspace, "riskseg.toml", "[engine]", f'[source]\nurl = "{ADDRESS}"\n\n[engine]')
    return workspace


def decided(workspace: Path, target: str, as_of: date = p.AS_OF, spark: str | None = None) -> str:
    return assign(workspace, as_of, target, at=p.AT, spark=spark).run_id


def test_tables_decide_as_files_do(trained: Path, copy_of: Copy, in_tables: Path) -> None:
    of_files, of_tables = copy_of(trained), copy_of(in_tables)
    decided(of_files, str(of_files / "d.parquet"))
    decided(of_tables, str(of_tables / "d.parquet"), spark=MASTER)
    assert (of_files / "d.parquet").read_bytes() == (of_tables / "d.parquet").read_bytes()


@pytest.mark.parametrize(
    "type_",
    ["timestamp", *(pytest.param(t, marks=SLOW) for t in ("timestamp_ntz", "date", "bigint"))],
)
def test_rows_of_a_table_that_have_changed(
    session: SparkSession, in_tables: Path, copy_of: Copy, type_: str
) -> None:
    """Rows are added; those that were there are read no second time, and decisions are those of
    all rows."""
    table = f"risk.payments_by_{type_}"
    seen = "unix_date(cast(paid_on as date))" if type_ == "bigint" else "paid_on"
    session.sql(
        f"create table {table} as select *, cast({seen} as {type_}) as seen from risk.payments"
    )
    by_changes, whole = copy_of(in_tables), copy_of(in_tables)
    for workspace in (by_changes, whole):
        p.replace(workspace, "riskseg.toml", '"risk.payments"', f'"{table}"')
    with (by_changes / "riskseg.toml").open("a") as toml:
        toml.write('[source.payments.incremental]\nwatermark = "seen"\n')
    decided(by_changes, str(by_changes / "d.parquet"))
    others = {"amount": "'0.01'", "payment_id": "concat('n', payment_id)"}
    listed = ", ".join(others.get(column, column) for column in session.table(table).columns)
    session.sql(f"insert into {table} select {listed} from {table} order by seen desc limit 5")
    for workspace in (by_changes, whole):
        decided(workspace, str(workspace / "d.parquet"))
    assert (by_changes / "d.parquet").read_bytes() == (whole / "d.parquet").read_bytes()
    (state,) = (by_changes / ".riskseg/staged/extracts").glob("kept-payments-*.json")
    changes = json.loads(state.read_text())["changes"]
    assert 5 <= changes["rows"] < session.table(table).count() / 10


def test_decisions_in_a_table(session: SparkSession, in_tables: Path, copy_of: Copy) -> None:
    workspace, before = copy_of(in_tables), p.AS_OF - timedelta(days=7)
    decided(workspace, str(workspace / "d.parquet"))
    target = f"{ADDRESS}#risk.decisions"
    of_day = decided(workspace, target)
    decided(workspace, target, before)
    again = decided(workspace, target, before)

    found = session.table("risk.decisions")
    counts = {tuple(row) for row in found.groupBy("run_id", "as_of").count().collect()}
    wanted = pq.read_table(workspace / "d.parquet")
    assert (of_day, p.AS_OF, wanted.num_rows) in counts
    assert {(run, day) for run, day, _ in counts} == {(of_day, p.AS_OF), (again, before)}
    rows = found.where(f"run_id = '{of_day}'").drop("run_id").select(wanted.column_names)
    assert rows.toArrow().sort_by("account_id").to_pylist() == wanted.to_pylist()
    assert [t.name for t in session.catalog.listTables("risk") if "__" in t.name] == []
    assert replay(workspace, of_day).verdict == "same rows"
    session.sql("alter table risk.decisions drop partition (as_of = date '2026-05-15')")
    assert replay(workspace, of_day).verdict == "different"


def test_every_command_writes_a_table(
    session: SparkSession, in_tables: Path, copy_of: Copy
) -> None:
    workspace = copy_of(in_tables)
    own_parts(workspace)
    killed = subprocess.Popen(["true"])
    killed.wait()
    own, _, _ = part_token().rpartition("_")
    left, kept = f"{own}_{killed.pid}", f"{own}_{os.getppid()}"
    for token in (left, kept):
        session.sql(f"create table risk.scores__riskseg_{token} (n int)")
    for day in (p.AS_OF - timedelta(days=1), p.AS_OF):
        score(workspace, day, f"{ADDRESS}#risk.scores", at=p.AT)
        worklist(workspace, day, f"{ADDRESS}#`risk`.worklist", at=p.AT, by="me")
    assert session.table("risk.scores").select("as_of").distinct().count() == 2
    assert session.table("risk.worklist").where(f"as_of = '{p.AS_OF}'").count() > 0
    beside = [t.name for t in session.catalog.listTables("risk") if "__" in t.name]
    assert beside == [f"scores__riskseg_{kept}"]
    session.sql(f"drop table risk.scores__riskseg_{kept}")


def test_columns_have_no_letter_case_and_are_not_rounded(
    session: SparkSession, in_tables: Path, copy_of: Copy
) -> None:
    workspace, target = copy_of(in_tables), f"{ADDRESS}#risk.upper"
    decided(workspace, target)
    columns = {
        field.name: field.dataType.simpleString()
        for field in session.table("risk.upper").schema.fields
    }
    for changed in ({}, {"balance_overdue": "decimal(18,1)", "priority": "float", "p_late": "int"}):
        types = ", ".join(f"{n.upper()} {t}" for n, t in (columns | changed).items())
        session.sql("drop table risk.upper")
        session.sql(f"create table risk.upper ({types}) using parquet partitioned by (AS_OF)")
        if not changed:
            assert replay(workspace, decided(workspace, target)).verdict == "same rows"
    with pytest.raises(ProblemsError) as raised:
        decided(workspace, target)
    said = sorted(problem.what.split(" of the ")[0] for problem in raised.value.problems)
    assert said == [f'The column "{name}"' for name in ("balance_overdue", "p_late", "priority")]


def test_a_source_is_not_written_over(session: SparkSession, in_tables: Path) -> None:
    with pytest.raises(ProblemsError, match="This would write over the source of bills"):
        decided(in_tables, "spark://#RISK.`Bills`")


def test_what_a_select_cannot_work_out_is_said(in_tables: Path, copy_of: Copy) -> None:
    workspace = copy_of(in_tables)
    select = "select * except (amount), cast(bill_id || 'x' as int) as amount from risk.bills"
    p.replace(workspace, "riskseg.toml", '"risk.bills"', f'"{select}"')
    with pytest.raises(ProblemsError, match=r"RS016 .*CAST_INVALID_INPUT"):
        decided(workspace, str(workspace / "d.parquet"))


def test_a_table_that_does_not_fit_is_a_problem(session: SparkSession, in_tables: Path) -> None:
    session.sql("create table risk.other (account_id string, as_of date)")
    with pytest.raises(ProblemsError) as raised:
        decided(in_tables, f"{ADDRESS}#risk.other")
    said = [problem.what for problem in raised.value.problems]
    assert 'The table has no column "segment".' in said
    assert "The table is not partitioned by as_of alone" in said[-1]
    assert session.table("risk.other").count() == 0


@pytest.mark.parametrize(
    ("target", "code"),
    [
        (f"{ADDRESS}#", "RS010"),
        ("spark://d.parquet", "RS010"),
        (f"{ADDRESS}#nowhere.t", "RS010"),
        (f"{ADDRESS}#a b", "RS010"),
    ],
)
@pytest.mark.usefixtures("session")
def test_a_name_that_is_none(target: str, code: str, in_tables: Path) -> None:
    with pytest.raises(ProblemsError) as raised:
        decided(in_tables, target)
    assert [problem.code for problem in raised.value.problems] == [code]


def test_a_source_that_is_not_there(session: SparkSession, in_tables: Path, copy_of: Copy) -> None:
    workspace = copy_of(in_tables)
    p.replace(workspace, "riskseg.toml", '"risk.bills"', '"risk.bill"')
    with pytest.raises(ProblemsError, match=r"RS006.*There is no table.*risk.*bills"):
        decided(workspace, str(workspace / "d.parquet"))


def test_types_of_spark(session: SparkSession, tmp_path: Path) -> None:
    import pyarrow as pa

    from riskseg.sources.database_opening import open_database
    from riskseg.workspace import Source

    select = """
        select
            cast(0 as decimal(38, 18)) as small,
            cast(12.5 as decimal(12, 2)) as money,
            cast(3 as smallint) as n,
            true as yes,
            date '2026-01-02' as day,
            timestamp '2026-01-02 03:04:05+02:00' as moment,
            timestamp_ntz '2026-01-02 03:04:05' as local,
            array(1, 2) as many,
            cast(null as string) as `a ``b`
    """
    source = Source("bills", select, {}, file="riskseg.toml", url=ADDRESS)
    database = open_database(ADDRESS, source, tmp_path)
    session.conf.set("spark.sql.ansi.enabled", "false")
    try:
        with database.reading(source, database.columns(source)) as batches:
            rows = pa.Table.from_batches(batches).to_pylist()
    finally:
        session.conf.set("spark.sql.ansi.enabled", "true")
    moment = rows[0].pop("moment")
    assert moment.isoformat() == "2026-01-02T01:04:05+00:00"
    assert rows[0].pop("local").isoformat() == "2026-01-02T03:04:05"
    assert rows == [
        {
            "small": "0.000000000000000000",
            "money": "12.50",
            "n": 3,
            "yes": True,
            "day": date(2026, 1, 2),
            "many": "[1,2]",
            "a `b": None,
        }
    ]
