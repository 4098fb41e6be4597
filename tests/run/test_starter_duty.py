"""The duty of `household-utility`: whoever breaks a plan is asked why, within 14 days."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from riskseg.run.worklist import worklist
from riskseg.store.sinks import InMemory
from tests.support import treated

GUARDS = Path("rules/household-utility/guards.yaml")
BROKEN, DEADLINE, LATE = date(2026, 2, 7), date(2026, 2, 21), date(2026, 2, 22)
ACTIONS = [
    {"name": "support_review", "channel": "desk", "means": "support"},
    {"name": "letter", "channel": "post", "contact": True},
    {"name": "call", "channel": "phone", "contact": True},
]


def duty() -> dict[str, Any]:
    rules = yaml.safe_load(GUARDS.read_text(encoding="utf-8"))
    (found,) = [rule for rule in rules if "duty" in rule]
    return dict(found)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two plans of two instalments, the first one due on 1 February; one account pays it."""
    accounts = ("keeps", "breaks")
    instalments = [
        {"account_id": name, "plan_id": "p", "due_on": due, "amount": 50}
        for name in accounts
        for due in ("2026-02-01", "2026-03-01")
    ]
    agreed = {"happened_on": "2026-01-15", "kind": "plan", "ref": "p"}
    return treated.write(
        tmp_path / "w",
        paths={"patient": {"steps": [{"day": 90, "action": "letter"}]}},
        rows={
            "accounts": [{"account_id": name, "treatment": "patient"} for name in accounts],
            "bills": [
                {"account_id": name, "bill_id": "b", "due_on": "2026-01-01", "amount": 100}
                for name in accounts
            ],
            "payments": [{"account_id": "keeps", "paid_on": "2026-02-01", "amount": 50}],
            "events": [{"account_id": name, **agreed} for name in accounts],
            "instalments": instalments,
        },
        head={"actions": ACTIONS},
        guards=[duty()],
    )


def alarm(root: Path, day: date) -> list[tuple[int, int, int]]:
    return [(d.open, d.late, d.left) for d in worklist(root, day, InMemory()).duties]


def test_it_is_owed_from_the_day_the_plan_breaks_and_met_once(root: Path) -> None:
    assert treated.listed(root, date(2026, 2, 6)) == []
    _, (row,) = treated.issue(root, BROKEN)
    columns = ("account_id", "action", "template", "deadline", "due_on")
    expected = ("breaks", "letter", "why_did_it_break", DEADLINE, BROKEN)
    assert tuple(row[column] for column in columns) == expected
    assert treated.listed(root, LATE) == []
    assert "Ofwat" in duty()["source"]


def test_there_is_an_alarm_from_the_day_after_its_deadline(root: Path) -> None:
    assert alarm(root, date(2026, 2, 6)) == []
    assert alarm(root, BROKEN) == [(1, 0, 0)]
    assert alarm(root, DEADLINE) == [(1, 0, 0)]
    assert alarm(root, LATE) == [(1, 1, 0)]
