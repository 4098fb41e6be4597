"""What a region of accounts can be bounded by: a fact's values fall into cells between the values
that rules compare it with; a tier, a band, a guard into what it can be."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import z3

from riskseg.domain.facts import Fact, Kind
from riskseg.expressions import show
from riskseg.expressions.smt import (
    EPOCH,
    ONE,
    Term,
    both,
    constant,
    days,
    negated,
    tree_to_smt,
)
from riskseg.expressions.tree import Cast, Compare, Comparison, In, Literal, Name, Node
from riskseg.expressions.walk import comparisons
from riskseg.rules.model import Strategy
from riskseg.strategy.divided_columns import divided
from riskseg.strategy.fingerprint import canonical_value
from riskseg.strategy.proof.decision import Decision
from riskseg.treatment.placement import regimes
from riskseg.treatment.routes import length, route, step_days

# The first whole number from each boundary on, and its two sides in words.
Cuts = dict[int, tuple[str, str]]


@dataclass(frozen=True)
class Cell:
    """Some values of a dimension: that a value is one of them, and how they are written. For a
    cell of numbers `low` and `high` are its ends as comparisons, empty where it has none."""

    holds: Any
    text: str = ""
    low: str = ""
    high: str = ""


@dataclass(frozen=True)
class Dimension:
    """What a region can be bounded by. Ordered cells stand in the order of their values; `null`
    is the cell of what is unknown; `whole` that values are whole numbers."""

    name: str
    cells: tuple[Cell, ...]
    ordered: bool
    null: Cell | None
    whole: bool = False

    @property
    def all(self) -> tuple[Cell, ...]:
        return (*self.cells, *([self.null] if self.null else ()))

    def in_words(self, chosen: frozenset[int]) -> str:
        """The chosen cells in words; the null's number is that after the last cell."""
        known_cells = sorted(cell_number for cell_number in chosen if cell_number < len(self.cells))
        holds_null = self.null is not None and len(self.cells) in chosen
        if not known_cells:
            return f"{self.name} unknown"
        if len(known_cells) == len(self.cells):
            return f"{self.name} known"
        cells_text = self._ordered(known_cells) if self.ordered else self._listed(known_cells)
        return f"{cells_text} or unknown" if holds_null else cells_text

    def _ordered(self, known: Sequence[int]) -> str:
        low, high = self.cells[known[0]].low, self.cells[known[-1]].high
        if low.startswith("≥ ") and high.startswith("≤ ") and low[2:] == high[2:]:
            return f"{self.name} = {low[2:]}"
        end_digits = low[2:].lstrip("-"), high[2:].lstrip("-")
        if (
            self.whole
            and low.startswith("≥ ")
            and high.startswith("< ")
            and all(end.isdigit() for end in end_digits)
        ):
            first_value, last_value = int(low[2:]), int(high[2:]) - 1
            return f"{self.name} {first_value}" + (
                f" to {last_value}" if last_value > first_value else ""
            )
        if low and high:
            reversed_sign = {"≥": "≤", ">": "<"}[low.split(" ")[0]]
            return f"{low.split(' ', 1)[1]} {reversed_sign} {self.name} {high}"
        return f"{self.name} {low or high}"

    def _listed(self, known: Sequence[int]) -> str:
        cell_texts = [self.cells[index].text for index in known]
        other_texts = [cell.text for index, cell in enumerate(self.cells) if index not in known]
        if len(other_texts) == 1 and len(cell_texts) > 2:
            return f"{self.name} not {other_texts[0]}"
        return f"{self.name} {' or '.join(cell_texts)}"


