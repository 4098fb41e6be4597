"""SQL of this house, which is DuckDB's, as forms of the closed list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, get_args

import sqlglot
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB

from riskseg.expressions.dialects import simpler
from riskseg.expressions.dialects.forms import (
    BOOLEAN,
    DATE,
    INTEGER,
    NULL,
    NUMBER,
    TEXT,
    WHOLE,
    AddDays,
    Calculation,
    Call,
    Comparison,
    Convert,
    DaysBetween,
    Form,
    IsNull,
    Operator,
    SqlType,
    Text,
    UnknownFormError,
    Value,
    WholeQuotient,
    common,
    wider,
)
from riskseg.expressions.dialects.forms import Between as BetweenForm
from riskseg.expressions.dialects.forms import Name as FunctionName


class _House(DuckDB):
    """Lists count from 1, as they are written."""

    INDEX_OFFSET = 0


def parsed(sql: str) -> exp.Expr:
    """One statement or expression, as sqlglot reads it."""
    return sqlglot.parse_one(sql, dialect=_House())


_TYPES: Mapping[str, SqlType] = {
    "BOOLEAN": BOOLEAN,
    "INT": INTEGER,
    "BIGINT": INTEGER,
    "INT128": WHOLE,
    "DOUBLE": NUMBER,
    "DATE": DATE,
    "TEXT": TEXT,
    "VARCHAR": TEXT,
}
_COMPARISONS: Mapping[type[exp.Expr], Comparison] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_OPERATORS: Mapping[type[exp.Expr], Operator] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
}
_FUNCTIONS: Mapping[type[exp.Expr], FunctionName] = {
    exp.Coalesce: "coalesce",
    exp.Nullif: "nullif",
    exp.Greatest: "greatest",
    exp.Least: "least",
    exp.Abs: "abs",
    exp.Round: "round",
    exp.Floor: "floor",
    exp.Ceil: "ceil",
    exp.Year: "year",
    exp.Month: "month",
    exp.Day: "day_of_month",
    exp.DayOfWeekIso: "day_of_week",
    exp.Exp: "exp",
    exp.Ln: "ln",
}
_OF_DATES = ("year", "month", "day_of_month", "day_of_week")
_OF_FIRST = ("round", "floor", "ceil", "nullif", "abs")


def read(node: exp.Expr, column: Callable[[str], Form]) -> Form:
    """The form of an expression; `column` gives what stands for a name. Raises UnknownFormError."""
    return _Reader(column).form(node)


class _Reader:
    def __init__(self, column: Callable[[str], Form]) -> None:
        self._column = column

    def forms(self, nodes: Iterable[exp.Expr]) -> tuple[Form, ...]:
        return tuple(self.form(node) for node in nodes)

    def form(self, node: exp.Expr) -> Form:
        match node:
            case exp.Paren():
                return self.form(node.this)
            case exp.Column() if not node.table:
                return self._column(node.name)
            case exp.Literal() | exp.Boolean() | exp.Null() | exp.Neg():
                return self._value(node)
            case exp.Cast():
                return self._cast(node)
            case exp.And() | exp.Or():
                parts = self.forms(node.flatten())
                return simpler.joined("and" if isinstance(node, exp.And) else "or", parts)
            case exp.Not():
                return simpler.opposite(self.form(node.this))
            case exp.Is():
                return self._is(node)
            case exp.In() if node.expressions:
                return simpler.one_of(self.form(node.this), self.forms(node.expressions))
            case exp.Between():
                low, high = self.form(node.args["low"]), self.form(node.args["high"])
                return BetweenForm(self.form(node.this), low, high)
            case exp.Case():
                return self._case(node)
            case exp.Bracket():
                return self._listed(node)
            case exp.DPipe():
                return simpler.text_of(self.forms(node.flatten()))
            case exp.ConcatWs():
                separator, *texts = node.expressions
                return Text(self.forms(texts), separator=separator.name)
            case exp.IntDiv():
                left, right = self.form(node.this), self.form(node.expression)
                return WholeQuotient(left, right, wider(left.type, right.type))
        if (comparison := _COMPARISONS.get(type(node))) is not None:
            left, right = self.form(node.this), self.form(node.args["expression"])
            common((left.type, right.type))
            return simpler.compared(comparison, left, right)
        if (operator := _OPERATORS.get(type(node))) is not None:
            return _calculated(operator, self.form(node.this), self.form(node.args["expression"]))
        if (function := _FUNCTIONS.get(type(node))) is not None:
            return self._call(function, node)
        raise UnknownFormError(f"{type(node).__name__}: {node.sql(dialect='duckdb')}")

    def _value(self, node: exp.Expr) -> Form:
        match node:
            case exp.Null():
                return Value(None, NULL)
            case exp.Boolean():
                return Value(bool(node.this), BOOLEAN)
            case exp.Neg():
                part = self.form(node.this)
                if isinstance(part, Value) and isinstance(part.value, int | Decimal | float):
                    return Value(-part.value, part.type)
                return Calculation("-", Value(0, INTEGER), part, part.type)
            case exp.Literal(is_string=True):
                return Value(str(node.this), TEXT)
        text = str(node.this)
        if "e" in text.lower():
            return Value(float(text), NUMBER)
        if "." in text:
            return Value(Decimal(text), SqlType("decimal", 38, len(text.partition(".")[2])))
        return Value(int(text), INTEGER)

    def _cast(self, node: exp.Cast) -> Form:
        to, part = _type_of(node.to), self.form(node.this)
        if isinstance(part, Value):
            if part.value is None:
                return Value(None, to)
            if to is DATE:
                return Value(date.fromisoformat(str(part.value)), DATE)
        return part if part.type == to and to.family != "decimal" else Convert(part, to)

    def _is(self, node: exp.Is) -> Form:
        part = self.form(node.this)
        match node.args["expression"]:
            case exp.Null():
                return IsNull(part) if part.nullable else Value(False, BOOLEAN)
            case exp.Boolean() as word:
                known = simpler.call("coalesce", (part, Value(False, BOOLEAN)), BOOLEAN)
                if word.this:
                    return known
        raise UnknownFormError(node.sql(dialect="duckdb"))

    def _case(self, node: exp.Case) -> Form:
        subject = None if node.this is None else self.form(node.this)
        branches = []
        for branch in node.args["ifs"]:
            condition = self.form(branch.this)
            if subject is not None:
                condition = simpler.compared("=", subject, condition)
            branches.append((condition, self.form(branch.args["true"])))
        default = node.args.get("default")
        otherwise = Value(None, NULL) if default is None else self.form(default)
        return simpler.case(branches, otherwise)

    def _listed(self, node: exp.Bracket) -> Form:
        """A value of a list by its number, from 1."""
        listed = node.this.unnest()
        if not isinstance(listed, exp.Array):
            raise UnknownFormError(node.sql(dialect="duckdb"))
        (number,) = self.forms(node.expressions)
        branches = [
            (simpler.compared("=", number, Value(n, INTEGER)), value)
            for n, value in enumerate(self.forms(listed.expressions), start=1)
        ]
        return simpler.case(branches, Value(None, NULL))

    def _call(self, function: FunctionName, node: exp.Expr) -> Form:
        more: list[Any] = [*node.expressions]
        for name in ("expression", "decimals"):
            if node.args.get(name) is not None:
                more.append(node.args[name])
        arguments = self.forms([node.this, *more])
        if function in _OF_DATES:
            return Call(function, arguments, INTEGER)
        if function in ("exp", "ln"):
            return Call(function, arguments, NUMBER)
        typed = arguments[:1] if function in _OF_FIRST else arguments
        return simpler.call(function, arguments, common(argument.type for argument in typed))


def _type_of(node: exp.DataType) -> SqlType:
    name = node.this.name
    if name == "DECIMAL":
        digits, scale = (int(part.name) for part in node.expressions)
        return SqlType("decimal", digits, scale)
    if (known := _TYPES.get(name)) is None:
        raise UnknownFormError(f"the type {node.sql(dialect='duckdb')}")
    return known


def _calculated(operator: Operator, left: Form, right: Form) -> Form:
    families = left.type.family, right.type.family
    match operator, *families:
        case "-", "date", "date":
            same = left == right and not left.nullable
            return Value(0, INTEGER) if same else DaysBetween(right, left)
        case "+", "date", _:
            return AddDays(left, right)
        case "-", "date", _:
            return AddDays(left, simpler.negative(right))
        case "+", _, "date":
            return AddDays(right, left)
    if not all(type_.is_numeric or type_ is NULL for type_ in (left.type, right.type)):
        raise UnknownFormError(f"{families[0]} {operator} {families[1]}")
    if operator == "/" and "number" not in families:
        raise UnknownFormError("a quotient of exact numbers")
    return simpler.calculated(operator, left, right, wider(left.type, right.type))


assert {*_FUNCTIONS.values()} == {*get_args(FunctionName)}
