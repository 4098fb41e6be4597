"""Rows gathered day by day as arrays, and read back as whole columns."""

from __future__ import annotations

import numpy as np

from riskseg.synthetic.world import Days, Ints


class Rows:
    """Columns of whole numbers that grow by blocks of rows."""

    def __init__(self, *names: str) -> None:
        self._names = names
        self._blocks: dict[str, list[Ints]] = {name: [] for name in names}
        self._count = 0

    def add(self, count: int, **values: Ints | Days | int) -> Ints:
        """Append `count` rows; a single number stands for all of them. Returns their places."""
        if count:
            for name in self._names:
                self._blocks[name].append(np.full(count, values[name], np.int64))
        places = np.arange(self._count, self._count + count)
        self._count += count
        return places

    def column(self, name: str) -> Ints:
        """All rows of one column, in the order they were added."""
        blocks = self._blocks[name]
        return np.concatenate(blocks) if blocks else np.empty(0, np.int64)

    def __len__(self) -> int:
        return self._count

    def since(self, place: int) -> Rows:
        """The rows from a place on, which must be where a block of them began."""
        later_rows = Rows(*self._names)
        later_rows._count = self._count - place
        for field_name, blocks in self._blocks.items():
            block_ends = np.cumsum([len(block) for block in blocks])
            later_rows._blocks[field_name] = blocks[
                int(np.searchsorted(block_ends, place, side="right")) :
            ]
        return later_rows


class Agenda:
    """The entries of an array of days, looked up by the day they stand for."""

    def __init__(self, on: Days, days: int) -> None:
        flat = on.ravel()
        self._order = np.argsort(flat, kind="stable")
        self._starts = np.searchsorted(flat[self._order], np.arange(days + 1))
        self._shape = on.shape

    def on(self, day: int) -> tuple[Ints, Ints]:
        """The accounts and places whose day is `day`, in order of account, then place."""
        entries = self._order[self._starts[day] : self._starts[day + 1]]
        account, place = np.unravel_index(entries, self._shape)
        return account, place
