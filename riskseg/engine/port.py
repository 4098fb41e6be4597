"""What an execution engine is: it carries out SQL that the other packages wrote, and hands Arrow in
and out. Every statement goes through :class:`Engine`, which logs it; an engine of another kind
fills in what is abstract here.

The logger `riskseg.engine` gets a record for each statement, at the level DEBUG, with the
attributes `sql`, `rows` (None where a statement has none) and `seconds`.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskseg.domain.column_types import ColumnType
from riskseg.domain.relations import Relation, chained, quoted

if TYPE_CHECKING:
    import pyarrow as pa

_log = logging.getLogger("riskseg.engine")


class EngineError(Exception):
    """The engine refused a statement. Callers that ran a person's SQL turn it into a Problem."""

    @property
    def reason(self) -> str:
        """What a Problem says of it: the first line, without what kind of error the engine calls it
        and without the end of a sentence."""
        return re.sub(r"^(\w+ )+Error: ", "", str(self)).partition("\n")[0].rstrip(". ")


class NoMemoryError(Exception):
    """The engine needs more memory, or room for what memory does not hold, than it may take. No
    refusal of a statement: callers that ask whether a statement works must not take it for one."""


class NoRoomError(NoMemoryError):
    """The disk has no room left for what memory does not hold."""


class KeptTablesError(Exception):
    """Tables that are kept cannot be written, or read again: the disk is full, or the file damaged.
    No refusal of a statement either."""


class TooLargeError(EngineError):
    """A number in it does not fit."""


