"""Commands in processes of their own, that end by kill -9.

They are forked from one process that has imported everything, so that the moments fall on the
command rather than on the start of Python.
"""

from __future__ import annotations

import multiprocessing
import os
import pkgutil
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.portfolio import AS_OF, by_command


@dataclass(frozen=True)
class Door:
    """Where a command meets the world: what is called there, whether it dies before or after, and
    at which call, from 1."""

    owner: str
    name: str
    when: str
    call: int = 1


_JOURNAL = "riskseg.store.journal.Journal"
_COMMIT = ("sqlalchemy.engine.default.DefaultDialect", "do_commit")

# Of `assign`.
DOORS: Mapping[str, Door] = {
    "before writing": Door("riskseg.store.sinks", "write", "before"),
    "in the middle of writing": Door("pyarrow.parquet.ParquetWriter", "write_table", "after"),
    "before the disk is flushed": Door("riskseg.store.files", "_flush", "before"),
    "before a rename": Door("os", "replace", "before"),
    "after a rename": Door("os", "replace", "after"),
    "after writing": Door("riskseg.store.sinks", "write", "after"),
    "before the journal": Door(_JOURNAL, "record_run", "before"),
    "after the journal": Door(_JOURNAL, "record_run", "after"),
}

# Of `strategy activate`. It writes nothing but two rows of the journal.
ACTIVATE_DOORS: Mapping[str, Door] = {
    "before the proofs": Door("riskseg.pipeline.proving", "prove_strategy", "before"),
    "before the journal": Door(_JOURNAL, "activate", "before"),
    "between the rows": Door("riskseg.store.journal_entries", "values_of", "before", 2),
    "before the commit": Door(*_COMMIT, "before"),
    "after the commit": Door(*_COMMIT, "after"),
    "after the journal": Door(_JOURNAL, "activate", "after"),
}

# Of `worklist issue`, where the journal is there already.
_EVENTS = "riskseg.store.events"
ISSUE_DOORS: Mapping[str, Door] = {
    "before the list is written": Door("riskseg.store.sinks", "write", "before"),
    "in the middle of writing": Door("pyarrow.parquet.ParquetWriter", "write_table", "after"),
    "before the disk is flushed": Door("riskseg.store.files", "_flush", "before"),
    "before the list is renamed": Door("os", "replace", "before"),
    "after the list is renamed": Door("os", "replace", "after"),
    "after the list is written": Door("riskseg.store.sinks", "write", "after"),
    "before the journal": Door(_JOURNAL, "record_events", "before"),
    "before the events are added": Door(_EVENTS, "add_events", "before"),
    "after the events are added": Door(_EVENTS, "add_events", "after"),
    "before the commit": Door(*_COMMIT, "before"),
    "after the commit": Door(*_COMMIT, "after"),
    "after the journal": Door(_JOURNAL, "record_events", "after"),
}

# The doors on which most hangs are tried every time, the others with the slow tests.
_ALWAYS = ("in the middle of writing", "after a rename", "before the journal", "after the commit")


def tried(doors: Mapping[str, Door]) -> list[Any]:
    """Names of doors as parameters of a test, those of less weight marked slow."""
    return [pytest.param(d, marks=[] if d in _ALWAYS else pytest.mark.slow) for d in doors]


# Of `journal erase`, where two runs have kept the account and the quarantine names it.
ERASE_DOORS: Mapping[str, Door] = {
    "in the middle of writing": Door("pyarrow.parquet.ParquetWriter", "write_table", "after"),
    "before the disk is flushed": Door("riskseg.store.files", "_flush", "before"),
    "before the first rename": Door("os", "replace", "before"),
    "after the first rename": Door("os", "replace", "after"),
    "before the second rename": Door("os", "replace", "before", 2),
    "after the second rename": Door("os", "replace", "after", 2),
    "before the quarantine is renamed": Door("os", "replace", "before", 3),
    "after the quarantine is renamed": Door("os", "replace", "after", 3),
    "before the commit": Door(*_COMMIT, "before"),
    "after the commit": Door(*_COMMIT, "after"),
    "after the journal": Door(_JOURNAL, "record_erasure", "after"),
}


def begin(workspace: Path, place: Path, door: Door | None = None) -> BaseProcess:
    """`riskseg assign` in a process of its own; with `door`, it kills itself there."""
    return begin_command(
        workspace, "assign", "--as-of", AS_OF.isoformat(), "--out", str(place), door=door
    )


def begin_command(
    workspace: Path, *words: str, door: Door | None = None, proving: bool = True
) -> BaseProcess:
    """A command in a process of its own, without `proving` one that proves nothing; with `door`,
    it kills itself there."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(
        [
            *("duckdb", "lightgbm", "sklearn.linear_model", "pyarrow.parquet", "sqlalchemy", "z3"),
            *("alembic", "riskseg.cli", "riskseg.run.assign", "riskseg.store.journal"),
            *("riskseg.store.sinks", "riskseg.learning.reasons", "riskseg.pipeline.proving"),
            *("riskseg.run.activate", "riskseg.run.retention", "riskseg.run.worklist"),
        ]
    )
    given = (str(workspace), words, door, proving)
    process = processes.Process(target=_run, args=given, daemon=True)
    process.start()
    return process


def no_proofs(*_: object) -> Any:
    """In the place of a strategy's proofs, which take seconds and write nothing."""
    return SimpleNamespace(results=())


def _run(workspace: str, words: Sequence[str], door: Door | None, proving: bool) -> None:
    if not proving:
        _found("riskseg.pipeline.proving").prove_strategy = no_proofs
    if door:
        owner = _found(door.owner)
        setattr(owner, door.name, _deadly(getattr(owner, door.name), door))
    by_command(workspace, *words)


def _found(name: str) -> Any:
    return pkgutil.resolve_name(name)


def _deadly(original: Callable[..., object], door: Door) -> Callable[..., object]:
    left = [door.call]

    def die(*args: object, **kwargs: object) -> object:
        left[0] -= 1
        if left[0]:
            return original(*args, **kwargs)
        if door.when == "after":
            original(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    return die
