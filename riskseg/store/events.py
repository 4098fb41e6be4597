"""The journal's events: what was done for accounts and what came of it.

Actions issued, outcomes, approvals, placements on paths, holds, promises and notes, each with the
day it happened and the day it was recorded. Events are added in batches: a batch is one entry of
the journal, bound to the entries before it (see `chain`), and holds the digest of its events. An
event is added once: its id says what it is, and an id that is there already adds nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from riskseg.store.chain import BrokenChainError, next_number
from riskseg.store.event_schema import COLUMNS, SCHEMA, no_events
from riskseg.store.journal_tables import METADATA

_NEEDED = frozenset(COLUMNS[:5])
_ROWS_AT_ONCE = 50_000

EVENTS = sa.Table(
    "events",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("batch_id", sa.Text, nullable=False),
    *(
        sa.Column(name, sa.Text, nullable=name not in _NEEDED, unique=name == "event_id")
        for name in COLUMNS
    ),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Index("ix_events_batch_id", "batch_id"),
    sqlite_autoincrement=True,
)

Event = Mapping[str, str | None]

# The values of a row in the order of the names of their columns, which is that of a digest.
_SORTED = sorted(COLUMNS)
_IN_ORDER = itemgetter(*(EVENTS.c.keys().index(name) for name in _SORTED))
_ENCODED = json.JSONEncoder().encode


def event_id(*parts: object) -> str:
    """The id of the event that the parts describe: the same parts, the same id."""
    text = json.dumps([None if part is None else str(part) for part in parts])
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def digest_of(event: Event) -> str:
    """A digest of all that an event says."""
    return _digest_of_values(event.get(name) for name in _SORTED)


def _digest_of_values(values: Iterable[str | None]) -> str:
    """The same of its values, in the order of the names of their columns."""
    said = {name: value for name, value in zip(_SORTED, values, strict=True) if value is not None}
    return hashlib.sha256(_ENCODED(said).encode()).hexdigest()


def digest_of_batch(digests: Iterable[str]) -> str:
    """The digest of a batch whose events have these digests, in their order."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def new_events(connection: sa.Connection, events: Sequence[Event]) -> list[Event]:
    """Those of the events whose ids are not there yet, each once."""
    ids = list(dict.fromkeys(str(event["event_id"]) for event in events))
    known: set[str] = set()
    for first in range(0, len(ids), _ROWS_AT_ONCE // 100):
        some = ids[first : first + _ROWS_AT_ONCE // 100]
        found = connection.execute(sa.select(EVENTS.c.event_id).where(EVENTS.c.event_id.in_(some)))
        known.update(found.scalars())
    new: dict[str, Event] = {}
    for event in events:
        if event["event_id"] not in known:
            new.setdefault(str(event["event_id"]), event)
    return list(new.values())


def add_events(connection: sa.Connection, batch_id: str, events: Sequence[Event]) -> None:
    """Add the events of a batch."""
    number = next_number(connection, EVENTS)
    for first in range(0, len(events), _ROWS_AT_ONCE):
        rows = [
            {name: event.get(name) for name in COLUMNS}
            | {"number": number + n, "batch_id": batch_id, "digest": digest_of(event)}
            for n, event in enumerate(events[first : first + _ROWS_AT_ONCE], first)
        ]
        connection.execute(EVENTS.insert(), rows)


# The kind of an event whose content was erased: its `account_id` is then a hash of it.
ERASED = "erased"


def count_of_account(connection: sa.Connection, account: str) -> int:
    """How many events there are of an account."""
    of_account = sa.select(sa.func.count()).where(EVENTS.c.account_id == account)
    return int(connection.execute(of_account).scalar_one())


def erase_events(connection: sa.Connection, account: str, hashed: str) -> None:
    """Empty the events of an account. Their digests stay, so that their batches still prove whole,
    and their ids, so that a file which is read again does not bring them back."""
    emptied = {name: "" if name in _NEEDED else None for name in COLUMNS if name != "event_id"}
    connection.execute(
        EVENTS.update()
        .where(EVENTS.c.account_id == account)
        .values({**emptied, "kind": ERASED, "account_id": hashed})
    )


def of_account(events: pa.Table, account: str) -> list[dict[str, Any]]:
    """The events of one account, in the order in which they were added."""
    rows: list[dict[str, Any]] = events.filter(pc.field("account_id") == account).to_pylist()
    return rows


def read_events(
    connection: sa.Connection,
    batches: Mapping[str, str],
    erased: Collection[str] = (),
    *,
    after: int = 0,
) -> pa.Table:
    """Every event `after` a number that was not erased, in the order in which they were added.
    `batches` maps the ids of the batches after it to their digests, `erased` has the hashes of
    accounts that were erased. Raises BrokenChainError where an event is missing, changed, of no
    batch, or emptied for no account that was erased."""
    tables, found, last = [], set(), after
    batch, of_batch = None, hashlib.sha256()
    select = sa.select(EVENTS).where(EVENTS.c.number > after).order_by(EVENTS.c.number)

    def finish(batch_id: str | None) -> None:
        if batch_id is None:
            return
        if batch_id in found or batches.get(batch_id) != of_batch.hexdigest():
            raise BrokenChainError(f"the events of batch {batch_id} are not as they were written")
        found.add(batch_id)

    with connection.execute(select.execution_options(yield_per=_ROWS_AT_ONCE)) as rows:
        for some in rows.partitions():
            numbers, batch_ids, digests, table = _whole(some, erased)
            if numbers != (*range(last + 1, last + 1 + len(numbers)),):
                raise BrokenChainError(
                    f"an event is missing between numbers {last} and {numbers[-1]}"
                )
            last = numbers[-1]
            tables.append(table)
            for batch_id, own in groupby(zip(batch_ids, digests, strict=True), key=itemgetter(0)):
                if batch_id != batch:
                    finish(batch)
                    batch, of_batch = batch_id, hashlib.sha256()
                of_batch.update("".join(digest for _, digest in own).encode())
    finish(batch)
    if missing := sorted(set(batches) - found):
        raise BrokenChainError(f"the events of batch {missing[0]} are gone")
    return pa.concat_tables(tables) if tables else no_events()


def _whole(
    rows: Sequence[Any], erased: Collection[str]
) -> tuple[tuple[int, ...], tuple[str, ...], tuple[str, ...], pa.Table]:
    """The numbers, batches and digests of some events, and those that were not erased as a table.
    Raises BrokenChainError for an event that is not as it was written."""
    values = dict(zip(EVENTS.c.keys(), zip(*rows, strict=True), strict=True))
    try:
        texts = pa.table({name: pa.array(values[name], pa.string()) for name in SCHEMA.names})
        # Those that were erased have no days any more.
        table = texts.filter(pc.field("kind") != ERASED).cast(SCHEMA)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise BrokenChainError(f"an event cannot be read: {error}") from error
    found = zip(values["number"], values["digest"], _digests(texts, rows), strict=True)
    for place, (number, written, digest) in enumerate(found):
        if written != digest and not (
            values["kind"][place] == ERASED and values["account_id"][place] in erased
        ):
            raise BrokenChainError(f"event {number} is not as it was written")
    return values["number"], values["batch_id"], values["digest"], table


# What JSON writes in another way than it is.
_ESCAPED = r"[^ !#-\[\]-~]"


def _digests(texts: pa.Table, rows: Sequence[Any]) -> Iterator[str]:
    """The digest of each of the rows, whose columns are `texts`. A journal has hundreds of
    thousands of events, and every run reads them all: the JSON of a row is put together by column,
    unless a value of it needs escaping."""
    pieces = [pc.binary_join_element_wise(f'"{name}": "', texts[name], '"', "") for name in _SORTED]
    said = pc.binary_join_element_wise(*pieces, ", ", null_handling="skip")
    raw = pc.binary_join_element_wise(*texts.columns, "", null_handling="skip")
    needs_escaping = pc.match_substring_regex(raw, _ESCAPED).to_pylist()
    for place, text in enumerate(said.to_pylist()):
        if needs_escaping[place]:
            yield _digest_of_values(_IN_ORDER(rows[place]))
        else:
            yield hashlib.sha256(f"{{{text}}}".encode()).hexdigest()
