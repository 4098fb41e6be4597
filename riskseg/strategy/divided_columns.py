"""The table of segments with plain levels alone: what compiles it, proves it and looks for rows
that can never match needs to know of nothing else.

A column of numbers is divided where some cell begins or ends: each part between two such places is
a level. Of a column of texts that nobody knows by heart, those that cells name are levels, and
all others are one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from riskseg.domain.facts import Fact, Kind
from riskseg.expressions.tree import Case, Compare, IsNull, Literal, Name, Node
from riskseg.expressions.typed import converted
from riskseg.rules.cells import End, NotLevel, NumberRange
from riskseg.rules.model import SegmentRow, Strategy

Level = str | bool
# The levels of a column, or None where its texts are not known by heart.
Levels = tuple[Level, ...] | None
_OTHERS = "*"


@dataclass(frozen=True)
class Divided:
    """`rows` with plain levels, the `levels` of each column, and what gives the level of an
    account in each column that has others than its own: a tree over facts."""

    rows: tuple[SegmentRow, ...]
    levels: Mapping[str, Levels]
    trees: Mapping[str, Node]


def divided(strategy: Strategy) -> Divided:
    """The table of a checked strategy."""
    levels: dict[str, Levels] = {band.name: band.levels for band in strategy.bands}
    levels |= {scheme.name: scheme.levels for scheme in strategy.schemes}
    for column in strategy.columns:
        if column not in levels:
            levels[column] = _levels_of(strategy.facts[column])
    return divide(strategy.rows, strategy.columns, levels, strategy.facts)


def _levels_of(fact: Fact) -> Levels:
    return (True, False) if fact.kind is Kind.BOOLEAN else fact.levels or None


def divide(
    rows: Sequence[SegmentRow],
    columns: Sequence[str],
    levels: Mapping[str, Levels],
    facts: Mapping[str, Fact],
) -> Divided:
    """The rows over plain levels. `levels` are those of each column before."""
    cells_by_column = [[row.cells[i] for row in rows] for i in range(len(columns))]
    new_levels, trees = dict(levels), {}
    for i, column in enumerate(columns):
        named = {level for cell in cells_by_column[i] for level in cell or ()}
        if any(isinstance(level, NumberRange) for level in named):
            parts = _Numbers.of(facts[column], named)
            trees[column], new_levels[column] = parts.tree, parts.levels
            cells_by_column[i] = [_each(cell, parts.levels_in) for cell in cells_by_column[i]]
        elif any(isinstance(level, NotLevel) for level in named):
            known = levels[column]
            if known is None:
                texts = _texts(named)
                known = (*texts, _OTHERS)
                trees[column] = _tree_of_texts(Name(column, facts[column].kind), texts)
                new_levels[column] = known
                cells_by_column[i] = [_marked(cell) for cell in cells_by_column[i]]
            cells_by_column[i] = [_without(cell, known) for cell in cells_by_column[i]]
    plain_rows = tuple(
        replace(row, cells=tuple(cells[n] for cells in cells_by_column))
        for n, row in enumerate(rows)
    )
    return Divided(plain_rows, new_levels, trees)


Cell = frozenset[Level] | None


def _each(cell: Cell, levels_in: Mapping[Level, frozenset[Level]]) -> Cell:
    return None if cell is None else frozenset().union(*(levels_in[part] for part in cell))


def _without(cell: Cell, known: tuple[Level, ...]) -> Cell:
    """The levels that a cell of `not` leaves."""
    if cell is None or not any(isinstance(level, NotLevel) for level in cell):
        return cell
    gone = {level.level for level in cell if isinstance(level, NotLevel)}
    return frozenset(level for level in known if level not in gone)


# Texts that cells name, beside the one that stands for all others


def _texts(named: set[Level]) -> tuple[str, ...]:
    plain = {level.level if isinstance(level, NotLevel) else str(level) for level in named}
    return tuple(f"={text}" for text in sorted(plain))


def _marked(cell: Cell) -> Cell:
    if cell is None:
        return None
    return frozenset(
        NotLevel.of(f"={level.level}") if isinstance(level, NotLevel) else f"={level}"
        for level in cell
    )


def _tree_of_texts(column: Name, texts: Sequence[str]) -> Node:
    unknown = (IsNull(column), Literal(None, Kind.TEXT))
    branches = [
        (Compare("=", column, Literal(text[1:], Kind.TEXT)), Literal(text, Kind.TEXT))
        for text in texts
    ]
    return Case((unknown, *branches), Literal(_OTHERS, Kind.TEXT), Kind.TEXT)


# Numbers


@dataclass(frozen=True)
class _Numbers:
    """The parts of a column of numbers: what gives an account's, all of them, and those of each
    range."""

    tree: Node
    levels: tuple[Level, ...]
    levels_in: Mapping[Level, frozenset[Level]]

    @classmethod
    def of(cls, fact: Fact, named: set[Level]) -> _Numbers:
        ranges = [level for level in named if isinstance(level, NumberRange)]
        ends = {_end(end, fact) for part in ranges for end in (part.begin, part.end) if end}
        # Below the least number there can be there is nobody.
        cuts = sorted(
            (end for end in ends if fact.lower is None or end.order > (fact.lower, False)),
            key=lambda end: end.order,
        )
        levels = tuple(f"part {n}" for n in range(len(cuts) + 1))
        orders = [cut.order for cut in cuts]

        def place(end: End | None, otherwise: int) -> int:
            """How many parts come before an end."""
            if end is None:
                return otherwise
            order = _end(end, fact).order
            at = bisect_left(orders, order)
            return at + 1 if at < len(orders) and orders[at] == order else at

        levels_in: dict[Level, frozenset[Level]] = {
            part: frozenset(levels[place(part.begin, 0) : place(part.end, len(levels))])
            for part in ranges
        }
        return cls(_tree_of_numbers(fact, cuts, levels), levels, levels_in)


def _end(end: End, fact: Fact) -> End:
    """An end in one form: of whole numbers, just after 30 is just before 31."""
    if fact.kind is Kind.INTEGER and end.after:
        return End(end.number + 1, after=False)
    return end


def _tree_of_numbers(fact: Fact, cuts: Sequence[End], levels: Sequence[Level]) -> Node:
    column = Name(fact.name, fact.kind)
    branches: list[tuple[Node, Node]] = [(IsNull(column), Literal(None, Kind.TEXT))]
    for cut, level in zip(cuts, levels, strict=False):
        number = converted(fact.kind, Literal(_of_kind(cut.number, fact.kind), fact.kind))
        below = Compare("<=" if cut.after else "<", column, number)
        branches.append((below, Literal(str(level), Kind.TEXT)))
    return Case(tuple(branches), Literal(str(levels[-1]), Kind.TEXT), Kind.TEXT)


def _of_kind(number: Decimal, kind: Kind) -> int | Decimal:
    return int(number) if kind is Kind.INTEGER else number
