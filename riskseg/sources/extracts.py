"""Extracts: the rows of sources in databases, kept on this machine between commands.

An extract is a Parquet file of all rows as they were read, and one of those that were added or
changed since, where the source says how these are found. Files are named by their content and
never changed. What is kept of a source is said in a file of its own, which is replaced in one step.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from riskseg.domain.problems import ProblemsError
from riskseg.engine import Engine
from riskseg.store.files import private_file, private_folder, sweep, write_beside
from riskseg.store.lock import hold, is_held, waiting_lock
from riskseg.workspace import Source

FOLDER = "extracts"
# What is kept of a source, for so many forms of it: another `from`, other columns.
_FORMS = 2
_STATE, _IN_USE, _LOCK = "kept-", "in-use-", "lock"


@dataclass(frozen=True, slots=True)
class Part:
    """A file of rows, and how many bytes it has."""

    file: str
    rows: int
    size: int


@dataclass(frozen=True, slots=True)
class Extract:
    """All rows as they were read, and `changes`: all that were not before `since` by now, or whose
    watermark is null, where they are others."""

    base: Part
    changes: Part | None = None
    since: str | None = None

    @property
    def parts(self) -> list[Part]:
        return [self.base, *([self.changes] if self.changes is not None else [])]


class NotKeptError(Exception):
    """Rows cannot be kept for later commands."""


class Extracts:
    """The folder of the extracts of a workspace. What is in it is for its owner alone."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.folder = folder
        self._engine = engine
        self._used: set[str] = set()
        self._in_use = folder / f"{_IN_USE}{secrets.token_hex(8)}.json"

    @classmethod
    def of(cls, engine: Engine) -> Extracts | None:
        """The extracts beside the tables that an engine may keep; None where it may keep none."""
        if engine.kept_files is None or not engine.kept_files.parent.is_dir():
            return None
        with suppress(OSError):
            folder = private_folder(private_folder(engine.kept_files) / FOLDER)
            if os.access(folder, os.W_OK):
                return cls(engine, folder)
        return None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let no other command read from the databases meanwhile: it waits, and reads less then."""
        with waiting_lock(self.folder / _LOCK):
            sweep([self.folder])
            yield

    def kept(self, source: Source, form: str) -> Extract | None:
        """What is kept of a source in this form; None where nothing is, or not as it was."""
        try:
            state = json.loads(self._state(source, form).read_text())
            base, changes = (Part(**p) if p else None for p in (state["base"], state["changes"]))
            extract = Extract(base, changes, state["since"]) if base is not None else None
        except (OSError, ValueError, TypeError, KeyError):
            return None
        whole = extract is not None and all(map(self._is_whole, extract.parts))
        return extract if whole else None

    def _is_whole(self, part: Part) -> bool:
        try:
            return (self.folder / part.file).stat().st_size == part.size
        except OSError:
            return False

    def keep(self, source: Source, form: str, extract: Extract) -> None:
        """Keep an extract in place of the one before it. Raises NotKeptError."""
        try:
            self._keep(source, form, extract)
        except (OSError, ProblemsError) as error:
            raise NotKeptError from error

    def _keep(self, source: Source, form: str, extract: Extract) -> None:
        place = self._state(source, form)
        with write_beside(place, token="extract") as part:
            part.write_text(json.dumps(asdict(extract)))
            private_file(part)
        states = self.folder.glob(f"{_STATE}{called(source)}-*.json")
        for other in sorted(states, key=lambda s: (s == place, s.stat().st_mtime_ns))[:-_FORMS]:
            other.unlink(missing_ok=True)
        self._use(extract)
        _remove_unused(self.folder)

    def _state(self, source: Source, form: str) -> Path:
        return self.folder / f"{_STATE}{called(source)}-{form}.json"

    def _use(self, extract: Extract) -> None:
        """Let no other command remove what this one reads, for as long as its engine is there."""
        if not self._used:
            weakref.finalize(self._engine, _let_go, hold(self._in_use), self._in_use)
        self._used |= {part.file for part in extract.parts}
        self._in_use.write_text(json.dumps(sorted(self._used)))


def _let_go(handle: int, in_use: Path) -> None:
    os.close(handle)
    in_use.unlink(missing_ok=True)


def _remove_unused(folder: Path) -> None:
    """Remove the files that nothing says are kept, and that no command reads."""
    needed: set[str] = set()
    for other in folder.glob(f"{_IN_USE}*.json"):
        if is_held(other):
            needed |= set(_read(other) or [])
        else:  # its command was killed
            other.unlink(missing_ok=True)
    for state in folder.glob(f"{_STATE}*.json"):
        parts = _read(state) or {}
        needed |= {p["file"] for p in (parts.get("base"), parts.get("changes")) if p}
    for file in folder.glob("*.parquet"):
        if file.name not in needed:
            file.unlink(missing_ok=True)


def called(source: Source) -> str:
    """What begins the names of the files of a source."""
    return re.sub(r"\W", "_", source.table)


def forget(kept_files: Path, *, at_once: bool = False) -> None:
    """Remove the extracts, so that sources in databases are read as a whole. A file that another
    command still reads stays until that command ends, unless all are removed `at_once`. While
    another command reads from a database, this waits: its extract may build on an earlier one."""
    folder = kept_files / FOLDER
    if not folder.is_dir():
        return
    with waiting_lock(folder / _LOCK):
        for state in folder.glob(f"{_STATE}*.json"):
            state.unlink(missing_ok=True)
        _remove_unused(folder)
        for file in folder.glob("*.parquet") if at_once else ():
            file.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, dict[str, str]] | None:
    with suppress(OSError, ValueError):
        content: dict[str, dict[str, str]] = json.loads(path.read_text())
        return content
    return None
