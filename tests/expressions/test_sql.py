"""The SQL itself: quoting, escaping, exact literals, and what differs on Spark."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlglot
from sqlglot import exp

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.expressions import Dialect, Expression, check, quote, to_sql

NASTY = 'a"b`c; drop table accounts --'
SCOPE = {
    fact.name: fact
    for fact in [
        Fact("n", Kind.INTEGER, lower=Decimal(1)),
        Fact("m", Kind.INTEGER),
        Fact("x", Kind.DECIMAL),
        Fact("f", Kind.NUMBER),
        Fact("d", Kind.DATE),
        Fact("t", Kind.TEXT),
        Fact(NASTY, Kind.TEXT),
    ]
}


def checked(text: str) -> Expression:
    problems = Problems()
    expression = check(text, SCOPE, problems, expect="value")
    assert expression is not None, list(map(str, problems))
    return expression


@pytest.mark.parametrize(
    ("text", "duckdb", "spark"),
    [
        ("n > 1", '("n" > 1)', "(`n` > 1)"),
        ("x > 1", '("x" > 1)', "(`x` > 1)"),
        ("x > -0.05", '("x" > (-0.05))', "(`x` > (-0.05))"),
        ("f > 0.05", '("f" > 0.05e0)', "(`f` > 0.05e0)"),
        ("f > 0.000001", '("f" > 1e-06)', "(`f` > 1e-06)"),
        ("f > x", '("f" > cast("x" as double))', "(`f` > cast(`x` as double))"),
        ("n > 2.5", '(cast("n" as decimal(38, 6)) > 2.5)', "(cast(`n` as decimal(38, 6)) > 2.5)"),
        ("t = 'it''s \\'", "(\"t\" = 'it''s \\')", "(`t` = 'it\\'s \\\\')"),
        ("d > '2026-01-31'", "(\"d\" > date '2026-01-31')", "(`d` > date '2026-01-31')"),
        ("d - d", '("d" - "d")', "datediff(`d`, `d`)"),
        ("d - 1", '("d" + cast((-1) as integer))', "date_add(`d`, cast((-1) as int))"),
        ("day_of_week(d)", 'isodow("d")', "(weekday(`d`) + 1)"),
        ("n + m", '(cast("n" as bigint) + cast("m" as bigint))', None),
        (
            "x * x",
            None,
            "cast(cast(`x` as decimal(38, 6)) * cast(`x` as decimal(38, 6)) as decimal(38, 6))",
        ),
        (
            "x / n",
            'cast(cast((cast(cast("x" as decimal(38, 6)) * 1000000 as hugeint) * 10000000) // '
            'nullif(cast(cast("n" as decimal(38, 6)) * 1000000 as hugeint), 0) '
            "as decimal(38, 0)) * 0.0000001 as decimal(38, 6))",
            "cast(cast(`x` as decimal(38, 6)) / nullif(cast(`n` as decimal(38, 6)), 0)"
            " as decimal(38, 6))",
        ),
        ("n not in (1, 2)", '(not ("n" in (1, 2)))', None),
        ("n between 1 and 2", '(("n" >= 1) and ("n" <= 2))', None),
    ],
)
def test_rendering(text: str, duckdb: str | None, spark: str | None) -> None:
    expression = checked(text)
    assert duckdb is None or to_sql(expression) == duckdb
    assert spark is None or to_sql(expression, dialect="spark") == spark


@pytest.mark.parametrize("dialect", ["duckdb", "spark"])
def test_names_and_texts_cannot_break_out(dialect: Dialect) -> None:
    text = "'; drop table accounts -- \\' || x"
    name = NASTY.replace('"', '""')
    sql = to_sql(checked(f"\"{name}\" = '{text.replace(chr(39), chr(39) * 2)}'"), dialect=dialect)
    (parsed,) = sqlglot.parse(f"select {sql}", dialect=dialect)
    assert parsed is not None
    assert [column.name for column in parsed.find_all(exp.Column)] == [NASTY]
    assert [literal.this for literal in parsed.find_all(exp.Literal)] == [text]


def test_the_caller_says_what_stands_for_a_name() -> None:
    assert to_sql(checked("n > m"), lambda name: f"facts.{quote(name)}") == (
        '(facts."n" > facts."m")'
    )


@pytest.mark.parametrize("dialect", ["duckdb", "spark"])
@pytest.mark.parametrize(
    "text",
    [
        "case when n > 1 and not (x < 2 or t in ('a', 'b')) then round(x / 3, 2) * f end",
        "coalesce(nullif(n, 0), m) + floor(x) - ceil(f) + abs(-n)",
        "least(d, '2026-01-01') + n > greatest(d, d - 3)",
        "year(d) + month(d) + day_of_month(d) + day_of_week(d) + days_between(d, '2026-01-01')",
        "(n > 1) is not true or t is null",
    ],
)
def test_each_dialect_reads_its_sql(text: str, dialect: Dialect) -> None:
    sqlglot.parse_one(f"select {to_sql(checked(text), dialect=dialect)}", dialect=dialect)
