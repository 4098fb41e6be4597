"""Rows as a table of a database. SQLAlchemy is loaded when a target is one, and not before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from riskseg.domain.addresses import is_elsewhere, without_secrets
from riskseg.domain.problems import Problems
from riskseg.store.sinks.port import Dated, TableSink, Written


class DatabaseTable(TableSink):
    @property
    def form(self) -> str:
        return "a database URL with #table"

    def accepts(self, target: str) -> bool:
        return is_elsewhere(target)

    def file(self, target: str) -> Path | None:
        from riskseg.store.sinks.database_tables import database_file

        return database_file(target)

    def check(self, target: str, problems: Problems) -> None:
        from riskseg.store.sinks.database_tables import check_url

        check_url(target, problems)

    def write(
        self,
        target: str,
        schema: pa.Schema,
        groups: Iterator[pa.Table],
        *,
        token: str,
        dated: Dated | None,
    ) -> Written:
        from riskseg.store.sinks.database_tables import write_table

        place, rows = write_table(target, schema, groups, run=token, dated=dated)
        return Written(place, rows, None)

    def read(self, target: str, schema: pa.Schema, *, run: str) -> Iterator[pa.RecordBatch]:
        from riskseg.store.sinks.database_tables import read_table

        return read_table(target, schema, run=run)

    def without_secrets(self, target: str) -> str:
        return without_secrets(target)
