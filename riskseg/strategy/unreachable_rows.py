"""Rows of a decision table that can never match, because rows above take all they would.

With the rows that take a level as bits, what thousands of rows do to one box is a handful of
operations on long integers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any

from riskseg.rules.model import SegmentRow
from riskseg.strategy.row_bitmasks import row_bitmasks

Level = str | bool | None
# A column as the table names it: its levels, or None where its texts are not known by heart.
Column = tuple[str, tuple[str | bool, ...] | None]
# Columns' ways to go: a level that stands for all that the same rows take, and those rows' bits.
Sides = Sequence[Sequence[tuple[Level, int]]]

# Steps of the search for one point before the solver takes over: most rows need fewer than ten.
_STEPS = 1_000
# What all rows of a table have together to find few rows that cover them: some seconds at most.
_BUDGET = 100_000_000
# Where more rows than these are needed to cover one, which of the others are is not looked into.
_FEW = 12


@dataclass(frozen=True, slots=True)
class Reached:
    """A level for every column (None: unknown, or a text no row names) that reaches the row."""

    point: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Covered:
    """Rows above that between them take all that the row would: few that do, as far as that is
    quickly found. One alone where the row would match just above that one."""

    by: tuple[SegmentRow, ...]


def unreachable(
    rows: Sequence[SegmentRow], columns: Sequence[Column], nullable: Collection[str]
) -> list[tuple[SegmentRow, tuple[SegmentRow, ...]]]:
    """Each row that can never match, with the rows above that cover it.

    `columns` are names and levels, `nullable` those of them that can be unknown. A row that names
    no level there is takes nothing, and is not reported.
    """
    rows_with_result = zip(rows, reachable(rows, columns, nullable), strict=True)
    return [
        (row, reachability.by)
        for row, reachability in rows_with_result
        if isinstance(reachability, Covered) and reachability.by
    ]


def reachable(
    rows: Sequence[SegmentRow], columns: Sequence[Column], nullable: Collection[str]
) -> list[Reached | Covered]:
    """For each row, a point that reaches it or the rows above that cover it."""
    ways_by_column = [_ways(rows, i, column, nullable) for i, column in enumerate(columns)]
    solver, budget = _Solver(ways_by_column), _Budget()
    alive = 0  # rows that can match: what the others take is taken by these
    results: list[Reached | Covered] = []
    for row_index in range(len(rows)):
        box = _box(ways_by_column, row_index)
        if not all(box):
            results.append(Covered(()))
            continue
        point = _outside(box, alive, solver)
        if point is not None:
            alive |= 1 << row_index
            results.append(Reached(point))
        else:
            results.append(Covered(tuple(rows[j] for j in _cover(box, alive, budget))))
    return results


def _ways(
    rows: Sequence[SegmentRow], i: int, column: Column, nullable: Collection[str]
) -> list[tuple[Level, int]]:
    """A column's levels and the rows that take each; of levels that the same rows take, one."""
    column_name, known_levels = column
    bitmasks = row_bitmasks(rows, i)
    levels: list[Level] = list(known_levels or bitmasks.named)
    if known_levels is None or column_name in nullable:
        levels.append(None)  # no cell but `any` takes it
    level_by_rows: dict[int, Level] = {}
    for level in levels:
        row_bits = bitmasks.others if level is None else bitmasks.named.get(level, bitmasks.others)
        level_by_rows.setdefault(row_bits, level)
    return [(level, row_bits) for row_bits, level in level_by_rows.items()]


def _box(table: Sides, row_index: int) -> list[list[tuple[Level, int]]]:
    """What row n takes of each column."""
    return [
        [level_and_rows for level_and_rows in ways if level_and_rows[1] >> row_index & 1]
        for ways in table
    ]


def _cover(box: Sides, above: int, budget: _Budget) -> list[int]:
    """Few of the rows above that cover a covered box, by number: each is the first of them all to
    take some of it, and those above the last do not cover it, so that the row would match there.

    The last is the one with which the box is covered, going down. The next is the one with which
    it is, given that one; and so on, until those found need no other.
    """
    candidates = list(_numbers(_overlapping(box, above)))
    covering: list[int] = []
    covering_bits = 0
    while candidates and not budget.covered(box, covering_bits):
        if len(covering) == _FEW:
            return [*candidates, *reversed(covering)]
        # With the first `enough` of the rest it is covered, with the first `less` not.
        too_few, enough = 0, len(candidates)
        while enough - too_few > 1:
            middle = (too_few + enough) // 2
            if budget.covered(box, covering_bits | _bits(candidates[:middle])):
                enough = middle
            else:
                too_few = middle
        covering.append(candidates[enough - 1])
        covering_bits |= 1 << covering[-1]
        candidates = candidates[: enough - 1]
    return covering[::-1]


def _bits(numbers: Iterable[int]) -> int:
    return reduce(or_, (1 << number for number in numbers), 0)


