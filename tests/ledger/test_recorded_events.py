"""What riskseg recorded itself counts as an event of the account, beside those of the source."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from riskseg.domain.problems import Problems
from riskseg.pipeline.open_journal import open_journal
from riskseg.store.events import event_id
from riskseg.workspace import open_workspace
from tests.ledger.facts import Account, Bill, Event, write_workspace
from tests.ledger.loading import Row, load_workspace

DAY = date(2025, 3, 10)
ISSUED = {"kind": "action", "path": "p", "step": "sms", "action": "sms", "channel": "sms"}


def record(folder: Path, *events: dict[str, str]) -> None:
    """Record events of the account `a`, on DAY unless they say otherwise."""
    problems = Problems()
    workspace = open_workspace(folder, problems)
    assert workspace is not None
    day = DAY.isoformat()
    whole = [
        {"account_id": "a", "happened_on": day, "recorded_on": day, **event} for event in events
    ]
    with open_journal(workspace) as journal:
        journal.record_events(
            [{**event, "event_id": event_id(*event.items())} for event in whole],
            command="test",
            at=datetime(2025, 3, 10, 12, tzinfo=UTC),
            recorded_on=DAY,
        )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    bill = Bill("b", DAY - timedelta(days=40), 5_000)
    return write_workspace(tmp_path, [Account("a", (bill,), (), ())])


def facts_as_of(folder: Path, day: date) -> Row:
    loaded = load_workspace(folder)
    (row,) = loaded.facts_of(loaded.as_of(day))
    return row


def test_events_that_were_recorded_are_counted_beside_the_sources(tmp_path: Path) -> None:
    bill = Bill("b", DAY - timedelta(days=40), 5_000)
    complaint = Event(DAY - timedelta(days=5), "complaint")
    folder = write_workspace(tmp_path, [Account("a", (bill,), (), (complaint,))])
    record(folder, {"kind": "complaint"}, {"kind": "dispute"}, {"kind": "note"})
    row = facts_as_of(folder, DAY)
    assert (row["complaints_12m"], row["open_disputes"]) == (2, 1)


def test_what_was_recorded_later_is_not_known(folder: Path) -> None:
    record(folder, {"kind": "complaint", "recorded_on": (DAY + timedelta(days=3)).isoformat()})
    counts = [
        facts_as_of(folder, DAY + timedelta(days=days))["complaints_12m"] for days in (0, 2, 3)
    ]
    assert counts == [0, 0, 1]


def test_an_action_that_reaches_the_customer_is_a_contact_from_the_next_day_on(
    folder: Path,
) -> None:
    """On the day itself the list must be the same after issuing as before."""
    record(folder, {**ISSUED, "contact": "yes"}, {**ISSUED, "channel": "desk", "step": "review"})
    rows = [facts_as_of(folder, DAY + timedelta(days=days)) for days in (0, 1, 90)]
    assert [row["contact_attempts_90d"] for row in rows] == [0, 1, 0]


def test_without_a_source_of_events_what_is_recorded_counts(
    tmp_path: Path,
) -> None:
    bill = Bill("b", DAY - timedelta(days=40), 5_000)
    account = Account("a", (bill,), (), ())
    folder = write_workspace(tmp_path, [account])
    assert facts_as_of(folder, DAY)["complaints_12m"] == 0
    record(folder, {"kind": "complaint"})
    assert facts_as_of(folder, DAY)["complaints_12m"] == 1
