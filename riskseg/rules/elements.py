"""What several parts of a checked strategy are made of: conditions, actions, effective dates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol, TypeVar

from riskseg.domain.decision import NO_ACTION as NO_ACTION
from riskseg.expressions import ConstantValue, Expression
from riskseg.rules.calendar import Calendar


@dataclass(frozen=True)
class Condition:
    """An expression and what an unknown counts as."""

    expression: Expression
    unknown: bool = False


@dataclass(frozen=True)
class Constant:
    """A value with a name, which expressions use as `$name`. Its unit and description are for
    people."""

    name: str
    value: ConstantValue
    unit: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class Action:
    """`rank` counts from mild to harsh. One that `helps` is an offer, and no harsher than none.
    `cost` is what taking it once costs, where that is said: it decides nothing. It is taken on
    the open days of its `calendar`, if it has one. Before one that is `significant` is issued a
    person must approve of it, two where it takes `four_eyes`, unless it is `automatic`."""

    name: str
    channel: str
    contact: bool
    significant: bool
    rank: int
    helps: bool = False
    cost: Decimal | None = None
    calendar: Calendar | None = None
    four_eyes: bool = False
    automatic: bool = False

    @property
    def approvers(self) -> int:
        """How many people must approve of it."""
        if not self.significant or self.automatic:
            return 0
        return 2 if self.four_eyes else 1


class Dated(Protocol):
    """What is in force from one day to another, both included; None leaves a side open."""

    @property
    def effective_from(self) -> date | None: ...

    @property
    def effective_to(self) -> date | None: ...


D = TypeVar("D", bound=Dated)


def in_force(dated: Iterable[D], as_of: date) -> tuple[D, ...]:
    """The guards, or the paths, whose effective dates hold the as-of date."""
    return tuple(
        d
        for d in dated
        if (d.effective_from is None or d.effective_from <= as_of)
        and (d.effective_to is None or as_of <= d.effective_to)
    )
