"""A decided table as a table of any database SQLAlchemy knows.

The rows go to a side table that takes the target's name at the end, all in one transaction:
a reader sees the old table or the new one, and a killed run leaves nothing. (MySQL and Oracle
commit at each change of a table; there a reader can meet the moment between the two.) The new
table has no indexes and no grants but the database's defaults.

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
from alembic.migration import MigrationContext
from alembic.operations import Operations

from riskseg.domain.addresses import without_secrets
from riskseg.domain.problems import Problems, ProblemsError, problem
from riskseg.store.database_urls import driver_of, hide, rendered
from riskseg.store.files import check_place
from riskseg.store.sinks.rendering import json_text

_ROWS_AT_ONCE = 10_000


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
    target: str, schema: pa.Schema, groups: Iterator[pa.Table], *, token: str
) -> tuple[str, int]:
    """Replace the table `target` names; returns the URL with its password hidden, and the rows."""
    url, table = _parsed(target)
    database_schema, _, name = table.rpartition(".")
    columns = [
        sa.Column(column_field.name, _type(column_field.type), nullable=column_field.nullable)
        for column_field in schema
    ]
    # The name is short: some databases cut long names off, and then two would be the same.
    side_table = sa.Table(
        f"riskseg_part_{token[:16]}", sa.MetaData(), *columns, schema=database_schema or None
    )
    rows = 0
    engine = _engine(url)
    with _refusals(url), engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            # The driver's own transaction would not take in changes of tables.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        side_table.drop(connection, checkfirst=True)
        side_table.create(connection)
        for group in groups:
            for batch in group.to_batches(max_chunksize=_ROWS_AT_ONCE):
                connection.execute(side_table.insert(), batch.to_pylist())
            rows += group.num_rows
        sa.Table(name, sa.MetaData(), schema=database_schema or None).drop(
            connection, checkfirst=True
        )
        Operations(MigrationContext.configure(connection)).rename_table(
            side_table.name, name, schema=database_schema or None
        )
    return f"{rendered(url)}#{table}", rows


def read_table(target: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The rows of a table that :func:`write_table` wrote with the same columns, in no order.

    Raises RS010 where the database cannot be reached or refuses, which a hidden password is
    enough for.
    """
    url, table = _parsed(target)
    database_schema, _, name = table.rpartition(".")
    columns = [sa.column(column_field.name, _type(column_field.type)) for column_field in schema]
    query = sa.select(*columns).select_from(
        sa.table(name, *columns, schema=database_schema or None)
    )
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
            hint="Add #table at its end.",
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


def _type(kind: Any) -> sa.types.TypeEngine[Any]:
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
        raise problem(
            "RS010",
            f"The database refuses: {refusal}.",
            file=rendered(url),
            hint="Check that it can be reached and that you may make tables there.",
        ) from error
