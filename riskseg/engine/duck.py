"""DuckDB in the process: runs SQL that the other rooms wrote, and hands Arrow in and out.

It is locked before the first statement: each call carries out one statement, which reads the
files that the engine was opened for and its own scratch, and nothing else. Names and texts that
come with the data stand in statements too; this is the second wall behind their quoting.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from riskseg.domain.relations import literal

if TYPE_CHECKING:
    import pyarrow as pa


class EngineError(Exception):
    """The engine refused a statement. Callers that ran a person's SQL turn it into a Problem."""


class NoMemoryError(Exception):
    """The engine needs more memory, or room for what memory does not hold, than it may take. No
    refusal of a statement: callers that ask whether a statement works must not take it for one."""


class TooLargeError(EngineError):
    """A number in it does not fit."""


class DuplicateColumnsError(AssertionError):
    """A relation has several columns of one name, in some letter case: `names` are all it has.
    The engine would go on with the first of them, whichever was meant."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        super().__init__(f"several columns of one name among {', '.join(names)}")


class Batches:
    """A result as Arrow batches, to be taken once, before the next statement is carried out."""

    def __init__(self, reader: pa.RecordBatchReader) -> None:
        self.schema = reader.schema
        self._reader = reader

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        with _refusals():
            yield from self._reader


class Engine:
    """One connection over a scratch database.

    `scratch` is a file (tables live on disk, compressed, and memory stays bounded) or None for
    memory. `reads` are the files that statements may read, by :meth:`file`.
    """

    def __init__(
        self,
        scratch: Path | None = None,
        *,
        reads: Iterable[Path] = (),
        threads: int | None = None,
        memory: str = "3GB",
    ) -> None:
        self.threads = threads or os.cpu_count() or 1
        self._opened = ExitStack()
        self._links: Path | None = None
        self._checked: set[str] = set()
        self._names = {path: self._name(path) for path in map(_absolute, reads)}
        config: dict[str, Any] = {"threads": self.threads, "memory_limit": memory}
        self._connection = _connect(str(scratch) if scratch else ":memory:", config)
        # Where it takes itself to be talked to, it draws a bar on stdout, among the results.
        self.run("set enable_progress_bar = false")
        if scratch:
            self.run(f"set temp_directory = {literal(str(scratch) + '.spill')}")
        if self._names:
            listed = ", ".join(literal(name) for name in self._names.values())
            self.run(f"set allowed_paths = [{listed}]")
        self.run("set enable_external_access = false")
        self.run("set lock_configuration = true")

    def _name(self, path: Path) -> str:
        """The name that the engine reads a file by: where its own holds what the engine takes for
        a pattern or a separator, that of a link to it."""
        if not re.search(r"[*?\[\\]", str(path)):
            return str(path)
        if self._links is None:
            folder = tempfile.TemporaryDirectory(prefix="riskseg-")
            self._links = Path(self._opened.enter_context(folder))
        link = self._links / f"{len(list(self._links.iterdir()))}{''.join(path.suffixes[-2:])}"
        link = link.with_name(re.sub(r"[*?\[\\]", "_", link.name))
        link.symlink_to(path)
        return str(link)

    def file(self, path: Path) -> str:
        """A SQL literal of a file's name, of those that the engine was opened for."""
        whole = _absolute(path)
        return literal(self._names.get(whole, str(whole)))

    def _one(self, sql: str) -> duckdb.Statement:
        """The one statement in the text: more of them is a fault, or an attempt."""
        found = self._connection.extract_statements(sql)
        if len(found) != 1:
            raise EngineError(f"{len(found)} statements where there should be one")
        return found[0]

    def run(self, sql: str) -> None:
        """Carry out one statement, keeping no result."""
        with _refusals():
            self._connection.execute(self._one(sql))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a small result."""
        self.run(sql)
        return self._connection.fetchall()

    def value(self, sql: str) -> Any:
        """The first value of the first row."""
        return self.rows(sql)[0][0]

    def columns(self, relation: str) -> dict[str, str]:
        """Column names and engine types of a table or of `(select …)`, in order. Raises
        DuplicateColumnsError."""
        whole = relation if relation.startswith("(") else f"select * from {relation}"
        found = self.rows(f"describe {whole}")
        if len({row[0].lower() for row in found}) < len(found):
            raise DuplicateColumnsError([row[0] for row in found])
        return {row[0]: str(row[1]) for row in found}

    def check_columns(self, select: str) -> None:
        """Raise DuplicateColumnsError for a select of two columns of one name; a text that was
        looked at before is not again."""
        if select not in self._checked:
            self.columns(f"({select})")
            self._checked.add(select)

    def arrow(self, sql: str) -> pa.Table:
        """A result as one Arrow table."""
        with _refusals():
            table: pa.Table = self._connection.sql(self._one(sql)).to_arrow_table()
        return table

    def batches(self, sql: str, rows: int = 100_000) -> Batches:
        """A result as Arrow batches, in order."""
        with _refusals():
            return Batches(self._connection.sql(self._one(sql)).to_arrow_reader(rows))

    def register(self, name: str, table: pa.Table) -> None:
        """Let SQL read an Arrow table under `name` (no copy)."""
        self._connection.register(name, table)

    def unregister(self, name: str) -> None:
        self._connection.unregister(name)

    def close(self) -> None:
        self._connection.close()
        self._opened.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _connect(database: str, config: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """A connection that fetches no extension and looks into no variable of this process."""
    closed = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        "allow_persistent_secrets": False,
        "python_enable_replacements": False,
    }
    return duckdb.connect(database, config=config | closed)


def holds_databases(folder: Path) -> bool:
    """Whether the engine can have a database in a folder: in its name, a `?` begins options and a
    backslash separates."""
    return not set("?\\") & set(str(folder.resolve()))


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return _connect(":memory:", {"threads": 1})


def syntax_tree(select: str) -> dict[str, Any]:
    """One select as the engine parses it, in its own terms; nothing is carried out. Raises
    EngineError for anything else."""
    with _refusals():
        found = _parser().execute("select json_serialize_sql(cast(? as varchar))", [select])
        text = (found.fetchone() or ("{}",))[0]
    try:
        told: dict[str, Any] = json.loads(text)
    except RecursionError as error:
        raise EngineError("it is nested too deeply") from error
    if told["error"]:
        raise EngineError(told["error_message"])
    if len(told["statements"]) != 1:
        raise EngineError(f"{len(told['statements'])} statements where there should be one")
    node: dict[str, Any] = told["statements"][0]["node"]
    return node


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise NoMemoryError(_plain(error)) from error
    except duckdb.Error as error:
        large = isinstance(error, duckdb.OutOfRangeException) or any(
            words in str(error) for words in ("out of range", "Could not cast value")
        )
        raise (TooLargeError if large else EngineError)(_plain(error)) from error


def _plain(error: duckdb.Error) -> str:
    """The engine's message without its pointer into the statement."""
    return str(error).split("\n\nLINE ")[0].split("\nLINE ")[0].strip()
