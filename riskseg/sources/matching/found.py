"""The tables that a folder or a file holds, each described by the engine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from riskseg.domain.problems import Problems
from riskseg.engine import DuplicateColumnsError, Engine, EngineError
from riskseg.layouts.places import relation_of
from riskseg.sources.mapping import check_headers
from riskseg.sources.matching.forms import header_row_of_sheet, is_total, other_forms
from riskseg.sources.matching.names import table_word
from riskseg.sources.matching.profile import Profile, profiles
from riskseg.sources.reader import kind_of_source, open_source
from riskseg.sources.sql_text import NotAllowedError
from riskseg.store.sheet_rows import SheetError, sheet_names
from riskseg.workspace import Source
from riskseg.workspace.reading import ReadTable

_ENDING = re.compile(r"\.(csv|tsv|txt|parquet|pq|xlsx)(\.gz)?$", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """A table that was found: what it is called, the `from` that reads it, what stands for it
    after FROM, how many rows it has, what its columns hold. `sheet` is that of a workbook,
    `encoding`, `header_row` and `footer_rows` are those of a file that is not read as it is,
    `in_database` and `partial` say that it is a table of a database, of which some rows were
    read. `parts` are the files that it is made of, where these are several of one shape."""

    name: str
    loaded_from: str
    relation: str
    rows: int
    profiles: Mapping[str, Profile]
    sheet: str | None = None
    in_database: bool = False
    partial: bool = False
    encoding: str | None = None
    header_row: int | None = None
    footer_rows: int = 0
    parts: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """What a person calls it."""
        if self.parts:
            return listed(self.parts)
        return f"{self.loaded_from}, sheet {self.sheet}" if self.sheet else self.loaded_from

    @property
    def in_select(self) -> str | None:
        """What stands for it in a select of riskseg.toml; None where no select can read it."""
        if self.loaded_from.startswith("select "):
            return f"({self.loaded_from})"
        if self.in_database:
            return self.loaded_from
        return None if self.reading else relation_of(self.loaded_from)

    @property
    def reading(self) -> dict[str, str | int]:
        """What `[source.TABLE.read]` has to say of it."""
        said = {
            "sheet": self.sheet,
            "encoding": self.encoding,
            "header_row": self.header_row,
            "footer_rows": self.footer_rows or None,
        }
        return {name: value for name, value in said.items() if value is not None}

    @property
    def headers(self) -> tuple[str, ...]:
        return tuple(self.profiles)


def listed(places: Sequence[str]) -> str:
    """Files in a sentence: `a.csv, b.csv and c.csv`."""
    return " and ".join([*([", ".join(places[:-1])] if places[:-1] else []), places[-1]])


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
    tables: list[Found] = []
    for name in named:
        loaded_from = as_written(name, root)
        stem = _ENDING.sub("", Path(name).name)
        if os.path.isfile(name) and not os.path.getsize(name):
            hint = "Write the file again, or take it away."
            problems.add("RS109", "The file is empty.", file=loaded_from, hint=hint)
            continue
        if not loaded_from.lower().endswith(".xlsx"):
            tables += _found(engine, stem, loaded_from, None, root, problems)
            continue
        try:
            sheets = sheet_names(Path(name))
        except SheetError as error:
            problems.add("RS006", str(error), file=loaded_from, hint=error.hint)
            continue
        for sheet in sheets:
            called = stem if len(sheets) == 1 else sheet
            tables += _found(engine, called, loaded_from, sheet, root, problems)
    return tables


def _found(
    engine: Engine, name: str, loaded_from: str, sheet: str | None, root: Path, problems: Problems
) -> list[Found]:
    """A file, or a sheet of it, described; nothing after adding the Problem why it cannot be."""
    if kind_of_source(loaded_from) is None:
        problems.add("RS006", "This is not a file that can be read.", file=loaded_from)
        return []
    own = Problems()
    tables = _as_read(engine, name, loaded_from, ReadTable(sheet=sheet), root, own)
    if not tables and len(own):
        for form in _other_forms(root / loaded_from, sheet):
            tables = _as_read(engine, name, loaded_from, form, root, Problems())
            if tables:
                break
    if not tables:
        problems.extend(own)
    return [_without_totals(engine, found, root) for found in tables]


def _other_forms(named: Path, sheet: str | None) -> Iterator[ReadTable]:
    """Ways to read a file, or a sheet of it, that is not read as it is, the likeliest first. Of
    several files, each may end otherwise."""
    file = _first_file(named)
    if re.search(_TEXT, file.name):
        yield from (form for form in other_forms(file) if file == named or not form.footer_rows)
    elif sheet is not None and (row := header_row_of_sheet(file, sheet)) is not None:
        yield ReadTable(sheet=sheet, header_row=row)


def _without_totals(engine: Engine, found: Found, root: Path) -> Found:
    """A file of text or a sheet, without the row of the totals that stands last in it."""
    is_sheet_or_text = found.sheet is not None or re.search(_TEXT, found.loaded_from)
    is_one_file = os.path.isfile(root / found.loaded_from)
    if not (is_sheet_or_text and is_one_file) or found.footer_rows or found.rows < 2:
        return found
    [last] = engine.rows(f"select * from {found.relation} limit 1 offset {found.rows - 1}")
    if not is_total(last):
        return found
    form = ReadTable(
        sheet=found.sheet, encoding=found.encoding, header_row=found.header_row, footer_rows=1
    )
    without = _as_read(engine, found.name, found.loaded_from, form, root, Problems())
    return without[0] if without else found


_TEXT = re.compile(r"\.(csv|tsv|txt)(\.gz)?$", re.IGNORECASE)


def _first_file(named: Path) -> Path:
    """The file itself, or the first that a pattern names."""
    return named if named.is_file() else min(named.parent.glob(named.name), default=named)


def _as_read(
    engine: Engine, name: str, loaded_from: str, form: ReadTable, root: Path, problems: Problems
) -> list[Found]:
    """A file, or a sheet of it, read so and described; nothing after adding the Problem."""
    # The table is named in hints: the one that the file's name speaks for.
    table = table_word(name) or "accounts"
    source = Source(table, loaded_from, {}, file=loaded_from, read=form)
    own = Problems()
    try:
        reader = open_source(source, root)
        if not reader.check(own) or not reader.prepare(engine, own):
            blank_sheet = form.sheet is not None and {problem.code for problem in own} == {"RS109"}
            problems.extend(() if blank_sheet else own)
            return []
        columns = reader.describe(engine)
        place = loaded_from if form.sheet is None else f"{loaded_from}, sheet {form.sheet}"
        check_headers("This table", reader.headers(engine, columns), place, None, own)
        if own:
            problems.extend(own)
            return []
        index = reader.index_columns(engine, columns)
        relation = reader.relation(engine)
        wanted = {header: type_ for header, type_ in columns.items() if header not in index}
        rows = int(engine.value(f"select count(*) from {relation}"))
        found = Found(name, loaded_from, relation, rows, profiles(engine, relation, wanted))
        return [
            replace(
                found,
                sheet=form.sheet,
                encoding=form.encoding,
                header_row=form.header_row,
                footer_rows=form.footer_rows,
            )
        ]
    except (EngineError, NotAllowedError, DuplicateColumnsError) as error:
        reason = error.reason if isinstance(error, EngineError) else str(error).rstrip(".")
        problems.add("RS006", f"This cannot be read: {reason}.", file=loaded_from)
        return []
