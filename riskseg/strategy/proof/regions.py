"""Which accounts a condition applies to, in words: "behaviour slipping, 0.15 ≤ p_default < 0.20".

A region is a box of cells of dimensions. It is grown from one account: what does not matter is
dropped, then what may be wider is made wider, as long as z3 finds no account in it that the
condition does not hold for. Regions are named until every account is in one, or there are too many
to read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import z3

from riskseg.expressions.smt import both, either, negated
from riskseg.strategy.proof.ask import Asker
from riskseg.strategy.proof.dimensions import Dimension

# More regions than this are no help to a reader.
MOST = 6

Region = tuple[str, ...]
# The chosen cells of each dimension that bounds the box, by the dimension's number.
Box = dict[int, frozenset[int]]


class Space:
    """The dimensions that boxes are in. What holds in some cells of one is asked for again and
    again: it is put together once."""

    def __init__(self, dimensions: Sequence[Dimension]) -> None:
        self.dimensions = dimensions
        self._holds: dict[tuple[int, frozenset[int]], Any] = {}

    def formulas(self, box: Mapping[int, frozenset[int]]) -> list[Any]:
        """What holds in the box, a condition for each dimension that bounds it."""
        return [self._cells(index, cells) for index, cells in box.items()]

    def is_empty(self, box: Mapping[int, frozenset[int]], solver: Any) -> bool:
        """Whether no account that the solver speaks of is in the box."""
        solver.push()
        solver.add(_all_of(self.formulas(box)))
        answer = solver.check()
        solver.pop()
        return bool(answer == z3.unsat)

    def _cells(self, index: int, cells: frozenset[int]) -> Any:
        if (index, cells) not in self._holds:
            every_cell = self.dimensions[index].all
            self._holds[index, cells] = either(*(every_cell[n].holds for n in sorted(cells)))
        return self._holds[index, cells]


def _all_of(conditions: Sequence[Any]) -> Any:
    """All of them hold. `z3.And` looks at the sort of each, every time; of these it is known."""
    context = z3.main_ctx()
    terms = (z3.Ast * len(conditions))(*(condition.as_ast() for condition in conditions))
    return z3.BoolRef(z3.Z3_mk_and(context.ref(), len(conditions), terms), context)


def regions(
    dimensions: Sequence[Dimension], granted: Iterable[Any], condition: Any, asker: Asker
) -> tuple[tuple[Region, ...], bool]:
    """(regions of which each holds only accounts of the condition, whether together they hold all
    of them: not where those would be too many, or the time limit is reached).

    Dimensions listed first are dropped first. Without a dimension left a region is empty: every
    account there can be.
    """
    space = Space(dimensions)
    inside = asker.solver(*granted, condition)
    outside = asker.solver(*granted, negated(condition))
    anywhere = asker.solver(*granted, condition)
    boxes: list[Box] = []
    while (answer := inside.check()) == z3.sat:
        if len(boxes) == MOST:
            return _in_words(boxes, dimensions), False
        model = inside.model()
        box: Box = {index: _cell_of(model, dimension) for index, dimension in enumerate(dimensions)}
        # Where the cells of one account hold others besides, so does every wider box.
        if space.is_empty(box, outside):
            _grow(box, space, anywhere, outside)
        boxes = [earlier_box for earlier_box in boxes if not _inside(earlier_box, box)] + [box]
        inside.add(negated(both(*space.formulas(box))))
    return _in_words(boxes, dimensions), bool(answer == z3.unsat)


def _in_words(boxes: Sequence[Box], dimensions: Sequence[Dimension]) -> tuple[Region, ...]:
    return tuple(
        tuple(dimensions[index].in_words(cells) for index, cells in sorted(box.items()))
        for box in boxes
    )


def _inside(inner: Box, outer: Box) -> bool:
    """Whether a box lies in another."""
    return all(index in inner and inner[index] <= cells for index, cells in outer.items())


def _cell_of(model: Any, dimension: Dimension) -> frozenset[int]:
    for index, cell in enumerate(dimension.all):
        if z3.is_true(model.eval(cell.holds, model_completion=True)):
            return frozenset({index})
    raise AssertionError(f"no cell of {dimension.name} holds a value")


def _grow(box: Box, space: Space, anywhere: Any, outside: Any) -> None:
    """Drop what does not matter, then widen what is left; never by what no account is in."""
    for index in list(box):
        cells_before = box.pop(index)
        if not space.is_empty(box, outside):
            box[index] = cells_before
    for index in list(box):
        dimension = space.dimensions[index]
        count = len(dimension.all)
        if dimension.ordered:
            if not _known(box[index], dimension):
                # From an unknown there is no neighbour: the lowest values that fit are tried.
                any(_try(box, index, cell, space, outside) for cell in range(len(dimension.cells)))
            for step in (1, -1) if _known(box[index], dimension) else ():
                known_cells = _known(box[index], dimension)
                edge = max(known_cells) if step == 1 else min(known_cells)
                while 0 <= (edge := edge + step) < len(dimension.cells):
                    if not _try(box, index, edge, space, outside):
                        break
        for cell_index in range(count):
            is_null = cell_index == len(dimension.cells)  # the null has no neighbours
            if cell_index in box[index] or (dimension.ordered and not is_null):
                continue
            if space.is_empty({**box, index: frozenset({cell_index})}, anywhere):
                continue
            _try(box, index, cell_index, space, outside)


def _try(box: Box, index: int, cell: int, space: Space, outside: Any) -> bool:
    cells_before = box[index]
    box[index] = cells_before | {cell}
    if space.is_empty(box, outside):
        return True
    box[index] = cells_before
    return False


def _known(cells: frozenset[int], dimension: Dimension) -> frozenset[int]:
    return cells - {len(dimension.cells)}
