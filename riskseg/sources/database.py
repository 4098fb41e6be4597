"""Sources that are tables or selects of a database."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from riskseg.domain.column_types import ColumnType
from riskseg.domain.facts import folded
from riskseg.domain.problems import ProblemsError, problem
from riskseg.domain.relations import quoted
from riskseg.engine import DuplicateColumnsError, Engine, EngineError, NoRoomError
from riskseg.ledger.contract import BALANCES
from riskseg.sources.database_connections import (
    INEXACT,
    NO_NUMBER,
    Connections,
    Database,
    DatabaseColumn,
    digest_sql,
    is_select,
)
from riskseg.sources.incremental import check_incremental
from riskseg.sources.reader import SourceReader
from riskseg.workspace.addresses import with_environment

if TYPE_CHECKING:
    from riskseg.sources.extracts import Extracts


class DatabaseRows(SourceReader):
    """The rows of a table or a select, in an extract that the engine reads.

    They are streamed: neither riskseg nor the driver holds a table.
    """

    in_database = True
    _database: Database | None = None
    _extracts: Extracts | None = None
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
        self._database, self._extracts = connections.to(self.source), connections.extracts

    def relation(self, engine: Engine) -> str:
        # Monthly balances are asked for as a table of their own, and then stand for accounts.
        table = BALANCES.name if self.source.balances is not None else self.source.table
        return quoted(f"rows of {table}")

    def describe(self, engine: Engine) -> dict[str, ColumnType]:
        """Its columns, with which the engine has a view without rows then. Those of rows that were
        read before are the engine's."""
        if self._database is None:
            return super().describe(engine)
        self._columns = tuple(self._database.columns(self.source))
        names = [column.name for column in self._columns]
        if len({folded(name) for name in names}) < len(names):
            raise DuplicateColumnsError(names)
        if self.source.incremental is not None:
            check_incremental(self.source, self._columns, self._database)
        listed = ", ".join(
            f"cast(null as {engine.type_sql(column.type)}) as {quoted(column.name)}"
            for column in self._columns
        )
        self._let_read(engine, f"select {listed} limit 0")
        return super().describe(engine)

    def _let_read(self, engine: Engine, select: str) -> None:
        # A temporary one is found from wherever tables are made.
        engine.run(f"create or replace temp view {self.relation(engine)} as {select}")

    def read(self, engine: Engine, columns: Collection[str] | None) -> None:
        # Loaded where a source is in a database, and not before.
        from riskseg.sources.extract_reading import ExtractReading
        from riskseg.sources.extracts import NotKeptError

        assert self._database is not None
        used = columns and {*columns, *map(folded, self._incremental_columns)}
        wanted = [c for c in self._columns if used is None or folded(c.name) in used]
        reading = ExtractReading(
            engine,
            self._database,
            self.source,
            self._columns,
            wanted or self._columns,
            self._extracts,
        )
        try:
            try:
                extract, note = reading.extract()
            except (NoRoomError, NotKeptError):
                # The engine's scratch may lie on another disk.
                reading = replace(reading, extracts=None)
                extract, note = reading.extract()
        except NoRoomError:
            raise
        except EngineError as error:
            raise self._unreadable(error, self._database) from error
        self._let_read(engine, reading.relation(extract))
        self.made_of = (extract.since or "", *(part.file for part in extract.parts))
        self.read_notes = () if note is None else (note,)

    @property
    def _incremental_columns(self) -> list[str]:
        return self.source.incremental.columns if self.source.incremental is not None else []

    def content(self, engine: Engine) -> Iterator[bytes]:
        """The rows that were read, in whatever order they came."""
        yield repr(engine.rows(digest_sql(self.relation(engine)))).encode()

    def _unreadable(self, error: EngineError, database: Database) -> ProblemsError:
        said = re.sub(r"^(\w+ )+Error: ", "", database.without_secrets(str(error)))
        first_line = said.split("\n")[0].rstrip(". ")
        hints = {
            INEXACT: "Round it in a select: `cast(COLUMN as numeric(18, 2))`.",
            NO_NUMBER: "Correct it in the database, or read the column as text in a select, so "
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
