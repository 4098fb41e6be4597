"""Sources that are kept in files: which files there are, and what each says of its columns."""

from __future__ import annotations

import glob
import hashlib
import os
import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from riskseg.domain.column_types import ColumnType
from riskseg.domain.facts import folded
from riskseg.domain.problems import Problems, ProblemsError, problem
from riskseg.domain.words import counted, first_few
from riskseg.engine import Engine, EngineError
from riskseg.sources.reader import KINDS, SourceReader, kind_of_source
from riskseg.sources.sql_text import reader


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

    def files(self) -> list[Path]:
        return [path for name in self.names() for path in matching(name, self.root)]

    def patterns(self) -> list[str]:
        root = glob.escape(os.path.realpath(self.root))
        return [os.path.normpath(os.path.join(root, name)) for name in self.names()]

    def samples(self) -> list[Path]:
        """One file of each name in the `from`."""
        return [path for name in self.names() for path in matching(name, self.root)[:1]]

    def check(self, problems: Problems) -> bool:
        """Whether every name has a file, and one of them holds anything."""
        table, file, line = self.source.table, self.source.file, self.source.lines.get("from")
        missing_files = [
            missing_file for missing_file in self.names() if not matching(missing_file, self.root)
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
                f"{table} has no rows: the file is empty.",
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

    def names(self) -> list[str]:
        return [self.source.loaded_from]

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
    return ", ".join([plain_form(), "a glob of such", *others[:-1]]) + f", or {others[-1]}"


def other_kind(file: Path, wanted: str) -> ProblemsError:
    """RS006 for a file that cannot take the place of the workspace's own."""
    message = "Accounts cannot be read from this kind of file."
    return problem("RS006", message, file=str(file), hint=f"Give {wanted}.")


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
