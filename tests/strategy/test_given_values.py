"""What an example gives is a value of its fact, in `defaults` and `given` alike: the check says
so, before anything is decided."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.strategies import changed, read, sound

E = "examples.yaml"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("days_past_due: [6, 6]", "days_past_due is a list, which is not an integer"),
        ("days_past_due: {a: 1}", "days_past_due is a mapping of keys to values, which is no"),
        ("days_past_due: many", "days_past_due is 'many', which is not an integer"),
        ("days_past_due: 3.5", "which is not an integer"),
        ("days_past_due: true", "which is not an integer"),
        ("days_past_due: 2026-01-01", "which is not an integer"),
        ("balance_overdue: .nan", "balance_overdue is .nan, which is not a decimal"),
        ("balance_overdue: 0.0000001", "which has more than 6 decimals"),
        ("on_plan: 1", "on_plan is 1, which is not a boolean"),
        ("on_plan: yes", "on_plan is 'yes', which is not a boolean"),
        ("as_of: soon", "as_of is 'soon', which is not a date"),
        ("as_of: 0001-01-01", "which is not between 1900-01-01 and 2199-12-31"),
        ("day: 999999", "which is more than 36,500 days"),
        ("day: [3]", "which is not an integer"),
        ("lifecycle: 7", "lifecycle is 7, which is no"),
    ],
)
@pytest.mark.parametrize("where", ["given", "defaults"])
def test_a_value_that_is_none_of_its_fact(
    value: str, says: str, where: str, tmp_path: Path
) -> None:
    name = value.split(":")[0]
    if where == "given":
        files = changed(E, "days_past_due: 31, ", "")
        files[E] = files[E].replace("day: 3}", f"{value}}}")
    else:
        files = changed(E, "defaults:\n", f"defaults:\n  {value}\n")
        kept = files[E].splitlines(keepends=True)
        again = [n for n, line in enumerate(kept[2:], start=2) if line.startswith(f"  {name}:")]
        files[E] = "".join(line for n, line in enumerate(kept) if n not in again)
    line = next(n for n, t in enumerate(files[E].splitlines(), start=1) if value in t)
    strategy, problems = read(tmp_path, files)
    assert strategy is None
    assert [(p.code, p.file, p.line) for p in problems] == [("RS004", f"rules/{E}", line)]
    assert says in problems[0].what


@pytest.mark.parametrize("value", ["balance_overdue: 1e3", "balance_overdue: 010", "on_plan: TRUE"])
def test_a_number_and_a_truth_in_any_writing(value: str, tmp_path: Path) -> None:
    sound(tmp_path, changed(E, "day: 3}", f"day: 3, {value}}}"))
