"""The journal's entries: records as rows of its tables, each with its digest (see `chain`)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any, TypeVar, get_args

import sqlalchemy as sa

from riskseg.store import chain
from riskseg.store.journal_tables import TABLES, Moment
from riskseg.store.records import (
    ActivationRecord,
    ErasureRecord,
    EventBatchRecord,
    ModelRecord,
    MoveRecord,
    PromotionRecord,
    RunRecord,
    StrategyRecord,
    text_hash,
)

Record = (
    RunRecord
    | ModelRecord
    | PromotionRecord
    | StrategyRecord
    | ActivationRecord
    | ErasureRecord
    | EventBatchRecord
    | MoveRecord
)
R = TypeVar("R", bound=Record)


def latest(connection: sa.Connection, kind: type[R]) -> list[R]:
    """Every entry of a kind, the latest first. Raises BrokenChainError where one is not as
    written."""
    table = TABLES[kind]
    rows = chain.entries(connection, table)
    return [_record(kind, table, row) for row in reversed(rows)]


def add(connection: sa.Connection, record: Record) -> None:
    """Add an entry behind the last one of its kind."""
    latest(connection, type(record))  # nothing is built on what is damaged
    chain.add(connection, TABLES[type(record)], values_of(record))


def _record(kind: type[R], table: sa.Table, row: Mapping[str, Any]) -> R:
    """An entry from what SQLite would hold. Raises BrokenChainError for what no version of ours
    wrote: entries of before there were digests may have been damaged then."""
    try:
        record = kind(**{f.name: _read(table.c[f.name], row[f.name]) for f in fields(kind)})
    except (ValueError, TypeError, RecursionError) as error:
        message = f"entry {row[chain.NUMBER]} of {table.name} cannot be read"
        raise chain.BrokenChainError(message) from error
    if isinstance(record, StrategyRecord) and text_hash(record.files) != record.text:
        message = f"the text of {record.name} {record.fingerprint} is not the one activated"
        raise chain.BrokenChainError(message)
    return record


def _read(column: sa.Column[Any], value: Any) -> Any:
    """A column's value from what SQLite holds. Raises ValueError, TypeError."""
    if value is None:
        if column.nullable:
            return None
        raise ValueError(column.name)
    if isinstance(column.type, Moment):
        return datetime.fromisoformat(value)
    if isinstance(column.type, sa.Date):
        return date.fromisoformat(value)
    if isinstance(column.type, sa.JSON):
        return _read_json(column, json.loads(value))
    kind = str if isinstance(column.type, sa.Text) else int
    if not isinstance(value, kind):
        raise TypeError(column.name)
    return bool(value) if isinstance(column.type, sa.Boolean) else value


def _read_json(column: sa.Column[Any], value: Any) -> Any:
    """A list or mapping, in which there are texts where the record's field has them."""
    holds = column.info["holds"]
    is_list = holds == Sequence[str]
    whole = isinstance(value, list if is_list else dict)
    if whole and get_args(holds)[-1] is str:
        whole = all(isinstance(text, str) for text in (value if is_list else value.values()))
    if not whole:
        raise TypeError(column.name)
    return value


def values_of(record: Record) -> dict[str, Any]:
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    return {
        name: dict(v) if isinstance(v, Mapping) else list(v) if isinstance(v, tuple) else v
        for name, v in values.items()
    }


def content_of(record: Record) -> str:
    """All of a record but its moment, as text: lists and tuples are the same to JSON."""
    values = values_of(record)
    del values["at"]
    return json.dumps(values, default=date.isoformat, sort_keys=True)
