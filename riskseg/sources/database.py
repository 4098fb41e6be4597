"""Sources that are tables or selects of a database."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow as pa

from riskseg.domain.column_types import ColumnType
from riskseg.domain.facts import folded
from riskseg.domain.problems import ProblemsError, problem
from riskseg.domain.relations import literal, quoted
from riskseg.engine import DuplicateColumnsError, Engine, EngineError
from riskseg.sources.database_connections import (
    Connections,
    Database,
    DatabaseColumn,
    is_select,
)
from riskseg.sources.reader import SourceReader
from riskseg.workspace.addresses import with_environment

# Begins what the engine says of a decimal that cannot be kept as it is.
_INEXACT = "cannot be kept exactly"
_NO_NUMBER = "is no number"


class DatabaseRows(SourceReader):
    """The rows of a table or a select, copied once into the engine's own scratch.

    They are streamed: neither riskseg nor the driver holds a table.
    """

    in_database = True
    _database: Database | None = None
    _columns: tuple[DatabaseColumn, ...] = ()

    @classmethod
    def reads(cls, loaded_from: str) -> bool:
        return bool(loaded_from.strip())

    @property
    def place(self) -> str:
        select = is_select(self.source.loaded_from)
        return f"select of {self.source.table}" if select else self.source.loaded_from

    @property
    def definition(self) -> str | None:
        return self.source.loaded_from if is_select(self.source.loaded_from) else None

    def would_read(self, place: str) -> bool:
        """Whether an output is into the table that it reads. What a select reads is not known."""
        from riskseg.sources.database_places import same_database, same_table

        address, mark, table = place.rpartition("#")
        rows, url = self.source.loaded_from, self.source.url
        if not mark or url is None or is_select(rows):
            return False
        return same_table(rows, table) and same_database(
            with_environment(url, {}), self.root, address, Path.cwd()
        )

    def connect(self, connections: Connections) -> None:
        self._database = connections.to(self.source)

    def relation(self, engine: Engine) -> str:
        return quoted(f"rows of {self.source.table}")

    def describe(self, engine: Engine) -> dict[str, ColumnType]:
        """Its columns, of which the engine has an empty table then. Those of rows that were read
        before are the engine's."""
        if self._database is None:
            return super().describe(engine)
        self._columns = tuple(self._database.columns(self.source))
        names = [column.name for column in self._columns]
        if len({folded(name) for name in names}) < len(names):
            raise DuplicateColumnsError(names)
        listed = ", ".join(
            f"{quoted(column.name)} {engine.type_sql(column.type)}" for column in self._columns
        )
        engine.run(f"create or replace table {self.relation(engine)} ({listed})")
        return super().describe(engine)

    def read(self, engine: Engine, columns: Collection[str] | None) -> None:
        assert self._database is not None
        wanted = [c for c in self._columns if columns is None or folded(c.name) in columns]
        wanted = wanted or list(self._columns)
        stream = f"batch of {self.source.table}"
        listed = ", ".join(f"{_kept(engine, c)} as {quoted(c.name)}" for c in wanted)
        try:
            with self._database.reading(self.source, wanted) as batches:
                # Batch by batch, so that a reading can be broken off in between.
                for batch in batches:
                    engine.register(stream, pa.Table.from_batches([batch]))
                    engine.run(
                        f"""
                        insert into {self.relation(engine)} by name
                        select {listed}
                        from {quoted(stream)}
                        """
                    )
                    engine.unregister(stream)
        except EngineError as error:
            raise self._unreadable(error, self._database) from error

    def content(self, engine: Engine) -> Iterator[bytes]:
        """The rows that were read, in whatever order they came."""
        rows = f"select count(*), sum(cast(hash(t) as hugeint)) from {self.relation(engine)} t"
        yield repr(engine.rows(rows)).encode()

    def _unreadable(self, error: EngineError, database: Database) -> ProblemsError:
        said = re.sub(r"^(\w+ )+Error: ", "", database.without_secrets(str(error)))
        first_line = said.split("\n")[0].rstrip(". ")
        hints = {
            _INEXACT: "Round it in a select: `cast(COLUMN as numeric(18, 2))`.",
            _NO_NUMBER: "Correct it in the database, or read the column as text in a select, so "
            "that each row is checked: `cast(COLUMN as varchar(100)) as COLUMN`.",
        }
        hint = next((hint for words, hint in hints.items() if words in first_line), None)
        return problem(
            "RS016" if hint is None else "RS006",
            f"The rows of {self.source.table} cannot be read: {first_line}.",
            file=self.source.file,
            line=self.source.lines.get("from"),
            hint=hint or "Check that the database can still be reached, and run again.",
        )


def _kept(engine: Engine, column: DatabaseColumn) -> str:
    """A column of the stream as the engine keeps it. A decimal comes as text."""
    name = quoted(column.name)
    if column.type.family != "decimal":
        return name
    whole, scale = column.type.size - column.type.scale, column.type.scale
    form = rf"-?0*[0-9]{{0,{whole}}}(\.[0-9]{{0,{scale}}}0*)?"
    holds = f"{literal(column.name + ' holds ')} || substr({name}, 1, 60)"
    refusal = f"""{holds} || case
                when try_cast({name} as double) is null then ', which {_NO_NUMBER}'
                else ', which {_INEXACT}'
            end"""
    return f"""case
            when {name} is null or regexp_full_match({name}, {literal(form)})
            then cast({name} as {engine.type_sql(column.type)})
            else error({refusal})
        end"""
