"""The digests that bind the journal's entries: an entry that is changed, added out of turn or
removed afterwards is noticed.

The digest of an entry covers what it holds and the digest of the entry before it in its table.
SQLite itself keeps the number of the last entry ever added. This guards against damage and against
edits by hand; it is no signature.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

NUMBER, DIGEST = "number", "digest"


class BrokenChainError(Exception):
    """A table is not what was written to it."""


def entries(connection: sa.Connection, table: str, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Every entry of a table as stored, in order. Raises BrokenChainError."""
    previous, last = "", 0
    found = _stored(connection, table, columns)
    for row in found:
        if row[DIGEST] != _digest(previous, table, row):
            message = f"entry {row[NUMBER]} of {table} is not as it was written"
            raise BrokenChainError(message)
        previous, last = row[DIGEST], row[NUMBER]
    sequence = sa.table("sqlite_sequence", sa.column("name"), sa.column("seq"))
    written = connection.execute(sa.select(sequence.c.seq).where(sequence.c.name == table)).scalar()
    if (written or 0) != last:
        raise BrokenChainError(f"the last entry of {table} is number {last}, not {written}")
    return found


def seal(connection: sa.Connection, table: str, columns: Sequence[str]) -> None:
    """Give the entries that have no digest yet theirs."""
    previous = ""
    sealed = sa.table(table, sa.column(NUMBER), sa.column(DIGEST))
    for row in _stored(connection, table, columns):
        if row[DIGEST] is None:
            row[DIGEST] = _digest(previous, table, row)
            connection.execute(
                sa.update(sealed)
                .where(sealed.c.number == row[NUMBER])
                .values({DIGEST: row[DIGEST]})
            )
        previous = row[DIGEST]


def _stored(connection: sa.Connection, table: str, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Rows as SQLite holds them: no type of ours has a say in what they are."""
    plain = sa.table(table, *(sa.column(name) for name in columns))
    rows = connection.execute(sa.select(plain).order_by(plain.c.number))
    return [dict(row) for row in rows.mappings()]


def _digest(previous: str, table: str, row: Mapping[str, Any]) -> str:
    """Columns without a value do not count, so that a later version may add some."""
    held = {name: v for name, v in row.items() if v is not None and name != DIGEST}
    try:
        message = json.dumps([previous, table, held], sort_keys=True)
    except TypeError as error:  # bytes, which no column of ours holds
        raise BrokenChainError(f"entry {row[NUMBER]} of {table} holds no text") from error
    return hashlib.sha256(message.encode()).hexdigest()
