"""Statements are logged, and written to a file in a form that people can read."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from riskseg.engine import DuckDB, EngineError, sql_written, syntax_tree
from riskseg.engine.sql_file import laid_out

STATEMENT = (
    "with a as (select x, count(*) filter (where y is distinct from z) over (partition by q order "
    "by r) as n from foo f asof left join bar b on b.x >= f.x and exists (select 1 from t where w "
    "= 'it''s  from  here') where not f.q group by x, f.y), "
    '"from  where" as (select 1 as "a  b") select'
    " * exclude (x), extract(year from d) from a union all select 1, 2 order by 1 limit 3"
)
LAID_OUT = """\
with a as (
  select x, count(*) filter (where y is distinct from z) over (partition by q order by r) as n
  from foo f
  asof left join bar b on b.x >= f.x and exists (
    select 1
    from t
    where w = 'it''s  from  here'
  )
  where not f.q
  group by x, f.y
),
"from  where" as (
  select 1 as "a  b"
)
select * exclude (x), extract(year from d)
from a
union all
select 1, 2
order by 1
limit 3"""


def without_places(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {k: without_places(v) for k, v in tree.items() if not k.startswith("query_loc")}
    return [without_places(v) for v in tree] if isinstance(tree, list) else tree


def test_a_clause_has_a_line_and_the_statement_stays_the_same() -> None:
    assert laid_out(STATEMENT) == LAID_OUT
    assert without_places(syntax_tree(LAID_OUT)) == without_places(syntax_tree(STATEMENT))
    assert laid_out(LAID_OUT) == LAID_OUT


def test_a_long_list_is_wrapped() -> None:
    columns = ", ".join(f"a_column_of_some_length_{i}" for i in range(20))
    lines = laid_out(f"select {columns} from t").splitlines()
    assert all(len(line) < 130 for line in lines) and len(lines) > 4
    assert " ".join(" ".join(lines).split()) == f"select {columns} from t"


@pytest.mark.parametrize(
    "sql",
    ["select $$a  from  b$$", "select (a -- by  hand\n) from t", "select e'\\'  from  ' from t"],
)
def test_what_cannot_be_reported_apart_is_left_as_it_is(sql: str) -> None:
    assert laid_out(sql) == sql


def test_every_way_of_asking_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with DuckDB() as engine, caplog.at_level(logging.DEBUG, "riskseg.engine"):
        engine.run("create table t as select range as x from range(5)")
        engine.run("insert into t select 7")
        engine.run("create view v as select * from t")
        assert engine.rows("select x from t where x > 3") == [(4,), (7,)]
        assert engine.value("select max(x) from v") == 7
        assert engine.arrow("select x from t").num_rows == 6
        assert sum(batch.num_rows for batch in engine.batches("select x from t limit 2")) == 2
        with pytest.raises(EngineError):
            engine.run("select no_column from t")
    logged = [(vars(record)["sql"], vars(record)["rows"]) for record in caplog.records]
    assert logged == [
        ("create table t as select range as x from range(5)", 5),
        ("insert into t select 7", 1),
        ("create view v as select * from t", None),
        ("select x from t where x > 3", 2),
        ("select max(x) from v", 1),
        ("select x from t", 6),
        ("select x from t limit 2", 2),
        ("select no_column from t", None),
    ]
    assert all(vars(record)["seconds"] >= 0 for record in caplog.records)


def test_a_file_of_statements_can_be_run_again(tmp_path: Path) -> None:
    place = tmp_path / "run.sql"
    with DuckDB() as engine:
        with sql_written(place):
            engine.run("\n  create table\n  t as select range as x from range(1200)\n")
            engine.rows("select count(*) from t")
        engine.run("create table later as select 1")
    text = place.read_text()
    assert text.startswith("-- t · 1,200 rows · ")
    assert "-- select · 1 rows · " in text and "later" not in text
    statements = [part for part in text.split(";\n\n") if part]
    with DuckDB() as engine:
        for statement in statements:
            engine.run(statement)
        assert engine.value("select count(*) from t") == 1200
    assert not logging.getLogger("riskseg.engine").handlers


def test_a_table_of_arrow_can_be_read() -> None:
    with DuckDB() as engine:
        engine.register("given", pa.table({"a": [1, 2]}))
        assert engine.value("select sum(a) from given") == 3
        engine.unregister("given")
        with pytest.raises(EngineError):
            engine.rows("select * from given")
