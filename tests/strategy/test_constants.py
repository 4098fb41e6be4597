"""Constants of strategy.yaml: values with a name that any condition may use as `$name`."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

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
    ("too late", NUMBERS.replace("14", "99999"), "$first_letter", "RS304", "at most 36,500"),
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


def test_cuts_of_constants_are_in_order_too(tmp_path: Path) -> None:
    wrong = HEAD.replace("high: 1}", "high: $sure}")
    _, problems = read(tmp_path, numbers(NUMBERS + "  sure: 0.9\n", head=wrong))
    assert [problem.code for problem in problems] == ["RS206"]
    _, problems = read(tmp_path, numbers(head=wrong))
    assert [(problem.code, problem.hint) for problem in problems] == [
        ("RS303", "Known here: $first_letter, $some_risk.")
    ]
