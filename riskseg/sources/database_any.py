"""Sources in any database that SQLAlchemy knows, streamed from a cursor of the server."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from riskseg.domain.problems import ProblemsError, problem
from riskseg.sources.database_connections import (
    Database,
    DatabaseColumn,
    Since,
    is_select,
    select_text,
)
from riskseg.sources.database_types import (
    MisfitError,
    array_of,
    type_in_engine,
    type_of_result,
    value_of,
)
from riskseg.store.database_urls import driver_of, hide, rendered
from riskseg.workspace import Source

_ROWS_AT_ONCE = 50_000
# What SQLite says of its file, where no select is to blame.
_OF_FILE = re.compile(
    r"file is not a database|disk image is malformed|database is locked|unable to open|disk I/O"
)
# What makes one moment of a transaction, and reads only. MySQL gives a TIMESTAMP in the zone of the
# session. In SQL Server the database must allow snapshots, or its owner is asked for them.
_TRANSACTIONS = {
    "sqlite": ("pragma query_only = on", "begin"),
    "mysql": (
        "set time_zone = '+00:00'",
        "start transaction with consistent snapshot, read only",
    ),
    "mssql": ("set transaction isolation level snapshot",),
    "oracle": ("set transaction read only",),
}
_TRANSACTIONS["mariadb"] = _TRANSACTIONS["mysql"]


class AnyDatabase(Database):
    """A database by the driver that its address names."""

    def __init__(self, url: sa.URL, source: Source, root: Path) -> None:
        super().__init__(rendered(url), str(url.set(password=None)))
        self._url, self._opened = url, ExitStack()
        at: dict[str, Any] = {"file": source.file, "line": source.lines.get("url")}
        arguments: dict[str, Any] = {}
        if url.get_backend_name() == "sqlite":
            url = _with_whole_path(url, root, at)
            arguments = {"isolation_level": None}
        try:
            with driver_of(url):
                engine = sa.create_engine(url, connect_args=arguments, poolclass=sa.NullPool)
        except ProblemsError as error:
            raise ProblemsError(
                replace(fault, code=fault.code if fault.code == "RS024" else "RS016", **at)
                for fault in error.problems
            ) from error
        self.dialect = engine.dialect.name
        self.keeps_days_as_text = self.dialect == "sqlite"
        try:
            self._connection = self._opened.enter_context(engine.connect())
            for statement in _TRANSACTIONS.get(self.dialect, ()):
                self._connection.exec_driver_sql(statement)
        except Exception as error:  # a driver may refuse in words of its own
            self.close()
            raise self.not_reached(source, error) from None

    def columns(self, source: Source) -> list[DatabaseColumn]:
        with self._refusals(source):
            if is_select(source.loaded_from):
                return self._columns_of_select(select_text(source.loaded_from))
            schema, name = schema_and_name(source.loaded_from)
            inspector = sa.inspect(self._connection)
            # SQLite would say that a database is not known: a dot is more likely one of the name.
            is_sqlite = self.dialect == "sqlite"
            if is_sqlite and schema and schema not in inspector.get_schema_names():
                raise self.no_table(source, _tables(inspector, None))
            try:
                columns = inspector.get_columns(name, schema)
            except sa.exc.NoSuchTableError:
                raise self.no_table(source, _tables(inspector, schema)) from None
        return [
            DatabaseColumn(column["name"], type_in_engine(column["type"], self.dialect))
            for column in columns
        ]

    def tables(self, source: Source) -> list[str]:
        with self._refusals(source):
            return sorted(_tables(sa.inspect(self._connection), None))

    def first_rows(self, table: str, count: int) -> str:
        schema, name = schema_and_name(table)
        select = sa.select(sa.text("*")).select_from(sa.table(name, schema=schema)).limit(count)
        literal = {"literal_binds": True}
        return str(select.compile(dialect=self._connection.dialect, compile_kwargs=literal))

    def _columns_of_select(self, select: str) -> list[DatabaseColumn]:
        try:
            result = self._connection.execute(
                _as_written(f"select * from ({select}\n) rows_of_source where 1 = 0")
            )
        except sa.exc.DBAPIError:
            # Not every database has every select inside another: then it is begun.
            result = self._streamed(_as_written(select))
        with result:
            described = result.cursor.description if result.cursor is not None else []
            return [
                DatabaseColumn(name, type_of_result(code, precision, scale, self.dialect))
                for name, code, _, _, precision, scale, *_ in described
            ]

    def _streamed(self, statement: sa.Executable) -> sa.CursorResult[Any]:
        return self._connection.execution_options(
            stream_results=True, max_row_buffer=_ROWS_AT_ONCE
        ).execute(statement)

    @contextmanager
    def reading(
        self, source: Source, columns: Iterable[DatabaseColumn], since: Since | None = None
    ) -> Iterator[Iterable[pa.RecordBatch]]:
        wanted = list(columns)
        with self._refusals(source):
            if since is not None:
                rows = sa.select(sa.text("*")).select_from(_rows_of(source))
                result = self._streamed(rows.where(_condition(since)))
            elif is_select(source.loaded_from):
                result = self._streamed(_as_written(select_text(source.loaded_from)))
            else:
                result = self._streamed(select_of(source.loaded_from, wanted))
        with closing(result):
            yield self._batches(result, source, wanted)

    def count(self, source: Source) -> int:
        rows = sa.select(sa.func.count()).select_from(_rows_of(source))
        with self._refusals(source):
            return int(self._connection.execute(rows).scalar_one())

    def _batches(
        self,
        result: sa.CursorResult[Any],
        source: Source,
        columns: list[DatabaseColumn],
    ) -> Iterator[pa.RecordBatch]:
        names = list(result.keys())
        positions = [names.index(column.name) for column in columns]
        with self._refusals(source):
            for rows in result.partitions(_ROWS_AT_ONCE):
                by_column = list(zip(*rows, strict=True))
                arrays = [
                    _array(by_column[position], column, source)
                    for position, column in zip(positions, columns, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(arrays, [column.name for column in columns])

    def without_secrets(self, text: str) -> str:
        return hide(text, self._url)

    def close(self) -> None:
        with suppress(sa.exc.SQLAlchemyError):
            self._opened.close()

    @contextmanager
    def _refusals(self, source: Source) -> Iterator[None]:
        """The database's complaints as Problems."""
        try:
            yield
        except sa.exc.DBAPIError as error:
            said = error.orig or error
            gone = error.connection_invalidated or _OF_FILE.search(str(said)) is not None
            raise (self.not_reached if gone else self.refused)(source, said) from None


