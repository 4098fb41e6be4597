"""Connections to the databases that sources are read from: one for each address, with one
transaction, so that all sources of a run are of the same moment."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from riskseg.domain.column_types import ColumnType
from riskseg.domain.problems import ProblemsError, did_you_mean, problem
from riskseg.store.database_refusals import is_of_a_lock, is_of_login
from riskseg.workspace import Source
from riskseg.workspace.addresses import with_environment
from riskseg.workspace.sources import FILES

if TYPE_CHECKING:
    import pyarrow as pa

    from riskseg.sources.extracts import Extracts

# What the engine says of a decimal that cannot be kept as it is.
INEXACT, NO_NUMBER = "cannot be kept exactly", "is no number"
_FILE = re.compile(r"\.(csv|tsv|txt|parquet|pq|xlsx|xlsm)(\.gz)?$", re.IGNORECASE)
# Comments may stand before it.
_SELECT = re.compile(r"(\s|--[^\n]*\n|/\*.*?\*/)*((select|with)\b|\()", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class DatabaseColumn:
    """A column of a table or a select, and the type that the engine keeps its values as."""

    name: str
    type: ColumnType


@dataclass(frozen=True, slots=True)
class Since:
    """Those rows alone whose column is null, or no less than a value: a number, a day or a time (in
    UTC, where the column is zoned), as SQL writes it without quotes."""

    column: DatabaseColumn
    value: str


class Database(ABC):
    """A database in the middle of a transaction that only reads. `shown` is its address without
    secrets, and `identity` tells it, and what its user sees of it, from others. What it refuses
    is a Problem: RS006 where the `from` of a source is to blame, RS016 where the database is.
    `keeps_days_as_text` where days and times are texts, as 2026-06-30."""

    keeps_days_as_text = False

    def __init__(self, shown: str, identity: str = "") -> None:
        self.shown, self.identity = shown, identity or shown

    @abstractmethod
    def columns(self, source: Source) -> list[DatabaseColumn]:
        """The columns of the rows that a source names, in order; no row is read."""

    @abstractmethod
    def reading(
        self, source: Source, columns: Iterable[DatabaseColumn], since: Since | None = None
    ) -> AbstractContextManager[Iterable[pa.RecordBatch]]:
        """The rows as a stream of batches, which ends with the block. Decimals are texts in it."""

    @abstractmethod
    def count(self, source: Source) -> int:
        """How many rows there are."""

    @abstractmethod
    def tables(self, source: Source) -> list[str]:
        """The tables and views that are there, as a `from` names them, in order."""

    @abstractmethod
    def first_rows(self, table: str, count: int) -> str:
        """A select of no more than so many rows of a table."""

    @abstractmethod
    def without_secrets(self, text: str) -> str:
        """What the database or its driver says, as it may be shown."""

    @abstractmethod
    def close(self) -> None: ...

    def no_table(self, source: Source, known: Iterable[str]) -> ProblemsError:
        hint = did_you_mean(source.loaded_from, known) or "Check its name, and that it may be read."
        return _problem(
            source,
            "RS006",
            f'There is no table "{source.loaded_from}" in the database {self.shown}.',
            _is_file(source) or hint,
        )

    def refused(self, source: Source, error: BaseException) -> ProblemsError:
        """RS006 for a table or select that the database does not carry out."""
        return _problem(
            source,
            "RS006",
            f"{source.table} cannot be selected so: {self._said(error)}.",
            _is_file(source) or "Try the select in the database itself.",
        )

    def not_allowed(self, source: Source, error: BaseException) -> ProblemsError:
        """RS016 for rows that may not be read."""
        return _problem(
            source,
            "RS016",
            f"{source.table} may not be read from {self.shown}: {self._said(error)}.",
            "Give the user of the `url` the right to select from it.",
        )

    def not_reached(self, source: Source, error: BaseException) -> ProblemsError:
        """RS016 for a database that cannot be connected to, or not any more."""
        said = self._said(error)
        if is_of_login(said):
            return _problem(
                source,
                "RS016",
                f"The database {self.shown} does not let this user in: {said}.",
                "Check the user in `url`, and the password in the environment.",
                key="url",
            )
        if is_of_a_lock(said):
            return _problem(
                source,
                "RS016",
                f"Another program holds the database {self.shown}: {said}.",
                "Run again when that has ended.",
                key="url",
            )
        return _problem(
            source,
            "RS016",
            f"The database {self.shown} does not answer: {said}.",
            "Check `url`, and that the database can be reached from here.",
            key="url",
        )

    def _said(self, error: BaseException) -> str:
        first, _, _ = self.without_secrets(str(error)).partition("\n")
        return first.rstrip(". ")


def _is_file(source: Source) -> str:
    """The hint for a `from` that is called as files are; nothing for any other."""
    if is_select(source.loaded_from) or not _FILE.search(source.loaded_from):
        return ""
    return (
        f'If it is a file, add `url = "{FILES}"` to [source.{source.table}]: all sources without '
        "a `url` of their own are read from the database."
    )


def _problem(
    source: Source, code: str, message: str, hint: str, *, key: str = "from"
) -> ProblemsError:
    """A Problem at the line of a source's `from`, or of another key of it."""
    return problem(code, message, file=source.file, line=source.lines.get(key), hint=hint)


def digest_sql(relation: str) -> str:
    """A select that tells the rows of a relation from others, in whatever order they are."""
    return f"select count(*), sum(cast(hash(t) as hugeint)) from {relation} t"


def is_select(loaded_from: str) -> bool:
    """Whether a `from` is a select of the database, and no table."""
    return _SELECT.match(loaded_from) is not None


def select_text(loaded_from: str) -> str:
    """A select without what may stand at its end."""
    return loaded_from.strip().rstrip(";")


class Connections:
    """The connections of one reading of a workspace's sources; all are closed with the block.
    `extracts` is where what is read is kept for later commands, if it is."""

    def __init__(self, root: Path, extracts: Extracts | None = None) -> None:
        self.root = root
        self.extracts = extracts
        self._opened = ExitStack()
        self._databases: dict[str, Database] = {}

    def to(self, source: Source) -> Database:
        """The database of a source. Raises RS004 for an address that is none, or that needs
        something of the environment, RS016 for a database that cannot be reached."""
        assert source.url is not None
        at = {"file": source.file, "line": source.lines.get("url")}
        whole = with_environment(source.url, at)
        if whole not in self._databases:
            if self.extracts is not None and not self._databases:
                # The lock comes before the transaction, so that the rows in the extracts are never
                # newer than those that the transaction sees.
                self._opened.enter_context(self.extracts.locked())
            # Database toolkits are loaded where a source is in a database, and not before.
            from riskseg.sources.database_opening import open_database

            database = open_database(whole, source, self.root)
            self._opened.callback(database.close)
            self._databases[whole] = database
        return self._databases[whole]

    def __enter__(self) -> Connections:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()
