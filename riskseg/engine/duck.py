"""DuckDB in the process, as the engine.

It is locked before the first statement: each call carries out one statement, which reads the
files that the engine was opened for and its own scratch, and nothing else. Names and texts that
come with the data stand in statements too; this is the second wall behind their quoting.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from copy import copy
from functools import cache, lru_cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from riskseg.domain.column_types import ColumnType, Family, column_type
from riskseg.domain.relations import literal
from riskseg.engine.port import (
    Engine,
    EngineError,
    KeptTablesError,
    NoMemoryError,
    NoRoomError,
    TooLargeError,
)

if TYPE_CHECKING:
    import pyarrow as pa


# DuckDB's names of the types that have one of ours, and no other of its own.
_TYPES = {
    "BOOLEAN": "boolean",
    "TINYINT": "int8",
    "SMALLINT": "int16",
    "INTEGER": "int32",
    "BIGINT": "int64",
    "HUGEINT": "int128",
    "UTINYINT": "uint8",
    "USMALLINT": "uint16",
    "UINTEGER": "uint32",
    "UBIGINT": "uint64",
    "UHUGEINT": "uint128",
    "FLOAT": "float32",
    "DOUBLE": "float64",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp with zone",
    "VARCHAR": "text",
}
_NAMES = {ours: theirs for theirs, ours in _TYPES.items()}


# What the engine takes for a part of a pattern, or for a separator, in a file's name.
_PATTERN = re.compile(r"[*?\[\\]")


@lru_cache(maxsize=1024)
def duckdb_type(name: str) -> ColumnType:
    """The type that DuckDB calls by this name."""
    if name in _TYPES:
        return column_type(_TYPES[name])
    if decimal := re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", name):
        return ColumnType("decimal", int(decimal[1]), int(decimal[2]))
    families: dict[str, Family] = {"TIMESTAMP": "timestamp", "ENUM": "text"}
    for beginning, family in families.items():
        # A list of such is none.
        if name.startswith(beginning) and not name.endswith("]"):
            return ColumnType(family)
    return ColumnType("other", detail=name)


# Text and names in quotes; and what makes a quote mean something else: a comment, a backslash, or
# quotes of another form.
_QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")
_OTHER_QUOTES = re.compile(r"--|/\*|\\|\$")
# What makes a statement give another result another time, as far as it is known by its name alone;
# and where it is a function, for a column may have such a name too. The engine's own list of
# functions calls some of these consistent.
_CHANGING = re.compile(
    r"""\b(current_\w+|localtime(stamp)?|(using|table)\s*sample)\b
    |\b(now|today|ago|age|get_current_\w+|transaction_timestamp|txid_current|pg_\w+|random|setseed
        |uuid\w*|gen_random_uuid|getvariable|nextval|currval|user|session_user)"?\s*\(""",
    re.IGNORECASE | re.VERBOSE,
)