def _rows_of(source: Source) -> sa.FromClause | sa.TextClause:
    """What stands after FROM for the rows of a source."""
    if is_select(source.loaded_from):
        return _as_written(f"({select_text(source.loaded_from)}\n) rows_of_source")
    schema, name = schema_and_name(source.loaded_from)
    return sa.table(name, schema=schema)


def _condition(since: Since) -> sa.ColumnElement[bool]:
    column: sa.ColumnClause[Any] = sa.column(since.column.name)
    return sa.or_(column >= value_of(since.value, since.column.type), column.is_(None))


def select_of(table: str, columns: Iterable[DatabaseColumn]) -> sa.Select[Any]:
    """The select of columns of a table; their values come as the driver gives them."""
    schema, name = schema_and_name(table)
    listed: list[sa.ColumnClause[Any]] = [sa.column(column.name) for column in columns]
    return sa.select(*listed).select_from(sa.table(name, schema=schema))


def _as_written(select: str) -> sa.TextClause:
    """A select in which a colon begins no parameter."""
    return sa.text(select.replace(":", "\\:"))


def schema_and_name(table: str) -> tuple[str | None, str]:
    """The parts of a name, of which each may be quoted: `"old.bills"` has a dot in it."""
    parts = re.fullmatch(r'\s*(?:(.+)\.)?("[^"]+"|[^."]+)\s*', table)
    schema, name = parts.groups() if parts is not None else (None, table)
    return schema.replace('"', "") if schema else None, name.replace('"', "")


def _tables(inspector: sa.Inspector, schema: str | None) -> list[str]:
    """The tables and views that are there, as a `from` would name them."""
    with suppress(sa.exc.SQLAlchemyError):
        names = [*inspector.get_table_names(schema), *inspector.get_view_names(schema)]
        named = [f'"{name}"' if "." in name else name for name in names]
        return [f"{schema}.{name}" if schema else name for name in named]
    return []


def _array(values: Any, column: DatabaseColumn, source: Source) -> pa.Array:
    try:
        return array_of(values, column.type)
    except MisfitError as error:
        raise problem(
            "RS006",
            f'The column "{column.name}" of {source.table} is declared {column.type}, and holds '
            f"something else: {error}.",
            file=source.file,
            line=source.lines.get("from"),
            hint=f"Select it as text, so that each row is checked: "
            f"`cast({column.name} as varchar) as {column.name}`.",
        ) from None


def _with_whole_path(url: sa.URL, root: Path, at: dict[str, Any]) -> sa.URL:
    """The address of a SQLite file that is there: connecting would make it."""
    path = root / (url.database or "")
    if not path.is_file():
        raise problem(
            "RS016",
            f'There is no file "{url.database or ""}" of a SQLite database.',
            hint="It is looked up from the folder of riskseg.toml.",
            **at,
        )
    return url.set(database=str(path))
