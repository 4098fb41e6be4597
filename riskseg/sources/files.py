"""Sources that are kept in files: which files there are, and what each says of its columns."""

from __future__ import annotations

import glob
import hashlib
import os
import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from riskseg.domain.column_types import ColumnType
from riskseg.domain.facts import folded
from riskseg.domain.problems import Problems, ProblemsError, problem
from riskseg.domain.words import counted, first_few
from riskseg.engine import Engine, EngineError
from riskseg.sources.allowed import LEFT_OUT, check_allowed, is_closed
from riskseg.sources.reader import KINDS, SourceReader, kind_of_source
from riskseg.sources.sql_text import reader
from riskseg.workspace import Source


class Files(SourceReader):
    """A source whose `from` names files, by name or pattern."""

    def shown(self, path: Path) -> str:
        """A file as a person in the workspace would write it."""
        root = os.path.abspath(self.root)
        return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)

    @abstractmethod
    def names(self) -> list[str]:
        """The names and patterns in the `from`. Raises EngineError for a select that cannot be
        parsed, NotAllowedError for one that reads something other than files."""

    def matching(self, name: str) -> list[Path]:
        """The files of a name or pattern in the `from`."""
        return matching(name, self.root)

    def files(self) -> list[Path]:
        return [path for name in self.names() for path in self.matching(name)]

    def would_read(self, place: str) -> bool:
        return any(fnmatch(place, pattern) for pattern in self.patterns())

    def patterns(self) -> list[str]:
        """The names and patterns in the `from`, as those of whole paths."""
        root = glob.escape(os.path.realpath(self.root))
        return [os.path.normpath(os.path.join(root, name)) for name in self.names()]

    def samples(self) -> list[Path]:
        """One file of each name in the `from`."""
        return [path for name in self.names() for path in self.matching(name)[:1]]

    def check(self, problems: Problems) -> bool:
        """Whether every name has a file, and one of them holds anything."""
        table, file, line = self.source.table, self.source.file, self.source.lines.get("from")
        if not check_allowed(self.names(), self.files(), self.root, problems):
            return False
        missing_files = [
            missing_file for missing_file in self.names() if not self.matching(missing_file)
        ]
        for missing_file in missing_files:
            problems.add(
                "RS006",
                f'There is no file "{missing_file}".',
                file=file,
                line=line,
                hint="Names are looked up from the folder of riskseg.toml.",
            )
        files = self.files()
        if files and not any(size_of(path) for path in files):
            problems.add(
                "RS109",
                f"{table} has no rows: {_empty_files([self.shown(path) for path in files])}.",
                file=file,
                line=line,
                hint="Check the file, or take the source out.",
            )
            return False
        return not missing_files

    def headers(self, engine: Engine, columns: Mapping[str, ColumnType]) -> Iterable[str]:
        """The engine calls the second of two columns that differ in letter case only `NAME_1`:
        where one is called so, the files are asked."""
        names = {header_name.lower() for header_name in columns}
        if not any(
            re.sub(r"_\d+$", "", header_name) in names - {header_name} for header_name in names
        ):
            return columns
        for path in self.samples():
            with suppress(EngineError, OSError, ValueError):
                headers = _headers_of(engine, path)
                if len(headers) > len({folded(header_name) for header_name in headers}):
                    return headers
        return columns

    def index_columns(self, engine: Engine, columns: Iterable[str]) -> set[str]:
        return {n for path in self.samples() for n in _index_of(engine, path)}.intersection(columns)


