"""Runs in processes of their own, that end by kill -9.

They are forked from one process that has imported everything, so that the moments fall on the run
rather than on the start of Python.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from tests.support.portfolio import assign_by_command

# Where a run meets the world: what is called there, and whether it dies before or after.
DOORS = {
    "before writing": ("riskseg.store.sinks", "write", "before"),
    "in the middle of writing": ("pyarrow.parquet.ParquetWriter", "write_table", "after"),
    "before the disk is flushed": ("riskseg.store.files", "_flush", "before"),
    "before a rename": ("os", "replace", "before"),
    "after a rename": ("os", "replace", "after"),
    "after writing": ("riskseg.store.sinks", "write", "after"),
    "before the journal": ("riskseg.store.journal.Journal", "record_run", "before"),
    "after the journal": ("riskseg.store.journal.Journal", "record_run", "after"),
}


def begin(workspace: Path, place: Path, door: str = "") -> BaseProcess:
    """`riskseg assign` in a process of its own; with `door`, it kills itself there."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(
        [
            *("duckdb", "lightgbm", "sklearn.linear_model", "pyarrow.parquet", "sqlalchemy"),
            *("alembic", "riskseg.cli", "riskseg.run.assign", "riskseg.store.journal"),
            *("riskseg.store.sinks", "riskseg.learning.reasons"),
        ]
    )
    process = processes.Process(target=_run, args=(str(workspace), str(place), door), daemon=True)
    process.start()
    return process


def _run(workspace: str, place: str, door: str) -> None:
    if door:
        target, name, when = DOORS[door]
        owner = _found(target)
        setattr(owner, name, _deadly(getattr(owner, name), when))
    assign_by_command(workspace, place)


def _found(name: str) -> Any:
    import pkgutil

    return pkgutil.resolve_name(name)


def _deadly(original: Callable[..., object], when: str) -> Callable[..., object]:
    def die(*args: object, **kwargs: object) -> None:
        if when == "after":
            original(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    return die
