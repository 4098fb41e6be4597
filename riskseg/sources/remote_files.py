"""Sources in files of an object store that fsspec reaches: `s3://`, `abfs://`, `gs://`, others.

The files are copied beside the engine's scratch, and read as files of this machine are.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from riskseg.domain.addresses import file_name, is_of_a_file, without_secrets
from riskseg.domain.column_types import ColumnType
from riskseg.domain.problems import Problem, Problems
from riskseg.engine import Engine, EngineError
from riskseg.sources.files import PlainFiles, plain_form
from riskseg.sources.reader import SourceReader, open_source
from riskseg.sources.sql_text import NotAllowedError
from riskseg.store.remote_names import whole_name

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Copies:
    """The folder of the copies of files, and what tells these from the files of another time."""

    folder: Path
    made_of: str


# What an engine can read, by the `from` that names the originals.
_COPIES: WeakKeyDictionary[Engine, dict[str, Copies]] = WeakKeyDictionary()


class RemoteFiles(SourceReader):
    """A file, or a pattern of files, of an object store."""

    _local: PlainFiles | None = None

    @classmethod
    def reads(cls, loaded_from: str) -> bool:
        return _URL.match(loaded_from) is not None

    @property
    def place(self) -> str:
        return without_secrets(self.source.loaded_from)

    def prepare(self, engine: Engine, problems: Problems) -> bool:
        copies = _COPIES.setdefault(engine, {})
        url = self.source.loaded_from
        if url not in copies:
            copied = self._copied(engine, problems)
            if copied is None:
                return False
            copies[url] = copied
        self.made_of = (copies[url].made_of,)
        self._local = self._reader_of(copies[url].folder)
        return self._local.check(problems) and self._local.prepare(engine, problems)

    def _copied(self, engine: Engine, problems: Problems) -> Copies | None:
        """The copies of the files; None after adding a Problem."""
        add = partial(self._add, problems)
        if not self._kind():
            hint = f"Name {plain_form()}, or a glob of such."
            add("RS006", f"{self.place} is not a file that can be loaded.", hint)
            return None
        return copies_of(self.source.loaded_from, engine, add)

    def _kind(self) -> type[PlainFiles] | None:
        """The kind that reads such files; None where none does."""
        name = PurePosixPath(self.source.loaded_from).name
        with suppress(NotAllowedError):
            reader = open_source(replace(self.source, loaded_from=name), self.root)
            return type(reader) if isinstance(reader, PlainFiles) else None
        return None

    def _reader_of(self, folder: Path) -> PlainFiles:
        """The reader of all files in a folder, in place of this one."""
        kind = self._kind()
        assert kind is not None
        return kind(replace(self.source, loaded_from="**/*"), folder)

    def _add(self, problems: Problems, code: str, message: str, hint: str) -> None:
        line = self.source.lines.get("from")
        problems.add(code, message, file=self.source.file, line=line, hint=hint)

    def _here(self, engine: Engine) -> PlainFiles:
        """The reader of the copies, which were made when the source was prepared."""
        if self._local is None:
            copies = _COPIES.get(engine, {})
            if self.source.loaded_from not in copies:
                raise EngineError(f"{self.place} was not copied")
            self._local = self._reader_of(copies[self.source.loaded_from].folder)
        return self._local

    def relation(self, engine: Engine) -> str:
        return self._here(engine).relation(engine)

    def content(self, engine: Engine) -> Iterator[bytes]:
        return self._here(engine).content(engine)

    def headers(self, engine: Engine, columns: Mapping[str, ColumnType]) -> Iterable[str]:
        return self._here(engine).headers(engine, columns)

    def index_columns(self, engine: Engine, columns: Iterable[str]) -> set[str]:
        return self._here(engine).index_columns(engine, columns)

    def locate(self, row: int) -> tuple[str, int | None]:
        if self._local is None:
            return self.place, None
        file, line = self._local.locate(row)
        known = file != self._local.place
        return (f"{_fixed_folder(self.place)}/{file}" if known else self.place), line

    @property
    def rows_in_files(self) -> int | None:
        return self._local.rows_in_files if self._local is not None else None

    def would_read(self, place: str) -> bool:
        pattern = self.source.loaded_from
        if is_of_a_file(pattern):
            return fnmatch(place, os.path.realpath(file_name(pattern)))
        return "://" in place and fnmatch(whole_name(place), whole_name(pattern))

    def faults(self) -> list[Problem]:
        return self._local.faults() if self._local is not None else []

    def notes(self) -> list[str]:
        return self._local.notes() if self._local is not None else []

    def replaced_by(self, file: Path) -> str:
        kind = self._kind()
        if kind is None:
            return super().replaced_by(file)
        return kind(self.source, self.root).replaced_by(file)


def copies_of(url: str, engine: Engine, add: Callable[[str, str, str], None]) -> Copies | None:
    """Copies, in the engine's scratch, of the file which a URL names, or of all files that its
    pattern matches; None after `add` was given the code, the message and the hint of a Problem."""
    place = without_secrets(url)
    try:
        # Loaded where a file is in an object store, and not before.
        from fsspec.core import url_to_fs

        files, pattern = url_to_fs(url)
        paths = sorted(files.glob(pattern) if _is_pattern(pattern) else [pattern])
        first = _fixed_folder(pattern)
        folder = engine.new_file("files")
        digest = hashlib.sha256()
        for path in paths:
            name = path.removeprefix(first).lstrip("/")
            digest.update(f"{name}\n{_copy(files, path, folder / name)}\n".encode())
    except ImportError as error:
        lacking = f"{place} cannot be reached: {error}".rstrip(".")
        add("RS024", f"{lacking}.", "Install it with: pip install 'riskseg[remote]'.")
        return None
    except FileNotFoundError:
        paths = []
    except Exception as error:  # each store refuses in words of its own
        said = without_secrets(f"{type(error).__name__}: {error}").split("\n")[0]
        hint = "Check the address, and the environment that says who may read it."
        add("RS016", f"{place} cannot be read: {said.rstrip('.')}.", hint)
        return None
    if not paths:
        hint = "Check its name, and that it may be read."
        add("RS006", f'There is no file "{place}".', hint)
        return None
    return Copies(folder, digest.hexdigest())


def _is_pattern(path: str) -> bool:
    return any(mark in path for mark in "*?[")


def _fixed_folder(pattern: str) -> str:
    """The folder in which all files lie that a pattern can match."""
    fixed = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    return fixed.rpartition("/")[0]


def _copy(files: AbstractFileSystem, path: str, place: Path) -> str:
    """Copy a file; the SHA-256 of its bytes, in hexadecimal."""
    if ".." in place.parts:
        raise PermissionError(f"the name {path} leads out of its folder")
    place.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with files.open(path, "rb") as remote, place.open("xb") as copy:
        while chunk := remote.read(_CHUNK):
            digest.update(chunk)
            copy.write(chunk)
    return digest.hexdigest()
