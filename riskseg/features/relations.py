"""What the catalogue warrants between features: fewer bills were late in three months than in
twelve, no more by thirty days than at all, and where a bill is past due something is owed.

Two features are compared where one aggregates rows that the other does too: its window is inside
the other's, and its filter implies the other's, which z3 decides for any row there can be. Over
part of the rows a count, a sum of what is never negative, or a largest value that is 0 over none,
is never more; and where every row that makes the one more than 0 does so with the other, both are.

Proofs take these for granted; `assign` holds the accounts it reads against them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import z3

from riskseg.domain.definitions import open_bill
from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.domain.tables import BILL_FACTS
from riskseg.expressions import Expression, check
from riskseg.expressions.smt import Term, Texts, both, domain, negated, to_smt, variable
from riskseg.features.catalogue import SCOPES, Feature, Window
from riskseg.features.compile import adds_up

# What holds of every row that the features of a range aggregate.
_ROWS: Mapping[str, tuple[str, ...]] = {"bills": BILL_FACTS.guarantees}


def relations(features: Iterable[Feature], facts: Mapping[str, Fact]) -> tuple[Expression, ...]:
    """Conditions that hold between the features, for every account: `a <= b`, or `a = 0 or b > 0`.

    `facts` are those the expressions may name.
    """
    grown = [f for f in features if _grows(f) and f.name in facts]
    attributes = {name: fact for f in grown for name, fact in f.attributes.items()}
    found = []
    for one in grown:
        row = _Row(one, attributes)
        for other in grown:
            if one is other or one.range != other.range or not _within(one.window, other.window):
                continue
            if _alike(one, other) and _implies(row, one, other):
                found.append(warranted(f'"{one.name}" <= "{other.name}"', facts))
            elif not _rounded(other) and _shows(row, one, other):
                found.append(warranted(f'"{one.name}" = 0 or "{other.name}" > 0', facts))
    return tuple(found)


def warranted(text: str, facts: Mapping[str, Fact]) -> Expression:
    """A condition of riskseg's own over facts that it names."""
    problems = Problems()
    known = check(text, facts, problems)
    assert known is not None, list(problems)
    return known


def _grows(feature: Feature) -> bool:
    """Whether more rows never make it less; a value for no rows at all included."""
    if feature.range == "account" or feature.fact.nullable:
        return False
    match feature.aggregate:
        case "count":
            return True
        case "sum" | "max":
            return feature.empty == 0 and _never_negative(feature)
    return False


def _within(window: Window, other: Window) -> bool:
    """Whether the rows of the one window are of the other; none is all rows."""
    if other is None or window == other:
        return True
    return isinstance(window, int) and isinstance(other, int) and window <= other


def _alike(one: Feature, other: Feature) -> bool:
    """Whether both make the same of the rows that count for them, and are rounded alike."""
    kept = [
        (f.aggregate, f.value.tree if f.value else None, f.fact.kind, f.is_money)
        for f in (one, other)
    ]
    return kept[0] == kept[1]


def _rounded(feature: Feature) -> bool:
    """Whether what is more than 0 can be kept as 0."""
    value = feature.value
    if value is None or value.type.kind is Kind.INTEGER:
        return False
    if feature.is_money:
        return not adds_up(value.tree)
    return feature.fact.kind is Kind.INTEGER


def _implies(row: _Row, part: Feature, whole: Feature) -> bool:
    """Whether every row that counts for `part` counts for `whole`."""
    if whole.filter is None:
        return True
    if part.filter is not None and part.filter.tree == whole.filter.tree:
        return True
    return row.never(*row.counts(part), negated(row.term(whole.filter).true))


def _shows(row: _Row, one: Feature, other: Feature) -> bool:
    """Whether every row that makes the one more than 0 makes the other so."""
    return row.never(*row.adds(one), negated(both(*row.adds(other))))


def _never_negative(feature: Feature) -> bool:
    if feature.value is None:
        return False
    row = _Row(feature, feature.attributes)
    value = row.term(feature.value)
    return row.never(*row.counts(feature), z3.Not(value.unknown), value.value < 0)


class _Row:
    """Any row that a feature aggregates, as terms."""

    def __init__(self, feature: Feature, attributes: Mapping[str, Fact]) -> None:
        scope = {**attributes, **SCOPES[feature.range]}
        self._texts = Texts()
        self._terms = {name: variable(fact, name) for name, fact in scope.items()}
        held = [*_ROWS.get(feature.range, ())]
        held += [open_bill()] if feature.window == "open" else []
        self._held = [
            *(domain(fact, self._terms[name], self._texts) for name, fact in scope.items()),
            *(self.term(warranted(text, scope)).true for text in held),
        ]

    def term(self, expression: Expression) -> Term:
        return to_smt(expression, self._terms.__getitem__, self._texts)

    def counts(self, feature: Feature) -> list[Any]:
        """That the feature's filter takes the row."""
        return [] if feature.filter is None else [self.term(feature.filter).true]

    def adds(self, feature: Feature) -> list[Any]:
        """That the row alone makes the feature more than 0."""
        if feature.value is None:
            return self.counts(feature)
        value = self.term(feature.value)
        return [*self.counts(feature), z3.Not(value.unknown), value.value > 0]

    def never(self, *conditions: Any) -> bool:
        """Whether no row meets all of them."""
        solver = z3.Solver()
        solver.set("timeout", 2000)
        solver.add(*self._held, *conditions)
        return bool(solver.check() == z3.unsat)
