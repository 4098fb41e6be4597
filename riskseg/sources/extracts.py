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

from riskseg.engine import Engine
from riskseg.store.files import (
    is_left,
    part_token,
    private_file,
    private_folder,
    sweep,
    write_beside,
)
from riskseg.store.lock import waiting_lock
from riskseg.workspace import Source

FOLDER = "extracts"
# What is kept of a source, for so many forms of it: another `from`, other columns.
_FORMS = 2
_STATE, _IN_USE = "kept-", "in-use-"


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


class Extracts:
    """The folder of the extracts of a workspace. What is in it is for its owner alone."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.folder = folder
        self._used: set[str] = set()
        self._in_use = folder / f"{_IN_USE}{part_token()}-{secrets.token_hex(4)}.json"
        weakref.finalize(engine, self._in_use.unlink, missing_ok=True)

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
        with waiting_lock(self.folder / "lock"):
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
        """Keep an extract in place of the one before it."""
        place = self._state(source, form)
        with write_beside(place, token="extract") as part:
            part.write_text(json.dumps(asdict(extract)))
            private_file(part)
        states = self.folder.glob(f"{_STATE}{called(source)}-*.json")
        for other in sorted(states, key=lambda s: (s == place, s.stat().st_mtime_ns))[:-_FORMS]:
            other.unlink(missing_ok=True)
        self._use(extract)
        self._remove_unused()

    def _state(self, source: Source, form: str) -> Path:
        return self.folder / f"{_STATE}{called(source)}-{form}.json"

    def _use(self, extract: Extract) -> None:
        """Let no other command remove what this one reads, for as long as its engine is there."""
        self._used |= {part.file for part in extract.parts}
        self._in_use.write_text(json.dumps(sorted(self._used)))

    def _remove_unused(self) -> None:
        needed: set[str] = set()
        for other in self.folder.glob(f"{_IN_USE}*.json"):
            if is_left(other.name.removeprefix(_IN_USE).rpartition("-")[0]):
                other.unlink(missing_ok=True)
            else:
                needed |= set(_read(other) or [])
        for state in self.folder.glob(f"{_STATE}*.json"):
            parts = _read(state) or {}
            needed |= {p["file"] for p in (parts.get("base"), parts.get("changes")) if p}
        for file in self.folder.glob("*.parquet"):
            if file.name not in needed:
                file.unlink(missing_ok=True)


def called(source: Source) -> str:
    """What begins the names of the files of a source."""
    return re.sub(r"\W", "_", source.table)


def forget(kept_files: Path, *, rows: bool = True) -> None:
    """Remove what is kept, so that sources in databases are read as a whole. Without `rows`, what
    other commands still read stays until they end."""
    for file in (kept_files / FOLDER).glob("*"):
        if file.name.startswith(_STATE) or (rows and file.suffix == ".parquet"):
            file.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, dict[str, str]] | None:
    with suppress(OSError, ValueError):
        content: dict[str, dict[str, str]] = json.loads(path.read_text())
        return content
    return None