def dimensions(
    strategies: Sequence[Strategy],
    decisions: Sequence[Decision],
    also: Sequence[str] = (),
    *,
    guards: bool = False,
) -> list[Dimension]:
    """What regions of accounts decided by one strategy, or by two, are bounded by: what rules
    compare and nobody names first, then facts, then guards (where asked for), tiers and bands,
    which people think in. Of two strategies' guards, tiers and bands those count that are the same
    in both; `also` are further names of decisions, the same in both."""
    atoms: dict[str, Any] = {}
    cuts: dict[str, Cuts] = {}
    texts: dict[str, set[str]] = {}
    for strategy, decision in zip(strategies, decisions, strict=True):
        for tree in _trees(strategy):
            for node in comparisons(tree):
                if not _by_literal(node, decision.account.facts, cuts, texts):
                    atoms.setdefault(show(node), _term_of(node, decision))
        for band in strategy.bands:
            for _, cut in band.cuts[:-1]:
                _cut(cuts.setdefault(band.of, {}), "<", cut, ONE)
    decision = decisions[0]
    bounding = [_truth(dimension_name, term) for dimension_name, term in atoms.items()]
    for dimension_name, fact in decision.account.facts.items():
        term = decision.account.terms[dimension_name]
        if fact.kind is Kind.TEXT:
            bounding.append(_of_text(fact, term, sorted(texts.get(dimension_name, ())), decision))
        else:
            bounding += _of_fact(fact, term, cuts.get(dimension_name, {}), decision)
    bounding += _days(strategies, decision)
    for dimension_name in _shared_guards(strategies) if guards else ():
        in_force = decision.guards[dimension_name]
        cells = (Cell(in_force, "in force"), Cell(negated(in_force), "not in force"))
        bounding.append(Dimension(dimension_name, cells, False, None))
    for dimension_name, levels in _shared_levels(strategies).items():
        bounding.append(
            _of_levels(dimension_name, decision.names[dimension_name], levels, decision, None)
        )
    for dimension_name in also:
        levels = tuple(
            dict.fromkeys(
                text for strategy_ in strategies for text in _decided(strategy_)[dimension_name]
            )
        )
        bounding.append(
            _of_levels(dimension_name, decision.names[dimension_name], levels, decision, None)
        )
    return bounding


def _decided(strategy: Strategy) -> dict[str, tuple[str, ...]]:
    return {
        "segment": strategy.segments,
        "path": tuple(path.name for path in strategy.paths),
    }


def _shared_levels(strategies: Sequence[Strategy]) -> dict[str, tuple[str, ...]]:
    """Bands and schemes that mean the same in every strategy, with their levels."""

    def meanings(strategy: Strategy) -> dict[str, tuple[Any, tuple[str, ...]]]:
        meaning_by_name: dict[str, tuple[Any, tuple[str, ...]]] = {}
        for scheme in strategy.schemes:
            row_meanings = [
                (row.tier, row.when and (show(row.when.expression.tree), row.when.unknown))
                for row in scheme.rows
            ]
            meaning_by_name[scheme.name] = (row_meanings, scheme.levels)
        for band in strategy.bands:
            meaning_by_name[band.name] = ((band.of, band.cuts), band.levels)
        return meaning_by_name

    first_meanings, *other_meanings = [meanings(strategy_) for strategy_ in strategies]
    return {
        scheme_name: levels
        for scheme_name, (meaning, levels) in first_meanings.items()
        if all(
            other_meaning.get(scheme_name, (None,))[0] == meaning
            for other_meaning in other_meanings
        )
    }


def _shared_guards(strategies: Sequence[Strategy]) -> list[str]:
    """Guards that hold for the same accounts in every strategy."""

    def meanings(strategy: Strategy) -> dict[str, Any]:
        return {
            guard.name: (type(guard).in_force_term, canonical_value(guard.when_in_force()))
            for guard in strategy.guards
        }

    first_meanings, *other_meanings = [meanings(strategy_) for strategy_ in strategies]
    return [
        guard_name
        for guard_name, guard_meaning in first_meanings.items()
        if all(other_meaning.get(guard_name) == guard_meaning for other_meaning in other_meanings)
    ]


