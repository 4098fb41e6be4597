"""Rows of a decision table that can never match, because rows above take all they would."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from riskseg.strategy.checked import SegmentRow

# What a cell can hold besides its levels: a text outside the list, or nothing at all.
_OTHER = "\x00other"
Box = tuple[frozenset[str | bool], ...]


def unreachable(
    rows: Sequence[SegmentRow],
    columns: Sequence[tuple[str, tuple[str | bool, ...] | None]],
    nullable: Collection[str],
) -> list[tuple[SegmentRow, tuple[SegmentRow, ...]]]:
    """Each row that can never match, with the rows above that cover it.

    Rows are boxes; what is left of a row's box after the rows above have been cut out of it is
    again a list of boxes. None left: unreachable. Work grows with rows times boxes left, not
    with the product of the levels.
    """
    levels: list[frozenset[str | bool]] = []
    for position, (name, known) in enumerate(columns):
        named = frozenset().union(*(r.cells[position] or frozenset() for r in rows))
        spare = frozenset({_OTHER}) if known is None or name in nullable else frozenset()
        levels.append(frozenset(known or named) | spare)
    boxes = [_box(row, levels) for row in rows]
    found = []
    for i, box in enumerate(boxes):
        left: list[Box] = [box]
        by = []
        for j in range(i):
            rest = [piece for part in left for piece in _minus(part, boxes[j])]
            if sum(map(_size, rest)) < sum(map(_size, left)):
                by.append(rows[j])
            left = rest
            if not left:
                found.append((rows[i], tuple(by)))
                break
    return found


def _box(row: SegmentRow, levels: Sequence[frozenset[str | bool]]) -> Box:
    return tuple(
        every if cell is None else cell & every
        for cell, every in zip(row.cells, levels, strict=True)
    )


def _size(box: Box) -> int:
    size = 1
    for side in box:
        size *= len(side)
    return size


def _minus(box: Box, cut: Box) -> list[Box]:
    """The parts of `box` outside `cut`, none of which overlap."""
    if any(not a & b for a, b in zip(box, cut, strict=True)):
        return [box]
    parts: list[Box] = []
    inside = list(box)
    for i, (side, other) in enumerate(zip(box, cut, strict=True)):
        outside = side - other
        if outside:
            parts.append((*inside[:i], outside, *box[i + 1 :]))
        inside[i] = side & other
    return parts
