"""Which way of reading a database is taken: PostgreSQL by Arrow's own driver, tables that Spark
knows by Spark, others by SQLAlchemy."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from riskseg.domain.addresses import SPARK, without_secrets
from riskseg.domain.problems import problem
from riskseg.sources.database_any import AnyDatabase
from riskseg.sources.database_connections import Database
from riskseg.sources.database_spark import SparkDatabase
from riskseg.store.database_urls import rendered
from riskseg.workspace import Source


def open_database(address: str, source: Source, root: Path) -> Database:
    """The database at an address. Files are looked up from `root`. Raises RS004 for what is no
    address, RS016 for a database that cannot be reached, RS024 where its driver is missing."""
    if address.startswith(SPARK):
        return SparkDatabase(address, source)
    try:
        url = sa.make_url(address)
        if "@" in (url.host or ""):
            raise ValueError("an @ that is part of a password is written %40")
    except (sa.exc.ArgumentError, ValueError) as error:
        raise problem(
            "RS004",
            f"This is not the address of a database: {without_secrets(address)}.",
            file=source.file,
            line=source.lines.get("url"),
            hint="Write it as dialect+driver://user:${NAME}@host/database; in a password, @ is "
            "written %40, / %2F and : %3A.",
        ) from error
    if url.get_backend_name() != "postgresql":
        return AnyDatabase(url, source, root)
    try:
        from riskseg.sources.database_postgres import PostgresDatabase
    except ModuleNotFoundError as error:
        raise problem(
            "RS024",
            f'The driver "{error.name}" is not installed, which {rendered(url)} is read with.',
            file=source.file,
            line=source.lines.get("url"),
            hint="Install it with: pip install 'riskseg[postgres]'.",
        ) from error
    return PostgresDatabase(url, source)
