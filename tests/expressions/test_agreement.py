"""DuckDB, through our SQL, against an evaluator too plain to be wrong; and whether what is typed
as never unknown never is. Expressions and rows are random."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from itertools import product
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.expressions import Expression, Node, check, to_sql
from riskseg.expressions.tree import (
    And,
    Arithmetic,
    Call,
    Case,
    Cast,
    Compare,
    In,
    IsNull,
    Literal,
    Name,
    Not,
    Or,
)

Row = Mapping[str, Any]

LEVELS = ("low", "mid", "high")
FACTS = [
    Fact("i", Kind.INTEGER, nullable=True),
    Fact("j", Kind.INTEGER),
    Fact("k", Kind.INTEGER, lower=Decimal(1)),
    Fact("a", Kind.DECIMAL, nullable=True),
    Fact("b", Kind.DECIMAL),
    Fact("f", Kind.NUMBER, nullable=True),
    Fact("g", Kind.NUMBER),
    Fact("d", Kind.DATE, nullable=True),
    Fact("as_of", Kind.DATE),
    Fact("s", Kind.LEVEL, nullable=True, levels=LEVELS),
    Fact("t", Kind.TEXT),
    Fact("y", Kind.BOOLEAN, nullable=True),
    Fact("z", Kind.BOOLEAN),
]
SCOPE = {fact.name: fact for fact in FACTS}
# The narrow types a source may well have: what is computed must not overflow them.
STORED = {
    Kind.INTEGER: "integer",
    Kind.DECIMAL: "decimal(9, 2)",
    Kind.NUMBER: "double",
    Kind.DATE: "date",
    Kind.LEVEL: "varchar",
    Kind.TEXT: "varchar",
    Kind.BOOLEAN: "boolean",
}


# -- the plain evaluator -----------------------------------------------------------------------


def six(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.000001"), ROUND_HALF_UP)


def evaluate(node: Node, row: Row) -> Any:
    """The value of a tree for a row; None is unknown."""
    match node:
        case Literal(value, _):
            return value
        case Name(name, _):
            return row[name]
        case Cast(part, kind):
            inner = evaluate(part, row)
            convert = Decimal if kind is Kind.DECIMAL else float
            return None if inner is None else convert(inner)
        case IsNull(part):
            return evaluate(part, row) is None
        case Not(part):
            inner = evaluate(part, row)
            return None if inner is None else not inner
        case And(parts):
            each = [evaluate(part, row) for part in parts]
            return False if False in each else None if None in each else True
        case Or(parts):
            each = [evaluate(part, row) for part in parts]
            return True if True in each else None if None in each else False
        case In(part, options):
            inner = evaluate(part, row)
            return None if inner is None else inner in [option.value for option in options]
        case Case(branches, otherwise, _):
            for condition, result in branches:
                if evaluate(condition, row) is True:
                    return evaluate(result, row)
            return evaluate(otherwise, row)
        case Call("coalesce", arguments, _):
            each = [evaluate(argument, row) for argument in arguments]
            return next((value for value in each if value is not None), None)
        case Compare(sign, left, right):
            return strictly(COMPARE[sign], evaluate(left, row), evaluate(right, row))
        case Arithmetic(sign, left, right, kind):
            return strictly(
                lambda x, y: compute(sign, x, y, kind), evaluate(left, row), evaluate(right, row)
            )
        case Call(function, arguments, _):
            return strictly(CALL[function], *[evaluate(argument, row) for argument in arguments])


def strictly(function: Callable[..., Any], *values: Any) -> Any:
    return None if None in values else function(*values)


def compute(sign: str, x: Any, y: Any, kind: Kind) -> Any:
    if sign == "/" and y == 0:
        return None
    with localcontext(prec=80):
        result = {"+": lambda: x + y, "-": lambda: x - y, "*": lambda: x * y, "/": lambda: x / y}
        return six(result[sign]()) if kind is Kind.DECIMAL else result[sign]()


def rounded(value: Any, digits: int) -> Any:
    if isinstance(value, Decimal):
        return value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    with localcontext(prec=400):
        return float(Decimal(value * 10.0**digits).quantize(Decimal(1), ROUND_HALF_UP)) / (
            10.0**digits
        )


def whole(function: Callable[[Any], int]) -> Callable[[Any], Any]:
    return lambda value: float(function(value)) if isinstance(value, float) else function(value)


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda x, y: x == y,
    "<>": lambda x, y: x != y,
    "<": lambda x, y: x < y,
    "<=": lambda x, y: x <= y,
    ">": lambda x, y: x > y,
    ">=": lambda x, y: x >= y,
}
CALL: dict[str, Callable[..., Any]] = {
    "nullif": lambda x, y: None if x == y else x,
    "least": min,
    "greatest": max,
    "abs": abs,
    "round": rounded,
    "floor": whole(math.floor),
    "ceil": whole(math.ceil),
    "year": lambda x: x.year,
    "month": lambda x: x.month,
    "day_of_month": lambda x: x.day,
    "day_of_week": lambda x: x.isoweekday(),
    "days_between": lambda x, y: (y - x).days,
    "add_days": lambda x, n: x + timedelta(days=n),
}


# -- random expressions and rows ---------------------------------------------------------------

INTEGERS = ("i", "j", "k", "0", "1", "3", "7")
DECIMALS = ("a", "b", "0.0", "0.5", "2.25", "12.75")
NUMBERS = ("f", "g")
DATES = ("d", "as_of", "date '2026-02-28'")
TEXTS = ("s", "t", "'low'", "'mid'", "'O''Brien\\'")
BOOLEANS = ("y", "z", "true", "false")
SIGNS = ("=", "<>", "<", "<=", ">", ">=")


class Author:
    """Writes random text of a wanted kind; most of it checks, all of it is well meant."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw

    def one_of(self, options: Iterable[Any]) -> Any:
        return self.draw(st.sampled_from(list(options)))

    def numeric(self, depth: int) -> str:
        leaves = self.one_of((INTEGERS, DECIMALS, NUMBERS))
        if depth == 0:
            return str(self.one_of(leaves))
        x, y = self.numeric(depth - 1), self.numeric(depth - 1)
        match self.one_of("o+-*/?ncrfalgdC"):
            case ("+" | "-" | "*") as sign:
                return f"({x} {sign} {y})"
            case "/":
                return f"({x} / nullif({y}, 0))"
            case "?":
                return f"case when coalesce({y} <> 0, false) then {x} / {y} else 2.5 end"
            case "n":
                return f"-({x})"
            case "c":
                return f"coalesce({x}, {y})"
            case "r":
                return f"round({x}, {self.one_of(range(4))})"
            case ("f" | "a") as which:
                function = self.one_of(("floor", "ceil")) if which == "f" else "abs"
                return f"{function}({x})"
            case "l":
                return f"least(coalesce({x}, 1), coalesce({y}, 2.5))"
            case "g":
                return f"{x} / greatest(k, 1)"
            case "d":
                function = self.one_of(("year", "month", "day_of_month", "day_of_week"))
                days = f"days_between({self.day(depth - 1)}, {self.day(depth - 1)})"
                return str(self.one_of((f"{function}({self.day(depth - 1)})", days)))
            case "C":
                return self.case(depth, x, y)
            case _:
                return str(self.one_of(leaves))

    def case(self, depth: int, x: str, y: str) -> str:
        end = self.one_of((f"else {y} ", "", "else null "))
        condition = self.condition(depth - 1)
        return f"case when coalesce({condition}, false) then {x} {end}end"

    def day(self, depth: int) -> str:
        if depth == 0:
            return str(self.one_of(DATES))
        x = self.day(depth - 1)
        match self.one_of("o+-cC"):
            case ("+" | "-") as sign:
                return f"({x} {sign} {self.one_of(INTEGERS)})"
            case "c":
                return f"coalesce({x}, '2026-03-01')"
            case "C":
                return self.case(depth, x, self.day(depth - 1))
            case _:
                return x

    def text(self, depth: int) -> str:
        if depth == 0:
            return str(self.one_of(TEXTS))
        x, y = self.text(depth - 1), self.text(depth - 1)
        return str(self.one_of((x, f"coalesce({x}, {y})", self.case(depth, x, y))))

    def condition(self, depth: int) -> str:
        if depth == 0:
            return str(self.one_of(BOOLEANS))
        inner = depth - 1
        match self.one_of("<<tdn&&||!0ibBNC"):
            case "<":
                return f"{self.numeric(inner)} {self.one_of(SIGNS)} {self.numeric(inner)}"
            case "d":
                return f"{self.day(inner)} {self.one_of(SIGNS)} {self.day(inner)}"
            case "t":
                return f"{self.text(inner)} {self.one_of(('=', '<>'))} {self.text(inner)}"
            case "n":
                negated = self.one_of(("", "not "))
                return f"{self.one_of(SCOPE)} is {negated}null"
            case ("&" | "|") as sign:
                word = " and " if sign == "&" else " or "
                parts = [f"({self.condition(inner)})" for _ in range(self.one_of((2, 3)))]
                return word.join(parts)
            case "!":
                return f"not ({self.condition(inner)})"
            case "0":
                truth = self.one_of(("true", "not true", "false", "not false"))
                return f"({self.condition(inner)}) is {truth}"
            case "i":
                negated = self.one_of(("", "not "))
                return f"{self.numeric(inner)} {negated}in (0, 1, -2.5)"
            case "b":
                x, low, high = (self.numeric(inner) for _ in range(3))
                return f"{x} between {low} and {high}"
            case "B":
                return f"({self.condition(inner)}) = ({self.condition(inner)})"
            case "N":
                # What people write: a test for null or zero, then a use of what was tested.
                name = self.one_of(("i", "a", "f"))
                use = f"{name} {self.one_of(SIGNS)} {self.one_of(INTEGERS)}"
                guards = (
                    f"({name} is not null and {use})",
                    f"({name} is null or {use})",
                    f"({use} and {name} is not null)",
                    f"({name} <> 0 and b / {name} > 1)",
                    f"({name} = 0 or b / {name} > 1)",
                    f"(not ({name} is null or {name} between -2 and 2) and b / {name} > j)",
                )
                return str(self.one_of(guards))
            case _:
                return self.case(depth, self.condition(inner), self.condition(inner))


