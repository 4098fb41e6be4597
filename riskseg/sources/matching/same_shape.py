"""Files of one shape, as `north.csv` and `south.csv` with the same columns are: one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatch
from os.path import commonprefix
from pathlib import PurePath

from riskseg.domain.facts import folded
from riskseg.domain.relations import quoted
from riskseg.engine import Engine
from riskseg.sources.matching.found import Found
from riskseg.sources.matching.profile import profiles

# The fewest columns by which files are of one shape, and the fewest letters of a pattern.
FEWEST_COLUMNS, FEWEST_LETTERS = 3, 3


def together(engine: Engine, tables: Sequence[Found]) -> tuple[list[Found], list[tuple[str, str]]]:
    """The tables, those of one shape as one; and the files left out, with why: a file all of whose
    rows are in another of its shape is a copy. Whether the files of a shape are read together, a
    person says."""
    shapes: dict[object, list[Found]] = {}
    for number, found in enumerate(tables):
        shapes.setdefault(_shape(found, number), []).append(found)
    names = [found.loaded_from for found in tables]
    result, copies = [], []
    for alike in shapes.values():
        largest_first = sorted(alike, key=lambda found: -found.rows)
        distinct: list[Found] = []
        for found in largest_first:
            original = next((o for o in distinct if _is_in(engine, found, o)), None)
            if original is None:
                distinct.append(found)
            else:
                copies.append((found.place, f"all its rows are in {original.place}"))
        in_order = [found for found in alike if found in distinct]
        result.append(_as_one(engine, in_order, names) if len(in_order) > 1 else in_order[0])
    return result, copies


def _shape(found: Found, number: int) -> object:
    """What files have in common that may be read together; a thing of its own where none can be."""
    if found.in_select is None or len(found.headers) < FEWEST_COLUMNS or not found.rows:
        return number
    columns = [(folded(name), str(profile.type)) for name, profile in found.profiles.items()]
    return found.in_database, tuple(columns if found.in_database else sorted(columns))


def _is_in(engine: Engine, found: Found, other: Found) -> bool:
    columns = ", ".join(f"cast({quoted(header)} as varchar)" for header in found.headers)
    rows = (f"select {columns} from {each.relation}" for each in (found, other))
    return not found.partial and not engine.rows(" except all ".join(rows) + " limit 1")


def _as_one(engine: Engine, alike: Sequence[Found], names: Sequence[str]) -> Found:
    first = alike[0]
    relation = f"({' union all by name '.join(f'select * from {f.relation}' for f in alike)})"
    types = {name: profile.type for name, profile in first.profiles.items()}
    return replace(
        first,
        loaded_from=_named_together(alike, names) or _select(alike),
        relation=relation,
        rows=sum(found.rows for found in alike),
        profiles=profiles(engine, relation, types),
        partial=any(found.partial for found in alike),
        parts=tuple(found.place for found in alike),
    )


def _named_together(found: Sequence[Found], names: Sequence[str]) -> str | None:
    """A pattern that names these files and no other of those that were found. A database has no
    patterns."""
    if found[0].in_database:
        return None
    alike = [each.loaded_from for each in found]
    paths = [PurePath(name) for name in alike]
    [folder, *other_folders] = {path.parent for path in paths}
    [ending, *other_endings] = {"".join(path.suffixes) for path in paths}
    # Of letters: the names have no folders.
    prefix = commonprefix([path.name for path in paths])  # noqa: RUF071
    if other_folders or other_endings or len(prefix) < FEWEST_LETTERS or "*" in "".join(alike):
        return None
    pattern = str(folder / f"{prefix}*{ending}")
    return pattern if [n for n in names if fnmatch(n, pattern)] == [*alike] else None


def _select(alike: Sequence[Found]) -> str:
    """A select of the rows of all: by the names of their columns, which a database cannot do."""
    union = " union all " if alike[0].in_database else " union all by name "
    return union.join(f"select * from {found.in_select}" for found in alike)
