"""Expressions as other databases spell them: PostgreSQL and DuckDB against the plain evaluator, the
spelling of each form for each database, and what has none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import duckdb
import psycopg
import pytest
import sqlglot
from hypothesis import assume, given, settings

from riskseg.domain.facts import Kind
from riskseg.expressions import Expression, to_sql
from riskseg.expressions.dialects import DIALECTS, UnknownFormError, Writer, parsed, read
from riskseg.expressions.dialects.forms import (
    BOOLEAN,
    DATE,
    DECIMAL,
    INTEGER,
    NUMBER,
    TEXT,
    Column,
    Form,
    SqlType,
)
from tests.expressions.test_agreement import (
    FACTS,
    QUICK,
    ROWS,
    SCOPE,
    STORED,
    checked,
    evaluate,
    expressions,
)

TYPES: Mapping[Kind, SqlType] = {
    Kind.BOOLEAN: BOOLEAN,
    Kind.INTEGER: INTEGER,
    Kind.DECIMAL: DECIMAL,
    Kind.NUMBER: NUMBER,
    Kind.DATE: DATE,
    Kind.TEXT: TEXT,
    Kind.LEVEL: TEXT,
}
Rows = list[dict[str, Any]]
Run = Callable[[str, Rows], list[Any]]


def form(expression: Expression) -> Form:
    def column(name: str) -> Form:
        return Column(name, TYPES[SCOPE[name].kind], SCOPE[name].nullable)

    return read(parsed(to_sql(expression)), column)


def written(text: str, dialect: str) -> str:
    expression = checked(text)
    assert expression is not None
    return Writer(DIALECTS[dialect]).text(form(expression))


@pytest.fixture(scope="module")
def in_postgres(postgres_url: str) -> Iterator[Run]:
    types = {"double": "double precision", "varchar": "text"}
    columns = ", ".join(f'"{f.name}" {types.get(STORED[f.kind], STORED[f.kind])}' for f in FACTS)
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        connection.execute(f"create temp table facts (n integer, {columns})")

        def run(sql: str, rows: Rows) -> list[Any]:
            connection.execute("delete from facts")
            marks = ", ".join(["%s"] * (len(FACTS) + 1))
            values = [[n, *(row[f.name] for f in FACTS)] for n, row in enumerate(rows)]
            with connection.cursor() as cursor:
                cursor.executemany(f"insert into facts values ({marks})", values)
            found = connection.execute(f"select {sql} from facts order by n")
            return [value for (value,) in found]

        yield run


@pytest.fixture(scope="module")
def in_duckdb() -> Iterator[Run]:
    columns = ", ".join(f'"{fact.name}" {STORED[fact.kind]}' for fact in FACTS)
    with duckdb.connect() as connection:
        connection.execute(f"create table facts (n integer, {columns})")

        def run(sql: str, rows: Rows) -> list[Any]:
            connection.execute("delete from facts")
            marks = ", ".join("?" * (len(FACTS) + 1))
            values = [[n, *(row[f.name] for f in FACTS)] for n, row in enumerate(rows)]
            connection.executemany(f"insert into facts values ({marks})", values)
            found = connection.execute(f"select {sql} from facts order by n").fetchall()
            return [value for (value,) in found]

        yield run


def agrees(run: Run, dialect: str, text: str, rows: Rows) -> None:
    expression = checked(text)
    assume(expression is not None)
    assert expression is not None
    try:
        sql = Writer(DIALECTS[dialect]).text(form(expression))
    except UnknownFormError:
        assert "round" in text
        assume(False)
        return
    assert run(sql, rows) == [evaluate(expression.tree, row) for row in rows], sql


@settings(QUICK, max_examples=150)
@given(text=expressions(), rows=ROWS)
def test_postgres_agrees_with_the_plain_evaluator(in_postgres: Run, text: str, rows: Rows) -> None:
    agrees(in_postgres, "postgres", text, rows)


@settings(QUICK, max_examples=100)
@given(text=expressions(), rows=ROWS)
def test_duckdb_agrees_with_the_plain_evaluator(in_duckdb: Run, text: str, rows: Rows) -> None:
    agrees(in_duckdb, "duckdb", text, rows)


@settings(QUICK, max_examples=60)
@given(text=expressions())
def test_every_database_can_read_what_is_written_for_it(text: str) -> None:
    expression = checked(text)
    assume(expression is not None)
    assert expression is not None
    for name, dialect in DIALECTS.items():
        try:
            sql = Writer(dialect).text(form(expression))
        except UnknownFormError:
            continue
        sqlglot.parse_one(f"select {sql}", dialect=name)


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        (
            "as_of - d > 3",
            {
                "duckdb": "as_of - d > 3",
                "postgres": "as_of - d > 3",
                "snowflake": "datediff('day', d, as_of) > 3",
                "bigquery": "date_diff(as_of, d, day) > 3",
                "spark": "datediff(as_of, d) > 3",
            },
        ),
        (
            "d + i",
            {
                "duckdb": "d + cast(i as integer)",
                "postgres": "d + cast(i as integer)",
                "snowflake": "dateadd('day', i, d)",
                "bigquery": "date_add(d, interval i day)",
                "spark": "date_add(d, cast(i as int))",
            },
        ),
        (
            "day_of_week(d)",
            {
                "duckdb": "isodow(d)",
                "postgres": "cast(extract(isodow from d) as bigint)",
                "snowflake": "dayofweekiso(d)",
                "bigquery": "(mod(extract(dayofweek from d) + 5, 7) + 1)",
                "spark": "(weekday(d) + 1)",
            },
        ),
        (
            "a > 0.05",
            {"postgres": "a > 0.05", "bigquery": "a > bignumeric '0.05'", "spark": "a > 0.05"},
        ),
        (
            "g > 0.05",
            {
                "postgres": "g > float8 '0.05e0'",
                "snowflake": "g > 0.05e0::double",
                "bigquery": "g > 0.05e0",
            },
        ),
        (
            "t = 'O''Brien\\'",
            {
                "duckdb": "t = 'O''Brien\\'",
                "postgres": "t = 'O''Brien\\'",
                "snowflake": "t = 'O\\'Brien\\\\'",
                "bigquery": "t = 'O\\'Brien\\\\'",
                "spark": "t = 'O\\'Brien\\\\'",
            },
        ),
        (
            "round(b * 2, 2) > 0",
            {
                "postgres": "cast(cast(cast(cast(b as numeric(38, 6)) * cast(2 as numeric(38, 6)) "
                "as numeric(38, 6)) as numeric(38, 2)) as numeric(38, 6)) > 0",
            },
        ),
        ("not (j > 1 and z)", dict.fromkeys(DIALECTS, "not (j > 1 and z)")),
        ("y or (z and j > 1)", dict.fromkeys(DIALECTS, "y or (z and j > 1)")),
        ("i is not null or y is null", dict.fromkeys(DIALECTS, "i is not null or y is null")),
        ("i not in (1, 2)", dict.fromkeys(DIALECTS, "i not in (1, 2)")),
    ],
)
def test_spelling(text: str, spelled: Mapping[str, str]) -> None:
    lines = {name: " ".join(written(text, name).split()) for name in spelled}
    assert {name: re.sub(r"(?<=\() | (?=\))", "", line) for name, line in lines.items()} == spelled


@pytest.mark.parametrize(
    ("sql", "spelled"),
    [
        (
            "greatest(d, as_of)",
            {
                "postgres": "greatest(d, as_of)",
                "snowflake": "greatest_ignore_nulls(d, as_of)",
                "bigquery": "greatest(coalesce(d, as_of), coalesce(as_of, d))",
            },
        ),
        (
            "concat_ws(';', s, t)",
            {
                "postgres": "concat_ws(';', s, t)",
                "snowflake": "array_to_string(array_construct_compact(s, t), ';')",
                "bigquery": "array_to_string([s, t], ';')",
                "spark": "concat_ws(';', s, t)",
            },
        ),
        (
            "(j - 3) // 7",
            {
                "duckdb": "(j - 3) // 7",
                "postgres": "(j - 3) / 7",
                "snowflake": "cast(((j - 3) - mod(j - 3, 7)) / 7 as number(38, 0))",
                "bigquery": "div(j - 3, 7)",
                "spark": "(j - 3) div 7",
            },
        ),
        (
            "(array['a', 'b', 'a'])[j]",
            {"duckdb": "case when j in (1, 3) then 'a' when j = 2 then 'b' end"},
        ),
        ("case when true then s else t end", {"postgres": "s"}),
        (
            "case when j = 1 then 'a' else case when j = 2 then 'b' else 'c' end end",
            {"postgres": "case when j = 1 then 'a' when j = 2 then 'b' else 'c' end"},
        ),
        ("j + 0 - -3", {"postgres": "j + 3"}),
        ("j - (k - 3)", {"postgres": "j - (k - 3)"}),
        ("(y) is not true", {"postgres": "not coalesce(y, false)"}),
        ("coalesce(z, false)", {"postgres": "z"}),
        ("i - 1 between 1 and j", {"postgres": "i - 1 between 1 and j"}),
    ],
)
def test_spelling_of_what_no_author_writes(sql: str, spelled: Mapping[str, str]) -> None:
    whole = read(
        parsed(sql), lambda name: Column(name, TYPES[SCOPE[name].kind], SCOPE[name].nullable)
    )
    assert {name: Writer(DIALECTS[name]).text(whole) for name in spelled} == dict(spelled)


@pytest.mark.parametrize(
    "sql",
    ["j % 2", "upper(t)", "(select 1)", "t like 'a%'", "t < 1 + d", "b / j", "count(*)", "x.j"],
)
def test_what_is_not_on_the_list_is_refused(sql: str) -> None:
    with pytest.raises(UnknownFormError):
        read(parsed(sql), lambda name: Column(name, TYPES[SCOPE[name].kind]))


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "duckdb"])
def test_a_float_is_not_rounded_elsewhere(dialect: str) -> None:
    with pytest.raises(UnknownFormError, match="round"):
        written("round(g, 2)", dialect)


NASTY = ('a"b', "a`b", "a\\b", "group", "Ünal", "1st", "a b", "")


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_names_cannot_break_out(dialect: str, name: str) -> None:
    quoted = DIALECTS[dialect].quoted(name)
    (parsed_select,) = sqlglot.parse(f"select {quoted}", dialect=dialect)
    assert parsed_select is not None
    (column,) = parsed_select.expressions
    assert column.name.lower() == name.lower()


def test_long_forms_are_written_over_several_lines() -> None:
    text = " or ".join(f"(j > {n} and t = '{'x' * 20}')" for n in range(4))
    lines = written(f"case when {text} then 'a' else 'b' end", "postgres").splitlines()
    assert lines[0] == "case"
    assert lines[-1] == "end"
    assert max(map(len, lines)) <= 100
