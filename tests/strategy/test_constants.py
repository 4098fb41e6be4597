"""Constants of strategy.yaml: values with a name that any condition may use as `$name`."""

from __future__ import annotations

import itertools
import pickle
import re
from collections.abc import Callable
from decimal import Decimal
from functools import partialmethod
from pathlib import Path

import pytest

from riskseg.cli.show.strategy import show_strategy
from riskseg.cli.terminal import _Piped
from riskseg.expressions.tree import Literal
from riskseg.expressions.walk import parts
from riskseg.rules.named_numbers import constant_of
from riskseg.rules.proof_account import Granted
from riskseg.strategy.changes import changes
from riskseg.strategy.described import shown
from riskseg.strategy.editions import Edition
from riskseg.strategy.proof.ask import Asker
from riskseg.strategy.proof.prove import prove
from tests.support.strategies import SMALL, edition_of, read, sound

DECLARED = "constants:\n  late_after: {value: 30, unit: days}\n  negligible: 10\n"
LINE = SMALL["strategy.yaml"].count("\n") + 2  # of the first constant


def files(
    declared: str = DECLARED,
    late: str = "days_past_due > $late_after",
    ends: str = "balance_overdue < $negligible",
) -> dict[str, str]:
    """The small strategy with constants in two conditions."""
    return {
        **SMALL,
        "strategy.yaml": SMALL["strategy.yaml"] + declared,
        "tiers.yaml": SMALL["tiers.yaml"].replace("days_past_due > 30", late),
        "paths.yaml": SMALL["paths.yaml"].replace("balance_overdue < 10", ends),
    }


@pytest.fixture
def edition(tmp_path: Path) -> Callable[[dict[str, str]], Edition]:
    folders = map(str, itertools.count())

    return lambda texts: edition_of(tmp_path / next(folders), texts)


def test_a_constant_is_the_value_it_stands_for(tmp_path: Path) -> None:
    strategy = sound(tmp_path, files())
    written_out = sound(tmp_path, SMALL)
    assert strategy.fingerprint == written_out.fingerprint
    ends = strategy.paths[1].ends_when
    assert ends is not None
    assert ends.expression.text == "balance_overdue < $negligible"
    assert ends.expression.explained == "balance_overdue < $negligible (10)"
    constants = {part.constant for part in parts(ends.expression.tree) if isinstance(part, Literal)}
    assert constants == {"negligible"}
    assert [(c.name, c.value, c.unit) for c in shown(strategy, from_data=True).constants] == [
        ("late_after", 30, "days"),
        ("negligible", 10, None),
    ]


@pytest.mark.parametrize(
    ("declared", "condition"),
    [
        ("from_day: 2026-03-01", "hold_from >= $from_day"),
        ("where: north", "region = $where"),
        ("where: north", "region in ($where, 'south')"),
        ("rate: 0.25", "balance_overdue * $rate > 5"),
        ("below: -3", "days_past_due - 4 > $below"),
        ("grace: 4", "as_of > hold_from + $grace"),
        ("grace: 4", "days_past_due > -$grace"),
    ],
)
def test_constants_have_the_type_of_their_value(
    declared: str, condition: str, tmp_path: Path
) -> None:
    guard = f"- guard: more\n  when: {condition}\n  never: [sms]\n"
    texts = {
        **SMALL,
        "strategy.yaml": f"{SMALL['strategy.yaml']}constants: {{{declared}}}\n",
        "guards.yaml": SMALL["guards.yaml"] + guard,
    }
    strategy, problems = read(tmp_path, texts)
    assert strategy is not None, list(map(str, problems))


FAULTS = [
    ("unknown", files(late="days_past_due > $late_aftr"), "RS303", 'Did you mean "$late_after"?'),
    ("unused", files(ends="balance_overdue < 10"), "RS231", "Write `$negligible`"),
    ("in a text", files(ends="note = '$negligible'"), "RS305", ""),
    ("without its sign", files(ends="balance_overdue < negligible"), "RS303", "`$negligible`"),
    ("none declared", files(declared=""), "RS303", "`constants: {late_after: …}`"),
    ("true", files(DECLARED.replace("10", "true")), "RS004", "a number, a text or a date"),
    ("a list", files(DECLARED.replace("10", "[10]")), "RS004", "without brackets: `10`"),
    ("a bad name", files(DECLARED.replace("negl", "Negl")), "RS004", "`negligible`"),
    ("a misspelt key", files(DECLARED.replace("unit", "unt")), "RS003", '"unit"'),
    (
        "a wrong type",
        files(DECLARED.replace("10", "ten")),
        "RS304",
        "\"$negligible = 'ten'\" (text)",
    ),
    ("too fine", files(DECLARED.replace("10", "0.12345678")), "RS004", "6 decimals"),
]


