"""What an exported query reads: the columns of its table of facts, and where each comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from riskseg.domain.facts import Fact, glossed
from riskseg.expressions.dialects import Dialect
from riskseg.rules.calendar import counted_by
from riskseg.rules.contact_hours import hours_of
from riskseg.rules.quiet import counted_periods
from riskseg.rules.state import is_state
from riskseg.strategy.warehouse.query import SQL_TYPES, Query

# `treatment` is what was done about the account, and what holds it; `day` is of the as-of date.
Origin = Literal["account", "model", "treatment", "day"]


@dataclass(frozen=True)
class FactRead:
    """A column of the table of facts; `fact` is riskseg's own name of what it holds."""

    column: str
    fact: str
    type: str
    nullable: bool
    origin: Origin
    meaning: str


def facts_read(query: Query, dialect: Dialect) -> Iterator[FactRead]:
    """The columns that the query reads beside `account_id`."""
    strategy = query.strategy
    for name, column in query.facts.items():
        fact = strategy.facts[name]
        type_ = dialect.type_name(SQL_TYPES[fact.kind])
        model = strategy.uses.get(name)
        meaning = _meaning(fact) if model is None else f"the probability of the model {model}"
        yield FactRead(column, name, type_, fact.nullable, _origin(name, model), meaning)


def _origin(name: str, model: str | None) -> Origin:
    if model is not None:
        return "model"
    if name == "as_of" or counted_by(name) or counted_periods(name) or hours_of(name):
        return "day"
    return "treatment" if is_state(name) else "account"


def _meaning(fact: Fact) -> str:
    words = " ".join(glossed(fact.words).split()) or fact.name
    if fact.name == "as_of":
        return "the day that the row is of"
    levels = f" ({', '.join(fact.levels)})" if fact.levels and len(fact.levels) <= 12 else ""
    return f"{words}{levels}"
