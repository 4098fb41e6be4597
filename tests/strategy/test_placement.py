"""Accounts that come to a path from another, or stay where they are: the compiled SQL, the terms
of proofs and a plain decider agree, and what cannot be is a Problem."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.rules.model import Strategy
from riskseg.strategy.proof.decision import decided as decided_by_terms
from tests.support.accounts import decided
from tests.support.deciding import Reading, decide
from tests.support.sampled import one_in
from tests.support.strategies import sound

AS_OF = date(2026, 3, 2)
FLAGS = ("first", "second")
DATES = ("started", "other")
FACTS = {n: Fact(n, Kind.DATE, nullable=True) for n in DATES} | {
    n: Fact(n, Kind.BOOLEAN, nullable=True) for n in FLAGS
}
READINGS: Mapping[str, Reading] = {
    "as_of": lambda f: f["as_of"],
    "started + 2": lambda f: None if f["started"] is None else f["started"] + timedelta(days=2),
    **{n: (lambda f, n=n: f[n]) for n in FACTS},
}
HEAD = """\
name: places
purpose: to be come to
owner: tests
actions:
  - {name: sms, channel: sms}
  - {name: letter, channel: post}
  - {name: agency, channel: file}
"""
SEGMENTS = """\
columns: [first, second]
rows:
  - {id: one, match: [true, any], segment: one}
  - {id: two, match: [any, true], segment: two}
  - {id: three, match: [any, false], segment: three}
  - {id: none, match: [any, any], segment: none}