@pytest.mark.parametrize(("name", "texts", "code", "cure"), FAULTS)
def test_what_is_wrong_with_a_constant(
    name: str, texts: dict[str, str], code: str, cure: str, tmp_path: Path
) -> None:
    strategy, problems = read(tmp_path, texts)
    assert strategy is None
    assert problems[0].code == code
    assert problems[0].line is not None
    assert cure in f"{problems[0].what} {problems[0].hint}"


def test_an_unused_constant_is_named_at_its_line(tmp_path: Path) -> None:
    _, [problem] = read(tmp_path, files(late="days_past_due > 30"))
    assert (problem.code, problem.file, problem.line) == ("RS231", "rules/strategy.yaml", LINE)


def test_another_value_is_one_change_that_names_what_uses_it(
    edition: Callable[[dict[str, str]], Edition],
) -> None:
    old, new = edition(files()), edition(files(DECLARED.replace("value: 30", "value: 45")))
    assert old.strategy.fingerprint != new.strategy.fingerprint
    assert list(map(str, changes(old, new))) == [
        f"strategy.yaml constant $late_after (line {LINE}): value was 30, is 45; "
        "used by tiers.yaml behaviour row late"
    ]


def test_a_condition_that_changes_too_is_a_change_of_its_own(
    edition: Callable[[dict[str, str]], Edition],
) -> None:
    declared = DECLARED.replace("value: 30", "value: 45")
    stricter = files(declared, late="days_past_due > $late_after and bills_12m > 1")
    both = list(map(str, changes(edition(files()), edition(stricter))))
    assert [text.split(" (")[0] for text in both] == [
        "strategy.yaml constant $late_after",
        "tiers.yaml behaviour row late",
    ]


def test_another_name_for_the_same_value_changes_nothing(
    edition: Callable[[dict[str, str]], Edition],
) -> None:
    renamed = files(DECLARED.replace("negligible", "tiny"), ends="balance_overdue < $tiny")
    assert changes(edition(files()), edition(renamed)) == ()


def test_a_property_with_a_constant_follows_it(tmp_path: Path) -> None:
    late_only = "- prove: segment <> 'chase' or coalesce(days_past_due, 0) > $late_after - 20\n"
    texts = files(late="days_past_due > $late_after")
    texts["tiers.yaml"] = texts["tiers.yaml"].replace("months_on_book < 6", "days_past_due > 90")
    texts["guards.yaml"] += late_only + "  name: late_only\n"
    for value in ("30", "45"):
        declared = DECLARED.replace("30", value)
        texts["strategy.yaml"] = SMALL["strategy.yaml"] + declared
        strategy = sound(tmp_path, texts)
        found = {r.subject: r.verdict for r in prove(strategy, Granted(), Asker(5.0))}
        assert found["late_only"] == "proved"


# Numbers of files that are no expressions: the cuts of bands, and the days of steps.
NUMBERS = "constants:\n  some_risk: 0.1\n  first_letter: {value: 14, unit: days}\n"
HEAD = SMALL["strategy.yaml"].replace("{low: 0.1,", "{low: $some_risk,")
STEPS = SMALL["paths.yaml"].replace(
    "{day: 14, action: letter}", "{day: $first_letter, action: letter}"
)
NUMBER_LINE = HEAD.count("\n") + 2


def numbers(declared: str = NUMBERS, head: str = HEAD, steps: str = STEPS) -> dict[str, str]:
    """The small strategy with a constant in a cut and one in a day."""
    return {**SMALL, "strategy.yaml": head + declared, "paths.yaml": steps}


def test_cuts_and_days_are_the_numbers_they_stand_for(tmp_path: Path) -> None:
    strategy = sound(tmp_path, numbers())
    described = shown(strategy, from_data=True)
    cut, step = described.bands[0].cuts[0], described.paths[1].steps[1]
    assert (cut.below, cut.constant) == (Decimal("0.1"), "some_risk")
    assert (step.day, step.constant) == (14, "first_letter")
    sent = pickle.loads(pickle.dumps(strategy))  # noqa: S301  # as Spark sends it to its executors
    assert sent == strategy
    assert constant_of(sent.bands[0].cuts[0][1]) == "some_risk"
    assert strategy.fingerprint == sound(tmp_path, SMALL).fingerprint


