"""The journal's tables as this version of riskseg reads them.

Migrations repeat them on purpose: a migration is history and stays as it was written. A test
holds the two together.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

# The newest migration's revision, so that opening an up-to-date journal loads no migrations.
REVISION = "0003"

# Not Alembic's usual name: a database of some other application is not taken for a journal.
VERSION_TABLE = "journal_version"


class Moment(sa.types.TypeDecorator[datetime]):
    """A date and time as ISO 8601 text: SQLite's own type would drop the time zone."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


METADATA = sa.MetaData()


def _number() -> sa.Column[int]:
    """Entries are ordered by the number they got when written, never by a clock."""
    return sa.Column("number", sa.Integer, primary_key=True, autoincrement=True)


def _digest() -> sa.Column[str]:
    """What binds an entry to those before it: see `chain`. It has one once it is written."""
    return sa.Column("digest", sa.Text)


def _definitions() -> sa.Column[Any]:
    """Entries of before there were any have none."""
    return sa.Column("definitions", sa.JSON(none_as_null=True))


RUNS = sa.Table(
    "runs",
    METADATA,
    _number(),
    sa.Column("run_id", sa.Text, nullable=False, index=True),
    sa.Column("command", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("riskseg_version", sa.Text, nullable=False),
    sa.Column("as_of", sa.Date),
    sa.Column("arguments", sa.JSON, nullable=False),
    sa.Column("output", sa.Text),
    sa.Column("output_sha256", sa.Text),
    sa.Column("rows", sa.Integer),
    sa.Column("strategy", sa.Text),
    sa.Column("models", sa.JSON, nullable=False),
    sa.Column("sources", sa.JSON, nullable=False),
    sa.Column("activated", sa.Boolean, nullable=False),
    _definitions(),
    _digest(),
    sqlite_autoincrement=True,
)

MODELS = sa.Table(
    "models",
    METADATA,
    _number(),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("metrics", sa.JSON, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.UniqueConstraint("model", "version", name="one_record_a_version"),
    _digest(),
    sqlite_autoincrement=True,
)

PROMOTIONS = sa.Table(
    "promotions",
    METADATA,
    _number(),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.ForeignKeyConstraint(
        ["model", "version"], ["models.model", "models.version"], name="promoted_version"
    ),
    _digest(),
    sqlite_autoincrement=True,
)

STRATEGIES = sa.Table(
    "strategies",
    METADATA,
    _number(),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("files", sa.JSON, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.UniqueConstraint("fingerprint", "text", name="one_record_a_text"),
    _digest(),
    sqlite_autoincrement=True,
)

ACTIVATIONS = sa.Table(
    "activations",
    METADATA,
    _number(),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("effective_from", sa.Date, nullable=False),
    sa.Column("proof", sa.JSON, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    _definitions(),
    sa.Column("riskseg_version", sa.Text),
    sa.ForeignKeyConstraint(
        ["fingerprint", "text"],
        ["strategies.fingerprint", "strategies.text"],
        name="activated_text",
    ),
    _digest(),
    sqlite_autoincrement=True,
)

ERASURES = sa.Table(
    "erasures",
    METADATA,
    _number(),
    sa.Column("at", Moment, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("runs", sa.JSON, nullable=False),
    _digest(),
    sqlite_autoincrement=True,
)
