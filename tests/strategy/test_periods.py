"""Effective dates: which days a segment's paths have, and which path is followed on a day."""

from __future__ import annotations

import itertools
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from riskseg.rules.periods import Period, gaps
from tests.support.accounts import decided
from tests.support.strategies import SMALL, sound

FIRST = date(2026, 1, 1)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


@pytest.mark.parametrize("seed", range(200))
def test_gaps_are_the_days_that_no_part_has(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    whole = Period(day(rng.randint(0, 5)), day(rng.randint(3, 20)))
    parts = [Period(day(rng.randint(0, 20)), day(rng.randint(0, 20))) for _ in range(seed % 5)]
    lacking = [
        d
        for d in map(day, range(21))
        if whole.first <= d <= whole.last and not any(p.first <= d <= p.last for p in parts)
    ]
    found = gaps(whole, parts)
    reported = [d for g in found for d in map(day, range(21)) if g.first <= d <= g.last]
    assert reported == lacking
    # As few as can be: no gap begins the day after another ends.
    assert all(b.first - a.last > timedelta(days=1) for a, b in itertools.pairwise(found))


def test_an_open_side_has_no_gap() -> None:
    ever = Period(date.min, date.max)
    assert gaps(ever, [Period(date.min, day(3)), Period(day(4), date.max)]) == []
    assert gaps(ever, [Period(day(4), date.max)]) == [Period(date.min, day(3))]
    assert gaps(ever, []) == [ever]


PATHS = """\
trace: {for: [trace], starts: episode_started_on, steps: [{day: 10, action: agency}], then: stay}
before:
  for: [chase, leave]
  starts: episode_started_on
  steps: [{day: 3, action: sms}, {day: 5, action: letter}]
  stay: deliberately
  effective_to: 2026-03-01
after:
  for: [chase]
  starts: as_of
  steps: [{day: 0, action: letter, template: new}]
  ends_when: balance_overdue < 10
  effective_from: 2026-03-02
quiet: {for: [leave], starts: as_of, effective_from: 2026-03-02}
"""
ACCOUNT: dict[str, Any] = {
    "lifecycle": "live",
    "p": "0.6",
    "months_on_book": 2,
    "days_past_due": 100,
    "balance_overdue": 80,
    "is_vulnerable": False,
    "on_plan": False,
}


@pytest.mark.parametrize(
    ("as_of", "balance", "path", "path_day", "action", "ahead"),
    [
        (date(2026, 2, 28), 80, "before", 3, "sms", "letter"),
        (date(2026, 3, 1), 80, "before", 3, "sms", "letter"),
        (date(2026, 3, 1), 5, "before", 3, "sms", "letter"),
        (date(2026, 3, 2), 80, "after", 0, "letter", None),
        (date(2026, 3, 2), 5, "after", None, "none", None),
    ],
)
def test_the_path_followed_is_the_one_in_force(
    as_of: date,
    balance: int,
    path: str,
    path_day: int | None,
    action: str,
    ahead: str | None,
    tmp_path: Path,
) -> None:
    strategy = sound(tmp_path, {**SMALL, "paths.yaml": PATHS, "examples.yaml": "{}\n"})
    begun = as_of - timedelta(days=3)
    account = ACCOUNT | {
        "as_of": as_of,
        "balance_overdue": balance,
        "episode_started_on": begun,
    }
    (decision,) = decided(strategy, [account], as_of)
    reported = {n: decision[n] for n in ("path", "path_day", "action", "next_action")}
    wanted = {"path": path, "path_day": path_day, "action": action, "next_action": ahead}
    assert reported == wanted