"""


def strategy(paths: str, hold: str = "") -> Strategy:
    files = {"strategy.yaml": HEAD, "segments.yaml": SEGMENTS, "paths.yaml": paths}
    if hold:
        files["guards.yaml"] = hold
    with tempfile.TemporaryDirectory() as folder:
        return sound(Path(folder), files, FACTS)


def _path(rng: random.Random, name: str, then: str | None = None) -> str:
    days = sorted(rng.sample(range(20), rng.randint(1, 4)))
    starts = rng.choice(["started", "started", "other", "started + 2", "entered_on", "as_of"])
    steps, actions = [], []
    for n, day in enumerate(days):
        action = rng.choice(["sms", "letter", "agency"])
        template = rng.choice(["", "", ", template: last"])
        must = ", must: true" if rng.random() < 0.2 else ""
        at = f"day: {day}"
        if n and rng.random() < 0.3:
            waited = rng.randrange(n)
            nth = actions[: waited + 1].count(actions[waited])
            key = actions[waited] if nth == 1 else f"{actions[waited]}#{nth}"
            outcome = rng.choice(["", ", outcome: none"])
            at = f"after: {{action: '{key}', days: {day - days[waited]}{outcome}}}"
        steps.append(f"{{{at}, action: {action}{template}{must}}}")
        actions.append(action)
    lines = [
        f"for: [{name}]",
        f"starts: {starts}",
        f"steps: [{', '.join(steps)}]",
        f"then: {then}" if then else "stay: deliberately",
        rng.choice(["", "", "at_once: true"]),
        rng.choice(["", "on_change: continue", "on_change: restart", "on_change: stay"]),
    ]
    if starts != "entered_on":
        lines.append(rng.choice(["", "backlog: from_start", "backlog: at_day", "backlog: at_day"]))
    if "on_change: stay" not in lines and rng.random() < 0.4:
        lines.append(f"hold_for: {rng.randint(1, 30)} days")
    if not then and "after" not in "".join(steps) and starts != "as_of" and rng.random() < 0.3:
        nth = actions.count(actions[-1])
        key = actions[-1] if nth == 1 else f"{actions[-1]}#{nth}"
        lines.append(f"repeat: {{every: {rng.randint(1, 9)}, from: '{key}', at_most: 3}}")
    return f"{name}:\n" + "".join(f"  {line}\n" for line in lines if line)


def _random(seed: int) -> Strategy:
    rng = random.Random(seed)  # noqa: S311
    paths = [
        _path(rng, "one", then="two" if rng.random() < 0.3 else None),
        _path(rng, "two"),
        _path(rng, "three"),
        "none: {for: [none], starts: as_of}\n",
    ]
    clock = ["", "- {hold: space, event: breathing_space, clock: stops}\n"]
    return strategy("".join(paths), rng.choice(clock))


def _accounts(made: Strategy, count: int, seed: int) -> list[dict[str, object]]:
    rng = random.Random(seed)  # noqa: S311

    def day(most: int, share: float) -> date | None:
        return AS_OF - timedelta(days=rng.randint(1, most)) if rng.random() < share else None

    found = []
    for _ in range(count):
        account: dict[str, object] = {"as_of": AS_OF}
        account |= {n: day(40, 0.9) for n in DATES}
        account |= {n: rng.choice([False, False, True, None]) for n in FLAGS}
        placed = rng.choice(["one", "two", "three", "none", "gone", None])
        before = rng.choice(["one", "two", "three", "none", "gone", None])
        for name, fact in made.facts.items():
            match name.split(" ")[0]:
                case "issued" | "outcome" | "elsewhere" | "instead":
                    account[name] = day(40, 0.3)
                case "occurrence":
                    account[name] = rng.choice([None, 1, 2, 3])
                case "placed":
                    account[name] = placed
                case "entered":
                    account[name] = day(30, 1) if name == f"entered {placed}" else None
                case "path":
                    here = name == f"path before {placed}"
                    account[name] = before if here else placed
                case "days":
                    account[name] = rng.randint(0, 9)
                case "lasting":
                    account[name] = rng.random() < 0.2
                case _ if name not in account:
                    account[name] = 0 if fact.kind is Kind.INTEGER else None
        found.append({n: v for n, v in account.items() if n in made.facts})
    return found


@pytest.mark.parametrize("seed", one_in(3, range(25)))
def test_the_sql_the_terms_and_a_plain_decider_agree(seed: int) -> None:
    made = _random(seed)
    accounts = _accounts(made, 80, seed)
    for number, (account, decision) in enumerate(
        zip(accounts, decided(made, accounts, AS_OF), strict=True)
    ):
        expected = decide(made, account, AS_OF, READINGS)
        names = ("segment", "path", "path_day", "step", "action", "template")
        names += ("next_action", "next_on")
        assert {n: decision[n] for n in names} == {n: expected[n] for n in names}, account
        if number < 12:
            outcome = ("path", "path_day", "step", "action")
            terms = decided_by_terms(made, account, outcome)  # type: ignore[arg-type]
            assert terms == {n: decision[n] for n in outcome}, account


def _with(**keys: str) -> str:
    lines = {
        "for": "[one, two, three, none]",
        "starts": "started",
        "steps": "[{day: 3, action: sms}]",
        "stay": "deliberately",
    }
    return "only:\n" + "".join(
        f"  {key.rstrip('_')}: {value}\n" for key, value in {**lines, **keys}.items() if value
    )


AT_FAULT: dict[str, tuple[str, str]] = {
    "a backlog of a path that starts on entry": (
        _with(starts="entered_on", backlog="at_day"),
        "has no backlog",
    ),
    "a stay and a number of days": (
        _with(on_change="stay", hold_for="7 days"),
        "until its episode ends",
    ),
    "days before an account comes": (
        _with(starts="entered_on", steps="[{day: -2, action: sms}]"),
        "a step is on day -2",
    ),
    "nothing to hold an account for": (
        _with(steps="", stay="", hold_for="7 days"),
        "is about steps",
    ),
    "a path that is only gone on to": (
        _with(stay="", then="next")
        + "next:\n  for: []\n  starts: entered_on\n  steps: [{day: 0, action: letter}]\n"
        "  stay: deliberately\n",
        "day 0 of a path gone on to",
    ),
    "no such word": (_with(on_change="reset"), "on_change"),
}


@pytest.mark.parametrize(("paths", "says"), AT_FAULT.values(), ids=AT_FAULT)
def test_what_cannot_be_is_a_problem(paths: str, says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        strategy(paths)


def test_a_path_that_depends_on_runs_says_so() -> None:
    (note,) = strategy(_with(starts="entered_on")).notes
    assert "issue the worklist on every working day" in note
    assert strategy(_with()).notes == ()
