"""A checked expression as the SQL of this house, which DuckDB carries out;
`riskseg.expressions.dialects` writes it for other databases.

Every operation is put in parentheses and every name is quoted, so the text can stand anywhere.

Numbers come out the same on each engine because their types are said, not inferred. INTEGER is
computed as bigint, NUMBER as double, DECIMAL as decimal(38, 6): a product or quotient of decimals
is rounded to six decimals, half away from zero. DuckDB would divide as doubles, so the quotient is
taken in whole numbers, to seven decimals towards zero, and then rounded: the seventh decides,
exactly as the endless quotient would.
A DECIMAL past some 25 digits before the point, an INTEGER past 18, or a date thousands of
millennia away stops the engine; none is wrapped or lost. DECIMAL facts have at most six decimals.
:mod:`riskseg.expressions.few_digits` has the same value sooner, where fewer digits suffice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from riskseg.domain.facts import Kind
from riskseg.domain.relations import literal, quoted
from riskseg.expressions.checking import Expression
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
    Node,
    Not,
    Or,
    Value,
)

_STORED: Mapping[Kind, str] = {
    Kind.INTEGER: "bigint",
    Kind.DECIMAL: "decimal({digits}, 6)",
    Kind.NUMBER: "double",
}

# Functions whose SQL is not `name(arguments)`. Dates: only 32-bit days are added.
_CALLS: Mapping[str, str] = {
    "day_of_month": "day({0})",
    "day_of_week": "isodow({0})",
    "days_between": "({1} - {0})",
    "add_days": "({0} + cast({1} as integer))",
}


def to_sql(expression: Expression, column: Callable[[str], str] = quoted) -> str:
    """The SQL of a checked expression. `column` gives the SQL that stands for a fact's name;
    without it the name itself, quoted."""
    return tree_to_sql(expression.tree, column)


def tree_to_sql(tree: Node, column: Callable[[str], str]) -> str:
    """The SQL of a tree; `column` gives the SQL that stands for a fact's name."""
    return Writer(column).sql(tree)


@dataclass(frozen=True)
class Writer:
    DIGITS: ClassVar[int] = 38

    column: Callable[[str], str]

    def sql(self, node: Node) -> str:
        match node:
            case Literal(value, _):
                return self._literal(value)
            case Name(name, _):
                return self.column(name)
            case Cast(part, kind):
                return self.cast(self.sql(part), kind)
            case Arithmetic():
                return self._arithmetic(node)
            case Call():
                return self._call(node)
            case Case(branches, otherwise, _):
                whens = " ".join(
                    f"when {self.sql(condition)} then {self.sql(value)}"
                    for condition, value in branches
                )
                return f"case {whens} else {self.sql(otherwise)} end"
            case Compare(operator, left, right):
                return f"({self.sql(left)} {operator} {self.sql(right)})"
            case In(part, options):
                return f"({self.sql(part)} in ({', '.join(map(self.sql, options))}))"
            case IsNull(part):
                return f"({self.sql(part)} is null)"
            case Not(part):
                return f"(not {self.sql(part)})"
            case And(parts):
                return f"({' and '.join(map(self.sql, parts))})"
            case Or(parts):
                return f"({' or '.join(map(self.sql, parts))})"

    def _literal(self, value: Value) -> str:
        match value:
            case None:
                return "null"
            case bool():
                return "true" if value else "false"
            case int():
                return str(value) if value >= 0 else f"({value})"
            case Decimal():
                return f"{value:f}" if value >= 0 else f"({value:f})"
            case float():
                # An exponent is what makes a number a double.
                number_text = repr(value) if "e" in repr(value) else f"{value!r}e0"
                return number_text if value >= 0 else f"({number_text})"
            case str():
                return literal(value)
            case _:
                return f"date '{value.isoformat()}'"

    def cast(self, sql: str, kind: Kind) -> str:
        return f"cast({sql} as {_STORED[kind].format(digits=self.DIGITS)})"

    def rounded(self, sql: str, decimals: Value) -> str:
        return f"cast({sql} as decimal({self.DIGITS}, {decimals}))"

    def stored(self, node: Node) -> str:
        """A number in the type that arithmetic on its kind is done in."""
        sql = self.sql(node)
        return sql if isinstance(node, Arithmetic | Cast) else self.cast(sql, node.kind)

    def _arithmetic(self, node: Arithmetic) -> str:
        left, right = self.stored(node.left), self.stored(node.right)
        decimal = node.kind is Kind.DECIMAL
        match node.operator:
            case "/" if decimal:
                # Engines need not read `and` from the left: a zero must be harmless anywhere.
                dividend, divisor = self.in_whole_numbers(node.left, node.right)
                dividend, divisor = f"{dividend} * 10000000", f"nullif({divisor}, 0)"
                whole_quotient = self.rounded(f"({dividend}) // {divisor}", 0)
                return self.cast(f"{whole_quotient} * 0.0000001", Kind.DECIMAL)
            case "/":
                return self.cast(f"{left} / nullif({right}, 0)", node.kind)
            case "*" if decimal:
                return self.cast(f"{left} * {right}", Kind.DECIMAL)
            case _:
                return f"({left} {node.operator} {right})"

    def in_whole_numbers(self, left: Node, right: Node) -> tuple[str, str]:
        """Whole numbers of the same quotient as two decimals: millionths, where these are not
        whole numbers themselves, of which the quotient takes half as long."""
        whole = [node.part for node in (left, right) if isinstance(node, Cast)]
        if len(whole) == 2 and all(part.kind is Kind.INTEGER for part in whole):
            dividend, divisor = (f"cast({self.stored(part)} as hugeint)" for part in whole)
        else:
            dividend, divisor = (
                f"cast({self.stored(node)} * 1000000 as hugeint)" for node in (left, right)
            )
        return dividend, divisor

    def _call(self, node: Call) -> str:
        first_argument = node.arguments[0]
        match node.function, node.arguments:
            case "round", (_, Literal(decimals, _)) if node.kind is Kind.DECIMAL:
                return self.cast(self.rounded(self.stored(first_argument), decimals), Kind.DECIMAL)
            case ("floor" | "ceil") as function, _ if node.kind is Kind.INTEGER:
                return f"cast({function}({self.stored(first_argument)}) as bigint)"
            case ("abs" | "round" | "floor" | "ceil") as function, (_, *others):
                arguments = [self.stored(first_argument), *map(self.sql, others)]
                return f"{function}({', '.join(arguments)})"
        argument_texts = [self.sql(argument) for argument in node.arguments]
        shape = _CALLS.get(node.function)
        return (
            shape.format(*argument_texts)
            if shape
            else f"{node.function}({', '.join(argument_texts)})"
        )
