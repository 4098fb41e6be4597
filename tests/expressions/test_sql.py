"""The SQL itself: quoting, escaping and exact literals."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlglot
from sqlglot import exp

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.domain.relations import quoted
from riskseg.expressions import Expression, check, to_sql

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
    ("text", "sql"),
    [
        ("n > 1", '("n" > 1)'),
        ("x > 1", '("x" > 1)'),
        ("x > -0.05", '("x" > (-0.05))'),
        ("f > 0.05", '("f" > 0.05e0)'),
        ("f > 0.000001", '("f" > 1e-06)'),
        ("f > x", '("f" > cast("x" as double))'),
        ("n > 2.5", '(cast("n" as decimal(38, 6)) > 2.5)'),
        ("t = 'it''s \\'", "(\"t\" = 'it''s \\')"),
        ("d > '2026-01-31'", "(\"d\" > date '2026-01-31')"),
        ("d - d", '("d" - "d")'),
        ("d - 1", '("d" + cast((-1) as integer))'),
        ("day_of_week(d)", 'isodow("d")'),
        ("n + m", '(cast("n" as bigint) + cast("m" as bigint))'),
        (
            "x / n",
            'cast(cast((cast(cast("x" as decimal(38, 6)) * 1000000 as hugeint) * 10000000) // '
            'nullif(cast(cast("n" as decimal(38, 6)) * 1000000 as hugeint), 0) '
            "as decimal(38, 0)) * 0.0000001 as decimal(38, 6))",
        ),
        (
            "m / n",
            'cast(cast((cast(cast("m" as bigint) as hugeint) * 10000000) // '
            'nullif(cast(cast("n" as bigint) as hugeint), 0) '
            "as decimal(38, 0)) * 0.0000001 as decimal(38, 6))",
        ),
        ("n not in (1, 2)", '(not ("n" in (1, 2)))'),
        ("n between 1 and 2", '(("n" >= 1) and ("n" <= 2))'),
    ],
)
def test_rendering(text: str, sql: str) -> None:
    assert to_sql(checked(text)) == sql


def test_names_and_texts_cannot_break_out() -> None:
    text = "'; drop table accounts -- \\' || x"
    name = NASTY.replace('"', '""')
    sql = to_sql(checked(f"\"{name}\" = '{text.replace(chr(39), chr(39) * 2)}'"))
    (parsed,) = sqlglot.parse(f"select {sql}", dialect="duckdb")
    assert parsed is not None
    assert [column.name for column in parsed.find_all(exp.Column)] == [NASTY]
    assert [literal.this for literal in parsed.find_all(exp.Literal)] == [text]


def test_the_caller_says_what_stands_for_a_name() -> None:
    assert to_sql(checked("n > m"), lambda name: f"facts.{quoted(name)}") == (
        '(facts."n" > facts."m")'
    )
