"""Parts of an expression with their kinds: how a part of one kind is converted to another."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from riskseg.domain.facts import Fact, Kind
from riskseg.expressions.functions import NUMERIC
from riskseg.expressions.reading import shown
from riskseg.expressions.show import show
from riskseg.expressions.tree import Cast, Literal, Node

Scope = Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class Typed:
    """A node with what the author's text allows: `kind` is None for a bare `null`, which takes
    the kind of its neighbours; `levels` are the only texts it can be, None if it can be any."""

    node: Node
    kind: Kind | None
    levels: tuple[str, ...] | None = None

    @property
    def iso_date(self) -> date | None:
        """The date, if this is a text literal that spells one."""
        match self.node:
            case Literal(str() as text, Kind.TEXT) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
                try:
                    return date.fromisoformat(text)
                except ValueError:
                    return None
        return None


NULL = Typed(Literal(None, Kind.TEXT), None)
NUMERIC_ORDER = (Kind.INTEGER, Kind.DECIMAL, Kind.NUMBER)


def sort_of(kind: Kind) -> Kind:
    """LEVEL is a TEXT of which more is known."""
    return Kind.TEXT if kind is Kind.LEVEL else kind


def go_together(a: Kind | None, b: Kind | None) -> bool:
    if a is None or b is None:
        return True
    return sort_of(a) is sort_of(b) or (a.is_numeric and b.is_numeric)


def is_digits(node: Node) -> bool:
    match node:
        case Literal(int() as digits, Kind.INTEGER):
            return 0 <= digits <= 6
    return False


def levels_of(alike: Sequence[Typed]) -> tuple[str, ...] | None:
    """Every text the parts can be; None as soon as one can be any."""
    levels: dict[str, None] = {}
    for part in alike:
        if part.kind is None:
            continue
        if part.levels is None:
            return None
        levels |= dict.fromkeys(part.levels)
    return tuple(levels)


def converted(kind: Kind, node: Node) -> Node:
    """The node in this kind. Literals are converted here, once; facts at run time."""
    if sort_of(node.kind) is kind and not isinstance(node, Literal):
        return node
    match node:
        case Literal(None, _):
            return Literal(None, kind)
        case Literal(str() as text, _, constant) if kind is Kind.DATE:
            return Literal(date.fromisoformat(text), kind, constant)
        case Literal(int() | Decimal() as value, _, constant) if kind is Kind.DECIMAL:
            return Literal(Decimal(value), kind, constant)
        case Literal(int() | Decimal() as value, _, constant) if kind is Kind.NUMBER:
            return Literal(float(value), kind, constant)
        case Literal():
            return node
    return Cast(node, kind)


def words_of(typed: Typed) -> str:
    """How a message names a part: its text and its kind."""
    if typed.kind is None:
        return "null"
    if isinstance(typed.node, Literal) and typed.node.constant is not None:
        return f'"${typed.node.constant} = {show(typed.node)}" ({typed.kind})'
    return f"{shown(show(typed.node))} ({typed.kind})"


def condition_hint(typed: Typed) -> str:
    if typed.kind in NUMERIC:
        return "Compare it with a number, such as `> 0`."
    if isinstance(typed.node, Literal):
        return "Compare a fact with it: `FACT = 'a' or FACT = 'b'`, or `FACT in ('a', 'b')`."
    return "Compare it with a value."
