"""Where the files of a layout lie in a workspace."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from riskseg.domain.relations import literal, quoted
from riskseg.layouts.columns import plain
from riskseg.layouts.layout import LayoutTable, Reads

_ENDING = re.compile(r"\.(csv|tsv|txt|parquet|pq|xlsx)(\.gz)?$", re.IGNORECASE)
# Folders that are looked into where riskseg.toml names none.
FOLDERS = ("data", ".")


@dataclass(frozen=True)
class Place:
    """Where a table is loaded from: a `from` as riskseg.toml would say it."""

    loaded_from: str


def find_places(
    root: Path, tables: Iterable[tuple[str, LayoutTable]], folder: str | None, *, database: bool
) -> dict[str, Place]:
    """Where each table of a layout that is there is loaded from, by contract table. In a database
    the tables have their own names; files are looked for in `folder`, else in `data` and beside
    riskseg.toml."""
    places: dict[str, Place] = {}
    names = _file_names(root, [folder] if folder is not None else FOLDERS)
    for table, layout_table in tables:
        for reads in layout_table.reads:
            loaded_from = _in_database(reads) if database else _in_files(reads, names)
            if loaded_from is not None:
                places[table] = Place(loaded_from)
                break
    return places


def _file_names(root: Path, folders: Iterable[str]) -> list[str]:
    """The names of the files of data in these folders, as riskseg.toml would write them."""
    names = []
    for folder in folders:
        if (root / folder).is_dir():
            names += [
                path.name if folder == "." else f"{folder}/{path.name}"
                for path in sorted((root / folder).iterdir())
                if path.is_file() and _ENDING.search(path.name)
            ]
    return names


def file_called(names: Iterable[str], called: Iterable[str]) -> str | None:
    """The first of the files whose name, less its folder and ending, is one of `called`."""
    by_plain = {
        plain(_ENDING.sub("", name.rsplit("/", 1)[-1])): name for name in reversed([*names])
    }
    return next((by_plain[plain(name)] for name in called if plain(name) in by_plain), None)


def _in_files(reads: Reads, names: list[str]) -> str | None:
    found = {called[0]: file_called(names, called) for called in reads.files}
    if None in found.values():
        return None
    if reads.select is None:
        return next(iter(found.values()))
    select = reads.select
    for name, file in found.items():
        assert file is not None
        if file.lower().endswith(".xlsx"):  # a select reads no workbook
            return None
        select = select.replace(f"{{{name}}}", relation_of(file))
    return " ".join(select.split())


def relation_of(file: str) -> str:
    """What stands for a file after FROM in a select: texts stay texts."""
    if re.search(r"\.(parquet|pq)$", file, re.IGNORECASE):
        return f"read_parquet({literal(file)})"
    return f"read_csv({literal(file)}, all_varchar = true)"


def _in_database(reads: Reads) -> str:
    if reads.select is None:
        return reads.files[0][0]
    select = reads.select
    for called in reads.files:
        select = select.replace(f"{{{called[0]}}}", quoted(called[0]))
    return " ".join(select.split())
