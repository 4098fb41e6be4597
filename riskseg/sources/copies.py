"""Files of one source that hold the same bytes: one is most likely a copy of the other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from riskseg.domain.problems import Problems
from riskseg.engine import EngineError
from riskseg.sources.reader import open_source
from riskseg.sources.sql_text import NotAllowedError
from riskseg.workspace import Workspace


def check_copies(workspace: Workspace, problems: Problems) -> None:
    """Add RS113 for each file that has the bytes of an earlier file of its source, and rows."""
    for source in workspace.settings.every_source.values():
        with suppress(EngineError, NotAllowedError, OSError):
            files = open_source(source, workspace.root).files()
            for first, copy in _copies(sorted(set(files))):
                problems.add(
                    "RS113",
                    f"{source.table}: {workspace.shown(first)} and {workspace.shown(copy)} hold "
                    "the same bytes.",
                    file=source.file,
                    line=source.lines.get("from"),
                    hint="Remove one of them from where `from` looks: each row of it counts twice.",
                )


def _copies(files: Iterable[Path]) -> Iterator[tuple[Path, Path]]:
    """The pairs of a first file and a later one of the same bytes."""
    of_size: dict[int, list[Path]] = {}
    for path in files:
        of_size.setdefault(path.stat().st_size, []).append(path)
    for alike in of_size.values():
        if len(alike) == 1:  # which need not be read
            continue
        seen: dict[bytes, Path] = {}
        for path in alike:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").digest()
            first = seen.setdefault(digest, path)
            if first != path and _has_rows(path):
                yield first, path


def _has_rows(path: Path) -> bool:
    """Whether a file has more than its header. Of a kind that is not text it is supposed."""
    if path.suffix == ".parquet":
        from pyarrow.parquet import read_metadata

        return bool(read_metadata(path).num_rows)
    with path.open("rb") as file:
        file.readline()
        return any(line.strip() for line in file)
