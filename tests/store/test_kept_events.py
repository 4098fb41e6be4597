"""The events that are kept in a file are those of the journal, however it grows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.store import kept_events
from riskseg.store.journal import Journal
from riskseg.store.records import ErasureRecord

AT = datetime(2026, 1, 1, 9, tzinfo=UTC)
DAYS = [date(2026, 1, 5) + timedelta(days=number) for number in range(4)]


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Journal]:
    monkeypatch.setattr(kept_events, "_WORTH", 1)
    with Journal.open(tmp_path / "journal.db") as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "staged"
    place.mkdir()
    return place


def record(journal: Journal, day: date) -> None:
    events = [
        dict.fromkeys(("happened_on", "recorded_on"), day.isoformat())
        | {"event_id": f"{day} {number}", "account_id": f"a{number}", "kind": "note"}
        for number in range(3)
    ]
    journal.record_events(events, command="note", at=AT, recorded_on=day)


def edit(journal: Journal, tmp_path: Path, number: int) -> None:
    with sqlite3.connect(tmp_path / "journal.db") as connection:
        connection.execute("update events set reason = 'edited' where number = ?", (number,))


def test_the_events_are_the_same_as_the_journal_grows(journal: Journal, folder: Path) -> None:
    for count, day in enumerate(DAYS, start=1):
        record(journal, day)
        for _ in range(2):
            assert journal.events(folder).equals(journal.events())
        assert journal.events(folder).num_rows == 3 * count
        assert len(list(folder.iterdir())) == 1


def test_only_what_was_recorded_since_is_checked(
    journal: Journal, folder: Path, tmp_path: Path
) -> None:
    record(journal, DAYS[0])
    before = journal.events(folder)
    edit(journal, tmp_path, 2)
    # Of what is kept, the journal is not asked again: the events are as they were written.
    assert journal.events(folder).equals(before)
    with pytest.raises(ProblemsError, match="event 2 is not as it was written"):
        journal.events()
    record(journal, DAYS[1])
    assert journal.events(folder).slice(0, 3).equals(before)
    edit(journal, tmp_path, 5)
    kept_events.forget(folder)
    with pytest.raises(ProblemsError, match="event 2 is not"):
        journal.events(folder)


def test_an_edited_event_that_is_new_is_found(
    journal: Journal, folder: Path, tmp_path: Path
) -> None:
    record(journal, DAYS[0])
    journal.events(folder)
    record(journal, DAYS[1])
    edit(journal, tmp_path, 5)
    with pytest.raises(ProblemsError, match="event 5 is not as it was written"):
        journal.events(folder)


def test_an_erased_account_is_in_no_kept_events(journal: Journal, folder: Path) -> None:
    record(journal, DAYS[0])
    assert "a1" in journal.events(folder)["account_id"].to_pylist()
    journal.record_erasure(ErasureRecord(at=AT, by="ann", account="hash", runs=[]), "a1")
    record(journal, DAYS[1])
    found = journal.events(folder)
    assert found.equals(journal.events()) and found.num_rows == 5


@pytest.mark.parametrize("damage", ["truncated", "a bit", "something else"])
def test_what_is_damaged_is_read_anew(journal: Journal, folder: Path, damage: str) -> None:
    record(journal, DAYS[0])
    wanted = journal.events(folder)
    (place,) = folder.iterdir()
    content = bytearray(place.read_bytes())
    if damage == "a bit":
        content[len(content) // 8] ^= 1
    place.write_bytes({"truncated": content[:-40], "a bit": content}.get(damage, b"no parquet"))
    assert journal.events(folder).equals(wanted)


def test_few_events_are_not_kept(
    journal: Journal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_events, "_WORTH", 4)
    record(journal, DAYS[0])
    assert journal.events(folder).num_rows == 3 and not list(folder.iterdir())


def test_a_folder_that_cannot_be_written_to_hinders_nothing(
    journal: Journal, tmp_path: Path
) -> None:
    record(journal, DAYS[0])
    assert journal.events(tmp_path / "nowhere").num_rows == 3
