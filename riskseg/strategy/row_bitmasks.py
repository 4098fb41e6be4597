"""Which rows of a decision table take which levels, as bits.

A row is a box: a set of levels a column. For every level of a column there is a number whose bit n
says whether row n takes it, so that the rows that take a point are the AND of one such number a
column, and the first of them is the lowest bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from riskseg.rules.model import SegmentRow


@dataclass(frozen=True, slots=True)
class RowBitmasks:
    """Of one column: the rows that take each level some row names, and those that take any other
    level, and an unknown: the ones whose cell is `any`."""

    named: Mapping[str | bool, int]
    others: int


def row_bitmasks(rows: Sequence[SegmentRow], column: int) -> RowBitmasks:
    unnamed_rows = 0
    naming: dict[str | bool, int] = {}
    for row_index, row in enumerate(rows):
        cell = row.cells[column]
        if cell is None:
            unnamed_rows |= 1 << row_index
        else:
            for level in cell:
                naming[level] = naming.get(level, 0) | 1 << row_index
    bits_by_level = {level: unnamed_rows | naming[level] for level in sorted(naming, key=str)}
    return RowBitmasks(bits_by_level, unnamed_rows)