class DuckDB(Engine):
    """One connection over a scratch database.

    `scratch` is a file (tables live on disk, compressed, and memory stays bounded) or None for
    memory. `reads` are the files that statements may read, by :meth:`file`, and `keeps` is a folder
    for tables that other engines may read. The days of instants are those of `timezone`, whatever
    zone the machine is in.
    """

    def __init__(
        self,
        scratch: Path | None = None,
        *,
        reads: Iterable[Path] = (),
        keeps: Path | None = None,
        threads: int | None = None,
        memory: str = "3GB",
        timezone: str = "UTC",
    ) -> None:
        self.release = f"DuckDB {duckdb.__version__}, {timezone}"
        self.can_keep = keeps is not None
        self.kept_files = _absolute(keeps) if keeps is not None else None
        self.threads = threads or os.cpu_count() or 1
        self._opened = ExitStack()
        self._own = _own_folder(scratch)
        self._numbers = count(1)
        self._interrupted = False
        self._registered: dict[str, pa.Table] = {}
        self._kept: Path | None = None
        self._names = {path: self._name(path) for path in map(_absolute, reads)}
        config: dict[str, Any] = {"threads": self.threads, "memory_limit": memory}
        self._connection = _connect(str(scratch) if scratch else ":memory:", config)
        # Where it takes itself to be talked to, it draws a bar on stdout, among the results.
        self.run("set enable_progress_bar = false")
        self.run(f"set global timezone = {literal(timezone)}")
        # It walks through each expression of a strategy for a good part of the time that planning
        # takes, and lists of values are no slower without it.
        self.run("set disabled_optimizers = 'in_clause'")
        if scratch:
            # It goes when the engine is closed: nothing has to be in it by then.
            self.run("pragma disable_checkpoint_on_shutdown")
            self.run(f"set temp_directory = {literal(str(scratch) + '.spill')}")
        if self._names:
            listed = ", ".join(literal(readable_name) for readable_name in self._names.values())
            self.run(f"set allowed_paths = [{listed}]")
        folders = [self._own, *([keeps] if keeps is not None else [])]
        listed = ", ".join(literal(f"{_absolute(folder)}/") for folder in folders)
        self.run(f"set allowed_directories = [{listed}]")
        self.run("set enable_external_access = false")
        self.run("set lock_configuration = true")

    def _name(self, path: Path) -> str:
        """The name that the engine reads a file by: where its own holds what the engine takes for
        a pattern or a separator, that of a link to it."""
        if not _PATTERN.search(str(path)):
            return str(path)
        link = self.new_file(_PATTERN.sub("_", f"linked{''.join(path.suffixes[-2:])}"))
        link.symlink_to(path)
        return str(link)

    def new_file(self, name: str) -> Path:
        number = next(self._numbers)
        if number == 1:
            self._own.mkdir(mode=0o700)
            self._opened.callback(shutil.rmtree, self._own, ignore_errors=True)
        place = self._own / str(number) / name
        place.parent.mkdir(parents=True)
        return place

    def file(self, path: Path) -> str:
        whole = _absolute(path)
        if whole not in self._names:
            self._names[whole] = self._name(whole)
        return literal(self._names[whole])

    def type_sql(self, column: ColumnType) -> str:
        if column.family == "decimal":
            return str(column)
        return column.detail or _NAMES[str(column)]

    def refusals(self) -> AbstractContextManager[None]:
        return _refusals(self._kept)

    def _only(self, sql: str) -> str:
        """The text, which must be one statement: more of them is a fault, or an attempt. Where
        nothing separates statements there is but one, and parsing it twice is saved."""
        if self._interrupted:
            raise EngineError("it was interrupted")
        outside_quotes = sql if _OTHER_QUOTES.search(sql) else _QUOTED.sub("", sql)
        if ";" in outside_quotes or not sql.strip():
            statements = len(self._connection.extract_statements(sql))
            if statements != 1:
                raise EngineError(f"{statements} statements where there should be one")
        return sql

    def _execute(self, sql: str) -> int | None:
        self._connection.execute(self._only(sql))
        makes_table = sql.split(None, 1)[0].lower() in ("create", "insert")
        count_row = self._connection.fetchone() if makes_table else None
        return int(count_row[0]) if count_row else None

    def _fetch(self, sql: str) -> list[tuple[Any, ...]]:
        self._connection.execute(self._only(sql))
        return self._connection.fetchall()

    def _describe(self, select: str) -> list[tuple[str, ColumnType]]:
        described_columns = self._fetch(f"describe {select}")
        return [
            (described_name, duckdb_type(str(type_)))
            for described_name, type_, *_ in described_columns
        ]

    def tables(self) -> list[str]:
        rows = self.rows(
            """
            select table_name
            from duckdb_tables()
            where not internal and not temporary
            union all
            select view_name
            from duckdb_views()
            where not internal and not temporary
            order by 1
            """
        )
        return [str(name) for (name,) in rows]

    def _tables(self) -> list[tuple[Any, ...]]:
        return self._fetch(
            """
            select table_name, column_name, data_type
            from duckdb_columns()
            where not internal
            order by table_name, column_index, data_type
            """
        )

    def _arrow(self, sql: str) -> pa.Table:
        return self._connection.sql(self._only(sql)).to_arrow_table()

    def _reader(self, sql: str, rows: int) -> pa.RecordBatchReader:
        return self._connection.sql(self._only(sql)).to_arrow_reader(rows)

    @contextmanager
    def keeping(self, place: Path) -> Iterator[None]:
        scratch = self._scratch()
        self._kept = place
        try:
            self.run(f"attach {literal(str(place))} as keeping")
            self.run("use keeping")
            try:
                yield
            finally:  # in a database that could not be written, not even this can be said
                self.run(f"use {scratch}")
            self.run("checkpoint keeping")
        finally:
            with suppress(KeptTablesError):  # it tries to write once more what it could not
                self.run("detach database if exists keeping")
            self._kept = None

    def read_kept(self, place: Path) -> bool:
        self.run(f"set search_path = '{self._scratch()}.main'")
        self.run("detach database if exists kept")
        self._kept = None
        try:
            self.run(f"attach {literal(str(place))} as kept (read_only)")
        except EngineError:
            return False
        self._kept = place
        self._search_kept()
        return True

    def _search_kept(self) -> None:
        self.run(f"set search_path = '{self._scratch()}.main,kept.main'")

    def repeatable(self, sql: str) -> bool:
        return not _CHANGING.search(sql)

    def lasting(self, sql: str) -> str:
        return sql.replace(str(self._own), "files")

    def _scratch(self) -> str:
        return str(self.value("select current_database()"))

    def register(self, name: str, table: pa.Table) -> None:
        self._connection.register(name, table)
        self._registered[name] = table
        self.can_keep = False

    def unregister(self, name: str) -> None:
        self._connection.unregister(name)
        self._registered.pop(name, None)

    def converted(self, rows: pa.Table, select: str) -> pa.Table:
        with self.refusals():
            self._connection.register("given_rows", rows)
            try:
                return self._arrow(select)
            finally:
                self._connection.unregister("given_rows")

    def beside(self, threads: int) -> DuckDB:
        engine = copy(self)
        engine.threads, engine._opened = threads, ExitStack()
        engine._connection = self._connection.cursor()
        if self._kept is not None:
            engine._search_kept()
        engine._registered = {}
        for name, table in self._registered.items():
            engine.register(name, table)
        for name, view in self.rows(
            """
            select view_name, sql
            from duckdb_views()
            where temporary and not internal
            order by view_name
            """
        ):
            if name not in self._registered:
                engine.run(str(view))
        return engine

    def interrupt(self) -> None:
        self._interrupted = True
        self._connection.interrupt()

    def close(self) -> None:
        self._connection.close()
        self._opened.close()


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