@st.composite
def expressions(draw: st.DrawFn) -> str:
    author = Author(draw)
    writer = draw(
        st.sampled_from((author.condition, author.condition, author.numeric, author.text))
    )
    return writer(draw(st.integers(1, 3)))


def values(fact: Fact) -> st.SearchStrategy[Any]:
    some: dict[Kind, st.SearchStrategy[Any]] = {
        Kind.INTEGER: st.integers(1 if fact.lower else -40, 40),
        Kind.DECIMAL: st.decimals(-40, 40, places=2).map(lambda x: x + 0),
        Kind.NUMBER: st.sampled_from((-2.5, -1.0, 0.0, 0.1, 0.001, 1.0, 3.7, 12.345)),
        Kind.DATE: st.dates(date(2024, 1, 1), date(2027, 12, 31)),
        Kind.LEVEL: st.sampled_from(LEVELS),
        Kind.TEXT: st.sampled_from((*LEVELS, "O'Brien\\", "")),
        Kind.BOOLEAN: st.booleans(),
    }
    return st.none() | some[fact.kind] if fact.nullable else some[fact.kind]


ROWS = st.lists(
    st.fixed_dictionaries({fact.name: values(fact) for fact in FACTS}), min_size=1, max_size=5
)


@pytest.fixture(scope="module")
def connection() -> Iterable[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        columns = ", ".join(f'"{fact.name}" {STORED[fact.kind]}' for fact in FACTS)
        opened.execute(f"create table facts (n integer, {columns})")
        yield opened


def run(connection: duckdb.DuckDBPyConnection, sql: str, rows: list[dict[str, Any]]) -> list[Any]:
    connection.execute("delete from facts")
    marks = ", ".join("?" * (len(FACTS) + 1))
    connection.executemany(
        f"insert into facts values ({marks})",
        [[n, *(row[fact.name] for fact in FACTS)] for n, row in enumerate(rows)],
    )
    found = connection.execute(f"select {sql} from facts order by n").fetchall()
    return [value for (value,) in found]


def checked(text: str) -> Expression | None:
    return check(text, SCOPE, Problems(), expect="value")


QUICK = settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)


