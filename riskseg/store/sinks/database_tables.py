"""A decided table as a table of any database SQLAlchemy knows.

The rows of a date go into the table that is there, in the place of those of the same date, in one
transaction: a reader sees all of them or none, a killed run changes nothing, and grants, views and
indexes stay. A table that is not there is made, with the columns that name a row as its primary
key. (MySQL and Oracle commit when a table is made; there a killed run may leave an empty one.)

Beside its own columns a row has `run_id` and `as_of`.

Decimals are exact: NUMERIC where the database has it, text in SQLite, which has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from riskseg.domain.addresses import without_secrets
from riskseg.domain.problems import Problems, ProblemsError, problem
from riskseg.store.database_refusals import is_of_a_lock, is_of_login
from riskseg.store.database_urls import driver_of, hide, rendered
from riskseg.store.files import check_place
from riskseg.store.sinks.port import AS_OF, RUN, Dated, check_no_run_column
from riskseg.store.sinks.rendering import json_text

_ROWS_AT_ONCE = 10_000
# These allow a text of any length in no key.
_SHORT_KEYS = ("mysql", "mariadb", "oracle", "mssql")
_KEY_TEXT = sa.Text().with_variant(sa.String(255), *_SHORT_KEYS)


class _Exact(sa.types.TypeDecorator[Decimal]):
    """A decimal that no driver turns into a float."""

    impl = sa.Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "sqlite":
            return sa.Text()
        return dialect.type_descriptor(self.impl_instance)

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> Any:
        return format(value, "f") if value is not None and dialect.name == "sqlite" else value


class _Json(sa.types.TypeDecorator[Any]):
    """A list or structure as JSON text."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        return None if value is None else json_text(value)


def check_url(target: str, problems: Problems) -> None:
    """Add RS010 unless `target` names a table of a database that can be reached."""
    try:
        url, _ = _parsed(target)
        engine = _engine(url)
        if url.get_backend_name() == "sqlite":
            # To connect would make the file.
            if url.database:
                check_place(Path(url.database), problems)
        else:
            try:
                with _refusals(url), engine.connect():
                    pass
            except ProblemsError:
                raise
            except Exception as error:  # a driver may refuse in words of its own
                raise problem(
                    "RS010",
                    f"The database cannot be reached: {hide(str(error), url)}.",
                    file=rendered(url),
                    hint="Check its address.",
                ) from None
    except ProblemsError as error:
        problems.extend(error.problems)


def write_table(
    target: str, schema: pa.Schema, groups: Iterator[pa.Table], *, run: str, dated: Dated | None
) -> tuple[str, int]:
    """Write rows to the table `target` names, in the place of those of the same date, or, where
    they are of none, of all; returns the URL with its password hidden, and the rows.

    Raises RS010 where the table lacks a column: it is changed by nobody but its owner.
    """
    url, name = _parsed(target)
    check_no_run_column(schema, rendered(url))
    table = _table(name, schema, dated)
    of_run = {RUN: run} | ({} if dated is None else {AS_OF: dated.as_of})
    rows = 0
    engine = _engine(url)
    with _refusals(url), engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            # The driver's own transaction would not take in changes of tables.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        if sa.inspect(connection).has_table(table.name, table.schema):
            _check_columns(connection, table, f"{rendered(url)}#{name}")
            old_rows = table.delete()
            connection.execute(
                old_rows if dated is None else old_rows.where(table.c[AS_OF] == dated.as_of)
            )
        else:
            table.create(connection)
        for group in groups:
            for batch in group.to_batches(max_chunksize=_ROWS_AT_ONCE):
                connection.execute(table.insert(), [row | of_run for row in batch.to_pylist()])
            rows += group.num_rows
    return f"{rendered(url)}#{name}", rows


def _table(name: str, schema: pa.Schema, dated: Dated | None) -> sa.Table:
    """The table as it is made where there is none."""
    database_schema, _, name = name.rpartition(".")
    key = () if dated is None or not dated.key else (AS_OF, *dated.key)
    first = [] if dated is None or AS_OF in schema.names else [pa.field(AS_OF, pa.date32(), False)]
    columns = [
        sa.Column(
            field.name,
            _KEY_TEXT
            if field.name in key and pa.types.is_string(field.type)
            else _type(field.type),
            primary_key=field.name in key,
            nullable=field.nullable and field.name not in key,
            autoincrement=False,
        )
        for field in [*first, *schema]
    ]
    run = sa.Column(RUN, sa.Text(), nullable=False)
    return sa.Table(name, sa.MetaData(), *columns, run, schema=database_schema or None)


