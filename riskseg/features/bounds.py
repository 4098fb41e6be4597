"""Which values are never negative, as their expressions are written."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from riskseg.domain.facts import Fact
from riskseg.expressions import Node
from riskseg.expressions.tree import Arithmetic, Call, Case, Cast, Literal, Name


def never_negative(node: Node, scope: Mapping[str, Fact]) -> bool:
    """Whether a number is never below zero where it is known. What does not show is taken to be."""
    match node:
        case Literal(value, _):
            return value is None or (isinstance(value, int | Decimal) and value >= 0)
        case Name(name, _):
            lower = scope[name].lower
            return lower is not None and lower >= 0
        case Cast(part, _) | Call("round" | "floor" | "ceil" | "nullif", (part, *_), _):
            return never_negative(part, scope)
        case Arithmetic("+" | "*" | "/", left, right, _):
            return never_negative(left, scope) and never_negative(right, scope)
        case Call("abs", _, _):
            return True
        case Call("greatest", parts, _):
            return any(never_negative(part, scope) for part in parts)
        case Call("least" | "coalesce", parts, _):
            return all(never_negative(part, scope) for part in parts)
        case Case(branches, otherwise, _):
            return all(never_negative(n, scope) for n in (*(b for _, b in branches), otherwise))
    return False
