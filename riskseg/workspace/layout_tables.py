"""The tables that a layout named in riskseg.toml brings: where they lie, how they are mapped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from riskseg.domain.documents import Document
from riskseg.domain.problems import Problems, did_you_mean
from riskseg.layouts import LayoutTable, find_places, layouts


@dataclass(frozen=True)
class LaidOut:
    """A table of a layout in this workspace; `loaded_from` is None where its file is not there."""

    table: LayoutTable
    layout: str
    loaded_from: str | None


def laid_out(
    layout: str | None,
    folder: str | None,
    root: Path,
    document: Document,
    problems: Problems,
    *,
    database: bool,
    by_hand: frozenset[str],
) -> Mapping[str, LaidOut]:
    """What the layout brings, by contract table. RS014 is added where there is no such layout,
    RS006 where none of its files is there and no table has a `from` of its own."""
    if layout is None:
        return {}
    known = layouts()
    if layout not in known:
        problems.add(
            "RS014",
            f'There is no layout "{layout}".',
            hint=did_you_mean(layout, known),
            **document.at("source", "layout"),
        )
        return {}
    tables = known[layout].tables
    places = find_places(root, tables.items(), folder, database=database)
    if not places and not by_hand:
        names = ", ".join(
            dict.fromkeys(called[0] for table in tables.values() for called in table.reads[0].files)
        )
        problems.add(
            "RS006",
            f"None of the files of the layout {layout} is here: {names}.",
            hint=f"Put them in {folder or 'data'}/, name their folder with `folder` in [source], "
            "or say `from` in a table of their own.",
            **document.at("source", "layout"),
        )
    return {
        name: LaidOut(table, layout, places[name].loaded_from if name in places else None)
        for name, table in tables.items()
    }