class _Budget:
    """Work left for telling which rows cover others, once for a whole table: that rows are covered
    at all is known by then."""

    def __init__(self) -> None:
        self.left = _BUDGET

    def covered(self, box: Sides, rows: int) -> bool:
        """Whether these rows are found to cover the box: where that takes too long, they are not,
        and more rows are named than need be."""
        # What a step does: levels of a column are held against each other, and something besides.
        work_per_step = 1_000 + sum(len(ways) ** 2 for ways in box)
        search = _Search(box, min(_STEPS, self.left // work_per_step))
        try:
            return search.point(_overlapping(box, rows)) is None
        except _TooLongError:
            return False
        finally:
            self.left = max(0, self.left - search.steps * work_per_step)


def _overlapping(box: Sides, above: int) -> int:
    """Of the rows above, those that share a point with the box."""
    return reduce(and_, (reduce(or_, (row_bits for _, row_bits in ways), 0) for ways in box), above)


def _numbers(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _outside(box: Sides, above: int, solver: _Solver) -> tuple[Level, ...] | None:
    """A point of the box that none of the rows above takes, or None where there is none."""
    try:
        return _Search(box, _STEPS).point(_overlapping(box, above))
    except _TooLongError:
        return solver.point(box, above)


class _TooLongError(Exception):
    """The search has taken its steps: not a fault, a change of means."""


class _Search:
    """Depth first, a column a step; what has been found covered once is not searched again."""

    def __init__(self, box: Sides, most: int) -> None:
        self.box = box
        self.most = most
        self.steps = 0
        self.covered: set[tuple[int, tuple[int, ...]]] = set()

    def point(self, above: int) -> tuple[Level, ...] | None:
        chosen = self._from(above, tuple(range(len(self.box))))
        if chosen is None:
            return None
        return tuple(chosen.get(i, ways[0][0]) for i, ways in enumerate(self.box))

    def _from(self, rows_left: int, open_: tuple[int, ...]) -> dict[int, Level] | None:
        """Levels of open columns at which none of the rows in `rows_left` is left."""
        if not rows_left:
            return {}
        # A row that takes all of every open column covers what is left of the box.
        take_everything = rows_left
        for i in open_:
            for _, taking in self.box[i]:
                take_everything &= taking
        if take_everything or (rows_left, open_) in self.covered:
            return None
        self.steps += 1
        if self.steps > self.most:
            raise _TooLongError
        best: list[tuple[int, int, Level]] = []
        column = open_[0]
        for i in open_:
            ways = self._fewest(i, rows_left)
            if ways[0][1] == 0:
                return {i: ways[0][2]}
            if not best or (len(ways), ways[0][0]) < (len(best), best[0][0]):
                best, column = ways, i
        other_columns = tuple(i for i in open_ if i != column)
        for _, rows_remaining, level in best:
            point = self._from(rows_remaining, other_columns)
            if point is not None:
                return {column: level, **point}
        self.covered.add((rows_left, open_))
        return None

    def _fewest(self, i: int, rows_left: int) -> list[tuple[int, int, Level]]:
        """The column's levels that leave fewest rows (how many, which, level): one that leaves
        all that another leaves, and more, cannot do better."""
        rows_by_level = [
            (rows_left & taking, level_index) for level_index, (_, taking) in enumerate(self.box[i])
        ]
        ways = sorted(
            (remaining.bit_count(), remaining, level_index)
            for remaining, level_index in rows_by_level
        )
        best_ways: list[tuple[int, int, Level]] = []
        for count, remaining, level_index in ways:
            if not any(other & remaining == other for _, other, _ in best_ways):
                best_ways.append((count, remaining, self.box[i][level_index][0]))
        return best_ways


class _Solver:
    """The same question asked of a SAT solver: a boolean a level, one true in each column. Rows
    above are added as they come, so what it has learned of them serves the rows below."""

    def __init__(self, table: Sides) -> None:
        self.table = table
        self.rows_added = 0
        self.solver: Any = None
        self.is_: list[list[Any]] = []

    def point(self, box: Sides, above: int) -> tuple[Level, ...] | None:
        """`above` holds at least the rows it held the last time."""
        import z3

        if self.solver is None:
            self.solver = z3.SolverFor("QF_FD")
            for i, ways in enumerate(self.table):
                self.is_.append([z3.Bool(f"{i}.{level_index}") for level_index in range(len(ways))])
                self.solver.add(z3.Or(self.is_[i]), z3.AtMost(*self.is_[i], 1))
        for row_index in _numbers(above & ~self.rows_added):
            outside = [
                self.is_[i][level_index]
                for i, ways in enumerate(self.table)
                for level_index, (_, taking) in enumerate(ways)
                if not taking >> row_index & 1
            ]
            self.solver.add(z3.Or(outside))
        self.rows_added |= above
        levels_inside = [{level for level, _ in ways} for ways in box]
        barred = [
            z3.Not(self.is_[i][level_index])
            for i, ways in enumerate(self.table)
            for level_index, (level, _) in enumerate(ways)
            if level not in levels_inside[i]
        ]
        solver_answer = self.solver.check(*barred)
        if solver_answer == z3.unsat:
            return None
        if solver_answer != z3.sat:
            raise RuntimeError(f"The solver gave up: {self.solver.reason_unknown()}")
        model = self.solver.model()
        chosen_levels = [
            [z3.is_true(model.eval(is_level, True)) for is_level in column] for column in self.is_
        ]
        return tuple(ways[chosen_levels[i].index(True)][0] for i, ways in enumerate(self.table))