@pytest.mark.parametrize(
    ("old", "new", "listed"),
    [
        (
            "value: 14",
            "value: 21",
            f"strategy.yaml constant $first_letter (line {NUMBER_LINE + 1}): value was 14, is 21; "
            "used by paths.yaml path chase, step on day $first_letter",
        ),
        (
            "some_risk: 0.1",
            "some_risk: 0.15",
            f"strategy.yaml constant $some_risk (line {NUMBER_LINE}): value was 0.1, is 0.15; "
            "used by strategy.yaml band risk, level low",
        ),
    ],
)
def test_another_value_of_a_number_names_what_uses_it(
    old: str, new: str, listed: str, edition: Callable[[dict[str, str]], Edition]
) -> None:
    [change] = changes(edition(numbers()), edition(numbers(NUMBERS.replace(old, new))))
    assert str(change) == listed


def test_a_step_that_waits_moves_with_the_one_before(
    edition: Callable[[dict[str, str]], Edition],
) -> None:
    waiting = "    - {day: $first_letter, action: letter}\n"
    steps = STEPS.replace(
        waiting, f"{waiting}    - {{after: {{action: letter, days: 9}}, action: agency}}\n"
    )
    old, new = (edition(numbers(NUMBERS.replace("14", day), steps=steps)) for day in ("14", "21"))
    assert new.strategy.paths[1].steps[2].day == 30
    assert [change.item for change in changes(old, new)] == ["constant $first_letter"]


def test_a_number_in_the_place_of_its_constant_changes_nothing(
    edition: Callable[[dict[str, str]], Edition],
) -> None:
    assert changes(edition(numbers()), edition(dict(SMALL))) == ()


NUMBER_FAULTS = [
    ("unknown", NUMBERS, "$first_leter", "RS303", 'Did you mean "$first_letter"?'),
    ("a text", NUMBERS.replace("14", "soon"), "$first_letter", "RS304", "not a number"),
    ("half a day", NUMBERS.replace("14", "14.5"), "$first_letter", "RS304", "a whole number"),
    ("too late", NUMBERS.replace("14", "99999"), "$first_letter", "RS304", "to 36,500"),
    ("too early", NUMBERS.replace("14", "2"), "$first_letter", "RS208", "in the order"),
    ("a bad name", NUMBERS, "$First", "RS004", "a name is small letters"),
    ("without its sign", NUMBERS, "first_letter", "RS004", "a whole number"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "declared", "day", "code", "cure"), NUMBER_FAULTS)
def test_what_is_wrong_with_a_constant_in_a_day(
    name: str, declared: str, day: str, code: str, cure: str, tmp_path: Path
) -> None:
    texts = numbers(declared, steps=STEPS.replace("$first_letter", day))
    _, [problem, *_] = read(tmp_path, texts)
    assert (problem.code, problem.file, problem.line) == (code, "rules/paths.yaml", 7)
    assert cure in f"{problem.what} {problem.hint}"