def _trees(strategy: Strategy) -> Iterator[Node]:
    for scheme in strategy.schemes:
        yield from (row.when.expression.tree for row in scheme.rows if row.when)
    yield from divided(strategy).trees.values()
    for path in strategy.paths:
        if path.ends_when:
            yield path.ends_when.expression.tree
        yield from (step.when.expression.tree for step in path.steps if step.when)
    yield from (guard.when.expression.tree for guard in strategy.guards)
    yield from (duty.when.expression.tree for duty in strategy.duties)


_TURNED: Mapping[Comparison, Comparison] = {
    "=": "=",
    "<>": "<>",
    "<": ">",
    "<=": ">=",
    ">": "<",
    ">=": "<=",
}


def _by_literal(
    node: Node, facts: Mapping[str, Fact], cuts: dict[str, Cuts], texts: dict[str, set[str]]
) -> bool:
    """Note where a comparison of one fact with plain values cuts it; False for any other."""
    compared_pairs: list[tuple[Comparison, Node, Literal]]
    match node:
        case In(side, options):
            compared_pairs = [("=", _bare(side), option) for option in options]
        case Compare(sign, left, Literal() as right):
            compared_pairs = [(sign, _bare(left), right)]
        case Compare(sign, Literal() as left, right):
            compared_pairs = [(_TURNED[sign], _bare(right), left)]
        case _:
            return False
    for sign, side, literal in compared_pairs:
        if not isinstance(side, Name) or side.name not in facts:
            return False
        kind = facts[side.name].kind
        if kind is Kind.NUMBER:
            return False
        if kind.is_textual:
            texts.setdefault(side.name, set()).add(str(literal.value))
        elif kind is Kind.DATE:
            assert isinstance(literal.value, date)
            _cut(cuts.setdefault(side.name, {}), sign, Decimal(days(literal.value)), 1, date_=True)
        elif kind.is_numeric:
            value = Decimal(str(literal.value))
            smallest_step = ONE if kind is Kind.DECIMAL else 1
            _cut(cuts.setdefault(side.name, {}), sign, value, smallest_step)
    return True


def _bare(node: Node) -> Node:
    while isinstance(node, Cast):
        node = node.part
    return node


def _cut(into: Cuts, sign: str, value: Decimal, unit: int, *, date_: bool = False) -> None:
    """The first whole number above a boundary, with its two sides in words: (from it on, below)."""
    cut_text = f"{value.normalize():f}"
    if date_:
        cut_text = (EPOCH + timedelta(days=int(value))).isoformat()
    boundary = value * unit
    if sign in ("<", ">=", "=", "<>"):
        into.setdefault(math.ceil(boundary), (f"≥ {cut_text}", f"< {cut_text}"))
    if sign in ("<=", ">", "=", "<>"):
        into.setdefault(math.floor(boundary) + 1, (f"> {cut_text}", f"≤ {cut_text}"))


def _of_fact(fact: Fact, term: Term, cuts: Cuts, decision: Decision) -> list[Dimension]:
    is_known = negated(term.unknown)
    null = Cell(term.unknown) if fact.nullable else None
    if fact.kind is Kind.BOOLEAN:
        truth_cells = [
            Cell(both(is_known, term.value), "true"),
            Cell(both(is_known, z3.Not(term.value)), "false"),
        ]
        return [Dimension(fact.name, tuple(truth_cells), False, null)]
    if fact.kind is Kind.LEVEL:
        return [_of_levels(fact.name, term, fact.levels, decision, null)]
    if fact.kind is Kind.NUMBER:
        known_cell = (Cell(is_known, "known"),)
        return [Dimension(fact.name, known_cell, True, null)] if null else []
    numbers = _numbers(term, cuts, fact)
    if len(numbers) == 1 and null is None:
        return []
    return [Dimension(fact.name, numbers, True, null, whole=fact.kind is not Kind.DECIMAL)]


