"""Whatever moment `worklist issue` is killed at, and whoever issues at the same time: no action is
lost, and none is issued twice."""

from __future__ import annotations

import random
import shutil
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from riskseg.store.events import event_id
from riskseg.store.journal import Journal
from riskseg.store.journal_place import JournalPlace, PostgresPlace
from tests.journeys.killing import ISSUE_DOORS, Door, begin_command
from tests.journeys.state_machine import History, Issued, Machine
from tests.journeys.test_state_machine import (
    DAY,
    FIRST,
    issued_in,
    random_history,
    random_paths,
    workspace,
)
from tests.support import treated
from tests.support.postgres import keep_journal_in

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
BUSY = 4


class Followed:
    """Accounts of a workspace, and what ought to be issued to them."""

    def __init__(self, root: Path, journal: JournalPlace | None = None) -> None:
        rng = random.Random(13)  # noqa: S311
        paths = random_paths(rng, 6)
        self.histories: Sequence[History] = [
            random_history(rng, f"a{n}", [*paths], 20) for n in range(120)
        ]
        self.root = workspace(root, paths, self.histories)
        if isinstance(journal, PostgresPlace):
            keep_journal_in(self.root, journal)
        self.machine = Machine(paths)

    def expected(self, days: Sequence[date]) -> dict[str, list[Issued]]:
        found = {h.account: self.machine.follow(h, days) for h in self.histories}
        return {account: issued for account, issued in found.items() if issued}

    def check(self, days: Sequence[date]) -> None:
        assert issued_in(self.root) == self.expected(days)


def words(day: date, out: Path) -> tuple[str, ...]:
    return ("worklist", "issue", "--as-of", day.isoformat(), "--out", str(out))


def ids(list_: Path) -> set[str]:
    return set(pq.read_table(list_)["id"].to_pylist())


def test_killed_at_every_door(tmp_path: Path) -> None:
    killed_at(ISSUE_DOORS, Followed(tmp_path / "workspace"), tmp_path / "list.parquet")


def test_killed_at_the_doors_of_a_journal_in_postgresql(
    tmp_path: Path, postgres_place: PostgresPlace
) -> None:
    names = ("before the events are added", "before the commit", "after the commit")
    doors = {name: ISSUE_DOORS[name] for name in names}
    killed_at(doors, Followed(tmp_path / "workspace", postgres_place), tmp_path / "list.parquet")


def busy_days(followed: Followed, count: int) -> list[date]:
    """The first day, and later ones on which something is issued for the first time."""
    days, day = [FIRST], FIRST
    while len(days) < count:
        day += DAY
        expected = followed.expected([*days, day])
        if any(issued[-1].on == day for issued in expected.values()):
            days.append(day)
    return days


def killed_at(doors: Mapping[str, Door], followed: Followed, out: Path) -> None:
    """One day after another, each killed at a door of its own and then issued again."""
    root = followed.root
    days = busy_days(followed, len(doors) + 1)
    treated.issue(root, days[0])
    recorded = 0
    for number, (door, where) in enumerate(doors.items(), start=1):
        out.unlink(missing_ok=True)
        process = begin_command(root, *words(days[number], out), door=where)
        process.join()
        assert process.exitcode == -signal.SIGKILL, door
        left = ids(out) if out.exists() else None
        expected = followed.expected(days[: number + 1])
        new = {account for account, all_ in expected.items() if all_[-1].on == days[number]}
        assert new, "nothing is due on a day on which the command is killed"
        # All of a day is in the journal, or nothing of it.
        done = door in ("after the commit", "after the journal")
        followed.check(days[: number + done])
        recorded += done
        # What was handed over before it was killed is what is handed over again.
        _, rows = treated.issue(root, days[number])
        assert left in (None, {row["id"] for row in rows})
        followed.check(days[: number + 1])
    assert recorded == sum(door in ("after the commit", "after the journal") for door in doors)


