"""The journal's tables as this version of riskseg reads them: a table for each kind of record, a
column for each of its fields.

Migrations repeat them on purpose: a migration is history and stays as it was written. A test
holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import Any, get_args, get_type_hints

import sqlalchemy as sa

from riskseg.store.records import (
    ActivationRecord,
    ErasureRecord,
    EventBatchRecord,
    ModelRecord,
    MoveRecord,
    PromotionRecord,
    RunRecord,
    StrategyRecord,
)

# The newest migration's revision, so that opening an up-to-date journal loads no migrations.
REVISION = "0008"

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
# What a field holds, and how; anything else is JSON.
_TYPES: Mapping[Any, type[sa.types.TypeEngine[Any]]] = {
    str: sa.Text,
    int: sa.Integer,
    bool: sa.Boolean,
    date: sa.Date,
    datetime: Moment,
}


def _table(name: str, record: type, *constraints: sa.schema.SchemaItem) -> sa.Table:
    hints = get_type_hints(record)
    return sa.Table(
        name,
        METADATA,
        # Entries are ordered by the number they got when written, never by a clock.
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        *(_column(field.name, hints[field.name]) for field in fields(record)),
        # What binds an entry to those before it: see `chain`. It has one once it is written.
        sa.Column("digest", sa.Text),
        *constraints,
        sqlite_autoincrement=True,
    )


def _column(name: str, hint: Any) -> sa.Column[Any]:
    nullable = type(None) in get_args(hint)
    held = get_args(hint)[0] if nullable else hint
    stored = _TYPES[held]() if held in _TYPES else sa.JSON(none_as_null=True)
    return sa.Column(name, stored, nullable=nullable, info={"holds": held})


TABLES: Mapping[type, sa.Table] = {
    RunRecord: _table("runs", RunRecord, sa.Index("ix_runs_run_id", "run_id")),
    ModelRecord: _table(
        "models",
        ModelRecord,
        sa.UniqueConstraint("model", "version", name="one_record_a_version"),
    ),
    PromotionRecord: _table(
        "promotions",
        PromotionRecord,
        sa.ForeignKeyConstraint(
            ["model", "version"], ["models.model", "models.version"], name="promoted_version"
        ),
    ),
    StrategyRecord: _table(
        "strategies",
        StrategyRecord,
        sa.UniqueConstraint("fingerprint", "text", name="one_record_a_text"),
    ),
    ActivationRecord: _table(
        "activations",
        ActivationRecord,
        sa.ForeignKeyConstraint(
            ["fingerprint", "text"],
            ["strategies.fingerprint", "strategies.text"],
            name="activated_text",
        ),
    ),
    ErasureRecord: _table("erasures", ErasureRecord),
    EventBatchRecord: _table("event_batches", EventBatchRecord),
    MoveRecord: _table("moves", MoveRecord),
}
