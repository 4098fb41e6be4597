"""A tree as a person would write it, for Problems and explanations."""

from __future__ import annotations

from decimal import Decimal

from riskseg.domain.relations import literal, quoted
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


def show(node: Node) -> str:
    """The text of a tree in the language itself."""
    match node:
        case Literal(value, _):
            return shown_value(value)
        case Name(name, _):
            return name if name.isidentifier() else quoted(name)
        case Cast(part, _):
            return show(part)
        case Arithmetic("-", Literal(value=0), right, _):
            return f"-{_inner(right)}"
        case Arithmetic(operator, left, right, _) | Compare(operator, left, right):
            return f"{_inner(left)} {operator} {_inner(right)}"
        case Call(function, arguments, _):
            return f"{function}({', '.join(map(show, arguments))})"
        case Case(branches, otherwise, _):
            whens = " ".join(f"when {show(test)} then {show(value)}" for test, value in branches)
            return f"case {whens} else {show(otherwise)} end"
        case In(part, options):
            return f"{_inner(part)} in ({', '.join(map(show, options))})"
        case IsNull(part):
            return f"{_inner(part)} is null"
        case Not(IsNull(part)):
            return f"{_inner(part)} is not null"
        case Not(part):
            return f"not {_inner(part)}"
        case And(parts):
            return " and ".join(map(_clause, parts))
        case Or(parts):
            return " or ".join(map(_clause, parts))


def _inner(node: Node) -> str:
    """A part inside another: in parentheses if it has an operator of its own."""
    while isinstance(node, Cast):
        node = node.part
    bare = isinstance(node, Literal | Name | Call | Case)
    return show(node) if bare else f"({show(node)})"


def _clause(node: Node) -> str:
    """A part of `and` or `or`, which bind less than all but each other."""
    return f"({show(node)})" if isinstance(node, And | Or) else show(node)


def shown_value(value: Value) -> str:
    """A value as the language writes it."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value:f}"
        case str():
            return literal(value)
        case int() | float():
            return str(value)
        case _:
            return f"date '{value.isoformat()}'"
