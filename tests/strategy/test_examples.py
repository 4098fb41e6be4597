"""Examples are accounts, decided by the SQL that decides real ones."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from riskseg.domain.problems import Problem, Problems, ProblemsError
from riskseg.engine import DuckDB
from riskseg.pipeline.strategies import run_examples
from tests.support.strategies import SMALL, changed, sound

AS_OF = date(2026, 3, 2)
BIG = 10**18 - 1
E = "examples.yaml"


def run(folder: Path, files: dict[str, str]) -> tuple[list[dict[str, object]], list[Problem]]:
    strategy, problems = sound(folder, files), Problems()
    with DuckDB(threads=1) as engine:
        decisions = run_examples(engine, strategy, AS_OF, problems)
    return decisions, list(problems)


def test_right_ones_have_no_problem(tmp_path: Path) -> None:
    decisions, problems = run(tmp_path, dict(SMALL))
    assert problems == []
    assert [d["action"] for d in decisions] == ["none", "sms"]
    assert decisions[1]["next_on"] == date(2026, 3, 13)  # day 14, when today is day 3


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("action: sms", "action: letter", "should give action letter; it gives action sms"),
        ("segment: chase,", "segment: leave,", "should give segment leave; it gives segment chase"),
        ("day: 3}", "day: 2}", "should give action sms; it gives action none"),
        ("days_past_due: 31,", "days_past_due: null,", "does not give days_past_due"),
    ],
)
def test_a_wrong_one_is_reported_at_its_line(old: str, new: str, says: str, tmp_path: Path) -> None:
    files = changed(E, old, new)
    _, problems = run(tmp_path, files)
    line = next(n for n, t in enumerate(files[E].splitlines(), start=1) if "third day" in t)
    assert [(p.code, p.file, p.line) for p in problems] == [("RS211", f"rules/{E}", line)]
    assert says in problems[0].what


def test_a_fact_that_is_never_unknown_must_be_given(tmp_path: Path) -> None:
    _, problems = run(tmp_path, changed(E, "  balance_overdue: 100\n", ""))
    [reported] = problems
    assert (reported.code, reported.line) == ("RS211", 9)
    assert reported.what.startswith("None of 2 examples gives balance_overdue")
    assert reported.hint == "Add balance_overdue to `defaults`."


def test_a_fact_that_can_be_unknown_need_not_be(tmp_path: Path) -> None:
    decisions, problems = run(tmp_path, changed(E, "  months_on_book: 40\n", ""))
    assert problems and problems[0].code == "RS211"  # it now is `new`, by `unknown: match`
    assert decisions[1]["behaviour"] == "new"


def test_an_example_may_have_a_date_of_its_own(tmp_path: Path) -> None:
    files = changed(E, "day: 3}", "day: 3, as_of: 2026-07-01}")
    decisions, problems = run(tmp_path, files)
    assert problems == []
    assert decisions[1]["next_on"] == date(2026, 7, 12)


DATED = (
    "leave: {for: [leave], starts: as_of, effective_to: 2026-03-02}\n"
    "later: {for: [leave], starts: as_of, effective_from: 2026-03-03, "
    "steps: [{day: 0, action: letter}]}\n"
)


@pytest.mark.parametrize(
    ("day", "path", "action"),
    [
        ("2026-03-02", "leave", "none"),
        ("2026-03-03", "later", "none"),
        ("2026-03-04", "later", "letter"),
        (None, "leave", "none"),
    ],
)
def test_the_paths_and_guards_are_those_of_its_own_date(
    day: str | None, path: str, action: str, tmp_path: Path
) -> None:
    given = f"    given: {{as_of: {day}}}\n" if day else ""
    files = {
        **SMALL,
        "paths.yaml": SMALL["paths.yaml"].replace("leave: {for: [leave], starts: as_of}\n", DATED),
        "guards.yaml": SMALL["guards.yaml"]
        + "- {guard: quiet_day, when: true, never: [letter], effective_to: 2026-03-03}\n",
        E: SMALL[E].replace(
            "    expect: {segment: leave, action: none}\n",
            f"{given}    expect: {{segment: leave, path: {path}, action: {action}}}\n",
        ),
    }
    decisions, problems = run(tmp_path, files)
    assert problems == []
    assert [d["path"] for d in decisions] == [path, "chase"]
    assert [d["action"] for d in decisions] == [action, "sms"]


@pytest.mark.parametrize(
    ("dates", "day"),
    [
        ("effective_from: 2026-06-01\n", date(2026, 6, 1)),
        ("effective_to: 2026-01-31\n", date(2026, 1, 31)),
    ],
)
def test_without_a_date_it_is_of_a_day_on_which_the_strategy_holds(
    dates: str, day: date, tmp_path: Path
) -> None:
    files = {**SMALL, "strategy.yaml": SMALL["strategy.yaml"] + dates}
    decisions, problems = run(tmp_path, files)
    assert problems == []
    # Day 14 comes eleven days after day 3.
    assert decisions[1]["next_on"] == day + timedelta(days=11)


def test_a_date_of_its_own_is_one_on_which_the_strategy_holds(tmp_path: Path) -> None:
    files = changed(E, "day: 3}", "day: 3, as_of: 2025-12-31}")
    files["strategy.yaml"] += "effective_from: 2026-01-01\n"
    decisions, problems = run(tmp_path, files)
    assert decisions == []
    assert [(p.code, p.line) for p in problems] == [("RS211", 12)]
    assert "when the strategy does not hold" in problems[0].what


@pytest.mark.parametrize(
    ("file", "old", "new", "line"),
    [
        (
            "strategy.yaml",
            "balance_overdue * coalesce",
            f"balance_overdue * {BIG} * coalesce",
            None,
        ),
        ("tiers.yaml", "days_past_due > 30", f"days_past_due * {BIG} > 30", 3),
        ("guards.yaml", "when: on_plan", f"when: months_on_book * {BIG} < 1", 5),
        ("paths.yaml", "overdue < 10", f"overdue * {BIG} * {BIG} < 10", None),
    ],
)
def test_a_number_too_large_is_reported_with_its_rule(
    file: str, old: str, new: str, line: int | None, tmp_path: Path
) -> None:
    strategy, problems = sound(tmp_path, changed(file, old, new)), Problems()
    with DuckDB(threads=1) as engine, pytest.raises(ProblemsError) as raised:
        run_examples(engine, strategy, AS_OF, problems)
    (reported,) = raised.value.problems
    assert (reported.code, reported.file, reported.line) == ("RS614", f"rules/{file}", line)
    assert str(BIG) in reported.what
    assert "for the example" in reported.what


@pytest.mark.parametrize(
    ("starts", "right"),
    [
        ("episode_started_on", True),
        ("episode_started_on - 1", True),
        ("1 + next_due_on", True),
        ("coalesce(hold_from, episode_started_on)", True),
        ("case when days_past_due > 9 then hold_from else hold_until end", True),
        ("coalesce(hold_from, episode_started_on) + 2", False),
        ("as_of", False),
        ("case when days_past_due > 9 then hold_from - 3 else hold_until end", False),
    ],
)
def test_the_day_of_an_example_is_right_or_refused(
    starts: str, right: bool, tmp_path: Path
) -> None:
    """Two paths may start at one date, each so many days after it."""
    files = changed("paths.yaml", "chase:\n  for: [chase]\n  starts: episode_started_on", "chase:\n"
                    f"  for: [chase]\n  starts: '{starts}'")  # fmt: skip
    _, problems = run(tmp_path, files)
    if right:
        assert not problems
    else:
        (problem,) = problems
        assert problem.code == "RS211"
        assert "day 3 of the path" in problem.what
        assert starts in problem.what
