"""What the catalogue warrants between features: fewer bills were late in three months than in
twelve, and no more by thirty days than at all.

Two features are compared where one aggregates part of what the other does: a window inside the
other's, and a filter that implies the other's (which z3 decides). Over part of the rows a count,
a sum of what is never negative, or a largest value that is 0 over none, is never more.

Proofs take these for granted; `assign` holds the accounts it reads against them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from riskseg.domain.facts import Fact
from riskseg.domain.problems import Problems
from riskseg.expressions import Expression, check
from riskseg.features.catalogue import SCOPES, Feature

if TYPE_CHECKING:
    from riskseg.expressions.smt import Term


def relations(features: Iterable[Feature], facts: Mapping[str, Fact]) -> tuple[Expression, ...]:
    """Conditions that hold between the features, for every account: `a <= b`, in one order.

    `facts` are those the expressions may name.
    """
    grown = [f for f in features if _grows(f) and f.name in facts]
    found = []
    for part in grown:
        for whole in grown:
            if part is not whole and _inside(part, whole):
                problems = Problems()
                known = check(f'"{part.name}" <= "{whole.name}"', facts, problems)
                assert known is not None, list(problems)
                found.append(known)
    return tuple(found)


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


def _inside(part: Feature, whole: Feature) -> bool:
    alike = (part.range, part.aggregate) == (whole.range, whole.aggregate)
    values = [f.value.tree if f.value else None for f in (part, whole)]
    if not alike or values[0] != values[1]:
        return False
    if "open" in (part.window, whole.window):
        windows = part.window == whole.window
    else:
        sizes = [w if isinstance(w, int) else None for w in (part.window, whole.window)]
        windows = sizes[1] is None or (sizes[0] is not None and sizes[0] <= sizes[1])
    return windows and _implies(part, whole)


def _implies(part: Feature, whole: Feature) -> bool:
    """Whether every row that counts for `part` counts for `whole`."""
    import z3

    from riskseg.expressions.smt import negated

    if whole.filter is None:
        return True
    if part.filter is None:
        return False
    if part.filter.tree == whole.filter.tree:
        return True
    held, term = _row(part)
    solver = z3.Solver()
    solver.set("timeout", 2000)
    solver.add(*held, term(part.filter).true, negated(term(whole.filter).true))
    return bool(solver.check() == z3.unsat)


def _never_negative(feature: Feature) -> bool:
    import z3

    if feature.value is None:
        return False
    held, term = _row(feature)
    value = term(feature.value)
    solver = z3.Solver()
    solver.set("timeout", 2000)
    if feature.filter is not None:
        held = [*held, term(feature.filter).true]
    solver.add(*held, z3.Not(value.unknown), value.value < 0)
    return bool(solver.check() == z3.unsat)


def _row(feature: Feature) -> tuple[list[Any], Callable[[Expression], Term]]:
    """(what holds of any row the feature aggregates, what makes terms of its expressions)."""
    from riskseg.expressions.smt import Texts, domain, to_smt, variable

    texts, scope = Texts(), SCOPES[feature.range]
    terms = {name: variable(fact, name) for name, fact in scope.items()}
    held = [domain(fact, terms[name], texts) for name, fact in scope.items()]
    return held, lambda expression: to_smt(expression, terms.__getitem__, texts)
