"""Sources in tables that Apache Spark knows, such as those of a lakehouse.

Their address is `spark://` and a master. Tables of a run are read one after the other, each as it
is at that moment: Spark has no transaction over several tables.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager

import pyarrow as pa

from riskseg.domain.addresses import spark_master
from riskseg.domain.column_types import ColumnType, column_type
from riskseg.domain.problems import problem
from riskseg.engine import EngineError
from riskseg.sources.database_connections import (
    Database,
    DatabaseColumn,
    Since,
    is_select,
    select_text,
)
from riskseg.sources.database_types import arrow_type, decimal_of
from riskseg.workspace import Source

_MOST_TABLES = 400
_TYPES = {
    "boolean": ColumnType("boolean"),
    **dict.fromkeys(("tinyint", "smallint", "int", "bigint"), column_type("int64")),
    **dict.fromkeys(("float", "double"), column_type("float64")),
    "date": ColumnType("date"),
    "timestamp": ColumnType("timestamp", zoned=True),
    "timestamp_ntz": ColumnType("timestamp"),
}
_NESTED = ("array<", "map<", "struct<", "variant")


class SparkDatabase(Database):
    """The catalogues of a Spark session. Its types have no lengths, and rows no secrets."""

    def __init__(self, address: str, source: Source) -> None:
        super().__init__(address)
        try:
            from riskseg.engine import spark_tables
            from riskseg.engine.spark import Spark
        except ImportError as error:
            raise problem(
                "RS024",
                f"To read from {address}, pyspark is needed.",
                file=source.file,
                line=source.lines.get("url"),
                hint="Install it with: pip install 'riskseg[spark]'; Spark itself needs Java 17.",
            ) from error
        try:
            self._tables = spark_tables.SparkTables(Spark(spark_master(address)))
        except EngineError as error:
            raise self.not_reached(source, error) from error
        self._quoted = spark_tables.quoted
        self._missing, self._failed = spark_tables.NoSparkTableError, spark_tables.SparkFailedError

    def columns(self, source: Source) -> list[DatabaseColumn]:
        with self._refusals(source):
            described = self._tables.columns(_select(source))
        return [DatabaseColumn(name, _type(type_)) for name, type_ in described]

    def tables(self, source: Source) -> list[str]:
        with self._refusals(source):
            return self._tables.tables(_MOST_TABLES)

    def first_rows(self, table: str, count: int) -> str:
        return f"select * from {table} limit {count}"

    @contextmanager
    def reading(
        self, source: Source, columns: Iterable[DatabaseColumn], since: Since | None = None
    ) -> Iterator[Iterable[pa.RecordBatch]]:
        select = _select(source)
        if since is not None:
            select = f"select * from ({select}) {self._condition(since)}"
        with closing(self._batches(source, select, list(columns))) as batches:
            yield batches

    def count(self, source: Source) -> int:
        with self._refusals(source):
            return self._tables.count(_select(source))

    def _condition(self, since: Since) -> str:
        name = self._quoted(since.column.name)
        zone = "+00:00" if since.column.type.zoned else ""
        type_ = "timestamp" if since.column.type.zoned else "string"
        return f"where {name} >= cast('{since.value}{zone}' as {type_}) or {name} is null"

    def _batches(
        self, source: Source, select: str, columns: list[DatabaseColumn]
    ) -> Generator[pa.RecordBatch]:
        schema = pa.schema([(column.name, arrow_type(column.type)) for column in columns])
        with self._refusals(source):
            types = dict(self._tables.columns(select))
            expressions = {
                c.name: _expression(self._quoted(c.name), types[c.name]) for c in columns
            }
            for batch in self._tables.read(select, expressions):
                yield batch.cast(schema)

    def without_secrets(self, text: str) -> str:
        return text

    def close(self) -> None:
        """Nothing is open between two statements."""

    @contextmanager
    def _refusals(self, source: Source) -> Iterator[None]:
        try:
            yield
        except self._missing as error:
            if is_select(source.loaded_from):
                raise self.refused(source, error) from error
            raise self.no_table(source, self._tables.tables(_MOST_TABLES)) from error
        except self._failed as error:
            raise problem(
                "RS016",
                f"Spark failed to read {source.table}: {error.reason}.",
                file=source.file,
                line=source.lines.get("from"),
                hint="See the log of its executors, which need Python 3.11 with riskseg, and run "
                "again.",
            ) from error
        except EngineError as error:
            raise self.refused(source, error) from error


def _select(source: Source) -> str:
    rows = source.loaded_from
    return select_text(rows) if is_select(rows) else f"select * from {rows}"


def _type(type_: str) -> ColumnType:
    """The type that the engine keeps a column as, by its type in Spark."""
    if digits := re.fullmatch(r"decimal\((\d+),(\d+)\)", type_):
        return decimal_of(int(digits[1]), int(digits[2]))
    return _TYPES.get(type_, ColumnType("text"))


def _expression(column: str, type_: str) -> str:
    """A column as it travels: what has no type of ours as text, and so decimals."""
    if type_.startswith(_NESTED):
        return f"to_json({column})"
    return column if type_ in _TYPES else f"cast({column} as string)"