@QUICK
@given(text=expressions(), rows=ROWS)
def test_duckdb_agrees_with_the_plain_evaluator(
    connection: duckdb.DuckDBPyConnection, text: str, rows: list[dict[str, Any]]
) -> None:
    expression = checked(text)
    assume(expression is not None)
    assert expression is not None
    expected = [evaluate(expression.tree, row) for row in rows]
    assert run(connection, to_sql(expression), rows) == expected
    if not expression.type.nullable:
        assert None not in expected
    if expression.type.levels:
        assert {*expected} <= {*expression.type.levels, None}


def test_most_random_expressions_check() -> None:
    """Else the test above would test little."""
    tally: list[bool] = []

    @settings(max_examples=200, deadline=None, database=None)
    @given(expressions())
    def count(text: str) -> None:
        tally.append(checked(text) is not None)

    count()
    assert sum(tally) > 0.5 * len(tally)


# -- narrowing, with every row there is --------------------------------------------------------

ATOMS = [
    *("y", "y is true", "y is not false", "y = true", "y <> true", "coalesce(y, false)"),
    *("i is null", "i is not null", "i > 0", "i = 0", "0 <> i", "i in (0, 1)", "i not in (1, -1)"),
    *("nullif(i, 0) > 0", "nullif(i, 0) is null", "i + a > 0", "i + a is not null"),
    *("a is null", "a is not null", "a between 1 and 2", "coalesce(i, a) is not null"),
    *("b / j > 1", "b / i > 1", "j <> 0", "j = 0", "j > 0", "j in (0, 2)", "j / i > a"),
    *("least(i, 1) > 0", "(i > 0) is false", "(j <> 0) is true", "z", "(a is null) = (i is null)"),
]
LOGIC = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: (
        st.lists(inner, min_size=2, max_size=3).map(lambda each: f"({' and '.join(each)})")
        | st.lists(inner, min_size=2, max_size=3).map(lambda each: f"({' or '.join(each)})")
        | inner.map(lambda each: f"(not {each})")
        | st.tuples(
            inner, st.sampled_from(("= true", "= false", "<> true", "is true", "is false"))
        ).map(lambda pair: f"(({pair[0]}) {pair[1]})")
        | st.tuples(inner, inner, inner).map(
            lambda three: "case when {} then {} else {} end".format(*three)
        )
    ),
    max_leaves=6,
)
EVERY = [
    {"i": i, "y": y, "a": a, "j": j, "b": Decimal(3), "z": j == 2}
    for i, y, a, j in product(
        (None, 0, 1, -1), (None, True, False), (None, Decimal(0), Decimal(2)), (0, 2, -1)
    )
]


