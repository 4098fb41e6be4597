"""A strategy decides from its first effective day to its last, both included."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from riskseg.domain.problems import ProblemsError
from tests.support.account_file import HEAD, codes, decide, write

SEGMENTS = """\
columns: [flag]
rows:
  - {id: hit, match: [true], segment: hit}
  - {id: rest, match: [any], segment: miss}
"""
DATED = HEAD + "effective_from: 2026-01-10\neffective_to: 2026-01-20\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return write(
        tmp_path,
        "id,flag\n1,true\n2,false\n",
        {"strategy.yaml": DATED, "segments.yaml": SEGMENTS},
        types={"flag": "boolean"},
    )


@pytest.mark.parametrize("day", [date(2026, 1, 10), date(2026, 1, 20)])
def test_the_first_and_the_last_day_are_among_them(workspace: Path, day: date) -> None:
    assert {a: d["action"] for a, d in decide(workspace, day).items()} == {
        "1": "agency",
        "2": "sms",
    }


@pytest.mark.parametrize("day", [date(2026, 1, 9), date(2026, 1, 21)])
def test_the_days_beside_them_are_not(workspace: Path, day: date) -> None:
    with pytest.raises(ProblemsError) as caught:
        decide(workspace, day)
    assert codes(caught.value) == ["RS210"]
