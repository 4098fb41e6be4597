"""What the catalogue warrants between features: fewer bills were late in three months than in
twelve, no more by thirty days than at all, and where a bill is past due something is owed.

Two features are compared where one aggregates rows that the other does too: its window is inside
the other's, and its filter implies the other's, which z3 decides for any row there can be. Over
part of the rows a count, a sum of what is never negative, or a largest value that is 0 over none,
is never more; and where every row that makes the one more than 0 does so with the other, both are.

Proofs take these for granted; `assign` holds the accounts it reads against them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import z3

from riskseg.domain.definitions import open_bill
from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.domain.tables import BILL_FACTS
from riskseg.expressions import Expression, check
from riskseg.expressions.smt import Term, Texts, both, domain, negated, to_smt, variable
from riskseg.features.compile import adds_up
from riskseg.features.feature import SCOPES, Feature, Window

# What holds of every row that the features of a range aggregate.
_ROWS: Mapping[str, tuple[str, ...]] = {"bills": BILL_FACTS.guarantees}


def relations(features: Iterable[Feature], facts: Mapping[str, Fact]) -> tuple[Expression, ...]:
    """Conditions that hold between the features, for every account: `a <= b`, or `a = 0 or b > 0`.

    `facts` are those the expressions may name. What was worked out once is kept for as long as the
    process runs: the solver is asked once for a catalogue, and not for every run.
    """
    named = tuple(f for f in features if f.name in facts)
    # Features hold mappings, which cannot be hashed; what they say is all that matters.
    asked = repr((named, sorted(facts.items())))
    if asked not in _FOUND:
        if len(_FOUND) >= _MOST_KEPT:
            _FOUND.clear()
        _FOUND[asked] = _relations(named, facts)
    return _FOUND[asked]


_MOST_KEPT = 16
_FOUND: dict[str, tuple[Expression, ...]] = {}


def _relations(named: Sequence[Feature], facts: Mapping[str, Fact]) -> tuple[Expression, ...]:
    attributes = {name: fact for f in named for name, fact in f.attributes.items()}

    @cache
    def row_of(range_: str, is_open: bool) -> _Row:
        return _Row(range_, is_open, attributes)

    rows = {f.name: row_of(f.range, f.window == "open") for f in named if f.range != "account"}
    grown = [f for f in named if f.name in rows and _grows(rows[f.name], f)]
    conditions = []
    for part in grown:
        row = rows[part.name]
        for whole in grown:
            if part is whole or part.range != whole.range:
                continue
            if not _within(part.window, whole.window):
                continue
            if _alike(part, whole) and _implies(row, part, whole):
                conditions.append(warranted(f'"{part.name}" <= "{whole.name}"', facts))
            elif not _rounded(whole) and _shows(row, part, whole):
                conditions.append(warranted(f'"{part.name}" = 0 or "{whole.name}" > 0', facts))
    return tuple(conditions)


def warranted(text: str, facts: Mapping[str, Fact]) -> Expression:
    """A condition of riskseg's own over facts that it names."""
    problems = Problems()
    condition = check(text, facts, problems)
    assert condition is not None, list(problems)
    return condition


def _grows(row: _Row, feature: Feature) -> bool:
    """Whether more rows never make it less; a value for no rows at all included."""
    if feature.fact.nullable:
        return False
    match feature.aggregate:
        case "count":
            return True
        case "sum" | "max":
            return feature.empty == 0 and _never_negative(row, feature)
    return False


def _within(inner: Window, outer: Window) -> bool:
    """Whether all rows of the inner window are in the outer one; no window takes all rows."""
    if outer is None or inner == outer:
        return True
    return isinstance(inner, int) and isinstance(outer, int) and inner <= outer


def _alike(part: Feature, whole: Feature) -> bool:
    """Whether both make the same of the rows that count for them, and are rounded alike."""

    def aggregated(feature: Feature) -> tuple[object, ...]:
        value = feature.value.tree if feature.value else None
        return feature.aggregate, value, feature.fact.kind, feature.is_money

    return aggregated(part) == aggregated(whole)


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


def _shows(row: _Row, part: Feature, whole: Feature) -> bool:
    """Whether every row that makes `part` more than 0 makes `whole` so."""
    return row.never(*row.adds(part), negated(both(*row.adds(whole))))


def _never_negative(row: _Row, feature: Feature) -> bool:
    if feature.value is None:
        return False
    value = row.term(feature.value)
    return row.never(*row.counts(feature), z3.Not(value.unknown), value.value < 0)


# How long one question may take, in steps of z3 and not in seconds: what is warranted, and so
# what is proved and decided, must not depend on how busy the machine is.
_STEPS = 4_000_000


class _Row:
    """Any row of a range, or any open one, as terms."""

    def __init__(self, range_: str, is_open: bool, attributes: Mapping[str, Fact]) -> None:
        scope = {**attributes, **SCOPES[range_]}
        self._texts = Texts()
        self._terms = {name: variable(fact, name) for name, fact in scope.items()}
        guarantees = [*_ROWS.get(range_, ())]
        guarantees += [open_bill()] if is_open else []
        self._holds = [
            *(domain(fact, self._terms[name], self._texts) for name, fact in scope.items()),
            *(self.term(warranted(text, scope)).true for text in guarantees),
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
        solver.set("rlimit", _STEPS)
        solver.add(*self._holds, *conditions)
        return bool(solver.check() == z3.unsat)
