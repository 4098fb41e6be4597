"""The terms of z3 against the engine's SQL: the same three-valued answer for random expressions
and accounts. The quick run takes some hundreds, the slow one ten thousand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import duckdb
import pytest
import z3
from hypothesis import assume, given, settings

from riskseg.domain.facts import Kind
from riskseg.domain.problems import Problems
from riskseg.expressions import Expression, check, to_sql
from riskseg.expressions.smt import Term, Texts, constant, days, to_smt, value_of, variable
from tests.expressions.test_agreement import QUICK, ROWS, SCOPE, connection, expressions, run

__all__ = ["connection"]  # the fixture


def answer(expression: Expression, row: dict[str, Any]) -> Any:
    """What the terms say of one account."""
    texts = Texts()
    term = to_smt(expression, lambda n: constant(row[n], SCOPE[n].kind, texts), texts)
    solver = z3.Solver()
    assert solver.check() == z3.sat
    return value_of(solver.model(), term, expression.type.kind, texts)


def agree(connection: duckdb.DuckDBPyConnection, text: str, rows: list[dict[str, Any]]) -> None:
    expression = check(text, SCOPE, Problems(), expect="value")
    assume(expression is not None)
    assert expression is not None
    found = [answer(expression, row) for row in rows]
    assert found == run(connection, to_sql(expression), rows)


@QUICK
@given(text=expressions(), rows=ROWS)
def test_terms_agree_with_the_engine(
    connection: duckdb.DuckDBPyConnection, text: str, rows: list[dict[str, Any]]
) -> None:
    agree(connection, text, rows)


@pytest.mark.slow
@settings(QUICK, max_examples=10_000)
@given(text=expressions(), rows=ROWS)
def test_terms_agree_with_the_engine_ten_thousand_times(
    connection: duckdb.DuckDBPyConnection, text: str, rows: list[dict[str, Any]]
) -> None:
    agree(connection, text, rows)


def every_day(first: date, last: date, step: int) -> Iterable[date]:
    return (first + timedelta(days=n) for n in range(0, (last - first).days + 1, step))


@pytest.mark.parametrize(
    ("function", "of"),
    [
        ("year", lambda d: d.year),
        ("month", lambda d: d.month),
        ("day_of_month", lambda d: d.day),
        ("day_of_week", lambda d: d.isoweekday()),
    ],
)
def test_the_calendar(function: str, of: Any) -> None:
    expression = check(f"{function}(as_of)", SCOPE, Problems(), expect="value")
    assert expression is not None
    one = z3.Int("as_of")
    part = to_smt(expression, lambda _: Term(one), Texts()).value
    leap = [date(y, m, d) for y in (1900, 2000, 2024, 2100, 2199) for m, d in ((2, 28), (3, 1))]
    for day in [*every_day(date(1900, 1, 1), date(2199, 12, 31), 97), *leap]:
        reported = z3.simplify(z3.substitute(part, (one, z3.IntVal(days(day)))))
        assert reported.as_long() == of(day), day


def test_a_text_no_rule_names_is_none_of_those_named() -> None:
    texts = Texts()
    expression = check("t not in ('low', 'mid') and t <> s", SCOPE, Problems())
    assert expression is None  # s can be unknown
    expression = check("t not in ('low', 'mid')", SCOPE, Problems())
    assert expression is not None
    t = variable(SCOPE["t"], "t")
    solver = z3.Solver()
    solver.add(to_smt(expression, lambda _: t, texts).true, t.value >= 0)
    assert solver.check() == z3.sat
    assert value_of(solver.model(), t, Kind.TEXT, texts) not in ("low", "mid")
