"""Paths that go on to others: the compiled SQL, the terms of proofs and a plain walk agree."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import date, timedelta
from pathlib import Path

import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.expressions import check
from riskseg.rules.model import Path as StrategyPath
from riskseg.rules.model import Step, Strategy
from riskseg.strategy.proof.decision import decided as decided_by_terms
from riskseg.treatment.routes import length, step_days
from tests.support.accounts import decided
from tests.support.deciding import Reading, decide
from tests.support.sampled import one_in
from tests.support.strategies import read_folder, sound

AS_OF = date(2026, 3, 2)
DATES = ("one", "two", "three")
FACTS = {n: Fact(n, Kind.DATE, nullable=True) for n in DATES} | {
    f"over_{n}": Fact(f"over_{n}", Kind.BOOLEAN, nullable=True) for n in DATES
}
READINGS: Mapping[str, Reading] = {
    "as_of": lambda f: f["as_of"],
    "one - 1": lambda f: None if f["one"] is None else f["one"] - timedelta(days=1),
    **{n: (lambda f, n=n: f[n]) for n in FACTS},
}
HEAD = """\
name: routes
purpose: to be walked
owner: tests
actions:
  - {name: sms, channel: sms}
  - {name: letter, channel: post}
  - {name: agency, channel: file}
"""


SEGMENTS = "columns: [over_one]\nrows:\n  - {id: r, match: [any], segment: s}\n"


def strategy(*paths: str) -> Strategy:
    files = {
        "strategy.yaml": HEAD,
        "segments.yaml": SEGMENTS,
        "paths.yaml": "".join(paths),
    }
    with tempfile.TemporaryDirectory() as folder:
        return sound(Path(folder), files, FACTS)


def path(
    name: str,
    *days: int,
    first: bool = False,
    starts: str,
    must: Sequence[int] = (),
    when: Mapping[int, str] | None = None,
    after: Mapping[int, str] | None = None,
    **also: object,
) -> str:
    steps = ", ".join(
        f"{{{(after or {}).get(n, f'day: {day}')}, template: {name}{n}, "
        f"action: {('sms', 'letter', 'agency')[n % 3]}, "
        f"must: {'true' if n in must else 'false'}{(when or {}).get(n, '')}}}"
        for n, day in enumerate(days)
    )
    lines = [f"for: [{'s' if first else ''}]", f"starts: {starts}", f"steps: [{steps}]"]
    if also.get("then") is None and (days and "at_most" in str(also.get("repeat", "at_most"))):
        lines.append("stay: deliberately")
    lines += [f"{key}: {value}" for key, value in also.items() if value is not None]
    return f"{name}:\n" + "".join(f"  {line}\n" for line in lines)


def _random(seed: int) -> Strategy:
    rng = random.Random(seed)  # noqa: S311
    names = "abcd"[: rng.randint(2, 4)]
    paths = []
    for i, name in enumerate(names):
        # Only the first path may have days before it begins.
        days = sorted(rng.sample(range(0 if i else -12, 30), rng.randint(0, 4)))
        also: dict[str, object] = {}
        if i + 1 < len(names):
            also["then"] = names[i + 1]
        if days:
            also["due_for"] = rng.choice([None, None, 1, 2, 7, 20])
            if also["due_for"] is None:
                also |= {"must": rng.sample(range(len(days)), rng.randint(0, 1))}
        when = {
            n: f", when: over_{rng.choice(DATES)}, unknown: {rng.choice(['skip', 'match'])}"
            for n in range(len(days))
            if rng.random() < 0.25
        }
        keys = ("sms", "letter", "agency", "sms#2")
        after = {}
        for n in range(1, len(days) if also.get("due_for") is None else 0):
            if rng.random() < 0.4:
                waited = rng.randrange(n)
                wait = f"action: '{keys[waited]}', days: {days[n] - days[waited]} days"
                outcome = rng.choice(["", ", outcome: none"])
                after[n] = f"after: {{{wait}{outcome}}}"
        if days and rng.random() < 0.5:
            start = rng.randrange(len(days))
            every = days[-1] - days[start] + rng.randint(1, 12)
            most = rng.choice([1, 2, 5]) if "then" in also else rng.choice([None, None, 1, 3])
            key = keys[start]
            limit = "" if most is None else f", at_most: {most}"
            also["repeat"] = f"{{every: {every} days, from: '{key}'{limit}}}"
            when.pop(start, None)
            after.pop(start, None)
        if rng.random() < 0.5:
            also |= {
                "ends_when": f"over_{rng.choice(DATES)}",
                "unknown": rng.choice(["skip", "match"]),
            }
        starts = rng.choice([*DATES, *DATES, "one - 1", "as_of"])
        made = path(name, *days, first=i == 0, starts=starts, when=when, after=after, **also)
        paths.append(made)
    return strategy(*paths)


def accounts(count: int, seed: int) -> list[dict[str, object]]:
    rng = random.Random(seed)  # noqa: S311
    found = []
    for _ in range(count):
        account: dict[str, object] = {"as_of": AS_OF}
        for n in DATES:
            known = rng.random() < 0.85
            account[n] = AS_OF - timedelta(days=rng.randint(-15, 90)) if known else None
            account[f"over_{n}"] = rng.choice([False, False, False, True, None])
        found.append(account)
    return found


def issued(made: Strategy, seed: int) -> dict[str, date | int | None]:
    """When each step was last issued, if it was, and which occurrence of it."""
    rng = random.Random(seed)  # noqa: S311
    days = {
        name: AS_OF - timedelta(days=rng.randint(1, 60)) if rng.random() < 0.3 else None
        for name in made.facts
        if name.startswith(("issued ", "outcome ", "elsewhere ", "instead "))
    }
    most = {
        f"occurrence {p.name} {step.key}": ((p.repeat and p.repeat.at_most) or 9) + 1
        for p in made.paths
        for step in p.repeated
    }
    numbers = {
        name: rng.choice([None, *(n for n in (1, 1, 2, 2, 3, 4, 6) if n <= last)])
        for name, last in most.items()
    }
    return {**days, **numbers}


@pytest.mark.parametrize("seed", one_in(3, range(25)))
def test_the_sql_the_terms_and_a_plain_walk_agree(seed: int) -> None:
    made = _random(seed)
    known = [
        {n: v for n, v in {**issued(made, number), **a}.items() if n in made.facts}
        for number, a in enumerate(accounts(60, seed))
    ]
    by_sql = decided(made, known, AS_OF)
    for number, (account, decision) in enumerate(zip(known, by_sql, strict=True)):
        expected = decide(made, account, AS_OF, READINGS)
        names = ("path", "path_day", "step", "action", "template", "next_action", "next_on")
        assert {n: decision[n] for n in names} == {n: expected[n] for n in names}, account
        if number < 12:
            outcome = ("path", "path_day", "step", "action")
            terms = decided_by_terms(made, account, outcome)  # type: ignore[arg-type]
            assert terms == {n: decision[n] for n in outcome}, account


def _on(made: Strategy, days_ago: int, **facts: object) -> dict[str, object]:
    account: dict[str, object] = dict.fromkeys(made.facts)
    account |= {n: AS_OF - timedelta(days=days_ago) for n in DATES if n in made.facts}
    account |= facts | {"as_of": AS_OF}
    return decided(made, [account], AS_OF)[0]


def test_a_path_gone_on_to_ends_when_it_says_so() -> None:
    made = strategy(
        path("gentle", 5, first=True, starts="one", then="firm"),
        path("firm", 10, starts="one", ends_when="over_two", unknown="skip"),
    )
    assert _on(made, 16)["action"] == "sms"
    ended = _on(made, 16, over_two=True)
    assert (ended["path"], ended["path_day"], ended["action"]) == ("firm", None, "none")
    assert _on(made, 5, over_two=True)["action"] == "sms"  # the first path has no end of its own


def test_the_end_of_a_path_lasts_on_the_path_after_it() -> None:
    made = strategy(
        path(
            "gentle", 5, first=True, starts="one", then="firm", ends_when="over_one", unknown="skip"
        ),
        path("firm", 10, starts="one"),
    )
    assert _on(made, 16)["action"] == "sms"
    assert _on(made, 16, over_one=True)["action"] == "none"


def test_a_path_gone_on_to_waits_for_its_own_start() -> None:
    made = strategy(
        path("gentle", 5, first=True, starts="one", then="firm"), path("firm", 0, 3, starts="two")
    )
    later = AS_OF + timedelta(days=2)
    waiting = _on(made, 30, two=later)
    assert (waiting["path"], waiting["path_day"], waiting["action"]) == ("gentle", 30, "sms")
    assert (waiting["next_action"], waiting["next_on"]) == ("sms", later)
    begun = _on(made, 30, two=AS_OF - timedelta(days=3))
    assert (begun["path"], begun["path_day"], begun["action"]) == ("firm", 3, "letter")
    unknown = _on(made, 30, two=None)
    assert (unknown["path"], unknown["next_action"]) == ("gentle", None)
    # It does not begin before the path that leads to it is over.
    assert _on(made, 6, two=AS_OF - timedelta(days=60))["path_day"] == 0


def test_a_key_without_effect_is_a_problem() -> None:
    with pytest.raises(AssertionError, match="due_for"):
        strategy(path("idle", first=True, starts="as_of", due_for=3))


DAYS: dict[str, tuple[tuple[int, ...], int | None, list[list[int]]]] = {
    "no steps": ((), None, []),
    "one step": ((3,), 2, [[3, 4]]),
    "until the next": ((-5, 0, 2), None, [[-5, -4, -3, -2, -1], [0, 1], [2]]),
    "for a while, or until the next": (
        (0, 3, 10),
        5,
        [[0, 1, 2], [3, 4, 5, 6, 7], [*range(10, 15)]],
    ),
}


@pytest.mark.parametrize(("days", "due_for", "expected"), DAYS.values(), ids=DAYS)
def test_the_days_on_which_a_step_is_due(
    days: tuple[int, ...], due_for: int | None, expected: list[list[int]]
) -> None:
    starts = check("as_of", {"as_of": Fact("as_of", Kind.DATE)}, Problems(), expect="value")
    assert starts is not None
    steps = tuple(Step(day, f"a{n}", None, None) for n, day in enumerate(days))
    one = StrategyPath("a", (), starts, steps, None, None, due_for)
    assert [list(due) for _, _, due in step_days(one)] == expected
    assert length(one) == (days[-1] + (due_for or 1) if days else 0)


MONTHLY = path("ladder", 5, 12, first=True, starts="one", repeat="{every: 30 days, from: letter}")
# Day of the path, the day and the occurrence of the letter's last issue, the step that is due.
ROUNDS: dict[str, tuple[int, int | None, int | None, int | None]] = {
    "the first has come": (12, None, None, 2),
    "the first was issued": (41, 12, 1, None),
    "the second has come": (42, 12, 1, 2),
    "the second was issued": (71, 42, 2, None),
    "four were missed: the latest is issued once": (132, 12, 1, 2),
    "and nothing before the next": (161, 132, 5, None),
    "the next": (162, 132, 5, 2),
}


@pytest.mark.parametrize(("day", "on", "occurrence", "step"), ROUNDS.values(), ids=ROUNDS)
def test_a_step_comes_again(
    day: int, on: int | None, occurrence: int | None, step: int | None
) -> None:
    issued_on = None if on is None else AS_OF - timedelta(days=day - on)
    state = {"issued ladder letter": issued_on, "occurrence ladder letter": occurrence}
    assert _on(strategy(MONTHLY), day, **state)["step"] == step


def test_what_follows_waits_for_the_last_round() -> None:
    made = strategy(
        path(
            "letters",
            10,
            first=True,
            starts="one",
            then="agency",
            repeat="{every: 7 days, from: sms, at_most: 2}",
        ),
        path("agency", 0, starts="one"),
    )
    assert (_on(made, 23)["path"], _on(made, 23)["next_on"]) == ("letters", AS_OF + timedelta(1))
    assert (_on(made, 24)["path"], _on(made, 24)["path_day"]) == ("letters", 24)
    assert (_on(made, 25)["path"], _on(made, 25)["path_day"]) == ("agency", 0)


REPEATS_AT_FAULT = {
    "no such step": ("{every: 30 days, from: lettre}", 'Did you mean "letter"?'),
    "longer than the period": ("{every: 7 days, from: sms}", "take 8 days"),
    "no number of days": ("{every: 4 weeks, from: sms}", "every"),
}


@pytest.mark.parametrize(("repeat", "says"), REPEATS_AT_FAULT.values(), ids=REPEATS_AT_FAULT)
def test_a_repetition_that_cannot_be_is_a_problem(repeat: str, says: str) -> None:
    with pytest.raises(AssertionError, match=says.replace("?", r"\?")):
        strategy(path("ladder", 5, 12, first=True, starts="one", repeat=repeat))


def test_a_path_that_goes_on_repeats_so_often() -> None:
    with pytest.raises(AssertionError, match="without end"):
        strategy(
            path("a", 5, first=True, starts="one", then="b", repeat="{every: 7, from: sms}"),
            path("b", 5, starts="one"),
        )


@pytest.mark.parametrize(
    ("also", "starts", "at_fault"),
    [
        ({}, "one", True),
        ({"then": "stay"}, "one", False),
        ({"stay": "deliberately"}, "one", False),
        ({"repeat": "{every: 9, from: sms}"}, "one", False),
        ({"repeat": "{every: 9, from: sms, at_most: 2}"}, "one", True),
        ({}, "as_of", False),
    ],
)
def test_a_path_says_what_follows_its_last_step(
    also: dict[str, str], starts: str, at_fault: bool
) -> None:
    lines = {"for": "[s]", "starts": starts, "steps": "[{day: 0, action: sms}]", **also}
    text = "only:\n" + "".join(f"  {key}: {value}\n" for key, value in lines.items())
    with pytest.raises(AssertionError, match="RS228") if at_fault else nullcontext():
        strategy(text)


def test_a_strategy_that_decides_already_goes_on_with_a_note(tmp_path: Path) -> None:
    only = "only:\n  for: [s]\n  starts: one\n  steps: [{day: 0, action: sms}]\n"
    (tmp_path / "strategy.yaml").write_text(HEAD)
    (tmp_path / "segments.yaml").write_text(SEGMENTS)
    (tmp_path / "paths.yaml").write_text(only)
    draft, problems = read_folder(tmp_path, FACTS)
    assert draft is None and [problem.code for problem in problems] == ["RS228"]
    deciding, problems = read_folder(tmp_path, FACTS, draft=False)
    assert deciding is not None and not problems
    (note,) = deciding.notes
    assert note.startswith('rules/paths.yaml:1: After the last step of "only" nothing follows')


def test_a_path_that_stays_goes_on_to_no_other() -> None:
    with pytest.raises(AssertionError, match="RS003"):
        strategy(
            path("a", 5, first=True, starts="one", then="b", stay="deliberately"),
            path("b", 5, starts="one"),
        )


def test_those_with_nothing_further_are_reported() -> None:
    ends = {"ends_when": "over_one", "unknown": "skip"}
    made = strategy(path("only", 5, 9, first=True, starts="one", **ends))
    issued_on = {"issued only letter": AS_OF - timedelta(days=1)}
    states = [(10, {}), (10, issued_on), (8, {}), (10, {**issued_on, "over_one": True})]
    accounts = [
        {**dict.fromkeys(made.facts), "as_of": AS_OF, "one": AS_OF - timedelta(days=day), **state}
        for day, state in states
    ]
    rows = decided(made, accounts, AS_OF, also=["finished"])
    assert [row["finished"] for row in rows] == [False, True, False, False]


def test_a_step_whose_condition_does_not_hold_is_passed_over() -> None:
    when = {1: ", when: over_one, unknown: skip"}
    made = strategy(path("only", 5, 9, 20, first=True, starts="one", when=when))
    assert [_on(made, 10, over_one=known)["action"] for known in (True, False, None)] == [
        "letter",
        "sms",
        "sms",
    ]
    assert [_on(made, 6, over_one=known)["next_action"] for known in (True, False)] == [
        "letter",
        "agency",
    ]


def test_what_comes_again_begins_with_a_step_that_is_always_taken() -> None:
    with pytest.raises(AssertionError, match="which has a condition"):
        strategy(
            path(
                "only",
                5,
                first=True,
                starts="one",
                when={0: ", when: over_one, unknown: skip"},
                repeat="{every: 9, from: sms}",
            )
        )


CALL_AFTER = path(
    "only",
    5,
    19,
    40,
    first=True,
    starts="one",
    after={1: "after: {action: sms, days: 14 days, outcome: none}"},
)
# Day of the path, days since the sms was issued and since its outcome; what is due, what is next.
WAITS: dict[str, tuple[int, int | None, int | None, str, tuple[str | None, int]]] = {
    "not issued": (20, None, None, "sms", ("agency", 20)),
    "issued late": (20, 13, None, "none", ("letter", 1)),
    "waited long enough": (20, 14, None, "letter", ("agency", 20)),
    "answered": (20, 14, 3, "none", ("agency", 20)),
    "an outcome of an earlier time": (20, 14, 90, "letter", ("agency", 20)),
    "overtaken by the next step": (40, 13, None, "agency", (None, 0)),
}


@pytest.mark.parametrize(
    ("day", "issued_ago", "outcome_ago", "due", "following"), WAITS.values(), ids=WAITS
)
def test_a_step_waits_for_another(
    day: int,
    issued_ago: int | None,
    outcome_ago: int | None,
    due: str,
    following: tuple[str | None, int],
) -> None:
    state = {
        f"{fact} only sms": None if ago is None else AS_OF - timedelta(days=ago)
        for fact, ago in (("issued", issued_ago), ("outcome", outcome_ago))
    }
    row = _on(strategy(CALL_AFTER), day, **state)
    assert row["action"] == due
    next_on = AS_OF + timedelta(following[1]) if following[0] else None
    assert (row["next_action"], row["next_on"]) == (following[0], next_on)


WAITS_AT_FAULT = {
    "no earlier step": ("after: {action: agency, days: 3}", "not an earlier step"),
    "a day as well": ("day: 3, after: {action: sms, days: 3}", "either a `day` or an `after`"),
    "neither": ("must: false", "either a `day` or an `after`"),
}


@pytest.mark.parametrize(("when", "says"), WAITS_AT_FAULT.values(), ids=WAITS_AT_FAULT)
def test_a_wait_that_cannot_be_is_a_problem(when: str, says: str) -> None:
    text = "only:\n  for: [s]\n  starts: one\n  stay: deliberately\n  steps:\n"
    text += f"    - {{day: 1, action: sms}}\n    - {{{when}, action: letter}}\n"
    with pytest.raises(AssertionError, match=says):
        strategy(text)
