"""A value as SQL in numbers of 18 digits, which fit into 64 bits.

DuckDB takes some twenty times as long to divide and round numbers of 38 digits. What needs more
than 18 on the way is null here, and never wrong or refused: :func:`riskseg.expressions.to_sql`
then has the value.
"""

from __future__ import annotations

from collections.abc import Callable

from riskseg.domain.facts import Kind
from riskseg.expressions.checking import Expression
from riskseg.expressions.sql import Writer
from riskseg.expressions.tree import Arithmetic, Call, Cast, Literal, Name, Node, Value
from riskseg.expressions.walk import parts


def in_few_digits(expression: Expression, column: Callable[[str], str]) -> str | None:
    """The SQL of a checked expression, of which `column` gives that of a fact's name. None where it
    would be no quicker, or where a part may be unknown and the whole known all the same."""
    tree = expression.tree
    calculates = any(isinstance(p, Arithmetic) and p.kind is Kind.DECIMAL for p in parts(tree))
    return _FewDigits(column).sql(tree) if calculates and _needs_all_parts(tree) else None


# Functions of which the result is unknown where an argument is.
_NEEDS_ALL = ("round", "floor", "ceil", "abs", "nullif")


def _needs_all_parts(node: Node) -> bool:
    """Whether a value is unknown wherever a decimal in it is. Products, which need many digits, are
    left out."""
    match node:
        case Name() | Literal():
            return True
        case Cast(part, _):
            return _needs_all_parts(part)
        case Arithmetic(operator, left, right, kind) if (operator, kind) != ("*", Kind.DECIMAL):
            return _needs_all_parts(left) and _needs_all_parts(right)
        case Call(function, arguments, _) if function in _NEEDS_ALL:
            return all(map(_needs_all_parts, arguments))
    return all(part.kind is not Kind.DECIMAL for part in parts(node))


class _FewDigits(Writer):
    """No calculation here can overflow: what goes into it is held to what it can take."""

    DIGITS = 18

    def cast(self, sql: str, kind: Kind) -> str:
        return f"try_{super().cast(sql, kind)}"

    def rounded(self, sql: str, decimals: Value) -> str:
        return f"try_{super().rounded(sql, decimals)}"

    def stored(self, node: Node) -> str:
        sql = super().stored(node)
        is_sum = isinstance(node, Arithmetic) and node.kind is Kind.DECIMAL
        return self.cast(sql, Kind.DECIMAL) if is_sum else sql

    def in_whole_numbers(self, left: Node, right: Node) -> tuple[str, str]:
        # Multiplied by a million, which has seven digits, a number of eleven has eighteen.
        held = (f"try_cast({self.stored(node)} as decimal(11, 6))" for node in (left, right))
        dividend, divisor = (f"cast({number} * 1000000 as bigint)" for number in held)
        return dividend, divisor
