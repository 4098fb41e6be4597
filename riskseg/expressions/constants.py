"""Constants: values with a name, written once and used as `$name` in any number of expressions.

In a tree a constant is the value it stands for, so whatever reads trees (SQL, proofs) needs to
know nothing of it; the literal keeps the name, for messages and for comparing two versions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

from riskseg.domain.facts import Kind
from riskseg.expressions.show import shown_value
from riskseg.expressions.tree import Literal, Name, Node
from riskseg.expressions.typed import Typed

ConstantValue: TypeAlias = int | Decimal | str | date
Constants: TypeAlias = Mapping[str, ConstantValue]

_USED = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|\$([A-Za-z_]\w*)")


def names_used(text: str) -> Iterator[str]:
    """The constants that a text names outside quotes, as far as can be seen without reading it."""
    for match in _USED.finditer(text):
        if match[1]:
            yield match[1]


def typed_constant(name: str, value: ConstantValue) -> Typed:
    """A constant as a part of an expression."""
    match value:
        case str():
            return Typed(Literal(value, Kind.TEXT, name), Kind.TEXT, (value,))
        case date():
            return Typed(Literal(value, Kind.DATE, name), Kind.DATE)
        case int():
            return Typed(Literal(value, Kind.INTEGER, name), Kind.INTEGER)
    return Typed(Literal(value, Kind.DECIMAL, name), Kind.DECIMAL)


@dataclass(frozen=True)
class NamedValue:
    """A constant that an expression uses, with its value."""

    name: str
    value: ConstantValue

    def __str__(self) -> str:
        return f"${self.name} ({shown_value(self.value)})"


def with_values(text: str, used: tuple[NamedValue, ...]) -> str:
    """An expression's text with the value behind each constant: `balance < $small_debt (50)`."""
    shown = {named.name: str(named) for named in used}
    return _USED.sub(lambda match: shown.get(match[1] or "", match[0]), text)


def by_name(node: Node, names: Set[str]) -> Node:
    """The tree with the constants of these names as names: two trees are the same then whatever
    those constants are."""
    return _by_name(node, names) if names else node


def _by_name(part: Any, names: Set[str]) -> Any:
    if isinstance(part, tuple):
        return tuple(_by_name(member, names) for member in part)
    if isinstance(part, Literal):
        return Name(f"${part.constant}", Kind.TEXT) if part.constant in names else part
    if is_dataclass(part) and not isinstance(part, type):
        return type(part)(*(_by_name(getattr(part, key.name), names) for key in fields(part)))
    return part
