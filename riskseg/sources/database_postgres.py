"""Sources in PostgreSQL, streamed as Arrow batches by the ADBC driver, which copies in binary form:
https://arrow.apache.org/adbc/current/driver/postgresql.html"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import adbc_driver_manager
import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
import sqlalchemy as sa

from riskseg.domain.column_types import ColumnType, column_type
from riskseg.domain.facts import folded
from riskseg.domain.problems import ProblemsError
from riskseg.domain.relations import literal, quoted
from riskseg.sources.database_connections import (
    Database,
    DatabaseColumn,
    Since,
    is_select,
    select_text,
)
from riskseg.sources.database_types import decimal_of
from riskseg.store.database_urls import hide, rendered
from riskseg.workspace import Source

# A server that does not answer is not waited for.
_CONNECTION = {"connect_timeout": "10", "application_name": "riskseg"}
# One moment for all sources; rows in the order in which they are kept, whoever else reads them.
_TRANSACTION = (
    "begin isolation level repeatable read read only",
    "set local timezone = 'UTC'",
    "set local datestyle = 'ISO'",
    "set local synchronize_seqscans = off",
    "set local max_parallel_workers_per_gather = 0",
)
# Types that the driver gives as they are. All others are read as texts, in PostgreSQL's own form.
_TYPES = {
    "bool": "boolean",
    "int2": "int16",
    "int4": "int32",
    "int8": "int64",
    "float4": "float32",
    "float8": "float64",
    "date": "date",
    "timestamp": "timestamp",
    "timestamptz": "timestamp with zone",
}
# Arrow has no infinite day: the last of four digits stands for it, which no contract date may be.
_BOUNDS = {
    "date": ("date '0001-01-01'", "date '9999-12-31'"),
    "timestamp": ("timestamp '0001-01-01'", "timestamp '9999-12-31'"),
    "timestamp with zone": ("timestamptz '0001-01-01Z'", "timestamptz '9999-12-31Z'"),
}
_IDENTITY = """
    select cast(oid as text), current_user, current_setting('search_path'),
        cast(inet_server_addr() as text), inet_server_port()
    from pg_database
    where datname = current_database()
    """
_TABLES = """
    select n.nspname || '.' || c.relname
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'v', 'm', 'f', 'p')
        and n.nspname not in ('pg_catalog', 'information_schema')
        and n.nspname not like 'pg_toast%'
    order by 1
    limit 10000
    """
# What PostgreSQL calls its refusals: https://www.postgresql.org/docs/current/errcodes-appendix.html
_NO_PRIVILEGE = "42501"
# Classes of what befalls a connection or a server, and no statement.
_CONNECTION_LOST = ("08", "53", "57", "58")


class PostgresDatabase(Database):
    """A PostgreSQL server, by whichever driver its address names."""

    def __init__(self, url: sa.URL, source: Source) -> None:
        super().__init__(rendered(url), str(url.set(password=None)))
        self._url = url
        given = {name: value for name, value in _CONNECTION.items() if name not in url.query}
        libpq_url = url.set(drivername="postgresql").update_query_dict(given)
        try:
            self._connection = adbc.connect(
                libpq_url.render_as_string(hide_password=False), autocommit=True
            )
        except adbc_driver_manager.Error as error:
            raise self.not_reached(source, error) from None
        with self._refusals(source), self._connection.cursor() as cursor:
            for statement in _TRANSACTION:
                cursor.execute(statement)
            # Variables of the environment say the rest of an address: PGHOST, PGOPTIONS, others.
            cursor.execute(_IDENTITY)
            self.identity += repr(cursor.fetchone())

    def columns(self, source: Source) -> list[DatabaseColumn]:
        with self._refusals(source), self._connection.cursor() as cursor:
            # What is refused of one source must not end the transaction of the others.
            cursor.execute("savepoint asked")
            try:
                rows = self._rows_of(cursor, source)
                schema = cursor.adbc_execute_schema(f"select * from {rows}")
            finally:
                cursor.execute("rollback to savepoint asked")
        return [DatabaseColumn(field.name, _type(field)) for field in schema]

    @contextmanager
    def reading(
        self, source: Source, columns: Iterable[DatabaseColumn], since: Since | None = None
    ) -> Iterator[Iterable[pa.RecordBatch]]:
        listed = ", ".join(f"{_value(column)} as {quoted(column.name)}" for column in columns)
        cursor = self._connection.cursor()
        try:
            with self._refusals(source):
                rows = self._rows_of(cursor, source)
                cursor.execute(f"select {listed} from {rows}{_where(since)}")
                batches = cursor.fetch_record_batch()
            yield self._batches(batches, source)
        except BaseException:
            with suppress(adbc_driver_manager.Error):
                cursor.adbc_cancel()
            raise
        finally:
            cursor.close()

    def count(self, source: Source) -> int:
        with self._refusals(source), self._connection.cursor() as cursor:
            cursor.execute(f"select count(*) from {self._rows_of(cursor, source)}")
            return int((cursor.fetchone() or (0,))[0])

    def _batches(
        self, batches: Iterable[pa.RecordBatch], source: Source
    ) -> Iterator[pa.RecordBatch]:
        with self._refusals(source):
            try:
                yield from batches
            except (pa.ArrowException, OSError) as error:
                # In the middle of a stream the driver tells no code.
                _check_not_interrupted(error)
                refused = "ERROR: " in str(error)
                raise (self.refused if refused else self.not_reached)(source, error) from None

    def _rows_of(self, cursor: adbc.Cursor, source: Source) -> str:
        """What stands after FROM for a source. Raises RS006 for a table that is not there."""
        if is_select(source.loaded_from):
            # A comment at its end would take the bracket with it.
            return f"({select_text(source.loaded_from)}\n) rows_of_source"
        cursor.execute(f"select cast(to_regclass({literal(source.loaded_from)}) as text)")
        found = cursor.fetchone()
        if found is None or found[0] is None:
            cursor.execute(_TABLES)
            names = [name for (name,) in cursor.fetchall()]
            if folded(source.loaded_from.replace('"', "")) in map(folded, names):
                # One in a schema that may not be used is not found by its name.
                raise self.not_allowed(source, PermissionError("permission denied for its schema"))
            raise self.no_table(source, names)
        return str(found[0])

    def tables(self, source: Source) -> list[str]:
        with self._refusals(source), self._connection.cursor() as cursor:
            cursor.execute(_TABLES)
            return [name for (name,) in cursor.fetchall()]

    def first_rows(self, table: str, count: int) -> str:
        return f"select * from {table} limit {count}"

    def without_secrets(self, text: str) -> str:
        said = text.removeprefix("IO: ").removeprefix("[libpq] ")
        # Before its own words the driver says what it was at.
        return hide(said.rpartition("ERROR:  ")[2], self._url)

    def close(self) -> None:
        with suppress(adbc_driver_manager.Error):
            self._connection.close()

    @contextmanager
    def _refusals(self, source: Source) -> Iterator[None]:
        """PostgreSQL's complaints as Problems."""
        try:
            yield
        except adbc_driver_manager.Error as error:
            raise self._problem(source, error) from None

    def _problem(self, source: Source, error: adbc_driver_manager.Error) -> ProblemsError:
        code = error.sqlstate or ""
        _check_not_interrupted(error)
        if code == _NO_PRIVILEGE:
            return self.not_allowed(source, error)
        if not code or code.startswith(_CONNECTION_LOST):
            return self.not_reached(source, error)
        return self.refused(source, error)


