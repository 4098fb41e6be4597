"""Random histories, and all short ones: the worklist issues what a plain state machine issues.

The histories of a test share one workspace and one run a day. Each is followed in plain Python by
`state_machine`, which reads the same paths as they are written.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations, combinations_with_replacement, pairwise, product
from pathlib import Path
from typing import Any

import pytest

from riskseg.pipeline.open_journal import read_journal
from riskseg.pipeline.session import open_checked
from tests.journeys.state_machine import (
    Bill,
    Dispute,
    History,
    Issued,
    Machine,
    Paths,
    Payment,
    Space,
)
from tests.support import treated
from tests.support.sampled import one_in

DAY = timedelta(days=1)
FIRST = date(2026, 1, 5)
ACTIONS = ("sms", "letter", "call", "visit", "agency")
# When the worklist is issued, as days after the first: daily, weekly, some days and then nothing
# for 90 days, and some days twice.
DAYS = {
    "daily": [*range(12)],
    "weekly": [*range(0, 70, 7)],
    "catching up": [0, 1, 2, 3, 93, 94, 95, 96],
    "some twice": [0, 1, 1, 3, 4, 4, 9, 10, 10, 11],
}
GUARDS = [
    {"hold": "breathing_space", "event": "breathing_space", "clock": "stops"},
    {"hold": "held", "when": "as_of between held_from and held_until", "unknown": "skip"},
    {"guard": "protected", "when": "protected", "never": ["call", "visit"], "instead": "letter"},
]


def random_paths(rng: random.Random, count: int) -> dict[str, dict[str, Any]]:
    """Paths of one to five steps; some go on to the next one, some repeat."""
    paths: dict[str, dict[str, Any]] = {}
    for number in range(count):
        days = sorted(rng.sample(range(14), rng.randint(1, 5)))
        steps = [
            {"day": day, "action": rng.choice(ACTIONS), "must": rng.random() < 0.25} for day in days
        ]
        path: dict[str, Any] = {"steps": steps}
        if rng.random() < 0.6 and not any(step["must"] for step in steps):
            path["due_for"] = rng.choice((1, 2, 5))
        goes_on = number + 1 < count and rng.random() < 0.4
        if rng.random() < 0.4:
            path["repeat"] = random_repeat(rng, steps, for_ever=not goes_on)
        if goes_on:
            path["then"] = f"p{number + 1}"
        path |= rng.choice(
            [
                {},
                {"on_change": "restart"},
                {"on_change": "stay"},
                {"at_once": True},
                {"hold_for": f"{rng.randint(1, 12)} days"},
                {"backlog": "at_day"},
                {"backlog": "from_start", "hold_for": "3 days"},
                {"starts": "entered_on", "on_change": "restart"},
            ]
        )
        paths[f"p{number}"] = path
    return paths


def random_repeat(
    rng: random.Random, steps: Sequence[dict[str, Any]], *, for_ever: bool
) -> dict[str, Any]:
    start = rng.randrange(len(steps))
    before = [step["action"] for step in steps[: start + 1]]
    nth = before.count(before[-1])
    span = steps[-1]["day"] - steps[start]["day"]
    repeat = {
        "every": f"{span + rng.randint(1, 9)} days",
        "from": before[-1] if nth == 1 else f"{before[-1]}#{nth}",
    }
    return repeat if for_ever and rng.random() < 0.5 else {**repeat, "at_most": rng.randint(1, 4)}


def random_history(rng: random.Random, account: str, paths: Sequence[str], span: int) -> History:
    """Bills and payments within `span` days; some recorded late, some payments reversed. The path
    is one of `paths`, and may change."""
    path = rng.choice(paths)

    def day(first: int = 0) -> date:
        return FIRST + rng.randint(first, span) * DAY

    def known(on: date) -> date:
        return on + (rng.randint(1, 9) * DAY if rng.random() < 0.2 else 0 * DAY)

    bills = []
    for _ in range(rng.randint(1, 3)):
        due = day(-20)
        bills.append(Bill(due, Decimal(rng.choice((3, 20, 50))), known(due)))
    payments = []
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        paid = day(-20)
        known_on = known(paid)
        reversed_on = known_on + rng.randint(0, 12) * DAY if rng.random() < 0.3 else None
        amount = Decimal(rng.choice((1, 16, 20, 50, 80)))
        payments.append(Payment(paid, amount, known_on, reversed_on))
    begins = day()
    held = (begins, begins + rng.randint(0, 6) * DAY) if rng.random() < 0.2 else None
    protected = rng.random() < 0.2
    spaces = []
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
        first = day(-10)
        last = None if rng.random() < 0.1 else first + rng.randint(0, 6) * DAY
        spaces.append(Space(first, last, known(first)))
    disputes = []
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        raised = day(-10)
        known_on = known(raised)
        answer = rng.choice((None, "upheld", "rejected", "rejected", "ended"))
        answered_on = known_on + rng.randint(0, 12) * DAY if answer else None
        amount = rng.choice((None, Decimal(18), Decimal(90)))
        number = rng.randrange(len(bills))
        disputes.append(Dispute(number, amount, raised, known_on, answer, answered_on))
    changes = tuple((day(), rng.choice(paths)) for _ in range(rng.choice((0, 0, 1, 2, 4))))
    changes = tuple(sorted(dict(changes).items()))
    reported = (
        tuple(bills),
        tuple(payments),
        held,
        protected,
        tuple(spaces),
        changes,
        tuple(disputes),
    )
    return History(account, path, *reported)


def short_histories(path: str) -> Iterator[History]:
    """Every history of one or two bills and up to two payments that happen within five days; each
    payment may be reversed, or known only on a later day."""
    days = [FIRST + n * DAY for n in range(0, 5, 2)]
    bills = [Bill(due, Decimal(20), due) for due in days]
    payments = [
        Payment(paid, Decimal(amount), paid, reversed_on)
        for paid, amount in product(days, (16, 40))
        for reversed_on in (None, *(on for on in days if on >= paid))
    ] + [
        Payment(paid, Decimal(amount), known_on)
        for paid, known_on in combinations(days, 2)
        for amount in (16, 40)
    ]
    some_bills = [*((b,) for b in bills), *combinations_with_replacement(bills, 2)]
    some_payments = [(), *((p,) for p in payments), *combinations_with_replacement(payments, 2)]
    for number, (owed, paid) in enumerate(product(some_bills, some_payments)):
        yield History(f"{path} {number}", path, owed, paid)


def workspace(root: Path, paths: Paths, histories: Sequence[History]) -> Path:
    """The workspace in which the histories happen."""
    rows: dict[str, list[dict[str, Any]]] = {
        source: [] for source in ("accounts", "bills", "payments", "events")
    }
    for h in histories:
        account = {"account_id": h.account}
        held_from, held_until = h.held or (None, None)
        held = {"held_from": held_from, "held_until": held_until, "protected": h.protected}
        for since, path in (("2000-01-01", h.path), *h.changes):
            rows["accounts"].append(account | {"valid_from": since, "treatment": path} | held)
        for n, bill in enumerate(h.bills):
            owed = {"bill_id": n, "due_on": bill.due_on, "amount": bill.amount}
            rows["bills"].append(account | owed | {"recorded_on": bill.known_on})
        for n, payment in enumerate(h.payments):
            paid = {"paid_on": payment.paid_on, "amount": payment.amount}
            known = {"payment_id": f"p{n}", "recorded_on": payment.known_on}
            rows["payments"].append(account | paid | known)
            if payment.reversed_on is not None:
                undone = {"payment_id": f"r{n}", "reverses": f"p{n}"}
                on = {"paid_on": payment.reversed_on, "recorded_on": payment.reversed_on}
                rows["payments"].append(account | paid | undone | on)
        for space in h.spaces:
            lasts = {"happened_on": space.first, "until": space.last, "kind": "breathing_space"}
            rows["events"].append(account | lasts | {"recorded_on": space.known_on})
        for n, d in enumerate(h.disputes):
            reported = account | {"kind": "dispute", "bill_id": d.bill, "ref": f"d{n}"}
            raised = {"happened_on": d.raised_on, "recorded_on": d.known_on, "amount": d.amount}
            rows["events"].append(reported | raised)
            if d.answered_on is not None:
                on = {"happened_on": d.answered_on, "recorded_on": d.answered_on}
                rows["events"].append(reported | on | {"outcome": d.answer})
    attributes = {"held_from": "date", "held_until": "date", "protected": "boolean"}
    return treated.write(root, paths=paths, rows=rows, guards=GUARDS, attributes=attributes)


def issued_in(root: Path) -> dict[str, list[Issued]]:
    """What the journal says was issued, by account, in the order in which it was."""
    found: dict[str, list[Issued]] = {}
    with read_journal(open_checked(root)) as journal:
        for event in journal.events().to_pylist():
            if event["kind"] == "action":
                said = ("happened_on", "episode", "path", "step", "action")
                one = Issued(*(event[name] for name in said))
                found.setdefault(event["account_id"], []).append(one)
    return found


def check_agree(root: Path, paths: Paths, histories: Sequence[History], days: list[date]) -> None:
    workspace(root, paths, histories)
    for before, day in pairwise([None, *days]):
        done, _ = treated.issue(root, day)
        # What is handed over is new, and the second list of a day brings nothing new.
        assert done.new == (0 if day == before else done.issued), day
    found = issued_in(root)
    machine = Machine(paths)
    seen = 0
    for history in histories:
        expected = machine.follow(history, days)
        seen += len(expected)
        assert found.get(history.account, []) == expected, (history, paths[history.path])
    # Much is issued, or the test would show little.
    assert seen > len(histories) / 4


def check_random(root: Path, seed: int, schedule: str, count: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    paths = random_paths(rng, 8)
    days = [FIRST + n * DAY for n in DAYS[schedule]]
    span = (max(days) - FIRST).days
    histories = [random_history(rng, f"a{n}", [*paths], min(span, 30)) for n in range(count)]
    check_agree(root, paths, histories, days)


@pytest.mark.parametrize("schedule", one_in(2, DAYS))
def test_random_histories_are_treated_as_the_machine_treats_them(
    schedule: str, tmp_path: Path
) -> None:
    check_random(tmp_path / "workspace", 1, schedule, 250)


@pytest.mark.slow  # a hundred thousand of them; some are followed every time
@pytest.mark.parametrize("seed", range(2, 7))
@pytest.mark.parametrize("schedule", DAYS)
def test_very_many_random_histories(schedule: str, seed: int, tmp_path: Path) -> None:
    check_random(tmp_path / "workspace", seed, schedule, 5_000)


@pytest.mark.slow
def test_every_short_history_is_treated_as_the_machine_treats_it(tmp_path: Path) -> None:
    paths: Paths = {
        "three": {
            "steps": [
                {"day": 0, "action": "sms"},
                {"day": 2, "action": "letter", "must": True},
                {"day": 3, "action": "call"},
            ],
            "repeat": {"every": "2 days", "from": "call"},
        }
    }
    days = [FIRST + n * DAY for n in (1, 2, 3, 5, 6)]
    check_agree(tmp_path / "workspace", paths, [*short_histories("three")], days)