# Every other number of a strategy's files as a constant, with the place where it stands.
EVERYWHERE = """\
constants:
  {ten: 10, wait: 9, again: 30, twice: 2, shown: 5, stays: 40, week: 7, late: 21, cost: 1.5}
"""
WITH_NUMBERS = {
    "strategy.yaml": SMALL["strategy.yaml"]
    .replace("{name: sms, channel: sms}", "{name: sms, channel: sms, contact: true, cost: $cost}")
    + EVERYWHERE,
    "tiers.yaml": SMALL["tiers.yaml"].replace("> 30", "> $again"),
    "segments.yaml": """\
columns: [lifecycle, risk, behaviour, days_past_due]
rows:
  - {id: closed, match: [closed_in_debt, any, any, any], segment: trace}
  - {id: chase, match: [any, high, [new, late], '> $ten'], segment: chase}
  - {id: soon, match: [any, high, late, $wait..$ten], segment: chase}
  - {id: rest, match: [any, any, any, any], segment: leave}
""",
    "paths.yaml": SMALL["paths.yaml"].replace(
        "    - {day: 14, action: letter}\n",
        "    - {day: 14, action: letter}\n"
        "    - {after: {action: letter, days: $wait}, action: agency}\n"
        "  hold_for: $stays\n"
        "  repeat: {every: $again, from: letter, at_most: $twice}\n",
    ).replace("then: stay}", "then: stay, due_for: $shown}").replace("< 10", "< $ten"),
    "guards.yaml": SMALL["guards.yaml"]
    + """\
- {contact_rule: often, of: sms, at_most: $twice, in: $week}
- {contact_rule: after_talks, of: sms, after_conversation: $week}
- {contact_rule: ignored, of: sms, unanswered: $twice, every: $week}
- {duty: letter_in_time, when: days_past_due > $ten, since: next_due_on, action: letter,
   within: $late, unknown: match}
- {guard: small, when: balance_overdue < $ten, never: [agency]}
""",
    "examples.yaml": "examples: []\n",
}  # fmt: skip
VALUES = {
    **{"ten": "10", "wait": "9", "again": "30", "twice": "2", "shown": "5", "stays": "40"},
    **{"week": "7", "late": "21", "cost": "1.5"},
}


def written_out() -> dict[str, str]:
    """The same strategy with each number in the place of its constant."""
    texts = {**WITH_NUMBERS, "strategy.yaml": WITH_NUMBERS["strategy.yaml"].replace(EVERYWHERE, "")}
    return {
        file: re.sub(r"\$([a-z]+)", lambda name: VALUES[name[1]], text)
        for file, text in texts.items()
    }


def test_how_long_an_account_stays_is_one_change(
    edition: Callable[[dict[str, str]], Edition],
) -> None:
    texts = written_out()
    paths = texts["paths.yaml"].replace("hold_for: 40", "hold_for: 50")
    [change] = changes(edition(texts), edition({**texts, "paths.yaml": paths}))
    assert (change.item, change.part, change.was, change.now) == (
        "path chase",
        "hold_for",
        "40",
        "50",
    )


def test_every_number_may_be_a_constant(tmp_path: Path) -> None:
    (tmp_path / "named").mkdir()
    (tmp_path / "written").mkdir()
    strategy = sound(tmp_path / "named", WITH_NUMBERS)
    assert strategy.fingerprint == sound(tmp_path / "written", written_out()).fingerprint
    described = shown(strategy, from_data=True)
    _, path, _ = described.paths
    assert path.repeat is not None and path.steps[2].after is not None
    assert (path.repeat.every, path.repeat.at_most, path.hold_for) == (30, 2, 40)
    assert path.repeat.constants == {"every": "again", "at_most": "twice"}
    assert path.constants == {"hold_for": "stays"}
    assert (path.steps[2].after.days, path.steps[2].after.constant) == (9, "wait")
    assert described.paths[0].constants == {"due_for": "shown"}
    assert (described.actions[0].cost, described.actions[0].constant) == (Decimal("1.5"), "cost")
    assert (described.duties[0].within, described.duties[0].constant) == (21, "late")
    assert pickle.loads(pickle.dumps(strategy)) == strategy  # noqa: S301


def test_a_strategy_is_shown_with_names_and_values(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Piped, "__init__", partialmethod(_Piped.__init__, width=400))
    show_strategy(shown(sound(tmp_path, WITH_NUMBERS), from_data=True))
    text = capsys.readouterr().out
    for expected in (
        "> $ten (10)",
        "$wait (9)..$ten (10)",
        "days_past_due > $again (30)",
        "balance_overdue < $ten (10)",
        "23 ($wait (9) days after letter): agency",
        "from letter every $again (30) days, $twice (2) ×, then trace",
        "sms per account: at most $twice (2) in $week (7) days",
        "none in the $week (7) days from a conversation on",
        "after $twice (2) without an answer one in $week (7) days",
        "$late (21) days after next_due_on",
    ):
        assert expected in text


