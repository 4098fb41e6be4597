"""The tree of an expression: few node types, all of them frozen, none of them sqlglot's.

Nothing is left to infer: every node says its kind, and the operands of one operation are of one
kind (LEVEL and TEXT count as one). Where the author mixed kinds a :class:`Cast` stands, or the
literal was converted. So whoever reads a tree (SQL, a proof, an evaluator) needs no typing rules.

What the author wrote in other ways has one form here: `between` is two comparisons, `is true` is
a coalesce, `-x` is `0 - x`, a date plus days is `add_days`, `case x when` is `case when x =`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal as Choice
from typing import TypeAlias

from riskseg.domain.facts import Kind

Value: TypeAlias = bool | int | Decimal | float | str | date | None
Comparison: TypeAlias = Choice["=", "<>", "<", "<=", ">", ">="]
Operator: TypeAlias = Choice["+", "-", "*", "/"]


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as written. Its Python type follows its kind: bool, int, Decimal, float, date, str;
    None is an unknown of that kind. Where a constant stood, `constant` is its name, which makes
    no difference."""

    value: Value
    kind: Kind
    constant: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A fact."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Cast:
    """INTEGER to DECIMAL, INTEGER to NUMBER, or DECIMAL to NUMBER; nothing else."""

    part: Node
    kind: Kind


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`+ - *` of INTEGER, DECIMAL or NUMBER; `/` of DECIMAL or NUMBER. A DECIMAL result has six
    decimals, rounded half away from zero. Dividing by zero gives unknown (the checker sees that
    it cannot matter)."""

    operator: Operator
    left: Node
    right: Node
    kind: Kind


@dataclass(frozen=True, slots=True)
class Call:
    """A function of :data:`riskseg.expressions.functions.FUNCTIONS`."""

    function: str
    arguments: tuple[Node, ...]
    kind: Kind


@dataclass(frozen=True, slots=True)
class Case:
    """The value of the first branch whose condition is true, else `otherwise`."""

    branches: tuple[tuple[Node, Node], ...]
    otherwise: Node
    kind: Kind


class _Boolean:
    """What the nodes below have in common: they are true, false or unknown."""

    __slots__ = ()

    @property
    def kind(self) -> Kind:
        return Kind.BOOLEAN


@dataclass(frozen=True, slots=True)
class Compare(_Boolean):
    """Unknown where a side is. Only `=` and `<>` of text and booleans."""

    operator: Comparison
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class In(_Boolean):
    """Whether `part` is one of `options`, none of which is unknown."""

    part: Node
    options: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class IsNull(_Boolean):
    """Whether `part` is unknown; itself never unknown."""

    part: Node


@dataclass(frozen=True, slots=True)
class Not(_Boolean):
    part: Node


@dataclass(frozen=True, slots=True)
class And(_Boolean):
    """Two parts or more. False if one is false, else unknown if one is unknown, else true."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or(_Boolean):
    """Two parts or more. True if one is true, else unknown if one is unknown, else false."""

    parts: tuple[Node, ...]


Node: TypeAlias = (
    Literal | Name | Cast | Arithmetic | Call | Case | Compare | In | IsNull | Not | And | Or
)


@dataclass(frozen=True, slots=True)
class Type:
    """What an expression gives. `levels` are the only texts a LEVEL can be."""

    kind: Kind
    nullable: bool
    levels: tuple[str, ...] = ()
