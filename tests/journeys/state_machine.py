"""One account's treatment, followed day by day in plain Python: when is what issued.

It knows nothing of the engine, its SQL or the checked strategy. It reads paths as they are written
in paths.yaml, and the account's bills, payments and attributes as they stand in the files. What it
remembers from one day to the next is what was issued, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

Paths = Mapping[str, Mapping[str, Any]]
DAY = timedelta(days=1)
# The least overdue balance that counts as arrears, as in riskseg.toml where nothing is said.
ARREARS_FROM = Decimal(5)


@dataclass(frozen=True)
class Bill:
    due_on: date
    amount: Decimal
    known_on: date


@dataclass(frozen=True)
class Payment:
    """`reversed_on` is the day on which it became known that the payment was reversed."""

    paid_on: date
    amount: Decimal
    known_on: date
    reversed_on: date | None = None


@dataclass(frozen=True)
class Dispute:
    """A dispute of an amount of a bill, or of all of it, by its place in the history. It is open
    from the day it is known until its answer is; what is upheld stays out of what is owed."""

    bill: int
    amount: Decimal | None
    raised_on: date
    known_on: date
    answer: str | None = None
    answered_on: date | None = None

    def takes_off(self, known: date) -> bool:
        """Whether what is disputed is not owed, as it is known at the close of a day."""
        answered = self.answered_on is not None and self.answered_on <= known
        return self.known_on <= known and (not answered or self.answer == "upheld")


@dataclass(frozen=True)
class Space:
    """A breathing space: both days included, nothing is done, and the days do not count."""

    first: date
    last: date | None
    known_on: date


@dataclass(frozen=True)
class History:
    """What happens to an account. On the days of `held`, both included, no action is taken. A
    `protected` account gets a letter in the place of a call or a visit. Its segment leads to
    `path`, until it changes on one of the days of `changes`."""

    account: str
    path: str
    bills: tuple[Bill, ...]
    payments: tuple[Payment, ...] = ()
    held: tuple[date, date] | None = None
    protected: bool = False
    spaces: tuple[Space, ...] = ()
    changes: tuple[tuple[date, str], ...] = ()
    disputes: tuple[Dispute, ...] = ()

    def path_on(self, day: date) -> str:
        """The path that the segment leads to on a day."""
        return [self.path, *(path for changed_on, path in self.changes if changed_on <= day)][-1]


@dataclass(frozen=True)
class Place:
    """The path that an account is on, since when, and from which one it came in this episode."""

    path: str
    entered: date
    before: str | None


@dataclass(frozen=True)
class Occurrence:
    """A step of a path, or of one that it goes on to, on a day counted from the start of the first.
    One that comes again is another occurrence, with a number behind its name."""

    path: str
    step: str
    action: str
    day: int
    must: bool
    due_for: int | None


@dataclass(frozen=True)
class Issued:
    """`episode` is day 0 of the route. A step of an episode is issued once."""

    on: date
    episode: date
    path: str
    step: str
    action: str


@dataclass
class Machine:
    """Follows accounts on these paths. `significant` actions are not issued, since nobody approves
    them."""

    paths: Paths
    significant: frozenset[str] = frozenset({"agency"})
    _unfolded: dict[str, list[Occurrence]] = field(default_factory=dict)

    def follow(self, history: History, days: Iterable[date]) -> list[Issued]:
        """What is issued, where the worklist is issued on these days; one may come several
        times."""
        issued: list[Issued] = []
        placed: list[tuple[date, str]] = []
        for day in days:
            place = self.place(history, day, [one for one in placed if one[0] < day])
            if not placed or placed[-1][1] != place.path:
                placed.append((day, place.path))
            done = self.on_day(history, day, place, [one for one in issued if one.on < day])
            if done is None or any(_same_step(done, one) or one.on == day for one in issued):
                continue
            issued.append(done)
        return issued

    def place(self, history: History, today: date, placed: list[tuple[date, str]]) -> Place:
        """Where an account is on a day, when it was seen on these paths before."""
        led = history.path_on(today)
        start = in_arrears_since(history, today)
        if not placed:
            return Place(led, today, None)
        since, path = placed[-1]
        entered = since if start is None else max(since, start)
        same_episode = start is None or start <= since
        rules = self.paths[path]
        for_days = int(str(rules.get("hold_for", 0)).split()[0])
        held = rules.get("on_change") == "stay" or today < entered + for_days * DAY
        held = held and not self.paths[led].get("at_once")
        if path == led or (same_episode and held):
            earlier = len(placed) > 1 and (start is None or start < since)
            return Place(path, entered, placed[-2][1] if earlier else None)
        return Place(led, today, path if same_episode else None)

    def on_day(
        self, history: History, today: date, place: Place, before: list[Issued]
    ) -> Issued | None:
        """What is issued on a day, when so much was issued before it."""
        rules = self.paths[place.path]
        on_entry = rules.get("starts") == "entered_on"
        start = place.entered if on_entry else in_arrears_since(history, today)
        if start is None or in_space(history, today, today):
            return None
        if place.before is None:
            lifted = rules.get("backlog") == "from_start"
        else:
            lifted = self.paths[place.before].get("on_change") == "restart"
        start = max(start, place.entered) if lifted else start
        day = self.days_counted(history, start, today)
        least = None
        if rules.get("backlog") == "at_day" and place.before is None:
            least = day - self.days_counted(history, place.entered, today)
        due = self.due(place.path, start, day, before, least)
        if due is None:
            return None
        if history.held is not None and history.held[0] <= today <= history.held[1]:
            return None
        action = due.action
        if history.protected and action in ("call", "visit"):
            action = "letter"
        if action in self.significant:
            return None
        return Issued(today, start, due.path, due.step, action)

    def days_counted(self, history: History, start: date, today: date) -> int:
        """The days since another, less those on which the clock stood."""
        days = (today - start).days
        return sum(not in_space(history, start + n * DAY, today) for n in range(1, days + 1))

    def due(
        self, path: str, start: date, today: int, before: list[Issued], least: int | None
    ) -> Occurrence | None:
        """The occurrence of a step that is due on a day of the path, whose day 0 is `start`; those
        of days before `least` are passed over."""
        whole = self.unfolded(path)
        done = {(one.path, one.step) for one in before if one.on >= start}
        # What was done on paths that are not of the route counts, as often as it was done.
        route = {one.path for one in whole}
        others = [one.action for one in before if one.on >= start and one.path not in route]
        for n, one in enumerate(whole):
            first = [o for o in whole[: n + 1] if "~" not in o.step and o.action == one.action]
            if "~" not in one.step and others.count(one.action) >= len(first):
                done.add((one.path, one.step))
        reached = [one for one in whole if one.day <= today]
        # Where day 0 has moved, a later occurrence may have been issued since, and not the first:
        # it is the same step, and nobody is owed the first any more.
        taken = done | {(of_path, step.partition("~")[0]) for of_path, step in done}
        for one in reached:
            if one.must and (one.path, one.step) not in taken:
                return one
        reached = [one for one in reached if least is None or one.day >= least]
        if not reached:
            return None
        latest = reached[-1]
        if any((one.path, one.step) in done for one in whole[whole.index(latest) :]):
            return None
        if latest.due_for is not None and today >= latest.day + latest.due_for:
            return None
        return latest

    def unfolded(self, path: str) -> list[Occurrence]:
        """Every occurrence of a step that an account on a path can meet, in the order of days."""
        if path not in self._unfolded:
            self._unfolded[path] = list(self._unfold(path))
        return self._unfolded[path]

    def _unfold(self, name: str | None) -> Iterator[Occurrence]:
        begins = 0
        while name is not None:
            path = self.paths[name]
            steps = list(_steps(name, path))
            last = None
            for last in steps:
                yield _later(last, begins)
            if last is not None:
                begins += last.day + (path.get("due_for") or 1)
            name = path.get("then")
            name = None if name == "stay" else name


def _same_step(one: Issued, other: Issued) -> bool:
    return (one.episode, one.path, one.step) == (other.episode, other.path, other.step)


def _later(one: Occurrence, days: int) -> Occurrence:
    return Occurrence(one.path, one.step, one.action, one.day + days, one.must, one.due_for)


def _steps(name: str, path: Mapping[str, Any]) -> Iterator[Occurrence]:
    """The steps of one path, and again where they repeat, by days of that path."""
    seen: list[str] = []
    first: list[Occurrence] = []
    for step in path["steps"]:
        seen.append(step["action"])
        nth = seen.count(step["action"])
        key = step["action"] if nth == 1 else f"{step['action']}#{nth}"
        must = bool(step.get("must"))
        first.append(Occurrence(name, key, step["action"], step["day"], must, path.get("due_for")))
    yield from first
    repeat = path.get("repeat")
    if repeat is None:
        return
    every = int(str(repeat["every"]).split()[0])
    start = next(n for n, one in enumerate(first) if one.step == repeat["from"])
    # Without end: as often as any history here is long.
    for again in range(1, repeat.get("at_most", 1000 // every) + 1):
        for one in first[start:]:
            yield Occurrence(
                name,
                f"{one.step}~{again + 1}",
                one.action,
                one.day + again * every,
                False,
                one.due_for,
            )


def overdue(history: History, on: date, known: date) -> Decimal:
    """What was overdue at the close of a day, as it is known at the close of another."""
    owed = sum(
        owed_of(history, n, known)
        for n, b in enumerate(history.bills)
        if b.due_on < on and b.known_on <= known
    )
    paid = sum(
        p.amount
        for p in history.payments
        if p.paid_on <= on
        and p.known_on <= known
        and (p.reversed_on is None or p.reversed_on > known)
    )
    return max(Decimal(owed) - Decimal(paid), Decimal(0))


def owed_of(history: History, number: int, known: date) -> Decimal:
    """What is owed of a bill, less what is disputed of it."""
    amount = history.bills[number].amount
    disputed = [
        amount if d.amount is None else d.amount
        for d in history.disputes
        if d.bill == number and d.takes_off(known)
    ]
    return max(amount - sum(disputed, Decimal(0)), Decimal(0))


def in_arrears_since(history: History, today: date) -> date | None:
    """The first of the days in a row, up to today, on which something was overdue."""
    day, since = today, None
    while overdue(history, day, today) >= ARREARS_FROM:
        since, day = day, day - DAY
    return since


def in_space(history: History, on: date, known: date) -> bool:
    """Whether a day is one of a breathing space, as it is known at the close of another."""
    return any(
        space.first <= on and (space.last is None or on <= space.last) and space.known_on <= known
        for space in history.spaces
    )
