"""The engine's door: what it must not do by itself, and what nobody gets it to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from riskseg.domain.column_types import ColumnType
from riskseg.domain.relations import Relation, chained
from riskseg.engine import DuckDB, DuplicateColumnsError, EngineError, NoRoomError, syntax_tree
from riskseg.engine.duck import _refusals
from riskseg.pipeline.contracts import build


def test_nothing_is_drawn_on_stdout() -> None:
    """DuckDB shows a progress bar there where the program has no file, as in a notebook."""
    program = (
        "from riskseg.engine import DuckDB, Engine\n"
        "with DuckDB() as engine:\n"
        "    print(engine.value(\"select current_setting('enable_progress_bar')\"))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('{other}')",
        "select * from '{other}'",
        "select * from read_text('{other}')",
        "select * from glob('{folder}/*')",
        "copy (select 1) to '{folder}/out.csv'",
        "copy (select 1) to '{allowed}'",
        "attach '{folder}/out.db'",
        "export database '{folder}/out'",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "set allowed_paths = ['{other}']",
        "reset threads",
        "install httpfs",
        "load httpfs",
        "create secret (type s3)",
        "select 1; select 2",
        "",
    ],
)
@pytest.mark.parametrize("call", ["run", "rows", "arrow", "batches", "columns"])
def test_the_engine_is_locked(tmp_path: Path, sql: str, call: str) -> None:
    allowed, other = tmp_path / "allowed.csv", tmp_path / "other.csv"
    for file in (allowed, other):
        file.write_text("a\n1\n")
    text = sql.format(folder=tmp_path, allowed=allowed, other=other)
    with DuckDB(tmp_path / "scratch", reads=[allowed]) as engine:
        with pytest.raises(EngineError):
            list(getattr(engine, call)(f"({text})" if call == "columns" else text) or ())
        read = f"select * from read_csv({engine.file(allowed)}, all_varchar = true)"
        assert engine.rows(read) == [("1",)]
    assert allowed.read_text() == "a\n1\n"
    assert not list(tmp_path.glob("out*"))


def test_no_variable_of_the_process_is_a_table() -> None:
    import pyarrow as pa

    mine = pa.table({"a": [1]})
    with DuckDB() as engine, pytest.raises(EngineError, match="mine"):
        engine.rows("select * from mine")
    assert mine.num_rows == 1


@pytest.mark.parametrize(
    "name",
    ["a b", "a,b", "a[b]", "a?b", "a*b", "a\\b", "it's", 'a"b', "[!a]*?\\", "a\nb", "k=v", "-x"],
)
def test_a_file_is_read_whatever_its_path_holds(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    file, beside = folder / f"{name}.csv", folder / "b.csv"
    file.write_text("a\nright\n")
    beside.write_text("a\nwrong\n")
    with DuckDB(reads=[file]) as engine:
        assert engine.rows(f"select a from read_csv({engine.file(file)})") == [("right",)]


@pytest.mark.parametrize(
    "relations",
    [
        [Relation("r", "select 1 as a, 2 as A", materialized=True)],
        [
            Relation("q", "select 1 as a, 2 as a"),
            Relation("r", "select a from q", materialized=True),
        ],
        [
            Relation("q", "select 1 as a, 2 as b"),
            Relation("r", "select *, 3 as B from q", materialized=True),
        ],
    ],
)
def test_a_relation_with_two_columns_of_one_name_is_refused(relations: list[Relation]) -> None:
    with DuckDB() as engine, pytest.raises(DuplicateColumnsError):
        build(engine, relations)


def test_a_relation_is_described_anew_where_it_may_hold_other_columns() -> None:
    """And not where nothing but the date, or a table that it does not name, is another one."""

    def of(day: str) -> list[Relation]:
        return [Relation("q", f"select *, date '{day}' as day from t"), Relation("r", "from q")]

    described: list[str] = []

    class Counting(DuckDB):
        def _describe(self, select: str) -> list[tuple[str, ColumnType]]:
            described.append(select)
            return super()._describe(select)

    for beside, (column, asked) in enumerate((("a", 1), ("a", 1), ("b", 2))):
        with Counting() as engine:
            engine.run(f"create temp table t as select 1 as {column}")
            engine.run(f"create temp table unnamed as select 1 as column_{beside}")
            # `q` names neither of these, though its text holds their letters.
            engine.run(f"create temp table da as select 1 as column_{beside}")
            for day in ("2026-01-01", "2026-01-02"):
                columns = engine.columns_of_each(of(day))
                assert [list(names) for names in columns] == [[column, "day"]] * 2
        assert len(described) == asked


def test_a_statement_holds_the_relations_that_it_is_made_from() -> None:
    relations = [
        Relation("bills", "select 1 as a"),
        Relation("late_bills", "select * from bills"),
        Relation("paid", "select 2 as a"),
        Relation("wanted", "select * from late_bills"),
    ]
    assert chained(relations) == (
        "with bills as (select 1 as a), late_bills as (select * from bills) "
        "select * from late_bills"
    )
    assert chained([*relations[1:3], Relation("wanted", "select paid.a from paid")]) == (
        "with paid as (select 2 as a) select paid.a from paid"
    )


def test_a_syntax_tree_is_of_one_select() -> None:
    assert syntax_tree("select 1;")["type"] == "SELECT_NODE"
    for text in ("select 1; select 2", "drop table a", "", "select", "select " + "[" * 900):
        with pytest.raises(EngineError):
            syntax_tree(text)
    with pytest.raises(EngineError, match="nested too deeply"):
        syntax_tree("select " + "[" * 900 + "1" + "]" * 900)


def test_a_full_disk_is_no_fault_of_the_statement() -> None:
    full = duckdb.IOException('Could not write file "x.wal": No space left on device')
    with pytest.raises(NoRoomError), _refusals():
        raise full
