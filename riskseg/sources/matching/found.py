"""The tables that a folder or a file holds, each described by the engine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from riskseg.domain.problems import Problems
from riskseg.engine import DuplicateColumnsError, Engine, EngineError
from riskseg.sources.matching.profile import Profile, profiles
from riskseg.sources.reader import kind_of_source, open_source
from riskseg.sources.sql_text import NotAllowedError
from riskseg.workspace import Source

_ENDING = re.compile(r"\.(csv|tsv|txt|parquet|pq|xlsx)(\.gz)?$", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """A table that was found: what it is called, the `from` that reads it, what stands for it
    after FROM, how many rows it has, what its columns hold."""

    name: str
    loaded_from: str
    relation: str
    rows: int
    profiles: Mapping[str, Profile]

    @property
    def headers(self) -> tuple[str, ...]:
        return tuple(self.profiles)


def data_files(place: Path) -> list[Path]:
    """The files of data in a folder and the folders right below it, in the order of their names;
    or the file itself."""
    if place.is_file():
        return [place]
    levels = [*place.glob("*"), *place.glob("*/*")]
    return sorted(
        path
        for path in levels
        if path.is_file() and _ENDING.search(path.name) and not path.name.startswith((".", "~"))
    )


def patterns(files: Iterable[Path]) -> dict[str, list[Path]]:
    """The files by what reads them together: `bills-2025.csv` and `bills-2026.csv` are one table,
    and so are the files of a folder that differ in their numbers only."""
    together: dict[tuple[Path, str], list[Path]] = {}
    for file in files:
        together.setdefault((file.parent, re.sub(r"\d+", "*", file.name)), []).append(file)
    named: dict[str, list[Path]] = {}
    for (folder, pattern), members in together.items():
        if len(members) == 1:
            named[str(members[0])] = members
        else:
            matching = sorted(folder.glob(pattern))
            names = [str(folder / pattern)] if matching == members else [*map(str, members)]
            named |= {name: members if len(names) == 1 else [Path(name)] for name in names}
    return named


def as_written(name: str, root: Path) -> str:
    """A file or pattern as riskseg.toml names it: from its own folder where it lies below that."""
    home = os.path.realpath(root)
    whole = os.path.abspath(name)
    return os.path.relpath(whole, home) if whole.startswith(home + os.sep) else whole


def survey(engine: Engine, named: Sequence[str], root: Path, problems: Problems) -> list[Found]:
    """The tables that these files and patterns hold; a Problem for each that cannot be read."""
    tables = []
    for name in named:
        loaded_from = as_written(name, root)
        if kind_of_source(loaded_from) is None:
            continue
        source = Source("accounts", loaded_from, {}, file=loaded_from)
        try:
            reader = open_source(source, root)
            if not reader.check(problems):
                continue
            columns = reader.describe(engine)
            index = reader.index_columns(engine, columns)
            relation = reader.relation(engine)
            wanted = {header: type_ for header, type_ in columns.items() if header not in index}
            rows = int(engine.value(f"select count(*) from {relation}"))
            described = profiles(engine, relation, wanted)
        except (EngineError, NotAllowedError, DuplicateColumnsError) as error:
            reason = str(error).split("\n")[0]
            problems.add("RS006", f"This cannot be read: {reason}.", file=loaded_from)
            continue
        tables.append(
            Found(_ENDING.sub("", Path(name).name), loaded_from, relation, rows, described)
        )
    return tables