def killed_at_random(root: Path, kills: int, journal: JournalPlace | None = None) -> None:
    followed = Followed(root, journal)
    out = root / "list.parquet"
    rng = random.Random(3)  # noqa: S311
    days = [FIRST]
    treated.issue(followed.root, FIRST)
    took, killed = 0.0, 0
    for number in range(1, kills + 3):
        # Days on which something is due, and others of which nothing is left to do.
        days.append(FIRST + number * DAY)
        begun = time.monotonic()
        process = begin_command(followed.root, *words(days[-1], out))
        if number > 2:  # the first two say how long it takes
            process.join(took * rng.random())
            process.kill()
        process.join()
        took = took if number > 2 else time.monotonic() - begun
        killed += process.exitcode == -signal.SIGKILL
        treated.issue(followed.root, days[-1])
    followed.check(days)
    # On a machine that does other work too, a command may take less than the first two did.
    assert killed > kills / 4


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path: Path) -> None:
    killed_at_random(tmp_path / "workspace", 5)


@pytest.mark.slow  # five of them are tried every time
def test_killed_at_a_hundred_random_moments(place: JournalPlace, tmp_path: Path) -> None:
    killed_at_random(tmp_path / "workspace", 100, place)


def machines(followed: Followed, place: JournalPlace) -> tuple[Path, Path]:
    """The workspaces of two schedulers: two folders, as on two machines, where the journal is in a
    database that they share."""
    if not isinstance(place, PostgresPlace):
        return followed.root, followed.root
    other = followed.root.with_name("another machine")
    return followed.root, Path(shutil.copytree(followed.root, other))


def test_two_schedulers_issue_the_same_day_at_once(place: JournalPlace, tmp_path: Path) -> None:
    """One may find the workspace busy; what is due is issued once."""
    followed = Followed(tmp_path / "workspace", place)
    days = [FIRST + n * DAY for n in range(3)]
    treated.issue(followed.root, days[0])
    roots = machines(followed, place)
    for number, day in enumerate(days[1:], start=1):
        both = [
            begin_command(root, *words(day, root / f"{n}.parquet")) for n, root in enumerate(roots)
        ]
        for process in both:
            process.join()
        codes = sorted(process.exitcode or 0 for process in both)
        assert codes in ([0, 0], [0, BUSY])
        followed.check(days[: number + 1])


def test_two_schedulers_issue_a_day_and_the_next_at_once(
    place: JournalPlace, tmp_path: Path
) -> None:
    """Nothing is issued twice: where the later day comes first, the earlier one is refused."""
    followed = Followed(tmp_path / "workspace", place)
    monday, tuesday = FIRST + 4 * DAY, FIRST + 5 * DAY
    treated.issue(followed.root, FIRST)
    both = [
        begin_command(root, *words(day, root / f"{day}.parquet"))
        for root, day in zip(machines(followed, place), (monday, tuesday), strict=True)
    ]
    for process in both:
        process.join()
    done = [
        day for day, process in zip((monday, tuesday), both, strict=True) if process.exitcode == 0
    ]
    assert done
    followed.check([FIRST, *done])


def test_events_that_two_record_at_once_are_recorded_once(place: JournalPlace) -> None:
    """Even where no lock of the workspace keeps them apart."""
    with Journal.open(place):
        pass
    events = [
        {
            "event_id": event_id("a", n),
            "account_id": f"a{n}",
            "kind": "action",
            "happened_on": "2026-01-05",
            "recorded_on": "2026-01-05",
        }
        for n in range(200)
    ]
    new: list[int] = []

    def record(first: int) -> None:
        with Journal.open(place) as journal:
            mine = events[first : first + 150]
            added = journal.record_events(
                mine, command="worklist issue", at=treated.AT, recorded_on=FIRST
            )
            new.append(len(added))

    threads = [threading.Thread(target=record, args=(first,)) for first in (0, 50, 0, 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(new) == 200
    with Journal.open(place) as journal:
        recorded = journal.events()["event_id"].to_pylist()
    assert sorted(recorded) == sorted(event["event_id"] for event in events)