def _where(since: Since | None) -> str:
    if since is None:
        return ""
    name = quoted(since.column.name)
    value = since.value + ("+00" if since.column.type.zoned else "")
    return f" where {name} >= {literal(value)} or {name} is null"


def _check_not_interrupted(error: Exception) -> None:
    """Where a person interrupts the command, the driver has the server cancel its statement, and
    gives what the server says of that."""
    if "canceling statement due to user request" in str(error):
        raise KeyboardInterrupt from error


def _type(field: pa.Field) -> ColumnType:
    """The type of a column, which the driver tells in the words of PostgreSQL."""
    metadata = field.metadata or {}
    name = metadata.get(b"POSTGRESQL:type", b"").decode()
    if name == "numeric":
        modifier = int(metadata.get(b"POSTGRESQL:typmod", b"-1"))
        if modifier < 0:
            return decimal_of(None, None)
        # As PostgreSQL packs numeric(precision, scale): the scale is of eleven bits, with a sign.
        return decimal_of((modifier - 4) >> 16, (((modifier - 4) & 0x7FF) ^ 0x400) - 0x400)
    return column_type(_TYPES.get(name, "text"))


def _value(column: DatabaseColumn) -> str:
    """A column as it is selected."""
    name, type_ = quoted(column.name), str(column.type)
    if type_ in _BOUNDS:
        first, last = _BOUNDS[type_]
        infinite = f"case when {name} > {first} then {last} else {first} end"
        return f"case when not isfinite({name}) then {infinite} else {name} end"
    return f"cast({name} as text)" if column.type.family in ("text", "decimal") else name
