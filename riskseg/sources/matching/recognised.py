"""Whether the tables that were found are those of a layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from riskseg.layouts import Layout, LayoutTable, Reads, layouts
from riskseg.layouts.places import file_called
from riskseg.sources.matching.found import Found

# The layout of any sheet of invoices: tried where names and values settle nothing.
SHEET = "invoice-sheet"


@dataclass(frozen=True)
class Recognised:
    """A layout, and the files that it would read; `by_name` where its own names find them all."""

    layout: Layout
    files: dict[str, Found]
    by_name: bool


def recognised(tables: Sequence[Found], *, sheet: bool = False) -> Recognised | None:
    """The layout whose first table is among these, by the names of files and columns."""
    for name, layout in layouts().items():
        if (name == SHEET) is not sheet:
            continue
        found = {
            table: files
            for table, shape in layout.tables.items()
            if (files := _found(shape, tables))
        }
        first = next(iter(layout.tables))
        if first in found:
            by_name = all(named for _, named in found.values())
            return Recognised(layout, {table: file for table, (file, _) in found.items()}, by_name)
    return None


def _found(table: LayoutTable, tables: Sequence[Found]) -> tuple[Found, bool] | None:
    """The file of a table, and whether it is called as the layout says."""
    by_name = {found.name: found for found in tables}
    for reads in table.reads:
        files = [_called(by_name, called) for called in reads.files]
        headers = [header for file in files if file is not None for header in file.headers]
        if None not in files and table.recognises(headers):
            assert files[0] is not None
            return files[0], True
    if _reads_one_file(table.reads):
        for found in tables:
            if table.recognises(found.headers):
                return found, False
    return None


def _called(by_name: dict[str, Found], called: Sequence[str]) -> Found | None:
    name = file_called(by_name, called)
    return None if name is None else by_name[name]


def _reads_one_file(reads: Sequence[Reads]) -> bool:
    return any(len(way.files) == 1 for way in reads)
