"""Whether the files of a workspace's sources stay as they were while they are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from riskseg.domain.problems import problem
from riskseg.engine import EngineError
from riskseg.sources.reader import open_source
from riskseg.sources.sql_text import NotAllowedError
from riskseg.workspace import Workspace

Batch = TypeVar("Batch")
# Of a file: which it is, how long, when it was last written to, when anything of it changed.
Stamp = tuple[int, int, int, int]
Stamps = dict[Path, Stamp]


def readable(workspace: Workspace) -> list[Path]:
    """Every file that the sources of a workspace name; none of a source that has a Problem."""
    readable_files: list[Path] = []
    for source in workspace.settings.every_source.values():
        with suppress(EngineError, NotAllowedError):
            readable_files += open_source(source, workspace.root).files()
    return readable_files


def stamps(workspace: Workspace) -> Stamps:
    """What shows whether a source's files are those that were read.

    Hashing them twice would cost as much again as loading them. A file that is replaced has
    another inode; one that is written to has a later time of change, which no program can set
    back, and its hash is taken between two looks at that. Only a second write within the same
    tick of the system's clock (some milliseconds) and of the same length goes unseen.
    """
    return {path: _stamp(path) for path in readable(workspace)}


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError:
        return (0, 0, 0, 0)
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def check_unchanged(workspace: Workspace, before: Stamps) -> None:
    """Raise RS620 where a source's files are not what they were."""
    now = stamps(workspace)
    if now == before:
        return
    changed_paths = [
        stamped_path
        for stamped_path in sorted({*before, *now})
        if before.get(stamped_path) != now.get(stamped_path)
    ]
    raise problem(
        "RS620",
        "The file was replaced, or written to, while it was being read: nothing is written.",
        file=workspace.shown(changed_paths[0]),
        hint="Run again once the file is complete.",
    )


def while_unchanged(
    batches: Iterable[Batch], workspace: Workspace, before: Stamps
) -> Iterator[Batch]:
    """The batches; after the last, and so before what is written is put in its place, RS620 is
    raised where a source's files are not what they were."""
    yield from batches
    check_unchanged(workspace, before)