def _own_folder(scratch: Path | None) -> Path:
    """Where files can be made for the engine: beside its scratch, unless the engine would take the
    name of one there for a pattern."""
    beside = scratch.absolute().parent if scratch else None
    if beside is None or _PATTERN.search(str(beside)):
        beside = Path(tempfile.gettempdir()).resolve()
    return beside / f"riskseg-files-{os.getpid()}-{secrets.token_hex(8)}"


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return _connect(":memory:", {"threads": 1})


def syntax_tree(select: str) -> dict[str, Any]:
    """One select as the engine parses it, in its own terms; nothing is carried out. Raises
    EngineError for anything else."""
    with _refusals():
        serialized = _parser().execute("select json_serialize_sql(cast(? as varchar))", [select])
        tree_json = (serialized.fetchone() or ("{}",))[0]
    try:
        parsed: dict[str, Any] = json.loads(tree_json)
    except RecursionError as error:
        raise EngineError("it is nested too deeply") from error
    if parsed["error"]:
        raise EngineError(parsed["error_message"])
    if len(parsed["statements"]) != 1:
        raise EngineError(f"{len(parsed['statements'])} statements where there should be one")
    node: dict[str, Any] = parsed["statements"][0]["node"]
    return node


# What DuckDB says of a number that does not fit, where it raises no error of its own for that.
_TOO_LARGE = ("out of range", "Could not cast value", "Failed to cast decimal value")


@contextmanager
def _refusals(kept: Path | None = None) -> Iterator[None]:
    """`kept` is the file of tables that are being kept, or read again."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise NoMemoryError(_plain(error)) from error
    except duckdb.Error as error:
        if kept is not None and _is_of(kept, str(error)):
            raise KeptTablesError(_plain(error)) from error
        if "No space left on device" in str(error):
            raise NoRoomError(_plain(error)) from error
        large = isinstance(error, duckdb.OutOfRangeException) or any(
            refusal_words in str(error) for refusal_words in _TOO_LARGE
        )
        raise (TooLargeError if large else EngineError)(_plain(error)) from error


def _is_of(kept: Path, message: str) -> bool:
    """Whether an error is of the file itself, and not of a statement that reads it."""
    signs = (str(kept), '"keeping" has been invalidated', "Corrupt database file")
    return any(sign in message for sign in signs)


def _plain(error: duckdb.Error) -> str:
    """The engine's message without its pointer into the statement."""
    return str(error).split("\n\nLINE ")[0].split("\nLINE ")[0].strip()
