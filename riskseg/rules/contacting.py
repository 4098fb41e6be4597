"""Limits of contacts, and the fact of each: the first day on which the next contact is lawful."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from riskseg.domain.facts import Kind
from riskseg.expressions import Expression, Type
from riskseg.expressions.tree import Compare, Name

_LAWFUL = "lawful from "
# The fact that holds the premise of an account, where a rule counts the contacts of one.
PREMISE = "premise id"


@dataclass(frozen=True, slots=True)
class ContactLimit:
    """How often the actions of a rule may reach an account, or all accounts of its party or of its
    premise (`per`).

    At most `at_most` contacts in `within` days; none in the `quiet` days of which the first is that
    of a conversation; and, after `unanswered` contacts in a row that nobody answered, one in
    `every` days. A part that is None limits nothing. What counts are the actions issued, and
    contacts by their channels, or by no channel that is known.
    """

    actions: tuple[str, ...]
    channels: tuple[str, ...]
    per: str = "account"
    at_most: int | None = None
    within: int | None = None
    quiet: int | None = None
    unanswered: int | None = None
    every: int | None = None

    @property
    def fact(self) -> str:
        """The fact that holds the first day on which the next contact is lawful; unknown where
        every day is."""
        said = {name: value for name, value in asdict(self).items() if value is not None}
        return _LAWFUL + json.dumps(said, sort_keys=True)

    @property
    def exceeded(self) -> Expression:
        """The condition that the as-of date is before that day."""
        day, as_of = Name(self.fact, Kind.DATE), Name("as_of", Kind.DATE)
        names = frozenset({self.fact, "as_of"})
        type_ = Type(Kind.BOOLEAN, nullable=True)
        return Expression(f"as_of < {self.fact}", Compare("<", as_of, day), type_, names)

    def __str__(self) -> str:
        return self.text(str)

    def text(self, number: Callable[[int | None], str]) -> str:
        """What it says, with each of its numbers as `number` shows it."""
        parts = []
        if self.at_most is not None:
            parts.append(f"at most {number(self.at_most)} in {number(self.within)} days")
        if self.quiet is not None:
            parts.append(f"none in the {number(self.quiet)} days from a conversation on")
        if self.unanswered is not None:
            parts.append(
                f"after {number(self.unanswered)} without an answer one in "
                f"{number(self.every)} days"
            )
        return f"{', '.join(self.actions)} per {self.per}: {'; '.join(parts)}"


def limit_of(fact: str) -> ContactLimit | None:
    """The limit that a fact is of; None for any other fact."""
    if not fact.startswith(_LAWFUL):
        return None
    values: dict[str, Any] = json.loads(fact.removeprefix(_LAWFUL))
    lists = {name: tuple(values[name]) for name in ("actions", "channels")}
    return ContactLimit(**{**values, **lists})