class PlainFiles(Files):
    """Files of one form, named without a select."""

    # As a hint lists them.
    endings: ClassVar[tuple[str, ...]] = ()
    # The engine's function that reads such a file.
    function: ClassVar[str]

    # The columns of each file, by its name, once the files were looked at.
    columns_by_file: Mapping[str, Sequence[str]] = MappingProxyType({})

    @classmethod
    @abstractmethod
    def headers_of(cls, engine: Engine, path: Path) -> list[str]:
        """The names of a file's columns as they are written in it."""

    @classmethod
    @abstractmethod
    def index_of(cls, engine: Engine, path: Path) -> list[str]:
        """The columns of a file that are the index of a data frame: pandas writes it along."""

    @classmethod
    def takes(cls, source: Source, root: Path) -> bool:
        """A folder is of the kind of the files in it; one that may not be looked into is of any,
        which then says so."""
        if cls.reads(source.loaded_from):
            return True
        folder = Path(root, source.loaded_from)
        return is_closed(folder) or any(cls.reads(file.name) for file in files_in(folder))

    def names(self) -> list[str]:
        return [self.source.loaded_from]

    @property
    def folder(self) -> Path | None:
        """The folder that the `from` names; None where it names files."""
        folder = Path(os.path.abspath(os.path.join(self.root, self.source.loaded_from)))
        return folder if os.path.isdir(folder) else None

    def matching(self, name: str) -> list[Path]:
        return files_in(self.folder) if self.folder is not None else super().matching(name)

    def patterns(self) -> list[str]:
        patterns = super().patterns()
        return patterns if self.folder is None else [f"{pattern}/*" for pattern in patterns]

    def check(self, problems: Problems) -> bool:
        """Whether there are files, and all of a folder are of this kind."""
        if not super().check(problems):
            return False
        file, line = self.source.file, self.source.lines.get("from")
        if self.folder is not None and (form := table_format(self.folder)):
            problems.add(
                "RS022",
                f"The folder {self.source.loaded_from} is {form}: a log, which riskseg does not "
                "read, says which of its files are in force.",
                file=file,
                line=line,
                hint="Export the table as it stands to a folder of its own.",
            )
            return False
        others = [self.shown(path) for path in self.files() if not type(self).reads(path.name)]
        if others and self.folder is not None:
            problems.add(
                "RS022",
                f"The folder {self.source.loaded_from} has files of other kinds: "
                f"{first_few(others)}.",
                file=file,
                line=line,
                hint=f"Name those that are meant with a pattern: "
                f'`from = "{self.source.loaded_from}/*{(self.endings or (".txt",))[0]}"`.',
            )
        return not others

    def notes(self) -> list[str]:
        """The columns that not all files have: in the others they are null."""
        names: dict[str, str] = {}
        lacking: dict[str, list[str]] = {}
        for columns in self.columns_by_file.values():
            names |= {folded(name): name for name in columns if folded(name) not in names}
        for file, columns in self.columns_by_file.items():
            for name in names.keys() - set(map(folded, columns)):
                lacking.setdefault(name, []).append(file)
        notes = []
        for name, files in sorted(lacking.items()):
            have = "has" if len(files) == 1 else "have"
            notes.append(
                f'"{names[name]}" of {self.source.table} is null in {counted(len(files), "file")} '
                f"that {have} no such column: {first_few(files)}."
            )
        return notes

    def rows_by_file(self) -> list[tuple[Path, int]]:
        """The files and how many rows each has, in the order in which they are read; none where
        that is not known."""
        return []

    def line_in(self, path: Path, row: int) -> int | None:
        """The line on which a row of a file stands, counted from 1; None where it is not known."""
        return row

    def locate(self, row: int) -> tuple[str, int | None]:
        for path, rows in self.rows_by_file():
            if row <= rows:
                return self.shown(path), self.line_in(path, row)
            row -= rows
        return self.place, None

    @property
    def rows_in_files(self) -> int | None:
        counts = self.rows_by_file()
        return sum(rows for _, rows in counts) if counts else None

    @property
    def is_partitioned(self) -> bool:
        """Whether folders give columns: one named `year=2025` does where the pattern reaches into
        it; one that the workspace merely lies in does not."""
        return any(self.partition_folders(path) for path in self.files())

    def partition_folders(self, path: Path) -> str:
        """The folders of a file from whose names columns are made."""
        relative = os.path.relpath(path.parent, os.path.abspath(self.root))
        return "/".join(folder for folder in relative.split(os.sep) if "=" in folder)

    def content(self, engine: Engine) -> Iterator[bytes]:
        for path in self.files():
            # One that is gone has changed: the check of the files which follows says so.
            with suppress(FileNotFoundError), path.open("rb") as stream:
                yield hashlib.file_digest(stream, "sha256").digest()

    def replaced_by(self, file: Path) -> str:
        kind = kind_of_source(str(file.resolve()))
        if kind is None or not issubclass(kind, PlainFiles):
            raise other_kind(file, plain_form())
        return str(file.resolve())


def matching(name: str, root: Path) -> list[Path]:
    """The file of this very name, or else those that match it as a pattern."""
    exact = os.path.join(root, name)
    matching_paths = [exact] if os.path.isfile(exact) else sorted(
        os.path.join(root, found) for found in glob.glob(name, root_dir=root, recursive=True)
    )  # fmt: skip
    return [Path(os.path.abspath(path)) for path in matching_paths if os.path.isfile(path)]


def files_in(folder: Path) -> list[Path]:
    """The files in a folder and the folders below, in order. Those whose name begins with `.` or
    `_` are what programs write beside data, and left out."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(LEFT_OUT)]
        found += [Path(place, name) for name in names if not name.startswith(LEFT_OUT)]
    return sorted(Path(os.path.abspath(path)) for path in found)


def table_format(folder: Path) -> str:
    """What a folder is where a log tells which of its files are those of the table."""
    if (folder / "_delta_log").is_dir():
        return "a Delta Lake table"
    if (folder / ".hoodie").is_dir():
        return "a Hudi table"
    if any((folder / "metadata").glob("*.metadata.json")):
        return "an Iceberg table"
    return ""


def size_of(path: Path) -> int:
    """How long a file is, in bytes; 0 of one that is gone."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def plain_kinds() -> list[type[PlainFiles]]:
    return [kind for kind in KINDS if issubclass(kind, PlainFiles)]


def plain_form() -> str:
    """What a file that is named without a select can be, in a hint."""
    *endings, last = [ending for kind in plain_kinds() for ending in kind.endings]
    return f"a {', '.join(endings)} or {last} file"


def all_forms() -> str:
    """What a `from` can be, in a hint."""
    others = [kind.form for kind in KINDS if kind.form]
    return (
        ", ".join([plain_form(), "a folder or glob of such", *others[:-1]]) + f", or {others[-1]}"
    )


def other_kind(file: Path, wanted: str) -> ProblemsError:
    """RS006 for a file that cannot take the place of the workspace's own."""
    message = "Accounts cannot be read from this kind of file."
    return problem("RS006", message, file=str(file), hint=f"Give {wanted}.")


def _empty_files(files: Sequence[str]) -> str:
    """Files without a byte, in words."""
    others = f" and {counted(len(files) - 1, 'more file')}" if files[1:] else ""
    return f"{files[0]}{others} {'are' if others else 'is'} empty"


def _kind_of_file(path: Path) -> type[PlainFiles] | None:
    function = reader(path.name)
    return next((kind for kind in plain_kinds() if kind.function == function), None)


def _headers_of(engine: Engine, path: Path) -> list[str]:
    kind = _kind_of_file(path)
    return [] if kind is None else kind.headers_of(engine, path)


def _index_of(engine: Engine, path: Path) -> list[str]:
    kind = _kind_of_file(path)
    # Whoever loads the file says what is wrong with it.
    with suppress(EngineError, OSError, ValueError):
        return [] if kind is None else kind.index_of(engine, path)
    return []
