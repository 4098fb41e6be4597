"""Where a journal is kept: a SQLite file, or a schema of a PostgreSQL database."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PostgresPlace:
    """A schema of a PostgreSQL database. `url` is its whole address, password included: it is
    never shown."""

    url: str = field(repr=False)
    schema: str


JournalPlace = Path | PostgresPlace
