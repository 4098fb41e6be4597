"""The journal moved to another place: every entry is copied, and the old place is left for good.

A move is three transactions:

1. In the new place, all entries, and one that says that the journal was left in the old one. Until
   the third, a journal that ends so is refused by every command.
2. In the old place, the same entry: from here on it is refused, too.
3. In the new place, an entry that says that the journal arrived.

Whatever moment it is killed at, there is one place at most where the journal goes on, and the same
move given again completes it. Whoever calls keeps other commands away from both places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from riskseg.domain.problems import ProblemsError, problem
from riskseg.store import chain
from riskseg.store import events as events_
from riskseg.store.journal_database import JournalDatabase
from riskseg.store.journal_entries import add, latest
from riskseg.store.journal_opening import bring_up_to_date, kind_of_database, revision_of
from riskseg.store.journal_place import JournalPlace
from riskseg.store.journal_tables import METADATA, REVISION, TABLES
from riskseg.store.records import ErasureRecord, EventBatchRecord, MoveRecord

Phase = Literal["check", "copy", "leave"]

_MOVES = TABLES[MoveRecord].name
_NAME_THE_OTHER = "Name the place where it is now in [journal] of riskseg.toml."


@dataclass(frozen=True)
class Content:
    """All that a journal holds: the digests of the entries of each table, in order, and how many
    events there are."""

    digests: Mapping[str, tuple[str, ...]]
    events: int
    is_left: bool

    @property
    def entries(self) -> int:
        return sum(map(len, self.digests.values()))

    def begins(self, other: Content) -> bool:
        """Whether the other one holds every entry of this one, and maybe more behind them."""
        return all(own == other.digests[name][: len(own)] for name, own in self.digests.items())

    def before_it_was_left(self) -> Content:
        if not self.is_left:
            return self
        return replace(self, digests={**self.digests, _MOVES: self.digests[_MOVES][:-1]})


@dataclass(frozen=True)
class Moved:
    """The places as they may be shown, what was moved, and whether that had been done before."""

    source: str
    target: str
    content: Content
    done_before: bool


def move(
    source: JournalPlace,
    target: JournalPlace,
    *,
    at: datetime,
    by: str,
    reached: Callable[[Phase], None] = lambda _phase: None,
) -> Moved:
    """Move the journal; `reached` is called as each phase begins.

    Raises RS603 where it is not whole, RS619 where there is none, where it was moved to a third
    place, or where the new place holds what this journal does not.
    """
    reached("check")
    with _database(source) as old:
        content = _brought_up_to_date(old)
        with _database(target, new=not content.is_left) as new:
            if content.is_left:
                done_before = _is_complete(old, new, content)
            else:
                done_before = False
                left = MoveRecord(at=at, by=by, source=old.name, target=new.name, arrived=False)
                reached("copy")
                content = _copy(old, new, content, left)
                reached("leave")
                _leave(old, content, left)
            if not done_before:
                with new.writing() as connection:
                    last = latest(connection, MoveRecord)[0]
                    add(connection, replace(last, at=at, by=by, arrived=True))
            return Moved(old.name, new.name, content, done_before)


def events_left_behind(place: JournalPlace, account: str) -> int:
    """How many events of an account there are in a place that the journal may have left."""
    database = kind_of_database(place).to_read(place)
    if database is None:
        return 0
    with closing(database), database.reading() as connection:
        if revision_of(database, connection) != REVISION:
            return 0
        return events_.count_of_account(connection, account)


@contextmanager
def _database(place: JournalPlace, *, new: bool = False) -> Iterator[JournalDatabase]:
    """The database at a place, to write in. Raises RS619 where nothing is there and it is not to be
    a `new` one."""
    kind = kind_of_database(place)
    database = kind.to_write(place)
    if not new:
        there = kind.to_read(place)
        if there is None:
            raise _immovable(f"There is no journal in {database.name}.", _NAME_THE_OTHER)
        there.close()
    try:
        yield database
    finally:
        database.close()


def _brought_up_to_date(old: JournalDatabase) -> Content:
    """What the journal holds, checked entry by entry and event by event."""
    with old.reading() as connection:
        current = revision_of(old, connection) == REVISION
    if not current:
        with old.writing() as connection:
            bring_up_to_date(old, connection)
    with old.reading() as connection:
        return _whole(connection)


def _copy(
    old: JournalDatabase, new: JournalDatabase, content: Content, left: MoveRecord
) -> Content:
    """Copy the journal in one transaction, in place of a beginning of it that may be there; what
    is then in both places once it is left."""
    with old.reading() as here, new.writing() as there:
        bring_up_to_date(new, there)
        found = _content_of(there)
        if not found.before_it_was_left().begins(content):
            raise _immovable(
                f"There is a journal in {new.name} already, with entries that the one in "
                f"{old.name} does not have.",
                "Name a place that is empty, as `schema` another one. To go on with the journal "
                "that is there, name it in [journal] of riskseg.toml.",
            )
        new.forget_for_good(there)
        for table in reversed(METADATA.sorted_tables):
            chain.empty(there, table)
        for table in METADATA.sorted_tables:
            copy = chain.copy_rows if table is events_.EVENTS else chain.copy_entries
            try:
                copy(here, there, table)
            except sa.exc.DataError as error:
                said, _, _ = str(error.orig).partition("\n")
                raise _immovable(
                    f"{new.name} cannot hold what is in {table.name} of the journal: {said}.",
                    "Name a database whose encoding is UTF8. Text with NUL characters has no place "
                    "in PostgreSQL.",
                ) from error
        copied = _whole(there)
        if copied != content:
            raise new.edited("what was copied into it is not what the journal holds")
        add(there, left)
        return _content_of(there)


def _leave(old: JournalDatabase, content: Content, left: MoveRecord) -> None:
    """Say in the old place that the journal is not there any more."""
    with old.writing() as connection:
        add(connection, left)
        if _content_of(connection) != content:
            raise old.busy()  # somebody added entries while it was copied


def _is_complete(old: JournalDatabase, new: JournalDatabase, content: Content) -> bool:
    """Whether the journal arrived in the new place already, as it was left in the old one. Raises
    RS619 where it was moved to another place."""
    with new.reading() as connection:
        found = _content_of(connection) if revision_of(new, connection) == REVISION else None
        if found is not None and content.begins(found):
            return found.digests[_MOVES] != content.digests[_MOVES]
    with old.reading() as connection:
        moved = latest(connection, MoveRecord)[0]
    raise _immovable(
        f"{moved.by} moved the journal in {old.name} to {moved.target} at "
        f"{moved.at.isoformat()}, and it is not in {new.name}.",
        _NAME_THE_OTHER,
    )


def _whole(connection: sa.Connection) -> Content:
    """What a journal holds, its events checked too."""
    content = _content_of(connection)
    batches = {batch.batch_id: batch.sha256 for batch in latest(connection, EventBatchRecord)}
    erased = {erasure.account for erasure in latest(connection, ErasureRecord)}
    events_.read_events(connection, batches, erased)
    return content


def _content_of(connection: sa.Connection) -> Content:
    """What a journal holds, its entries checked. Raises BrokenChainError."""
    moves = latest(connection, MoveRecord)
    count = sa.select(sa.func.count()).select_from(events_.EVENTS)
    return Content(
        digests={table.name: chain.digests(connection, table) for table in TABLES.values()},
        events=int(connection.execute(count).scalar_one()),
        is_left=bool(moves) and not moves[0].arrived,
    )


def _immovable(what: str, hint: str) -> ProblemsError:
    return problem("RS619", what, hint=hint)
