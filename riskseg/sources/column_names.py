"""The names of a file's columns, as the engine can tell them apart."""

from __future__ import annotations

from collections.abc import Sequence

from riskseg.domain.facts import folded


def unique(names: Sequence[str]) -> tuple[str, ...]:
    """The names of columns, of which none is empty and none occurs twice, in any letter case."""
    columns: list[str] = []
    used: set[str] = set()
    for number, name in enumerate(names):
        named = name or f"column{number}"
        column, copies = named, 0
        while folded(column) in used:
            copies += 1
            column = f"{named}_{copies}"
        used.add(folded(column))
        columns.append(column)
    return tuple(columns)


def occurs_twice(names: Sequence[str]) -> bool:
    """Whether two columns have one name; those without a name have none."""
    named = [folded(name) for name in names if name]
    return len({*named}) < len(named)
