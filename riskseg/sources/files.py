"""The files that riskseg.toml names: what a `from` reads, where they are, whether they stay."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from riskseg.domain.problems import problem
from riskseg.engine import Engine, EngineError, syntax_tree
from riskseg.ledger.selects import Named, NotAllowedError, files_named, reader, with_files
from riskseg.workspace import Source, Workspace

Batch = TypeVar("Batch")
# What can be loaded without a select that says how.
_PLAIN = re.compile(r"\.(parquet|pq|(csv|tsv|txt)(\.gz)?)$", re.IGNORECASE)
# Of a file: which it is, how long, when it was last written to, when anything of it changed.
Stamp = tuple[int, int, int, int]
Stamps = dict[Path, Stamp]


def names_in(source: Source) -> list[Named]:
    """The names in a `from`. Raises EngineError for a select that cannot be parsed, and
    NotAllowedError for one that reads something other than files."""
    text = select_of(source)
    if source.is_select:
        return files_named(text, syntax_tree(text))
    if not _PLAIN.search(source.loaded_from):
        raise NotAllowedError("no file that can be loaded")
    return [Named(source.loaded_from, 0, len(text.encode()), "argument")]


def select_of(source: Source) -> str:
    """A `from` without what may stand at its end."""
    return source.loaded_from.strip().rstrip(";") if source.is_select else source.loaded_from


def _found(name: str, root: Path) -> list[Path]:
    """The file of this very name, or else those that match it as a pattern."""
    exact = os.path.join(root, name)
    names = [exact] if os.path.isfile(exact) else sorted(
        os.path.join(root, one) for one in glob.glob(name, root_dir=root, recursive=True)
    )  # fmt: skip
    return [Path(os.path.abspath(one)) for one in names if os.path.isfile(one)]


def files_of(source: Source, root: Path) -> list[Path]:
    """The files that a source is loaded from."""
    return [path for one in names_in(source) for path in _found(one.name, root)]


def patterns_of(source: Source, root: Path) -> list[str]:
    """The patterns by which a source names files, as those of whole paths."""
    real = glob.escape(os.path.realpath(root))
    return [os.path.normpath(os.path.join(real, one.name)) for one in names_in(source)]


def samples(source: Source, root: Path) -> list[Path]:
    """One file of each name in a source's `from`."""
    return [path for one in names_in(source) for path in _found(one.name, root)[:1]]


def missing(source: Source, root: Path) -> list[str]:
    """The names in a source's `from` that no file has."""
    return [one.name for one in names_in(source) if not _found(one.name, root)]


def relation(engine: Engine, source: Source, root: Path) -> str:
    """What stands after FROM for a source.

    CSV is read as text throughout, so that an id keeps its leading zeros and every value is
    checked against the contract rather than guessed at.
    """
    named = names_in(source)

    def literals(one: Named) -> list[str]:
        return [engine.file(path) for path in _found(one.name, root)]

    text = with_files(select_of(source), named, literals)
    if source.is_select:
        return f"({text}\n)"
    # A folder named `year=2025` gives a column where the pattern reaches into it; one that the
    # workspace merely lies in does not.
    base = os.path.abspath(root)
    folders = any("=" in os.path.relpath(p.parent, base) for p in files_of(source, root))
    options = f"hive_partitioning = {str(folders).lower()}"
    if reader(source.loaded_from) == "read_csv":
        options += ", all_varchar = true, header = true"
    return f"{reader(source.loaded_from)}({text}, {options})"


def readable(workspace: Workspace) -> list[Path]:
    """Every file that the sources of a workspace name; none of a source that has a Problem."""
    found: list[Path] = []
    for source in workspace.settings.sources.values():
        with suppress(EngineError, NotAllowedError):
            found += files_of(source, workspace.root)
    return found


def stamps(workspace: Workspace) -> Stamps:
    """What tells whether a source's files are those that were read.

    Hashing them twice would cost as much again as loading them. A file that is replaced has
    another inode; one that is written to has a later time of change, which no program can set
    back, and its hash is taken between two looks at that. Only a second write within the same
    tick of the system's clock (some milliseconds) and of the same length goes unseen.
    """
    return {path: _stamp(path) for path in readable(workspace)}


def size_of(path: Path) -> int:
    """How long a file is; 0 of one that is gone."""
    return _stamp(path)[1]


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0, 0)
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def check_unchanged(workspace: Workspace, before: Stamps) -> None:
    """Raise RS620 where a source's files are not what they were."""
    now = stamps(workspace)
    if now == before:
        return
    changed = [p for p in sorted({*before, *now}) if before.get(p) != now.get(p)]
    raise problem(
        "RS620",
        "The file was replaced, or written to, while it was being read: nothing is written.",
        file=workspace.shown(changed[0]),
        hint="Run again once the file is complete.",
    )


def while_unchanged(
    batches: Iterable[Batch], workspace: Workspace, before: Stamps
) -> Iterator[Batch]:
    """The batches; after the last, and so before what is written is put in its place, RS620 is
    raised where a source's files are not what they were."""
    yield from batches
    check_unchanged(workspace, before)


def file_relation(engine: Engine, place: Path) -> str:
    """A file of decisions or inputs as the engine reads it; text formats as text."""
    name, file = place.name.lower(), f"{engine.file(place)}, hive_partitioning = false"
    if name.endswith(".parquet"):
        return f"read_parquet({file})"
    if name.endswith((".csv", ".csv.gz")):
        # Less the apostrophe by which the writer keeps a text from being taken for a formula.
        texts = "regexp_replace(columns(*), '^''(''*[=+@\\t\\r＝＋－＠-])', '\\1')"
        return f"(select {texts} from read_csv({file}, all_varchar = true, header = true))"
    return f"read_json({file}, convert_strings_to_integers = false)"
