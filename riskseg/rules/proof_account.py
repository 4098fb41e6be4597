"""An account of which only what the catalogue says is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, cast

import z3

from riskseg.domain.facts import Fact, Kind
from riskseg.expressions import Expression
from riskseg.expressions.smt import (
    Term,
    Texts,
    both,
    constant,
    days,
    domain,
    either,
    holds,
    negated,
    to_smt,
    value_of,
    variable,
)
from riskseg.expressions.tree import Value
from riskseg.rules.contact_hours import counts_days
from riskseg.rules.elements import Condition
from riskseg.rules.state import is_state

_FALSE = z3.BoolVal(False)


@dataclass(frozen=True)
class Account:
    """Each fact as a term, and what is assumed of them all. `defaults` say that the facts the
    workspace lacks have their default values: so it is of every account here, and a row that only
    other values reach is no fault of the strategy's. `decided` are the bands, tiers and the segment
    that conditions may read."""

    facts: Mapping[str, Fact]
    terms: Mapping[str, Term]
    texts: Texts
    granted: tuple[Any, ...]
    defaults: tuple[Any, ...] = ()
    decided: Mapping[str, Term] = field(default_factory=dict)

    def term(self, expression: Expression) -> Term:
        return to_smt(expression, self._named, self.texts)

    def _named(self, name: str) -> Term:
        return self.decided[name] if name in self.decided else self.terms[name]

    def values(self, model: Any) -> dict[str, Value]:
        """The account of a model: every fact's value, None where it is unknown."""
        return {name: self.value(model, name) for name in self.terms}

    def value(self, model: Any, name: str) -> Value:
        """The value of a fact in a model, None where it is unknown."""
        return value_of(model, self.terms[name], self.facts[name].kind, self.texts)


@dataclass(frozen=True)
class Granted:
    """What is assumed of every account beside the domain of each fact: `relations` between facts,
    the default value of each fact that the workspace lacks, and the dates a strategy holds.
    `scale` is the workspace's number of decimals of money."""

    relations: Sequence[Expression] = ()
    defaults: Mapping[str, object] = field(default_factory=dict)
    begins: date | None = None
    ends: date | None = None
    scale: int = 2
    texts: Texts = field(default_factory=Texts)


def any_account(facts: Mapping[str, Fact], granted: Granted) -> Account:
    """An account of which nothing is known but `granted`."""
    texts = granted.texts
    terms = {name: variable(fact, name) for name, fact in facts.items()}
    account = Account(facts, terms, texts, ())
    known = with_defaults(account, granted.defaults).terms
    defaults = {n: terms[n].same(known[n]) for n in granted.defaults if n in facts}
    held = [
        either(domain(fact, terms[name], texts, granted.scale), defaults.get(name, _FALSE))
        for name, fact in facts.items()
    ]
    as_of = terms.get("as_of")
    if as_of is not None and granted.begins is not None:
        held.append(as_of.value >= days(granted.begins))
    if as_of is not None and granted.ends is not None:
        held.append(as_of.value <= days(granted.ends))
    held += [
        holds(account.term(relation))
        for relation in granted.relations
        if relation.names <= set(facts)
    ]
    return replace(account, granted=tuple(held), defaults=tuple(defaults.values()))


def changed(account: Account, **terms: Term) -> Account:
    """The same account with other terms for some facts."""
    return replace(account, terms={**account.terms, **terms})


def with_decided(account: Account, name: str, term: Term) -> Account:
    """The same account with one thing more that is decided of it."""
    return replace(account, decided={**account.decided, name: term})


def with_defaults(account: Account, defaults: Mapping[str, object]) -> Account:
    """The same account with the default value for each fact that the workspace lacks."""
    constants = {
        name: constant(cast(Value, value), account.facts[name].kind, account.texts)
        for name, value in defaults.items()
        if name in account.facts
    }
    return changed(account, **constants)


def plain_value(fact: Fact) -> Value:
    """A usual value, for what does not matter in a counterexample. Nothing was done before, and
    some hour is lawful."""
    if fact.nullable and is_state(fact.name) and not counts_days(fact.name):
        return None
    match fact.kind:
        case Kind.BOOLEAN:
            return False
        case Kind.INTEGER:
            return int(max(fact.lower or 0, 0))
        case Kind.DECIMAL:
            return Decimal(max(fact.lower or 0, 0))
        case Kind.NUMBER:
            return float(max(fact.lower or 0, 0))
        case Kind.LEVEL:
            return fact.levels[0] if fact.levels else None
        case Kind.DATE:
            return None if fact.nullable else date(2026, 3, 2)
    return "some text"


def condition_holds(condition: Condition, account: Account) -> Any:
    """The condition as plain true or false, an unknown as the file says."""
    term = account.term(condition.expression)
    return either(term.true, term.unknown) if condition.unknown else term.true


def within(begins: date | None, ends: date | None, account: Account) -> Any:
    """That the as-of date lies between two dates, both included."""
    as_of = account.terms["as_of"].value
    return both(
        *([as_of >= days(begins)] if begins else []), *([as_of <= days(ends)] if ends else [])
    )


def in_cell(term: Term, cell: frozenset[str | bool], texts: Texts) -> Any:
    """A cell that names levels does not match an unknown."""
    kind = Kind.BOOLEAN if z3.is_bool(term.value) else Kind.TEXT
    options = [constant(level, kind, texts).value for level in sorted(cell, key=str)]
    return both(either(*(term.value == option for option in options)), negated(term.unknown))
