"""Values at the edges (huge, tiny, what overflows, what rounds): the engine and the terms of z3
give the same answer, or the engine refuses as for a number too large. In few digits there is that
answer or none."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import z3
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from riskseg.domain.facts import FIRST_DAY, LAST_DAY, Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.domain.relations import quoted
from riskseg.engine import DuckDB, Engine, TooLargeError
from riskseg.expressions import Expression, check, in_few_digits, to_sql
from riskseg.expressions.assumptions import assumptions, check_sql, finite_results
from riskseg.expressions.smt import Texts, constant, domain, holds, to_smt
from tests.expressions.test_agreement import FACTS, QUICK, SCOPE, expressions
from tests.expressions.test_smt import answer

STORED = {
    Kind.INTEGER: "bigint",
    Kind.DECIMAL: "decimal(38, 6)",
    Kind.NUMBER: "double",
    Kind.DATE: "date",
    Kind.LEVEL: "varchar",
    Kind.TEXT: "varchar",
    Kind.BOOLEAN: "boolean",
}
MOST = 10**18 - 1
EDGES: Mapping[Kind, tuple[Any, ...]] = {
    Kind.INTEGER: (0, 1, -1, 7, 2**53, 2**53 + 1, -(2**53) - 1, 2**31, 3 * 10**9, MOST, -MOST),
    Kind.DECIMAL: tuple(
        map(
            Decimal,
            ("0", "0.000001", "-0.000001", "0.5", "-2.5", "0.1", "9007199254740993.000001",
             "999999999999999999.999999", "-999999999999999999.999999", "123456789.005"),
        )
    ),
    Kind.NUMBER: (
        *(0.0, -0.0, 0.1, -2.5, 0.285, 1e16, 1e200, -1e200, sys.float_info.max, 5e-324, 1e-310),
        *(9007199254740993.0, 4503599627370497.5, 0.49999999999999994),
    ),
    Kind.DATE: (FIRST_DAY, LAST_DAY, date(2024, 2, 29), date(2026, 3, 2)),
    Kind.LEVEL: ("low", "high"),
    Kind.TEXT: ("low", "O'Brien"),
    Kind.BOOLEAN: (True, False),
}  # fmt: skip


def edge(fact: Fact) -> st.SearchStrategy[Any]:
    values = [v for v in EDGES[fact.kind] if fact.lower is None or v >= fact.lower]
    some = st.sampled_from(values)
    return st.none() | some if fact.nullable else some


ROW = st.fixed_dictionaries({fact.name: edge(fact) for fact in FACTS})


@pytest.fixture(scope="module")
def engine() -> Iterable[Engine]:
    with DuckDB() as opened:
        yield opened


def literal(value: Any, kind: Kind) -> str:
    text = "null" if value is None else "'" + str(value).replace("'", "''") + "'"
    return f"cast({text} as {STORED[kind]})"


def relation(row: Mapping[str, Any]) -> str:
    values = ", ".join(literal(row[f.name], f.kind) for f in FACTS)
    names = ", ".join(quoted(f.name) for f in FACTS)
    return f"(values ({values})) facts({names})"


def stops(engine: Engine, expression: Expression, row: Mapping[str, Any]) -> bool:
    """Whether `assign` stops at the account before any rule decides it."""
    finite = " and ".join(["true", *map(check_sql, finite_results([expression]))])
    return not engine.value(f"select {finite} from {relation(row)}")


def agree(engine: Engine, expression: Expression, row: Mapping[str, Any]) -> None:
    if stops(engine, expression, row):
        return
    quick = in_few_digits(expression, quoted) or "null"
    try:
        found = engine.value(f"select {to_sql(expression)} from {relation(row)}")
    except TooLargeError:
        return
    reported = answer(expression, dict(row))
    assert reported == found
    assert engine.value(f"select {quick} from {relation(row)}") in (None, found)
    assert isinstance(reported, float) == isinstance(found, float)


@QUICK
@given(text=expressions(), row=ROW)
def test_the_edges_agree(engine: Engine, text: str, row: dict[str, Any]) -> None:
    expression = check(text, SCOPE, Problems(), expect="value")
    assume(expression is not None)
    assert expression is not None
    agree(engine, expression, row)


@pytest.mark.slow
@settings(QUICK, max_examples=10_000)
@given(text=expressions(), row=ROW)
def test_the_edges_agree_ten_thousand_times(engine: Engine, text: str, row: dict[str, Any]) -> None:
    expression = check(text, SCOPE, Problems(), expect="value")
    assume(expression is not None)
    assert expression is not None
    agree(engine, expression, row)


CALCULATIONS = (
    *("g + g", "g - g", "g * g", "g * g - g * g", "g / nullif(f, 0)", "g * g / nullif(g, 0)"),
    *("round(g, 0)", "round(g, 2)", "round(g, 6)", "floor(g)", "ceil(g)", "abs(g)", "-g"),
    *("g + i", "g * j", "g + b", "g - a", "b + 0", "b * b", "b / nullif(a, 0)", "round(b, 2)"),
    *("j * j", "j + j", "j / nullif(i, 0)", "floor(b)", "ceil(b)", "abs(j)", "least(g, b)"),
    *("coalesce(f, b)", "as_of + 1", "as_of - 1", "year(as_of)", "case when z then g else b end"),
)


@pytest.mark.parametrize("text", CALCULATIONS)
def test_each_calculation_agrees_at_every_edge(engine: Engine, text: str) -> None:
    """Every pair of edges of the facts it names; and that its finiteness is looked at alike."""
    expression = check(text, SCOPE, Problems(), expect="value")
    assert expression is not None
    plain = {f.name: EDGES[f.kind][0] for f in FACTS} | {"k": 1}
    names = sorted(expression.names)
    first = [{names[0]: v} for v in EDGES[SCOPE[names[0]].kind]]
    rows = [
        {**plain, **one, **({names[1]: v} if len(names) > 1 else {})}
        for one in first
        for v in (EDGES[SCOPE[names[1]].kind] if len(names) > 1 else (None,))
    ]
    for row in rows:
        finite = all(assumed(one, row) for one in finite_results([expression]))
        assert finite != stops(engine, expression, row)
        agree(engine, expression, row)


@pytest.mark.parametrize(
    ("text", "g", "b", "answer"),
    [
        ("round(g / nullif(b, 0), 4)", "61.25", "122.77", "0.4989"),
        ("round(-g / nullif(b, 0), 2)", "1", "8", "-0.13"),
        ("g / nullif(b, 0)", "99999.99", "0.000001", "99999990000"),
        ("g / nullif(b, 0)", "100000", "2", None),
        ("g / nullif(b, 0)", "1", "100000", None),
        ("(g + b) / nullif(b + b, 0)", "1", "999999999999", None),
        ("round(g - b, 0)", "999999999999.5", "0", None),
        ("floor(g / nullif(b, 0))", "61", "30", "2"),
    ],
)
def test_few_digits_suffice_for_what_is_usual(
    engine: Engine, text: str, g: str, b: str, answer: str | None
) -> None:
    scope = {name: Fact(name, Kind.DECIMAL) for name in ("g", "b")}
    expression = check(text, scope, Problems(), expect="value")
    assert expression is not None
    sql = in_few_digits(expression, quoted)
    row = f"(values (cast({g} as decimal(38, 6)), cast({b} as decimal(38, 6)))) v(g, b)"
    assert engine.value(f"select {sql} from {row}") == (answer and Decimal(answer))


@pytest.mark.parametrize("text", ["coalesce(g / b, 0)", "g", "b > 1", "g / b is null", "g * b"])
def test_what_could_be_taken_for_unknown_is_not_worked_out_in_few_digits(text: str) -> None:
    scope = {name: Fact(name, Kind.DECIMAL, lower=Decimal(1)) for name in ("g", "b")}
    expression = check(text, scope, Problems(), expect="value")
    assert expression is not None
    assert in_few_digits(expression, quoted) is None


def assumed(assumption: Expression, row: Mapping[str, Any]) -> bool:
    """Whether the terms hold an assumption of a row."""
    texts = Texts()
    term = to_smt(assumption, lambda n: constant(row[n], SCOPE[n].kind, texts), texts)
    return is_valid(holds(term))


def is_valid(condition: Any) -> bool:
    solver = z3.Solver()
    solver.add(z3.Not(condition))
    return bool(solver.check() == z3.unsat)


OUT_OF_DOMAIN: Mapping[Kind, tuple[tuple[str, Any], ...]] = {
    Kind.INTEGER: (("bigint", 10**18), ("bigint", -(10**18)), ("bigint", -1), ("bigint", None)),
    Kind.DECIMAL: (
        ("decimal(18, 8)", "0.0000005"), ("decimal(9, 2)", "-0.01"), ("decimal(9, 2)", "11"),
        ("decimal(38, 0)", str(10**18)), ("decimal(38, 0)", str(10**37)),
        ("decimal(38, 20)", "0.5"), ("decimal(9, 4)", "1.2345"), ("decimal(9, 4)", "1.23"),
    ),
    Kind.NUMBER: (("double", "inf"), ("double", "-inf"), ("double", "nan"), ("double", "1e308")),
    Kind.DATE: (("date", "1899-12-31"), ("date", "2200-01-01"), ("date", "2199-12-31")),
    Kind.LEVEL: (("varchar", "low"), ("varchar", "lowest"), ("varchar", None)),
}  # fmt: skip


@pytest.mark.parametrize("nullable", [True, False])
@pytest.mark.parametrize("unit", ["", "money"])
@pytest.mark.parametrize("kind", OUT_OF_DOMAIN)
def test_an_assumption_is_checked_as_it_is_assumed(
    engine: Engine, kind: Kind, unit: str, nullable: bool
) -> None:
    """The SQL that holds a value against the list, and the terms of the same list, agree."""
    bounds = (Decimal(0), Decimal(10)) if kind is Kind.DECIMAL else (None, None)
    lower = Decimal(0) if kind is Kind.INTEGER else bounds[0]
    typed: dict[Kind, Any] = {
        **{Kind.INTEGER: int, Kind.DECIMAL: Decimal, Kind.NUMBER: float, Kind.LEVEL: str},
        Kind.DATE: date.fromisoformat,
    }
    fact = Fact("x", kind, nullable, ("low", "high"), lower, bounds[1], unit=unit)
    for type_, value in OUT_OF_DOMAIN[kind]:
        text = "null" if value is None else f"'{value}'"
        listed = [*assumptions(fact, 2)]
        checks = " and ".join(map(check_sql, listed))
        found = engine.value(f"select {checks} from (values (cast({text} as {type_}))) v(x)")
        more = kind is Kind.DECIMAL and len(text.partition(".")[2].rstrip("'")) > 6
        if more or (value is None and not nullable):
            assert found is False  # there is no term for such a value at all
            continue
        texts = Texts()
        term = constant(None if value is None else typed[kind](value), kind, texts)
        assert found == is_valid(domain(fact, term, texts, 2)), (type_, value)
