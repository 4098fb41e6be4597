"""Steps that read what was done before: those that come again, and those that wait for others."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from riskseg.run.outcomes import record
from tests.support import treated

DUE = date(2025, 12, 31)
HEAD = {
    "actions": [
        {"name": "letter", "channel": "post", "contact": True},
        {"name": "call", "channel": "phone", "contact": True},
    ]
}


def workspace(root: Path, path: dict[str, Any]) -> Path:
    bills = [
        {"account_id": account, "bill_id": account, "due_on": DUE, "amount": 100}
        for account in ("a", "b")
    ]
    accounts = [{"account_id": account, "treatment": "dunned"} for account in ("a", "b")]
    rows = {"accounts": accounts, "bills": bills}
    return treated.write(root, paths={"dunned": path}, rows=rows, head=HEAD)


def issued(root: Path, day: int) -> list[tuple[str, str]]:
    """The accounts and steps that are issued on a day of the path."""
    _, rows = treated.issue(root, DUE + timedelta(days=1 + day))
    return sorted((row["account_id"], row["step"]) for row in rows)


def test_each_occurrence_is_issued_once(tmp_path: Path) -> None:
    repeat = {"every": "30 days", "from": "letter", "at_most": 3}
    path = {"steps": [{"day": 30, "action": "letter"}], "repeat": repeat}
    root = workspace(tmp_path / "w", path)
    steps = {day: dict(issued(root, day)).get("a") for day in (30, 31, 60, 60, 61, 125, 126, 500)}
    assert steps == {
        30: "letter",
        31: None,
        60: "letter~2",
        61: None,
        125: "letter~4",
        126: None,
        500: None,
    }


def test_a_step_waits_for_what_came_of_another(tmp_path: Path) -> None:
    after = {"action": "letter", "days": "14 days", "outcome": "none"}
    path = {"steps": [{"day": 30, "action": "letter"}, {"after": after, "action": "call"}]}
    root = workspace(tmp_path / "w", path)
    assert issued(root, 32) == [("a", "letter"), ("b", "letter")]
    answers = root / "answers.csv"
    answers.write_text("account_id,action,outcome\nb,letter,delivered\n")
    on = DUE + timedelta(days=35)
    record(root, answers, by="ann", on=on, at=treated.AT)
    assert issued(root, 45) == []
    assert issued(root, 46) == [("a", "call")]
