"""Each planted mistake is found alone, at its line; together, none is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.planted import MISTAKES, PAGE, Mistake, check, page, problems

# What `check` said of each mistake, gathered for the page.
_reported: dict[str, dict[str, object]] = {}


def test_the_workspace_they_are_planted_in_is_sound(sound: Path) -> None:
    result = check(sound)
    assert (result.exit_code, problems(result)) == (0, [])


def test_there_are_thirty_and_no_two_the_same() -> None:
    assert len({m.name for m in MISTAKES}) == 30
    assert [sum(m.kind == k for m in MISTAKES) for k in ("data", "settings", "rules")] == [10] * 3


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: m.name)
def test_alone(mistake: Mistake, sound: Path, copy_of: Callable[[Path], Path]) -> None:
    workspace = copy_of(sound)
    line = mistake.plant(workspace)
    result = check(workspace)
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    found = problems(result)
    at = [(p["code"], p["file"], p["line"]) for p in found]
    assert at == [(mistake.code, mistake.file, line)]
    assert mistake.meant in found[0]["hint"]
    assert "\n" not in found[0]["what"] + found[0]["hint"]
    _reported[mistake.name] = found[0]


@pytest.mark.parametrize("group", sorted({m.group for m in MISTAKES}))
def test_together(group: str, sound: Path, copy_of: Callable[[Path], Path]) -> None:
    workspace = copy_of(sound)
    planted = [m for m in MISTAKES if m.group == group]
    for mistake in planted:
        mistake.plant(workspace)
    found = problems(check(workspace))
    wanted = sorted((m.code, m.file) for m in planted)
    assert sorted((p["code"], p["file"]) for p in found) == wanted


def test_bad_rows_hide_no_fault_of_the_rules(sound: Path, copy_of: Callable[[Path], Path]) -> None:
    workspace = copy_of(sound)
    planted = [m for m in MISTAKES if m.group in ("data", "rules", "settings:name")]
    for mistake in planted:
        mistake.plant(workspace)
    found = problems(check(workspace))
    wanted = sorted((m.code, m.file) for m in planted)
    assert sorted((p["code"], p["file"]) for p in found) == wanted


def test_the_page_says_what_riskseg_says() -> None:
    if len(_reported) < len(MISTAKES):
        pytest.skip("needs every mistake planted in this run")
    reported = [(m, _reported[m.name]) for m in MISTAKES]
    hint = "Write it anew with `python -m tests.journeys.planted`."
    assert PAGE.read_text(encoding="utf-8") == page(reported), hint
