"""The journal's events are read as they were written, whatever characters they hold."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from riskseg.store import events as store
from riskseg.store.chain import BrokenChainError
from riskseg.store.event_schema import SCHEMA
from riskseg.store.events import EVENTS, Event
from riskseg.store.journal_tables import METADATA

TEXTS = [
    '"',
    "\\",
    "'",
    "é",
    "\x7f",
    "\n",
    "\u2028",
    "😀",
    "{}",
    '", "ref": "',
    "",
    " ",
    "~",
    "a/b",
]
WRITTEN: list[Event] = [
    {
        "event_id": f"e{number}",
        "account_id": f"a{number}{text}",
        "kind": "note",
        "happened_on": "2026-01-02",
        "recorded_on": "2026-01-03",
        "reason": None if number % 3 == 0 else text,
        "amount": "12.50" if number % 2 else None,
    }
    for number, text in enumerate(TEXTS)
]


@pytest.fixture
def connection() -> sa.Connection:
    engine = sa.create_engine("sqlite://")
    METADATA.create_all(engine, tables=[EVENTS])
    return engine.connect()


def batches(connection: sa.Connection) -> dict[str, str]:
    """Write the events as two batches; the digest of each, from those of its events."""
    found = {}
    for batch_id, events in (("b1", WRITTEN[:5]), ("b2", WRITTEN[5:])):
        store.add_events(connection, batch_id, events)
        found[batch_id] = store.digest_of_batch(map(store.digest_of, events))
    return found


def test_any_text_is_read_as_it_was_written(
    connection: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = batches(connection)
    for rows_at_once in (50_000, 7, 5, 1):
        monkeypatch.setattr(store, "_ROWS_AT_ONCE", rows_at_once)
        table = store.read_events(connection, written)
        assert table.schema == SCHEMA
        for row, event in zip(table.to_pylist(), WRITTEN, strict=True):
            said = {name: None if value is None else str(value) for name, value in row.items()}
            assert said == {name: event.get(name) for name in SCHEMA.names}


@pytest.mark.parametrize("number", [1, 5, 6, len(TEXTS)])
@pytest.mark.parametrize("changed", [{"reason": "other"}, {"amount": "1.00"}, {"kind": "erased"}])
def test_a_changed_event_is_found(
    connection: sa.Connection, number: int, changed: dict[str, str]
) -> None:
    written = batches(connection)
    connection.execute(EVENTS.update().where(EVENTS.c.number == number).values(changed))
    with pytest.raises(BrokenChainError, match=f"event {number} is not as it was written"):
        store.read_events(connection, written)


def test_events_of_two_batches_are_not_mixed(connection: sa.Connection) -> None:
    written = batches(connection)
    connection.execute(EVENTS.update().where(EVENTS.c.number == 2).values(batch_id="b2"))
    with pytest.raises(BrokenChainError, match="the events of batch b1 are not as they were"):
        store.read_events(connection, written)
