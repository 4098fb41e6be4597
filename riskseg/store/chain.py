"""The digests that bind the journal's entries: an entry that is changed, added out of turn or
removed afterwards is noticed.

The digest of an entry covers what it holds and the digest of the entry before it in its table. The
number of the last entry ever added is kept beside the tables: SQLite does so itself. This guards
against damage and against edits by hand; it is no signature.

An entry has the same digest in every database: what counts of a value is what SQLite holds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

NUMBER, DIGEST = "number", "digest"
# Before the name of a column: the value that is given for it.
_GIVEN = "given_"
_ROWS_AT_ONCE = 50_000

_SQLITE_SEQUENCE = sa.table("sqlite_sequence", sa.column("name"), sa.column("seq"))
# What other databases have in its place.
LAST_NUMBERS = sa.table("last_numbers", sa.column("name"), sa.column("seq"))


class BrokenChainError(Exception):
    """A table is not what was written to it."""


def entries(connection: sa.Connection, table: sa.TableClause) -> list[dict[str, Any]]:
    """Every entry of a table as SQLite would hold it, in order. Raises BrokenChainError."""
    previous, last = "", 0
    found = _stored(connection, table)
    for row in found:
        if row[DIGEST] != _digest(previous, table.name, row):
            message = f"entry {row[NUMBER]} of {table.name} is not as it was written"
            raise BrokenChainError(message)
        previous, last = row[DIGEST], row[NUMBER]
    sequence = _sequence(connection)
    written = connection.execute(
        sa.select(sequence.c.seq).where(sequence.c.name == table.name)
    ).scalar()
    if (written or 0) != last:
        raise BrokenChainError(f"the last entry of {table.name} is number {last}, not {written}")
    return found


def add(connection: sa.Connection, table: sa.Table, values: Mapping[str, Any]) -> None:
    """Add an entry behind the last one."""
    number = next_number(connection, table)
    connection.execute(table.insert().values({**values, NUMBER: number}))
    _keep_last_number(connection, table, number)
    seal(connection, table)


def _keep_last_number(connection: sa.Connection, table: sa.TableClause, number: int) -> None:
    """Keep the number of the last entry ever added, where the database does not do so itself."""
    if not _is_sqlite(connection):
        connection.execute(sa.delete(LAST_NUMBERS).where(LAST_NUMBERS.c.name == table.name))
        connection.execute(sa.insert(LAST_NUMBERS).values(name=table.name, seq=number))


def digests(connection: sa.Connection, table: sa.TableClause) -> tuple[str, ...]:
    """The digests of the entries of a table, in order. Raises BrokenChainError."""
    return tuple(row[DIGEST] for row in entries(connection, table))


def empty(connection: sa.Connection, table: sa.Table) -> None:
    """Remove all rows of a table, to make room for those of a copy."""
    connection.execute(sa.delete(table))
    sequence = _sequence(connection)
    connection.execute(sa.delete(sequence).where(sequence.c.name == table.name))


def copy_entries(source: sa.Connection, target: sa.Connection, table: sa.Table) -> None:
    """Add all entries of a table to the empty one of another journal, with their digests."""
    copy_rows(source, target, table)
    if last := next_number(source, table) - 1:
        _keep_last_number(target, table, last)


def copy_rows(source: sa.Connection, target: sa.Connection, table: sa.Table) -> None:
    """Add all rows of a table to that of another journal, exactly as SQLite would hold them."""
    plain = sa.table(table.name, *(sa.column(column.name) for column in table.columns))
    given = {column.name: _from_sqlite(target, column) for column in table.columns}
    insert = sa.insert(plain).values(given)
    names = [_GIVEN + name for name in given]
    select = _select(source, table).execution_options(yield_per=_ROWS_AT_ONCE)
    with source.execute(select) as found:
        for rows in found.partitions():
            target.execute(insert, [dict(zip(names, row, strict=True)) for row in rows])


def next_number(connection: sa.Connection, table: sa.Table) -> int:
    """The number of the next row of a table. A database's own could leave some out."""
    last = connection.execute(sa.select(sa.func.max(table.c.number))).scalar()
    return (last or 0) + 1


def seal(connection: sa.Connection, table: sa.TableClause) -> None:
    """Give the entries that have no digest yet theirs."""
    previous = ""
    sealed = sa.table(table.name, sa.column(NUMBER), sa.column(DIGEST))
    for row in _stored(connection, table):
        if row[DIGEST] is None:
            row[DIGEST] = _digest(previous, table.name, row)
            connection.execute(
                sa.update(sealed)
                .where(sealed.c.number == row[NUMBER])
                .values({DIGEST: row[DIGEST]})
            )
        previous = row[DIGEST]


def _stored(connection: sa.Connection, table: sa.TableClause) -> list[dict[str, Any]]:
    """Rows as SQLite holds them: no type of ours has a say in what they are."""
    return [dict(row) for row in connection.execute(_select(connection, table)).mappings()]


def _select(connection: sa.Connection, table: sa.TableClause) -> sa.Select[Any]:
    plain = sa.table(table.name, *(sa.column(column.name) for column in table.columns))
    chosen = plain.columns if _is_sqlite(connection) else map(_as_in_sqlite, table.columns)
    return sa.select(*chosen).select_from(plain).order_by(plain.c.number)


def _as_in_sqlite(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """A column of another database as SQLite holds it: dates and JSON are texts, a truth is 0 or
    1."""
    stored: sa.ColumnElement[Any] = sa.column(column.name)
    if isinstance(column.type, sa.Date):
        return sa.func.to_char(stored, "YYYY-MM-DD").label(column.name)
    if isinstance(column.type, sa.JSON):
        return sa.cast(stored, sa.Text).label(column.name)
    if isinstance(column.type, sa.Boolean):
        return sa.cast(stored, sa.Integer).label(column.name)
    return stored


def _from_sqlite(connection: sa.Connection, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """The value for a column, given as SQLite holds it."""
    if _is_sqlite(connection):
        return sa.bindparam(_GIVEN + column.name)
    held = sa.Integer() if isinstance(column.type, sa.Integer | sa.Boolean) else sa.Text()
    return sa.cast(sa.bindparam(_GIVEN + column.name, type_=held), column.type)


def _sequence(connection: sa.Connection) -> sa.TableClause:
    """Where the numbers of the last entries ever added are kept."""
    return _SQLITE_SEQUENCE if _is_sqlite(connection) else LAST_NUMBERS


def _is_sqlite(connection: sa.Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _digest(previous: str, table: str, row: Mapping[str, Any]) -> str:
    """Columns without a value do not count, so that a later version may add some."""
    held = {name: v for name, v in row.items() if v is not None and name != DIGEST}
    try:
        message = json.dumps([previous, table, held], sort_keys=True)
    except TypeError as error:  # bytes, which no column of ours holds
        raise BrokenChainError(f"entry {row[NUMBER]} of {table} holds no text") from error
    return hashlib.sha256(message.encode()).hexdigest()
