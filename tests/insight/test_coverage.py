"""Which parts of a strategy nobody used, against plain Python over the decisions."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from riskseg.pipeline.asked import Asked
from riskseg.results.insights.coverage import Coverage
from riskseg.run.assign import assign
from riskseg.run.insight import insight
from tests.support import treated

DAYS = date(2026, 2, 1), date(2026, 3, 1)
RULES = Path("rules") / "treated"
EXAMPLES = """\
defaults: {balance_overdue: 10, episode_started_on: 2026-01-01}
examples:
  - example: chased
    given: {treatment: firm}
    expect: {segment: firm}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """12 accounts in `gentle`, the third step of which comes on no day; none in `firm`."""
    steps = [{"day": day, "action": "sms"} for day in (1, 30)] + [{"day": 300, "action": "call"}]
    root = treated.write(
        tmp_path / "w",
        paths={"gentle": {"steps": steps}, "firm": {"steps": [{"day": 1, "action": "letter"}]}},
        rows={
            "accounts": [
                {"account_id": f"a{n}", "valid_from": "2026-01-01", "treatment": "gentle"}
                for n in range(12)
            ],
            "bills": [
                {
                    "account_id": f"a{n}",
                    "bill_id": f"b{n}",
                    "due_on": f"2026-01-{10 + n}",
                    "amount": 5 + n,
                }
                for n in range(12)
            ],
        },
        guards=[
            {"guard": "small", "when": "balance_overdue < 8", "never": ["letter"]},
            {"guard": "vast", "when": "balance_overdue > 1000", "never": ["letter"]},
        ],
    )
    (root / RULES / "examples.yaml").write_text(EXAMPLES)
    return root


def coverage(root: Path) -> Coverage:
    found = insight(root, "coverage", Asked(DAYS[-1])).answer
    assert isinstance(found, Coverage)
    return found


def decisions(root: Path) -> list[dict[str, object]]:
    rows = []
    for day in DAYS:
        rows += treated.decide(root, day)
        assign(root, day, str(root / f"{day}.parquet"), at=treated.AT)
    return rows


def line(root: Path, file: str, text: str) -> str:
    lines = (root / RULES / file).read_text().splitlines()
    return f"{RULES}/{file}:{next(n for n, line in enumerate(lines, start=1) if text in line)}"


def test_uses_are_those_of_the_decisions(root: Path) -> None:
    rows = decisions(root)
    found = coverage(root)
    uses = {(use.kind, use.name): use.decisions for use in found.uses}
    assert found.days == 2
    assert {n: c for (kind, n), c in uses.items() if kind == "row" and c} == Counter(
        str(row["segment"]) for row in rows
    )
    assert {n: c for (kind, n), c in uses.items() if kind == "guard" and c} == Counter(
        guard for row in rows for guard in str(row["guards"]).split(";") if guard
    )
    assert uses["guard", "small"] == 6
    steps = Counter(f"gentle {row['step']}" for row in rows if row["step"] is not None)
    assert {n.rsplit(" ", 1)[0]: c for (k, n), c in uses.items() if k == "step" and c} == steps
    assert steps.keys() == {"gentle 1", "gentle 2"}
    assert sum(count for (kind, _), count in uses.items() if kind == "tier") == len(rows) == 24


def test_what_nobody_used_is_named_with_its_place(root: Path) -> None:
    decisions(root)
    unused = {(use.kind, use.name): use for use in coverage(root).unused}
    assert unused.keys() == {
        ("row", "firm"),
        ("row", treated.IDLE),
        ("tier", "treated_as 2 firm"),
        ("tier", f"treated_as 3 {treated.IDLE}"),
        ("guard", "vast"),
        ("path", "firm"),
        ("path", treated.IDLE),
        ("step", "gentle 3 call"),
        ("step", "firm 1 letter"),
    }
    assert unused["row", "firm"].where == line(root, "segments.yaml", "id: firm")
    assert unused["guard", "vast"].where == line(root, "guards.yaml", "guard: vast")
    assert unused["step", "gentle 3 call"].where == line(root, "paths.yaml", "day: 300")
    # The one example is in `firm`.
    assert {key[1] for key, use in unused.items() if use.examples} >= {"firm", "treated_as 2 firm"}
    assert unused["row", treated.IDLE].examples == 0
    assert "1 of 2 guards used by no account: vast." in coverage(root).words()


def test_days_of_another_version_are_not_counted(root: Path) -> None:
    decisions(root)
    guards = root / RULES / "guards.yaml"
    guards.write_text(guards.read_text().replace("> 1000", "> 2000"))
    found = coverage(root)
    assert (found.days, found.other_days, found.uses) == (0, 2, ())
    assert "No day that is looked at was decided by the strategy as it is now." in found.words()
