"""The days of a path, against walking it day by day."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.expressions import Expression, check
from riskseg.strategy.checked import Path, Step
from riskseg.strategy.compile import Stretch, stretches
from tests.support.deciding import on_day

DAYS = range(-400, 401)


def _starts() -> Expression:
    problems = Problems()
    made = check("as_of", {"as_of": Fact("as_of", Kind.DATE)}, problems, expect="value")
    assert made is not None
    return made


STARTS = _starts()


def path(name: str, *days: int, then: str | None = None, due_for: int = 1) -> Path:
    steps = tuple(Step(day, f"{name}{i}", f"t{day}", None) for i, day in enumerate(days))
    return Path(name, (), STARTS, steps, then, None, due_for)


CASES: dict[str, list[Path]] = {
    "no steps": [path("a")],
    "one step": [path("a", 3)],
    "the day itself": [path("a", 0)],
    "days before": [path("a", -5, -1, 0, 4)],
    "due for a week": [path("a", 0, 10, 30, due_for=7)],
    "overlapping": [path("a", 0, 3, 5, 30, due_for=7)],
    "on the day the last ends": [path("a", 0, 7, 14, due_for=7)],
    "goes on": [path("a", 3, 10, then="b"), path("b", 0, 5)],
    "goes on after being due": [path("a", 3, 10, then="b", due_for=4), path("b", 0, 5, due_for=2)],
    "goes on twice": [path("a", 3, then="b"), path("b", 2, 9, then="c"), path("c", 1)],
    "goes on from nothing": [path("a", then="b"), path("b", 0, 4)],
    "goes on by way of nothing": [path("a", 2, then="b"), path("b", then="c"), path("c", 1)],
    "goes on to nothing": [path("a", 2, then="b"), path("b")],
    "before and on": [path("a", -9, -3, then="b", due_for=3), path("b", 0, 1)],
    "long": [path("a", *range(-30, 300, 11), then="b", due_for=3), path("b", 0, 60)],
}


def _random(seed: int) -> list[Path]:
    rng = random.Random(seed)  # noqa: S311
    names = "abcd"[: rng.randint(1, 4)]
    paths = []
    for i, name in enumerate(names):
        first = -20 if i == 0 else 0  # only the first may have days before it begins
        days = sorted(rng.sample(range(first, 60), rng.randint(0, 6)))
        then = names[i + 1] if i + 1 < len(names) else None
        paths.append(path(name, *days, then=then, due_for=rng.choice([1, 1, 2, 7, 40])))
    return paths


CASES |= {f"random {seed}": _random(seed) for seed in range(60)}


@pytest.mark.parametrize("paths", CASES.values(), ids=CASES)
def test_every_day_is_in_one_stretch_and_says_what_the_day_says(paths: Sequence[Path]) -> None:
    found = stretches(paths[0], paths)
    for day in DAYS:
        here = [s for s in found if _begun(s, day) and _not_over(s, day)]
        assert len(here) == 1, f"day {day} is in {here}"
        s = here[0]
        told = (s.path, s.offset, s.step, s.action, s.template, s.next_action, s.next_day)
        assert told == on_day(paths[0], paths, day), f"day {day}"


@pytest.mark.parametrize("paths", CASES.values(), ids=CASES)
def test_they_are_in_order_from_ever_to_ever(paths: Sequence[Path]) -> None:
    found = stretches(paths[0], paths)
    assert found[0].first is None
    assert found[-1].last is None
    for before, after in pairwise(found):
        assert before.last is not None
        assert after.first == before.last + 1


def _begun(s: Stretch, day: int) -> bool:
    return s.first is None or s.first <= day


def _not_over(s: Stretch, day: int) -> bool:
    return s.last is None or day <= s.last


def test_a_reference_that_is_wrong_would_be_noticed() -> None:
    """Day 10 of a path with a step on day 10 that is due for two days."""
    one = path("a", 10, due_for=2)
    due = [day for day in DAYS if on_day(one, [one], day)[2] is not None]
    assert due == [10, 11]
