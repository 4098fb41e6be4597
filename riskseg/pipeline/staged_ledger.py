"""The staged ledger that commands share: the tables that sources are staged into are kept, and a
command that finds them does not read the sources again.

What is kept has a name made of all that it depends on: every statement that staged it, the stamps
of the files that these read (see :mod:`riskseg.sources.unchanged`), and the releases of riskseg and
of the engine. So nothing kept is ever brought up to date: where anything changes, the name does.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import riskseg
from riskseg.domain.problems import Problems, ProblemsError
from riskseg.engine import Engine, KeptTablesError
from riskseg.sources import extracts
from riskseg.sources.unchanged import Stamps
from riskseg.store import kept_events
from riskseg.store.files import check_place, private_file, private_folder, write_beside
from riskseg.workspace import Workspace
from riskseg.workspace.sources import FILE

# Ledgers that are kept at a time: one with the ids of bills as texts and one without.
_MOST = 2
# A file that was written to so shortly before may be again without another stamp: the coarsest
# clocks of file systems tick every two seconds.
_SETTLED_AFTER_NS = 2_000_000_000
_A_MOMENT_NS = 250_000_000
# Sources of so many bytes take longer to stage again than their files take to settle.
_WORTH_WAITING_FOR = 100_000_000


def folder_of(workspace: Workspace) -> Path:
    """Where the staged ledgers of a workspace are kept."""
    return workspace.state / "staged"


def folder_for_events(workspace: Workspace) -> Path | None:
    """Where the journal's events are kept, in a workspace that keeps anything; else None."""
    if not workspace.settings.keep_staged or not workspace.state.is_dir():
        return None
    folder = folder_of(workspace)
    try:
        return private_folder(folder) if os.access(workspace.state, os.W_OK) else None
    except OSError:
        return None


def forget(workspace: Workspace, *, at_once: bool = False) -> None:
    """Remove the staged ledgers, what was worked out from them, the rows of databases and the
    events that are kept; rows that another command reads only where it is to be `at_once`."""
    kept_events.forget(folder_of(workspace))
    extracts.forget(folder_of(workspace), at_once=at_once)
    for kept in folder_of(workspace).glob("*.duckdb"):
        kept.unlink(missing_ok=True)
    _remove_derived(folder_of(workspace))


def derived_file(workspace: Workspace, ledger: str, table: str, made_of: Sequence[str]) -> Path:
    """Where a table that was worked out from a kept ledger is kept, for as long as that is there.
    `made_of` is all that it depends on beside the ledger and the workspace's own definitions."""
    features = workspace.models / "features.yaml"
    definitions = [path.read_text() for path in (workspace.root / FILE, features) if path.is_file()]
    digest = hashlib.sha256(json.dumps([*definitions, *made_of]).encode()).hexdigest()
    return folder_of(workspace) / f"{ledger}-{table}-{digest[:32]}.rows"


def opened(
    engine: Engine, workspace: Workspace, before: Stamps, statements: Sequence[str]
) -> str | None:
    """Have the tables that an earlier command made by `statements`, of sources whose files had the
    stamps `before`: the name under which they are kept, or None where they are not."""
    name = _name(engine, before, statements)
    place = folder_of(workspace) / f"{name}.duckdb"
    can_keep = _can_keep(engine, workspace, statements)
    # Another user's may not be read.
    return name if can_keep and os.access(place, os.R_OK) and engine.read_kept(place) else None


def kept(
    engine: Engine,
    workspace: Workspace,
    before: Stamps,
    statements: Sequence[str],
    make: Callable[[], None],
) -> str | None:
    """Have the tables made by `make`, which carries out `statements`, and kept: the name under
    which they are. None where they cannot be kept; they may not be there then.

    `make` must see to it that the files are the same after it. Whatever it raises goes through, and
    nothing is kept then.
    """
    name = _name(engine, before, statements)
    place = folder_of(workspace) / f"{name}.duckdb"
    is_kept = (
        _can_keep(engine, workspace, statements)
        and _may_keep(workspace, place, before)
        and _keep(engine, place, make)
        # Another command may have removed it by now.
        and engine.read_kept(place)
    )
    return name if is_kept else None


def _can_keep(engine: Engine, workspace: Workspace, statements: Sequence[str]) -> bool:
    return (
        workspace.settings.keep_staged
        and engine.can_keep
        and all(engine.repeatable(statement) for statement in statements)
    )


def _keep(engine: Engine, place: Path, make: Callable[[], None]) -> bool:
    """Make the tables in the file that is kept. Returns whether there was room for them."""
    # What stands there is damaged, or a link to elsewhere.
    place.unlink(missing_ok=True)
    try:
        with write_beside(place, token="staged") as part:
            try:
                with engine.keeping(part):
                    make()
            finally:
                part.with_name(f"{part.name}.wal").unlink(missing_ok=True)
            private_file(part)
    except KeptTablesError:
        return False
    except ProblemsError as error:
        if {of_place.code for of_place in error.problems} != {"RS010"}:
            raise
        return False
    _remove_others(place)
    return True


def _name(engine: Engine, before: Stamps, statements: Sequence[str]) -> str:
    stamped = sorted((str(path), *stamp) for path, stamp in before.items())
    made_of = [riskseg.__version__, engine.release, stamped, *map(engine.lasting, statements)]
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:32]


def _may_keep(workspace: Workspace, place: Path, before: Stamps) -> bool:
    """Whether there is a folder to keep them in, in a workspace that has kept anything before, and
    the sources' files are as they were for a while."""
    if not workspace.state.is_dir():
        return False
    problems = Problems()
    try:
        private_folder(place.parent)
        check_place(place, problems)
        return not len(problems) and _settle(place.parent, before)
    except OSError:
        return False


def _settle(folder: Path, before: Stamps) -> bool:
    """Whether the files were changed long enough ago. A run often begins as soon as its files have
    arrived: where they are large, it waits for them to settle."""
    if sum(length for _, length, *_ in before.values()) >= _WORTH_WAITING_FOR:
        for _ in range(_SETTLED_AFTER_NS // _A_MOMENT_NS + 1):
            if _settled(folder, before):
                return True
            time.sleep(_A_MOMENT_NS / 1e9)
    return _settled(folder, before)


def _settled(folder: Path, before: Stamps) -> bool:
    """Whether the files were changed long enough ago, by the clock of the file system."""
    with tempfile.TemporaryFile(dir=folder) as file:
        now = os.fstat(file.fileno()).st_mtime_ns
    return all(changed < now - _SETTLED_AFTER_NS for *_, changed in before.values())


def _remove_others(place: Path) -> None:
    """Keep the latest few. One that a command reads goes when that command ends."""
    others = {kept: _age(kept) for kept in place.parent.glob("*.duckdb") if kept != place}
    for old in sorted(others, key=lambda kept: others[kept])[_MOST - 1 :]:
        with suppress(OSError):
            old.unlink()
    _remove_derived(place.parent)


def _remove_derived(folder: Path) -> None:
    """Remove what was worked out from ledgers that are not kept any more."""
    for derived in folder.glob("*.rows"):
        if not (folder / f"{derived.name.partition('-')[0]}.duckdb").is_file():
            derived.unlink(missing_ok=True)


def _age(kept: Path) -> int:
    """More for what was written earlier; most where another command has removed it."""
    try:
        return -kept.stat().st_mtime_ns
    except OSError:
        return 0
