"""A journal that is moved: whole, killed anywhere, and never in use in two places."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.store import journal_move
from riskseg.store.journal import Journal
from riskseg.store.journal_move import move
from riskseg.store.journal_place import JournalPlace, PostgresPlace
from riskseg.store.records import ErasureRecord
from tests.store.test_damaged_journal import AT, DAYS, READING, fill, model_of, run_of


@pytest.fixture(params=["to PostgreSQL", "to SQLite", "to another file"])
def ends(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[JournalPlace, JournalPlace]:
    """A journal with entries of each kind, and where it is to be."""
    file = tmp_path / "journal.db"
    if request.param == "to another file":
        source, target = file, tmp_path / "other" / "journal.db"
    else:
        database: PostgresPlace = request.getfixturevalue("postgres_place")
        both: list[JournalPlace] = [file, database]
        source, target = both if request.param == "to PostgreSQL" else both[::-1]
    with Journal.open(source) as journal:
        fill(journal)
        journal.record_events([event("é\n\"'", 1)], command="c", at=AT, recorded_on=DAYS[0])
        journal.record_events([event("gone", 2)], command="c", at=AT, recorded_on=DAYS[0])
        erasure = ErasureRecord(at=AT, by="ann", account="ab" * 32, runs=[])
        journal.record_erasure(erasure, "gone")
    return source, target


def event(account: str, number: int) -> dict[str, str | None]:
    of_day = {"happened_on": "2026-03-01", "recorded_on": "2026-03-02"}
    return {"event_id": f"e{number}", "account_id": account, "kind": "note", **of_day}


def all_of(place: JournalPlace) -> dict[str, Any]:
    with Journal.open_to_read(place) as journal:
        return {name: ask(journal) for name, ask in READING.items() if name != "moves"}


def refused(place: JournalPlace) -> str:
    """What every command says of a place where the journal is not in use."""
    for open_it in (Journal.open, Journal.open_to_read):
        with pytest.raises(ProblemsError) as raised:
            open_it(place)
    [found] = raised.value.problems
    assert found.code == "RS603"
    return str(found)


def test_everything_is_moved_there_and_back(ends: tuple[JournalPlace, JournalPlace]) -> None:
    source, target = ends
    before = all_of(source)
    moved = move(source, target, at=AT, by="ann")
    assert all_of(target) == before
    assert moved.content.events == 4 and not moved.done_before
    assert "ann moved this journal to" in refused(source)
    with Journal.open(target) as journal:
        journal.record_run(run_of(date(2026, 4, 1)))
        journal.record_events([event("a", 3)], command="c", at=AT, recorded_on=DAYS[0])
    later = all_of(target)
    move(target, source, at=AT + timedelta(1), by="bob")
    assert all_of(source) == later != before
    assert "bob moved this journal" in refused(target)
    with Journal.open(source) as journal:
        journal.record_model(model_of("v3"))
        assert [(m.by, m.arrived) for m in journal.moves()[:4]] == [
            ("bob", True),
            ("bob", False),
            ("ann", True),
            ("ann", False),
        ]


def test_a_move_that_is_given_again_changes_nothing(
    ends: tuple[JournalPlace, JournalPlace],
) -> None:
    source, target = ends
    move(source, target, at=AT, by="ann")
    with Journal.open(target) as journal:
        journal.record_model(model_of("v3"))
    before = all_of(target)
    assert move(source, target, at=AT, by="bob").done_before
    assert all_of(target) == before


class Killed(BaseException):
    """In the place of kill -9: whatever was not committed is undone."""


def kill(monkeypatch: pytest.MonkeyPatch, where: str, after: bool, call: int) -> None:
    original: Callable[..., Any] = getattr(journal_move, where)
    calls = iter(range(1, 99))

    def deadly(*given: Any, **named: Any) -> Any:
        last = next(calls) == call
        if last and not after:
            raise Killed
        answer = original(*given, **named)
        if last:
            raise Killed
        return answer

    monkeypatch.setattr(journal_move, where, deadly)


# Where it dies, and at which call; whether the old place is still in use then.
DOORS = [
    ("_copy", False, 1, True),
    ("bring_up_to_date", True, 1, True),
    ("_whole", False, 2, True),
    ("_copy", True, 1, True),
    ("_leave", True, 1, False),
    ("add", False, 3, False),
    ("add", True, 3, False),
]


@pytest.mark.parametrize(("where", "after", "call", "old_goes_on"), DOORS)
def test_whatever_moment_it_is_killed_at(
    ends: tuple[JournalPlace, JournalPlace],
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    after: bool,
    call: int,
    old_goes_on: bool,
) -> None:
    """No two places go on, and the same move completes it."""
    source, target = ends
    before = all_of(source)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill(patch, where, after, call)
        move(source, target, at=AT, by="ann")
    if old_goes_on:
        with Journal.open(source) as journal:
            journal.record_model(model_of("v3"))
        before = all_of(source)
        if where == "_copy" and after:
            assert "is not complete" in refused(target)
    else:
        assert "ann moved this journal" in refused(source)
        assert "is not complete" in refused(target)
    assert not move(source, target, at=AT, by="bob").done_before
    assert all_of(target) == before
    assert "moved this journal" in refused(source)
    assert move(source, target, at=AT, by="bob").done_before


def test_a_place_with_another_history_is_refused(
    ends: tuple[JournalPlace, JournalPlace],
) -> None:
    source, target = ends
    with Journal.open(target) as journal:
        journal.record_model(model_of("other"))
    before, there = all_of(source), all_of(target)
    with pytest.raises(ProblemsError, match=r"RS619 .*with entries that the one in .* does not"):
        move(source, target, at=AT, by="ann")
    assert (all_of(source), all_of(target)) == (before, there)


def test_an_empty_journal_is_filled(ends: tuple[JournalPlace, JournalPlace]) -> None:
    source, target = ends
    Journal.open(target).close()
    before = all_of(source)
    move(source, target, at=AT, by="ann")
    assert all_of(target) == before


def test_two_that_went_on_from_a_copy_are_not_joined(tmp_path: Path) -> None:
    source, copy = tmp_path / "a.db", tmp_path / "b.db"
    with Journal.open(source) as journal:
        fill(journal)
    copy.write_bytes(source.read_bytes())
    for place, version in ((source, "x"), (copy, "y")):
        with Journal.open(place) as journal:
            journal.record_model(model_of(version))
    with pytest.raises(ProblemsError, match="RS619"):
        move(source, copy, at=AT, by="ann")


def test_where_it_was_moved_before_it_is_not_moved_from_again(tmp_path: Path) -> None:
    places = [tmp_path / f"{name}.db" for name in "abc"]
    with Journal.open(places[0]) as journal:
        fill(journal)
    move(places[0], places[1], at=AT, by="ann")
    with pytest.raises(ProblemsError, match=r"RS619 .*There is no journal in .*c\.db"):
        move(places[0], places[2], at=AT, by="ann")
    Journal.open(places[2]).close()
    with pytest.raises(ProblemsError, match=r"RS619 .*ann moved the journal in .*to .*b\.db"):
        move(places[0], places[2], at=AT, by="ann")
    with pytest.raises(ProblemsError, match=r"RS619 .*There is no journal in .*d\.db"):
        move(tmp_path / "d.db", places[1], at=AT, by="ann")


def tampered(place: JournalPlace) -> None:
    with Journal.open(place) as journal, journal._writing() as connection:
        connection.exec_driver_sql("update events set reason = 'other' where number = 3")


def test_a_damaged_journal_is_not_moved(ends: tuple[JournalPlace, JournalPlace]) -> None:
    source, target = ends
    tampered(source)
    with pytest.raises(ProblemsError, match=r"RS603 .*event 3 is not as it was written"):
        move(source, target, at=AT, by="ann")
    with Journal.open_to_read(target) as journal:
        assert journal.runs() == []
    with Journal.open(source) as journal:
        assert journal.runs()


def test_who_had_opened_it_before_adds_nothing_afterwards(
    ends: tuple[JournalPlace, JournalPlace],
) -> None:
    """Even where no lock of the workspace keeps them apart."""
    source, target = ends
    with Journal.open(source) as journal:
        move(source, target, at=AT, by="ann")
        with pytest.raises(ProblemsError, match=r"RS603 .*ann moved this journal"):
            journal.record_model(model_of("v3"))


def test_what_postgresql_cannot_hold(tmp_path: Path, postgres_place: PostgresPlace) -> None:
    source = tmp_path / "journal.db"
    with Journal.open(source) as journal:
        journal.record_events([event("a\0b", 1)], command="c", at=AT, recorded_on=DAYS[0])
    before = all_of(source)
    with pytest.raises(ProblemsError, match=r"RS619 .*cannot hold what is in events"):
        move(source, postgres_place, at=AT, by="ann")
    assert all_of(source) == before
