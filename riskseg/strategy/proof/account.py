"""An account of which only what the catalogue says is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from riskseg.domain.facts import Fact, Kind
from riskseg.expressions import Expression
from riskseg.expressions.smt import Term, Texts, days, domain, to_smt, value_of, variable
from riskseg.expressions.tree import Value

MONEY_UNIT = "money"


@dataclass(frozen=True)
class Account:
    """Each fact as a term, and what is taken for granted of them all."""

    facts: Mapping[str, Fact]
    terms: Mapping[str, Term]
    texts: Texts
    granted: tuple[Any, ...]

    def term(self, expression: Expression) -> Term:
        return to_smt(expression, self.terms.__getitem__, self.texts)

    def values(self, model: Any) -> dict[str, Value]:
        """The account of a model: every fact's value, None where it is unknown."""
        return {
            name: value_of(model, term, self.facts[name].kind, self.texts)
            for name, term in self.terms.items()
        }


@dataclass(frozen=True)
class Granted:
    """What the catalogue warrants of every account: `relations` between facts, and the dates a
    strategy holds. `scale` is the workspace's number of decimals of money."""

    relations: Sequence[Expression] = ()
    begins: date | None = None
    ends: date | None = None
    scale: int = 2
    texts: Texts = field(default_factory=Texts)


def any_account(facts: Mapping[str, Fact], granted: Granted) -> Account:
    """An account of which nothing is known but `granted`."""
    terms = {name: variable(fact, name) for name, fact in facts.items()}
    held = [domain(fact, terms[name], granted.texts) for name, fact in facts.items()]
    for name, fact in facts.items():
        if fact.unit == MONEY_UNIT and fact.kind is Kind.DECIMAL:
            held.append(terms[name].value % 10 ** (6 - granted.scale) == 0)
    as_of = terms.get("as_of")
    if as_of is not None and granted.begins is not None:
        held.append(as_of.value >= days(granted.begins))
    if as_of is not None and granted.ends is not None:
        held.append(as_of.value <= days(granted.ends))
    account = Account(facts, terms, granted.texts, ())
    held += [
        account.term(relation).true
        for relation in granted.relations
        if relation.names <= set(facts)
    ]
    return Account(facts, terms, granted.texts, tuple(held))


def changed(account: Account, **terms: Term) -> Account:
    """The same account with other terms for some facts."""
    return Account(account.facts, {**account.terms, **terms}, account.texts, account.granted)


def plain_value(fact: Fact) -> Value:
    """A value that nobody wonders at, for what does not matter in a counterexample."""
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
