"""Rows as a table that Apache Spark knows: `spark://MASTER#catalog.schema.table`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa

from riskseg.domain.addresses import SPARK, spark_master
from riskseg.domain.problems import Problems, ProblemsError, problem
from riskseg.engine import EngineError
from riskseg.pipeline.on_spark import spark_at
from riskseg.store.files import is_left, part_token
from riskseg.store.sinks.port import (
    AS_OF,
    RUN,
    Dated,
    TableSink,
    Written,
    check_no_run_column,
)

if TYPE_CHECKING:
    from riskseg.engine.spark_tables import SparkTables

_WHOLE = ("tinyint", "smallint", "int", "bigint")


class SparkTable(TableSink):
    """A table partitioned by `as_of`, where the rows are of a date. A table that is not there is
    made, in the format that is usual for the session."""

    @property
    def form(self) -> str:
        return "spark://MASTER#table"

    def accepts(self, target: str) -> bool:
        return target.startswith(SPARK)

    def check(self, target: str, problems: Problems) -> None:
        try:
            tables, table = _opened(target)
            with _refusals(target):
                tables.columns_of(table)
        except ProblemsError as error:
            problems.extend(error.problems)

    def write(
        self,
        target: str,
        schema: pa.Schema,
        groups: Iterator[pa.Table],
        *,
        token: str,
        dated: Dated | None,
    ) -> Written:
        tables, table = _opened(target)
        check_no_run_column(schema, target)
        constants: dict[str, str | date] = {RUN: token}
        if dated is not None:
            constants[AS_OF] = dated.as_of
        part = None if dated is None else AS_OF
        with _refusals(target):
            _check_table(tables, table, schema, target, part)
            rows = tables.write(
                table, schema, groups, constants, part=part, token=part_token(), is_left=is_left
            )
        return Written(target, rows, None)

    def read(self, target: str, schema: pa.Schema, *, run: str) -> Iterator[pa.RecordBatch]:
        tables, table = _opened(target)
        with _refusals(target):
            for batch in tables.read(f"select * from {table} where {RUN} = '{run}'", schema.names):
                yield batch.cast(schema)


def _opened(target: str) -> tuple[SparkTables, str]:
    address, _, table = target.partition("#")
    if not table.strip(". "):
        raise problem(
            "RS010",
            "The address of Spark must say which table to write.",
            file=target,
            hint="Add #table at its end.",
        )
    spark = spark_at(spark_master(address))
    from riskseg.engine.spark_tables import SparkTables

    return SparkTables(spark), table


def _check_table(
    tables: SparkTables, table: str, schema: pa.Schema, target: str, part: str | None
) -> None:
    """Raise RS010 for columns that the table which is there does not have, or in which it would
    round what is exact, and for one whose rows of a day cannot be replaced."""
    columns = tables.columns_of(table)
    if columns is None:
        return
    there = {tables.folded(name): type_ for name, type_ in columns.items()}
    problems = Problems()
    needed = tables.types_of(schema) | {RUN: "string"} | ({part: "date"} if part else {})
    for name, type_ in needed.items():
        type_there = there.get(tables.folded(name))
        if type_there is not None and _rounds(type_there, type_):
            problems.add(
                "RS010",
                f'The column "{name}" of the table is {type_there}: values would be rounded.',
                file=target,
                hint=f"Name a new table, or change the type of the column to {type_}.",
            )
        if type_there is None:
            problems.add(
                "RS010",
                f'The table has no column "{name}".',
                file=target,
                hint="Name a new table, or add the column: "
                f"ALTER TABLE {table} ADD COLUMNS (`{name}` {type_});",
            )
    column = None if part is None else tables.folded(part)
    if column in there and tables.partitioned_by(table) != {column}:
        problems.add(
            "RS010",
            f"The table is not partitioned by {part} alone, so that the rows of a day cannot be "
            "replaced.",
            file=target,
            hint=f"Name a new table, which is made PARTITIONED BY ({part}).",
        )
    problems.raise_if_any()


def _rounds(there: str, wanted: str) -> bool:
    """Whether a column's type has fewer digits than the numbers that are written to it. A whole
    number that is too large for the column, Spark refuses itself."""
    scale, scale_there = _scale(wanted), _scale(there)
    if scale is None:
        return False
    return there == "float" or (scale_there is not None and scale_there < scale)


def _scale(type_: str) -> int | None:
    """The decimal places of a type of Spark that is exact; None for any other."""
    if digits := re.fullmatch(r"decimal\(\d+,(\d+)\)", type_):
        return int(digits[1])
    return 0 if type_ in _WHOLE else None


@contextmanager
def _refusals(target: str) -> Iterator[None]:
    try:
        yield
    except EngineError as error:
        raise problem(
            "RS010",
            f"Spark refuses: {error.reason}.",
            file=target,
            hint="Check the name of the table, and that you may make tables there.",
        ) from error