@settings(max_examples=1_500, deadline=None)
@given(LOGIC)
def test_what_is_typed_as_known_is_known_in_every_row(text: str) -> None:
    """A division by zero that mattered would show too: the evaluator makes it unknown."""
    expression = checked(text)
    if expression is not None and not expression.type.nullable:
        assert all(evaluate(expression.tree, row) is not None for row in EVERY)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("i > 1 and false", False),
        ("i > 1 or true", True),
        ("i > 1 and true", None),
        ("i between 1 and 2", None),
        ("k between 3 and 4 and k not between 4 and 5", True),
        ("i in (1, 2)", None),
        ("k in (1, 3.0) and k not in (1, 2)", True),
        ("y is true or y is false", False),
        ("y is not true and y is not false", True),
        ("i is null and k is not null", True),
        ("k - 5 - 1", -3),
        ("-k * 2 + 1", -5),
        ("coalesce(i, a, k)", 3),
        ("nullif(k, 3)", None),
        ("case k when 2 then 'a' when 3 then 'b' else 'c' end", "b"),
        ("case when k > 2 then 'a' when k > 1 then 'b' end", "a"),
        ("case when k > 3 then 'a' end", None),
        ("as_of - date '2026-01-01'", 60),
        ("days_between('2026-01-01', as_of)", 60),
        ("as_of - 60", date(2026, 1, 1)),
        ("k + as_of", date(2026, 3, 5)),
        ("day_of_week(as_of)", 1),
        ("month(as_of) * 100 + day_of_month(as_of)", 302),
        ("least(as_of, '2026-01-01')", date(2026, 1, 1)),
        ("t = 'O''Brien'", True),
    ],
)
def test_what_it_means(connection: duckdb.DuckDBPyConnection, text: str, expected: object) -> None:
    expression = checked(text)
    assert expression is not None
    row = dict.fromkeys(SCOPE) | {"k": 3, "as_of": date(2026, 3, 2), "t": "O'Brien"}
    assert run(connection, to_sql(expression), [row]) == [expected]
    assert evaluate(expression.tree, row) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 / 3", "0.333333"),
        ("2 / 3", "0.666667"),
        ("-2 / 3", "-0.666667"),
        ("1 / 2000000", "0.000001"),
        ("-1 / 2000000", "-0.000001"),
        ("1 / 2000001", "0.000000"),
        ("999999999999 / 0.000001", "999999999999000000"),
        ("0.001 * 0.0005", "0.000001"),
        ("-0.001 * 0.0005", "-0.000001"),
        ("0.0007 * 0.0007", "0.000000"),
        ("2000000000 + 2000000000", "4000000000"),
        ("k * 2000000000", "6000000000"),
        ("99999.99 * 99999.99 * 99999.99", "999999700000029.999999"),
        ("round(2.675, 2)", "2.68"),
        ("round(-2.5, 0)", "-3"),
        ("floor(-0.5)", "-1"),
        ("ceil(-0.5)", "0"),
    ],
)
def test_numbers_are_exact(connection: duckdb.DuckDBPyConnection, text: str, expected: str) -> None:
    expression = checked(text)
    assert expression is not None
    row = dict.fromkeys(SCOPE) | {"k": 3}
    (found,) = run(connection, to_sql(expression), [row])
    assert found == Decimal(expected) == evaluate(expression.tree, row)


# -- nonsense ----------------------------------------------------------------------------------

SCRAPS = r"""
( ) , + - * / = <> < >= . ; : :: ? $1 [ ] { } || -> => ' " ` -- /* */ % # @ ! ~ ^ & | \
and or not in is null true false between case when then else end like select from where with
cast try_cast as date interval exists any all over partition by filter distinct if array struct map
lambda values union limit current_date collate at time zone extract
coalesce( least( round( abs( nullif( year( add_days( now(
i j k a b f d s t y z as_of 'low' 'x' '2026-01-01' 0 1 2.5 1e5 0x1F
"""
NONSENSE = st.lists(st.sampled_from(SCRAPS.split()), max_size=14).map(" ".join)


@settings(max_examples=600, deadline=None)
@given(NONSENSE | st.text(max_size=40))
def test_no_text_raises_and_what_is_taken_runs(text: str) -> None:
    problems = Problems()
    expression = check(text, SCOPE, problems, expect="value")
    assert (expression is None) == (len(problems) > 0)
    if expression is not None:
        columns = ", ".join(f'null::{STORED[fact.kind]} as "{fact.name}"' for fact in FACTS)
        duckdb.sql(f"explain select {to_sql(expression)} from (select {columns})")