def _of_text(fact: Fact, term: Term, named: Sequence[str], decision: Decision) -> Dimension:
    """Texts that rules name, and all others together."""
    is_known = negated(term.unknown)
    code_by_text = {text: decision.account.texts.code(text) for text in named}
    text_cells = [
        Cell(both(is_known, term.value == code), text) for text, code in code_by_text.items()
    ]
    other_cell = Cell(
        both(is_known, *(term.value != code for code in code_by_text.values())), "another text"
    )
    return Dimension(
        fact.name, (*text_cells, other_cell), False, Cell(term.unknown) if fact.nullable else None
    )


def _days(strategies: Sequence[Strategy], decision: Decision) -> Iterator[Dimension]:
    """The day of a path, counted from each date a path starts at."""
    cuts: dict[str, Cuts] = {}
    starts: dict[str, Node] = {}
    for strategy in strategies:
        for _, _, paths in regimes(strategy):
            for first in paths:
                days_before = 0
                for path in route(first, paths):
                    # A path gone on to begins on this day of the first, or on a day of its own.
                    for first_day, counted_from in ((days_before, first), (0, path)):
                        text = show(counted_from.starts.tree)
                        if counted_from.starts.names == {"as_of"}:
                            continue
                        starts[text] = counted_from.starts.tree
                        due_days = [days for _, _, days in step_days(path)]
                        day_ends = [
                            days_since
                            for days in due_days
                            for days_since in (days.start, days.stop)
                        ]
                        day_bounds = [first_day + days_since for days_since in day_ends] + [
                            first_day
                        ] * (path != first)
                        for bound in day_bounds:
                            cuts.setdefault(text, {})[bound] = (f"≥ {bound}", f"< {bound}")
                    days_before += length(path)
    as_of = decision.account.terms["as_of"].value
    for text, tree in starts.items():
        term = _term_of(tree, decision)
        days_since = Term(as_of - term.value, term.unknown)
        null = None if z3.is_false(term.unknown) else Cell(term.unknown)
        days_name = f"days since {text}"
        yield Dimension(days_name, _numbers(days_since, cuts.get(text, {})), True, null, whole=True)


def _numbers(term: Term, cuts: Cuts, fact: Fact | None = None) -> tuple[Cell, ...]:
    """Cells between the cuts, from the lowest on. Below the least value there can be there is
    none."""
    lowest = fact.lower if fact else None
    smallest_step = ONE if fact and fact.kind is Kind.DECIMAL else 1
    if lowest is not None:
        cuts = {bound: sides for bound, sides in cuts.items() if bound > lowest * smallest_step}
    is_known = negated(term.unknown)
    sorted_cuts = sorted(cuts)
    number_cells = []
    for low, high in zip([None, *sorted_cuts], [*sorted_cuts, None], strict=True):
        conditions = [is_known]
        if low is not None:
            conditions.append(term.value >= low)
        if high is not None:
            conditions.append(term.value < high)
        lower_text = cuts[low][0] if low is not None else ""
        upper_text = cuts[high][1] if high is not None else ""
        if low is None and lowest is not None and high == int(lowest * smallest_step) + 1:
            lower_text, upper_text = f"≥ {lowest:f}", f"≤ {lowest:f}"
        number_cells.append(Cell(both(*conditions), "", lower_text, upper_text))
    return tuple(number_cells)


def _of_levels(
    name: str, term: Term, levels: Sequence[str], decision: Decision, null: Cell | None
) -> Dimension:
    texts, is_known = decision.account.texts, negated(term.unknown)
    level_cells = [
        Cell(both(is_known, term.value == constant(level, Kind.LEVEL, texts).value), level)
        for level in levels
    ]
    return Dimension(name, tuple(level_cells), False, null)


def _truth(name: str, term: Term) -> Dimension:
    """A comparison that is no fact against a value: true, false or unknown."""
    cells = (Cell(term.true, "true"), Cell(term.false, "false"))
    null = None if z3.is_false(term.unknown) else Cell(term.unknown)
    return Dimension(f"({name})", cells, False, null)


def _term_of(node: Node, decision: Decision) -> Term:
    return tree_to_smt(node, decision.names.__getitem__, decision.account.texts)