class DuplicateColumnsError(AssertionError):
    """A relation has several columns of one name, in some letter case: `names` are all it has.
    The engine would go on with the first of them, whichever was meant."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        super().__init__(f"several columns of one name among {', '.join(names)}")


@dataclass(slots=True)
class _Statement:
    """One statement on its way: how many rows it gave or made, once that is known."""

    sql: str
    rows: int | None = None


def statements_are_logged() -> bool:
    """Whether somebody wants to read what is carried out."""
    return _log.isEnabledFor(logging.DEBUG)


@contextmanager
def _logged(sql: str) -> Iterator[_Statement]:
    """Log a statement when it has ended, however it does."""
    statement, started = _Statement(sql), time.perf_counter()
    try:
        yield statement
    finally:
        if statements_are_logged():
            seconds = time.perf_counter() - started
            log_fields = {"sql": sql, "rows": statement.rows, "seconds": seconds}
            _log.debug("%s rows in %.3f s: %s", statement.rows, seconds, sql, extra=log_fields)


# Stands after the columns of a relation that is described with others. No relation has a column of
# this name: the names that people choose have a prefix in all of them.
_END = "end of relation"


def _may_hide_duplicates(names: Collection[str]) -> bool:
    """Whether one of the columns may be the second of its name: within a statement, an engine
    gives the second `a` the name `a_1`."""
    lowered = {lowered_name.lower() for lowered_name in names}
    numbered = (re.fullmatch(r"(.+)_\d+", lowered_name) for lowered_name in lowered)
    return any(
        numbered_name is not None and numbered_name[1] in lowered for numbered_name in numbered
    )


# The columns of relations that were described, by what they say and what the tables hold.
_DESCRIBED: dict[bytes, list[dict[str, ColumnType]]] = {}
_MOST_DESCRIBED = 256
_WORD = re.compile(r"\w+")
# The columns of a relation are the same whichever day it is of.
_DATE = re.compile(r"date '\d{4}-\d\d-\d\d'")


class Batches:
    """A result as Arrow batches, to be taken once, before the next statement is carried out."""

    def __init__(self, engine: Engine, sql: str, reader: pa.RecordBatchReader) -> None:
        self.schema = reader.schema
        self._engine, self._sql, self._reader = engine, sql, reader

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        with _logged(self._sql) as statement, self._engine.refusals():
            statement.rows = 0
            for batch in self._reader:
                statement.rows += batch.num_rows
                yield batch


class Engine(ABC):
    """An execution engine. Statements are one at a time, in the SQL of this house: the subset that
    `sqlglot` can carry over to another engine."""

    threads: int

    def run(self, sql: str) -> None:
        """Carry out one statement, keeping no result."""
        with _logged(sql) as statement, self.refusals():
            statement.rows = self._execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a small result."""
        with _logged(sql) as statement, self.refusals():
            fetched_rows = self._fetch(sql)
            statement.rows = len(fetched_rows)
        return fetched_rows

    def value(self, sql: str) -> Any:
        """The first value of the first row."""
        return self.rows(sql)[0][0]

    def columns(self, relation: str) -> dict[str, ColumnType]:
        """Names and types of the columns of a table or of `(select …)`, in order. Raises
        DuplicateColumnsError."""
        select = relation if relation.startswith("(") else f"select * from {relation}"
        with self.refusals():
            columns_found = self._describe(select)
        column_names = [column_name for column_name, _ in columns_found]
        if len({column_name.lower() for column_name in column_names}) < len(column_names):
            raise DuplicateColumnsError(column_names)
        return dict(columns_found)

    def columns_of_each(self, relations: Sequence[Relation]) -> list[dict[str, ColumnType]]:
        """The columns of each relation; it may name those before it. All are described in one
        statement, and not again in this process for other dates, as long as the tables that they
        name are of the same columns. Raises DuplicateColumnsError."""
        said = [(relation.name, _DATE.sub("", relation.select)) for relation in relations]
        text = "\n".join(select for _, select in said).lower()
        words = set(_WORD.findall(text))
        with self.refusals():
            tables = [
                row
                for name, rows_of_table in groupby(self._tables(), key=itemgetter(0))
                if (name.lower() in words if _WORD.fullmatch(name) else name.lower() in text)
                for row in rows_of_table
            ]
        asked = hashlib.sha256(repr((said, tables)).encode()).digest()
        if asked not in _DESCRIBED:
            described = [
                self.columns(f"({chained(relations[:number])})")
                if _may_hide_duplicates(columns)
                else columns
                for number, columns in enumerate(self._described_together(relations), start=1)
            ]
            if len(_DESCRIBED) >= _MOST_DESCRIBED:
                _DESCRIBED.clear()
            _DESCRIBED[asked] = described
        return _DESCRIBED[asked]

    def _described_together(self, relations: Sequence[Relation]) -> list[dict[str, ColumnType]]:
        names = [relation.name for relation in relations]
        columns_of_all = ", ".join(
            f"{relation_name}.*, null as {quoted(_END)}" for relation_name in names
        )
        together = Relation("together", f"select {columns_of_all} from {', '.join(names)}")
        described: list[dict[str, ColumnType]] = [{}]
        with self.refusals():
            for relation_name, column_type in self._describe(chained([*relations, together])):
                if relation_name == _END:
                    described.append({})
                else:
                    described[-1][relation_name] = column_type
        return described[:-1]

    def arrow(self, sql: str) -> pa.Table:
        """A result as one Arrow table."""
        with _logged(sql) as statement, self.refusals():
            table = self._arrow(sql)
            statement.rows = table.num_rows
        return table

    def batches(self, sql: str, rows: int = 100_000) -> Batches:
        """A result as Arrow batches of at most `rows`, in order."""
        with self.refusals():
            return Batches(self, sql, self._reader(sql, rows))

    @abstractmethod
    def refusals(self) -> Any:
        """A context in which the library's own errors become EngineError, TooLargeError and
        NoMemoryError."""

    @abstractmethod
    def _execute(self, sql: str) -> int | None:
        """Carry out one statement; how many rows it made, where it makes any."""

    @abstractmethod
    def _fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a result."""

    @abstractmethod
    def _describe(self, select: str) -> list[tuple[str, ColumnType]]:
        """The columns of a select, which is not carried out."""

    @abstractmethod
    def tables(self) -> list[str]:
        """The names of the tables and views that are there for as long as the engine is."""

    @abstractmethod
    def _tables(self) -> list[tuple[Any, ...]]:
        """A row for each column of each table and view that SQL can read: what they are called,
        and its type."""

    @abstractmethod
    def _arrow(self, sql: str) -> pa.Table: ...

    @abstractmethod
    def _reader(self, sql: str, rows: int) -> pa.RecordBatchReader: ...

    @abstractmethod
    def type_sql(self, column: ColumnType) -> str:
        """What the engine's SQL calls a type."""

    @abstractmethod
    def file(self, path: Path) -> str:
        """A SQL literal of a file's name, of those that the engine was opened for."""

    @abstractmethod
    def new_file(self, name: str) -> Path:
        """The place for a file that statements may read, by :meth:`file`, until the engine is
        closed. `name` may have folders; the place is one that was never given before."""

    @abstractmethod
    def register(self, name: str, table: pa.Table) -> None:
        """Let SQL read an Arrow table under `name` (no copy)."""

    @abstractmethod
    def unregister(self, name: str) -> None:
        """Take the name away again."""

    @abstractmethod
    def converted(self, rows: pa.Table, select: str) -> pa.Table:
        """What a select makes of the rows of an Arrow table, which it calls `given_rows`."""

    # The folder whose files statements may read, by :meth:`file`, in this engine and in later ones;
    # None where there is none.
    kept_files: Path | None
    # What tables that are kept depend on, beside SQL: the engine, its release and its time zone.
    release: str
    # Whether tables can be kept: nothing that they are made of is in this engine alone.
    can_keep: bool

    @abstractmethod
    def keeping(self, place: Path) -> AbstractContextManager[None]:
        """A context whose tables are made in a new file at `place`, for :meth:`read_kept`. After it
        they are not there; where an error ends it, the file is of no use. Raises KeptTablesError
        where the file cannot be written."""

    @abstractmethod
    def read_kept(self, place: Path) -> bool:
        """Let SQL read the tables that an engine of the same release kept in a file, beside those
        of this engine; False where the file is none that can be read. From then on, any statement
        may raise KeptTablesError."""

    @abstractmethod
    def repeatable(self, sql: str) -> bool:
        """Whether a statement makes the same of the same files and tables at any time: it reads no
        clock and no setting, and takes nothing at random."""

    @abstractmethod
    def lasting(self, sql: str) -> str:
        """A statement as an engine would have it that is given the same files, by
        :meth:`new_file`, in the same order."""

    @abstractmethod
    def beside(self, threads: int) -> Engine:
        """An engine over the same tables, views and files, whose statements are carried out at the
        same time as those of this one. Its temporary tables are its own. It is closed first."""

    @abstractmethod
    def interrupt(self) -> None:
        """End the statement that another thread carries out, and refuse those that follow: there,
        they raise EngineError."""

    @abstractmethod
    def close(self) -> None:
        """Let go of all that the engine holds."""

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
