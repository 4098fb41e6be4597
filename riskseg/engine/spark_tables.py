"""Tables that Apache Spark knows, such as those of a lakehouse: read as streams of Arrow, and
written a day at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import chain, islice

import pyarrow as pa
from pyspark.errors import AnalysisException

from riskseg.engine.port import EngineError
from riskseg.engine.spark import FAILURES, Spark, reason_of

_ANSI, _ASSIGNMENT = "spark.sql.ansi.enabled", "spark.sql.storeAssignmentPolicy"
# One part of a table's name; what stands between a table's name and the token of one beside it.
_PART = re.compile(r"`(?:[^`]|``)+`|[^.`]+")
_MARK = "__riskseg_"


class NoSparkTableError(EngineError):
    """There is no table or view of this name."""


class SparkFailedError(EngineError):
    """Spark or one of its executors failed at what it had begun."""


class SparkTables:
    """The tables and views of a session's catalogues. What Spark refuses is an EngineError."""

    def __init__(self, spark: Spark) -> None:
        self._session = spark.session

    def columns(self, select: str) -> list[tuple[str, str]]:
        """The columns of a select and the types of each, in Spark's words, in order."""
        with _refusals():
            fields = self._session.sql(select).schema.fields
            return [(field.name, field.dataType.simpleString()) for field in fields]

    def columns_of(self, table: str) -> dict[str, str] | None:
        """The columns of a table and the types of each, in Spark's words; None where there is no
        table of that name."""
        with _refusals():
            if not self._session.catalog.tableExists(table):
                return None
            fields = self._session.table(table).schema.fields
            return {field.name: field.dataType.simpleString() for field in fields}

    def folded(self, name: str) -> str:
        """A name of a column as the session compares it: mostly without regard to letter case."""
        with _refusals():
            as_written = self._session.conf.get("spark.sql.caseSensitive") == "true"
        return name if as_written else name.lower()

    def tables(self, most: int) -> list[str]:
        """The names of tables and views, no more than so many: those of the database in use, then
        those of the others of its catalogue."""
        catalog = self._session.catalog
        with _refusals():
            used = catalog.currentDatabase()
            others = [f for f in catalog.listDatabases() if f.name != used]
            names = chain(
                (quoted(table.name) for table in catalog.listTables()),
                (
                    f"{quoted(database.name)}.{quoted(table.name)}"
                    for database in others
                    for table in catalog.listTables(database.name)
                    if not table.isTemporary
                ),
            )
            return list(islice(names, most))

    def read(
        self, select: str, columns: Mapping[str, str] | Sequence[str]
    ) -> Iterator[pa.RecordBatch]:
        """The rows of a select as batches of these columns, as they are or as expressions by name;
        in no order. No more than a partition is held."""

        def as_bytes(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            import pyarrow as pa

            for batch in batches:
                stream = pa.BufferOutputStream()
                with pa.ipc.new_stream(stream, batch.schema) as writer:
                    writer.write_batch(batch)
                yield pa.record_batch({"batch": [stream.getvalue().to_pybytes()]})

        by_name = columns if isinstance(columns, Mapping) else {n: quoted(n) for n in columns}
        # PySpark's own names of columns cannot hold every character that Spark's can.
        listed = [f"{expression} as c{n}" for n, expression in enumerate(by_name.values())]
        with _refusals():
            frame = self._session.sql(select)
            with self._setting(_ANSI, "true"):  # decimals as texts have no exponent then
                frame = frame.selectExpr(*listed)
            packed = frame.mapInArrow(as_bytes, "batch binary")
            for row in packed.toLocalIterator(prefetchPartitions=True):
                for batch in pa.ipc.open_stream(bytes(row["batch"])):
                    yield batch.rename_columns(list(by_name))

    def count(self, select: str) -> int:
        """How many rows a select has."""
        with _refusals():
            return int(self._session.sql(select).count())

    def types_of(self, schema: pa.Schema) -> dict[str, str]:
        """The types of columns of Arrow, in Spark's words."""
        with _refusals():
            empty = self._session.createDataFrame(schema.empty_table())
            return {field.name: field.dataType.simpleString() for field in empty.schema.fields}

    def partitioned_by(self, table: str) -> set[str]:
        """The columns by which a table is partitioned."""
        with _refusals():
            columns = self._session.catalog.listColumns(table)
            return {self.folded(column.name) for column in columns if column.isPartition}

    def write(
        self,
        table: str,
        schema: pa.Schema,
        groups: Iterable[pa.Table],
        constants: Mapping[str, str | date],
        *,
        part: str | None,
        token: str,
        is_left: Callable[[str], bool],
    ) -> int:
        """Write groups of rows, with the same constants in each row, in the place of all rows of a
        table, or of those that have the constant of the column `part`, by which it is partitioned.
        A table that is not there is made. They are written into a table beside it first, which the
        token names, and which is removed, as those are whose token was left by a process that was
        killed. Returns how many rows there are."""
        beside = _beside(table, token)
        with _refusals():
            for left in [token, *filter(is_left, self._tokens(table))]:
                self._session.sql(f"drop table if exists {_beside(table, left)}")
            try:
                rows = self._append(beside, schema, groups)
                self._replace(table, beside, constants, part)
            finally:
                self._session.sql(f"drop table if exists {beside}")
        return rows

    def _tokens(self, table: str) -> list[str]:
        """The tokens of the tables that are beside a table."""
        parts = _PART.findall(table)
        place = f" in {'.'.join(parts[:-1])}" if parts[1:] else ""
        beginning = f"{parts[-1].strip('`')}{_MARK}".lower()
        pattern = re.sub(r"\W", "*", beginning)
        found = self._session.sql(f"show tables{place} like '{pattern}*'").collect()
        names = [str(row["tableName"]) for row in found if not row["isTemporary"]]
        return [name[len(beginning) :] for name in names if name.lower().startswith(beginning)]

    def _append(self, table: str, schema: pa.Schema, groups: Iterable[pa.Table]) -> int:
        rows = 0
        for group in chain([schema.empty_table()], groups):
            self._session.createDataFrame(group).write.mode("append").saveAsTable(table)
            rows += group.num_rows
        return rows

    def _replace(
        self, table: str, beside: str, constants: Mapping[str, str | date], part: str | None
    ) -> None:
        values = {name: _literal(value) for name, value in constants.items()}
        source = self._session.table(beside)
        types = {field.name: field.dataType.simpleString() for field in source.schema.fields}
        types |= {n: "date" if isinstance(v, date) else "string" for n, v in constants.items()}
        if not self._session.catalog.tableExists(table):
            # Made without rows: a process that is killed meanwhile leaves a table that fits.
            self._make(table, types, part)
        selected = {name: quoted(name) for name in types} | values
        by_name = {self.folded(name): value for name, value in selected.items()}
        columns = self._session.table(table).schema.fields
        listed = ", ".join(
            by_name.get(self.folded(column.name), f"cast(null as {column.dataType.simpleString()})")
            for column in columns
            if part is None or self.folded(column.name) != self.folded(part)
        )
        of_part = "" if part is None else f" partition ({quoted(part)} = {values[part]})"
        insert = f"insert overwrite table {table}{of_part} select {listed} from {beside}"
        with self._setting(_ASSIGNMENT, "ansi"):  # what does not fit a column is an error then
            self._session.sql(insert)

    def _make(self, table: str, types: Mapping[str, str], part: str | None) -> None:
        """Make a table without rows, in the format that is usual for the session; the column by
        which it is partitioned is its last."""
        ordered = sorted(types, key=lambda name: name == part)
        columns = ", ".join(f"{quoted(name)} {types[name]}" for name in ordered)
        usual = self._session.conf.get("spark.sql.sources.default")
        by_part = "" if part is None else f" partitioned by ({quoted(part)})"
        self._session.sql(f"create table {table} ({columns}) using {usual}{by_part}")

    @contextmanager
    def _setting(self, name: str, value: str) -> Iterator[None]:
        """Within it a setting of the session has this value, whatever the session is set to."""
        before = self._session.conf.get(name)
        self._session.conf.set(name, value)
        try:
            yield
        finally:
            self._session.conf.set(name, str(before))


def quoted(name: str) -> str:
    """A name as Spark's SQL has it."""
    return "`" + name.replace("`", "``") + "`"


def _literal(value: str | date) -> str:
    if isinstance(value, date):
        return f"date '{value.isoformat()}'"
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _beside(table: str, token: str) -> str:
    ending = f"{_MARK}{token}"
    return f"{table[:-1]}{ending}`" if table.endswith("`") else f"{table}{ending}"


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except AnalysisException as error:
        missing = error.getCondition() == "TABLE_OR_VIEW_NOT_FOUND"
        raise (NoSparkTableError if missing else EngineError)(reason_of(error)) from error
    except FAILURES as error:
        raise SparkFailedError(reason_of(error)) from error