def _check_columns(connection: sa.Connection, table: sa.Table, place: str) -> None:
    """Raise RS010 for columns that the table which is there does not have, or in which it would
    round what is exact."""
    columns = sa.inspect(connection).get_columns(table.name, table.schema)
    there = {c["name"]: c["type"] for c in columns}
    problems = Problems()
    for column in table.columns:
        of_type = column.type.compile(dialect=connection.dialect)
        if column.name in there and _rounds(there[column.name], column.type, connection.dialect):
            as_it_is = there[column.name].compile(dialect=connection.dialect)
            problems.add(
                "RS010",
                f'The column "{column.name}" of the table is {as_it_is}: values would be rounded.',
                file=place,
                hint=f"Name a new table, or change the type of the column to {of_type}.",
            )
        if column.name not in there:
            quoted = connection.dialect.identifier_preparer.quote
            full_name = connection.dialect.identifier_preparer.format_table(table)
            problems.add(
                "RS010",
                f'The table has no column "{column.name}".',
                file=place,
                hint="Name a new table, or add the column: ALTER TABLE "
                f"{full_name} ADD COLUMN {quoted(column.name)} {of_type};",
            )
    problems.raise_if_any()


def _rounds(there: Any, wanted: Any, dialect: sa.Dialect) -> bool:
    """Whether a column's type has fewer decimals than the values that are written to it. SQLite
    holds no column to its type."""
    if dialect.name == "sqlite" or not isinstance(wanted, _Exact):
        return False
    if isinstance(there, sa.Integer):
        return True
    if not isinstance(there, sa.Numeric) or isinstance(there, sa.Float):
        return False
    return there.scale is not None and there.scale < getattr(wanted.impl_instance, "scale", 0)


def read_table(target: str, schema: pa.Schema, *, run: str) -> Iterator[pa.RecordBatch]:
    """The rows of a run that :func:`write_table` wrote with the same columns, in no order.

    Raises RS010 where the database cannot be reached or refuses, which a hidden password is
    enough for.
    """
    url, place = _parsed(target)
    database_schema, _, name = place.rpartition(".")
    columns = [sa.column(column_field.name, _type(column_field.type)) for column_field in schema]
    table = sa.table(name, *columns, schema=database_schema or None)
    query = sa.select(*columns).select_from(table).where(sa.column(RUN) == run)
    with _refusals(url), _engine(url).connect() as connection:
        for rows in connection.execute(query).partitions(_ROWS_AT_ONCE):
            arrays = [
                pa.array([_read(value, field.type) for value in values], field.type)
                for field, values in zip(schema, zip(*rows, strict=True), strict=True)
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _read(value: Any, kind: pa.DataType) -> Any:
    """A value as the database gives it back: a decimal may be text, or have lost its zeros."""
    if value is None or not pa.types.is_decimal(kind):
        return value
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-kind.scale))


def _parsed(target: str) -> tuple[sa.URL, str]:
    address, _, table = target.rpartition("#")
    if not address or not table.strip("."):
        raise problem(
            "RS010",
            "A database URL must say which table to write.",
            file=without_secrets(target),
            hint="Add #table at its end. A file of an object store is known by its ending, such as "
            ".parquet.",
        )
    try:
        url = sa.make_url(address)
        if "@" in (url.host or ""):
            raise ValueError("an @ that is part of a password is written %40")
        return url, table
    except (sa.exc.ArgumentError, ValueError) as error:
        raise problem(
            "RS010",
            "This is not a database URL.",
            file=without_secrets(address),
            hint="Write it as dialect://user:password@host/database#table; in a password, @ is "
            "written %40, / %2F and : %3A.",
        ) from error


def database_file(target: str) -> Path | None:
    """The file of a database that is one; None for any other database, and for what is no URL."""
    try:
        url, _ = _parsed(target)
    except ProblemsError:
        return None
    is_file = url.get_backend_name() == "sqlite" and url.database
    return Path(str(url.database)) if is_file else None


def _engine(url: sa.URL) -> sa.Engine:
    arguments = {"isolation_level": None} if url.get_backend_name() == "sqlite" else {}
    with driver_of(url):
        return sa.create_engine(url, connect_args=arguments, poolclass=sa.NullPool)


def _type(kind: Any, *, in_key: bool = False) -> sa.types.TypeEngine[Any]:
    if in_key and pa.types.is_string(kind):
        return _KEY_TEXT
    if pa.types.is_decimal(kind):
        return _Exact(kind.precision, kind.scale)
    if pa.types.is_timestamp(kind):
        return sa.DateTime(timezone=kind.tz is not None)
    if pa.types.is_nested(kind):
        return _Json()
    column_types: list[tuple[Any, type[sa.types.TypeEngine[Any]]]] = [
        (pa.types.is_boolean, sa.Boolean),
        (pa.types.is_integer, sa.BigInteger),
        (pa.types.is_floating, sa.Double),
        (pa.types.is_date, sa.Date),
    ]
    return next((column for fits, column in column_types if fits(kind)), sa.Text)()


@contextmanager
def _refusals(url: sa.URL) -> Iterator[None]:
    """Tell what the database refuses as a Problem."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        refusal, _, _ = hide(str(error.orig), url).partition("\n")
        hint = "Check that it can be reached and that you may make tables there."
        if is_of_login(refusal):
            hint = "Check the user and the password of the address."
        elif is_of_a_lock(refusal):
            hint = "Another program holds it: run again when that has ended."
        raise problem(
            "RS010", f"The database refuses: {refusal}.", file=rendered(url), hint=hint
        ) from error