@pytest.mark.parametrize(
    ("name", "value", "users"),
    [
        ("stays", "50", ("path chase",)),
        ("shown", "6", ("path trace",)),
        ("twice", "3", ("path chase", "contact_rule often", "contact_rule ignored")),
        ("late", "28", ("duty letter_in_time",)),
        ("wait", "8", ("row soon", "path chase, step on day 22")),
    ],
)
def test_another_value_is_one_change_wherever_it_stands(
    name: str, value: str, users: tuple[str, ...], edition: Callable[[dict[str, str]], Edition]
) -> None:
    declared = EVERYWHERE.replace(f"{name}: {VALUES[name]}", f"{name}: {value}")
    head = WITH_NUMBERS["strategy.yaml"].replace(EVERYWHERE, declared)
    old, new = edition(WITH_NUMBERS), edition({**WITH_NUMBERS, "strategy.yaml": head})
    [change] = changes(old, new)
    assert change.item == f"constant ${name}"
    assert [user.partition(".yaml ")[2] for user in change.reaches] == [*users]


@pytest.mark.parametrize(
    ("file", "used", "constant", "code", "cure"),
    [
        ("paths.yaml", "days: $wait", "wait: 0", "RS304", "from 1 to 36,500"),
        ("paths.yaml", "every: $again", "again: 2.5", "RS304", "a whole number"),
        ("paths.yaml", "at_most: $twice", "twice: 1001", "RS304", "from 1 to 1,000"),
        ("paths.yaml", "hold_for: $stays", "stays: long", "RS304", "not a number"),
        ("guards.yaml", "within: $late", "late: -1", "RS304", "from 1 to 36,500"),
        ("guards.yaml", "at_most: $twice", "twice: 1001", "RS304", "from 1 to 1,000"),
        ("strategy.yaml", "cost: $cost", "cost: -2", "RS004", "below 0"),
    ],
)
def test_a_constant_must_fit_where_it_stands(
    file: str, used: str, constant: str, code: str, cure: str, tmp_path: Path
) -> None:
    name = constant.partition(":")[0]
    declared = EVERYWHERE.replace(f"{name}: {VALUES[name]}", constant)
    texts = {**WITH_NUMBERS, "strategy.yaml": WITH_NUMBERS["strategy.yaml"]}
    texts["strategy.yaml"] = texts["strategy.yaml"].replace(EVERYWHERE, declared)
    _, problems = read(tmp_path, texts)
    line = next(n for n, text in enumerate(texts[file].splitlines(), 1) if used in text)
    found = [
        problem for problem in problems if (problem.file, problem.line) == (f"rules/{file}", line)
    ]
    assert [problem.code for problem in found] == [code]
    assert cure in f"{found[0].what} {found[0].hint}"


def test_cuts_of_constants_are_in_order_too(tmp_path: Path) -> None:
    wrong = HEAD.replace("high: 1}", "high: $sure}")
    _, problems = read(tmp_path, numbers(NUMBERS + "  sure: 0.9\n", head=wrong))
    assert [problem.code for problem in problems] == ["RS206"]
    _, problems = read(tmp_path, numbers(head=wrong))
    assert [(problem.code, problem.hint) for problem in problems] == [
        ("RS303", "Known here: $first_letter, $some_risk.")
    ]


def expecting(otherwise: object, declared: str = "constants: {usual: 4}\n") -> dict[str, str]:
    """The small strategy with a condition on a fact that the workspace lacks."""
    expects = f"expects: {{disputes: {{type: integer, else: {otherwise}}}}}\n"
    return {
        **SMALL,
        "strategy.yaml": SMALL["strategy.yaml"] + expects + declared,
        "tiers.yaml": SMALL["tiers.yaml"].replace("days_past_due > 30", "disputes > 3"),
    }


def test_a_default_value_may_be_a_constant(tmp_path: Path) -> None:
    strategy = sound(tmp_path, expecting("$usual"))
    written_out = sound(tmp_path, expecting(4, ""))
    assert strategy.default_values == written_out.default_values == {"disputes": 4}
    assert strategy.fingerprint == written_out.fingerprint


@pytest.mark.parametrize(
    ("declared", "code", "says"),
    [
        ("constants: {usul: 4}\n", "RS303", 'There is no constant "$usual"'),
        ("constants: {usual: many}\n", "RS004", "'many' cannot be its default value"),
        ("", "RS303", "Constants are declared in strategy.yaml"),
    ],
)
def test_a_default_value_that_no_constant_gives(
    tmp_path: Path, declared: str, code: str, says: str
) -> None:
    _, problems = read(tmp_path, expecting("$usual", declared))
    [found] = [problem for problem in problems if problem.code == code]
    assert says in str(found) and found.line == SMALL["strategy.yaml"].count("\n") + 1
