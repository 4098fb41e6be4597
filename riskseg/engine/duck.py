"""DuckDB in the process: runs SQL that the other rooms wrote, and hands Arrow in and out.

Every statement of riskseg passes through :meth:`Engine.run`, so that there is one place to
count, to trace and to interrupt.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from riskseg.domain.relations import literal

if TYPE_CHECKING:
    import pyarrow as pa


class EngineError(Exception):
    """The engine refused a statement. Callers that ran a person's SQL turn it into a Problem."""


class TooLargeError(EngineError):
    """A number in it does not fit."""


class Engine:
    """One connection over a scratch database.

    `scratch` is a file (tables live on disk, compressed, and memory stays bounded) or None for
    memory. `files` is the folder that relative file names in a source are looked up in.
    """

    def __init__(
        self,
        scratch: Path | None = None,
        *,
        files: Path | None = None,
        threads: int | None = None,
        memory: str = "3GB",
    ) -> None:
        self.threads = threads or os.cpu_count() or 1
        # Nothing is ever fetched: an extension that is not built in is an error, not a download.
        config: dict[str, Any] = {
            "threads": self.threads,
            "memory_limit": memory,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        self._connection = duckdb.connect(str(scratch) if scratch else ":memory:", config=config)
        # Where it takes itself to be talked to, it draws a bar on stdout, among the results.
        self.run("set enable_progress_bar = false")
        if scratch:
            self.run(f"set temp_directory = {literal(str(scratch) + '.spill')}")
        if files:
            self.run(f"set file_search_path = {literal(str(files))}")

    def run(self, sql: str) -> None:
        """Carry out one statement, keeping no result."""
        with _refusals():
            self._connection.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a small result."""
        self.run(sql)
        return self._connection.fetchall()

    def value(self, sql: str) -> Any:
        """The first value of the first row."""
        return self.rows(sql)[0][0]

    def columns(self, relation: str) -> dict[str, str]:
        """Column names and engine types of a table or of `(select …)`, in order."""
        return {row[0]: str(row[1]) for row in self.rows(f"describe select * from {relation}")}

    def arrow(self, sql: str) -> pa.Table:
        """A result as one Arrow table."""
        with _refusals():
            table: pa.Table = self._connection.sql(sql).to_arrow_table()
        return table

    def batches(self, sql: str, rows: int = 100_000) -> Iterator[pa.RecordBatch]:
        """A result as Arrow batches, in order."""
        with _refusals():
            yield from self._connection.sql(sql).to_arrow_reader(rows)

    def register(self, name: str, table: pa.Table) -> None:
        """Let SQL read an Arrow table under `name` (no copy)."""
        self._connection.register(name, table)

    def unregister(self, name: str) -> None:
        self._connection.unregister(name)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        large = isinstance(error, duckdb.OutOfRangeException) or any(
            words in str(error) for words in ("out of range", "Could not cast value")
        )
        raise (TooLargeError if large else EngineError)(_plain(error)) from error


def _plain(error: duckdb.Error) -> str:
    """The engine's message without its pointer into the statement."""
    return str(error).split("\n\nLINE ")[0].split("\nLINE ")[0].strip()
