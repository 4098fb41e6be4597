"""Conditions that read what is decided before them: bands, tiers and the segment. A strategy that
reads them decides as one does in which their own conditions are written out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from riskseg.rules.proof_account import Granted
from riskseg.strategy.proof.ask import Asker
from riskseg.strategy.proof.decision import decided as decided_by_terms
from riskseg.strategy.proof.prove import prove
from tests.support.accounts import decided, random_accounts
from tests.support.strategies import SMALL, changed, read, sound

AS_OF = date(2026, 3, 2)
TIERS = """\
behaviour:
  - {tier: new, when: months_on_book < 6, unknown: match}
  - {tier: late, when: days_past_due > 30}
  - {tier: good, otherwise: true}
care:
  - {tier: close, when: CARE, unknown: skip}
  - {tier: usual, otherwise: true}
worth:
  - {tier: much, when: WORTH}
  - {tier: little, otherwise: true}
"""
SEGMENTS = """\
columns: [lifecycle, care, worth]
rows:
  - {id: closed, match: [closed_in_debt, any, any], segment: trace}
  - {id: chase, match: [any, close, any], segment: chase}
  - {id: worth, match: [any, any, much], segment: chase}
  - {id: rest, match: [any, any, any], segment: leave}
"""
PATHS = """\
trace: {for: [trace], starts: episode_started_on, steps: [{day: 10, action: agency}], then: stay}
chase:
  for: [chase]
  starts: episode_started_on
  steps:
    - {day: 3, action: sms, when: STEP}
    - {day: 14, action: letter}
  then: trace
  ends_when: ENDS
leave: {for: [leave], starts: as_of, steps: [{day: 0, action: letter}]}
"""
GUARDS = """\
- guard: vulnerable
  when: is_vulnerable
  never: [agency]
  instead: letter
- guard: gently
  when: GUARD
  never: [letter, agency]
  instead: sms
- hold: rest
  when: HOLD
"""
# What stands in the place of each word: reading what is decided, and written out.
READING = {
    "CARE": "behaviour = 'late' and risk <> 'low'",
    "WORTH": "care = 'close' or balance_overdue > 100",
    "STEP": "worth = 'much'",
    "ENDS": "risk = 'low' and care = 'usual'",
    "GUARD": "segment = 'leave' and behaviour <> 'new'",
    "HOLD": "segment in ('trace', 'chase') and risk = 'unscored'",
}
_NEW = "coalesce(months_on_book < 6, true)"
_RISKY = "(p is null or p >= 0.1)"
_CLOSE = f"(not {_NEW} and days_past_due > 30 and {_RISKY})"
_MUCH = f"({_CLOSE} or balance_overdue > 100)"
_CHASE = f"(lifecycle <> 'closed_in_debt' and {_MUCH})"
WRITTEN_OUT = {
    "CARE": _CLOSE,
    "WORTH": _MUCH,
    "STEP": _MUCH,
    "ENDS": f"p is not null and p < 0.1 and not {_CLOSE}",
    "GUARD": f"lifecycle <> 'closed_in_debt' and not {_MUCH} and not {_NEW}",
    "HOLD": f"(lifecycle = 'closed_in_debt' or {_CHASE}) and p is null",
}


def files(words: Mapping[str, str]) -> dict[str, str]:
    texts = {**SMALL, "tiers.yaml": TIERS, "segments.yaml": SEGMENTS, "paths.yaml": PATHS}
    texts |= {"guards.yaml": GUARDS, "examples.yaml": "examples: []\n"}
    for word, condition in words.items():
        quoted = f'"{condition}"'
        texts = {file: text.replace(f": {word}", f": {quoted}") for file, text in texts.items()}
    return texts


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("reading", "written"):
        (tmp_path / name).mkdir()
    return tmp_path / "reading", tmp_path / "written"


def test_what_is_read_is_what_is_written_out(folders: tuple[Path, Path]) -> None:
    reading, written = (
        sound(f, files(w)) for f, w in zip(folders, (READING, WRITTEN_OUT), strict=True)
    )
    assert set(reading.read) == {"behaviour", "care", "risk", "segment", "worth"}
    assert written.read == ()
    assert set(reading.facts) == set(written.facts)
    accounts = random_accounts(written, AS_OF, 400, seed=3)
    names = ("risk", "behaviour", "care", "worth", "segment", "path", "step", "action", "guards")
    one, other = (decided(strategy, accounts, AS_OF) for strategy in (reading, written))
    assert [[row[n] for n in names] for row in one] == [[row[n] for n in names] for row in other]
    assert {row["action"] for row in one} >= {"none", "sms", "letter"}
    assert any("gently" in row["guards"] for row in one)
    assert any("rest" in row["guards"] for row in one)


def test_the_terms_of_proofs_read_it_too(folders: tuple[Path, Path]) -> None:
    strategy = sound(folders[0], files(READING))
    names = ("care", "worth", "segment", "path", "action")
    accounts = random_accounts(strategy, AS_OF, 60, seed=4)
    by_sql = decided(strategy, accounts, AS_OF)
    by_terms = [decided_by_terms(strategy, account, names) for account in accounts]
    assert by_terms == [{name: row[name] for name in names} for row in by_sql]


def test_what_reads_the_segment_is_proved(folders: tuple[Path, Path]) -> None:
    texts = files(READING)
    texts["guards.yaml"] += (
        "- prove: segment <> 'leave' or behaviour = 'new' or action in ('none', 'sms')\n"
        "  name: gently_done\n"
        "- prove: segment <> 'leave' or action in ('none', 'sms')\n  name: not_so\n"
    )
    found = prove(sound(folders[0], texts), Granted(), Asker(5.0))
    declared = {result.subject: result.verdict for result in found if result.claim == "declared"}
    assert declared == {"gently_done": "proved", "not_so": "refuted"}


LATE = [
    ("itself", "tiers.yaml", "days_past_due > 30", "behaviour = 'new'"),
    ("the segment", "tiers.yaml", "days_past_due > 30", "segment = 'leave'"),
    ("the path", "guards.yaml", "when: on_plan", "when: path = 'chase'"),
    ("the action", "paths.yaml", "balance_overdue < 10", "action = 'sms'"),
]


@pytest.mark.parametrize(("name", "file", "old", "new"), LATE)
def test_what_comes_later_is_not_read(
    name: str, file: str, old: str, new: str, tmp_path: Path
) -> None:
    _, [problem] = read(tmp_path, changed(file, old, new))
    assert (problem.code, problem.file) == ("RS303", f"rules/{file}")
    assert "is not decided yet where this condition is read" in problem.what
    assert "reads facts, bands" in problem.hint


def test_what_is_decided_is_in_no_calculation(tmp_path: Path) -> None:
    case = "days_past_due * case when segment = 'leave' then 2 else 1 end > 9"
    _, [problem] = read(tmp_path, changed("guards.yaml", "when: on_plan", f'when: "{case}"'))
    assert (problem.code, problem.file) == ("RS302", "rules/guards.yaml")
    assert "within `case`" in problem.what


def test_a_level_that_is_none_is_a_problem(tmp_path: Path) -> None:
    _, [problem] = read(tmp_path, changed("guards.yaml", "when: on_plan", "when: risk = 'hihg'"))
    assert (problem.code, problem.hint) == ("RS307", 'Did you mean "high"?')
