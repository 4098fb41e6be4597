"""The table of segments says of every account what comes next: exactly one of five outlooks."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from riskseg.cli.show.decisions import OUTLOOKS, show_decisions
from riskseg.run.assign import assign
from riskseg.store.sinks import InMemory
from tests.support import treated

DAY = date(2026, 3, 2)
STEPS = [{"day": 3, "action": "sms"}, {"day": 10, "action": "letter"}]
PATHS = {
    "chase": {"steps": STEPS, "ends_when": "balance_overdue < 10"},
    # Nothing is issued here: each step is due for a day.
    "short": {"steps": STEPS, "due_for": 1},
}
# Each account: its path, for how many days its bill is overdue, what it owes, whether a hold or a
# guard is in force for it, and what comes next.
ACCOUNTS = {
    "due": ("chase", 5, 100, "", "due"),
    "soon": ("chase", 2, 200, "", "later"),
    "between": ("short", 6, 30, "", "later"),
    "over": ("short", 12, 400, "", "finished"),
    "paused": ("chase", 5, 800, "held", "held"),
    "paused before": ("chase", 2, 70, "held", "held"),
    "paused after": ("short", 12, 60, "held", "held"),
    "no texts": ("chase", 5, 1600, "no texts", "held"),
    "paid": ("chase", 0, 0, "", "untreated"),
    "small": ("chase", 5, 8, "", "untreated"),
    "alone": (treated.IDLE, 5, 3200, "", "untreated"),
    "alone and paused": (treated.IDLE, 5, 50, "held", "untreated"),
}
GUARDS = [
    {"hold": "pause", "when": "held = 'held'", "unknown": "skip"},
    {"guard": "texts", "when": "held = 'no texts'", "never": ["sms"], "unknown": "skip"},
]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    bills = [
        {
            "account_id": account,
            "bill_id": account,
            "due_on": DAY - timedelta(days=days),
            "amount": amount,
        }
        for account, (_, days, amount, _, _) in ACCOUNTS.items()
        if amount
    ]
    accounts = [
        {"account_id": account, "treatment": path, "held": held}
        for account, (path, _, _, held, _) in ACCOUNTS.items()
    ]
    return treated.write(
        tmp_path / "w",
        paths=PATHS,
        rows={"accounts": accounts, "bills": bills},
        guards=GUARDS,
    )


def test_every_account_has_one_outlook_with_what_it_owes(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decisions = assign(workspace, DAY, InMemory(), at=treated.AT, reasons="none", keep=False)
    expected: dict[tuple[str, str], list[int]] = {}
    for path, _, amount, _, outlook in ACCOUNTS.values():
        expected.setdefault((path, outlook), []).append(amount)
    got = {
        (segment.segment, outlook): (total.accounts, total.overdue)
        for segment in decisions.segments
        for outlook, total in segment.outlook.items()
        if total.accounts
    }
    assert got == {key: (len(owed), Decimal(sum(owed))) for key, owed in expected.items()}
    for segment in decisions.segments:
        totals = segment.outlook.values()
        assert set(segment.outlook) == set(OUTLOOKS)
        assert sum(total.accounts for total in totals) == segment.accounts
        assert sum(total.overdue or 0 for total in totals) == segment.overdue
        assert segment.due == segment.outlook["due"].accounts
    show_decisions(decisions)
    shown = capsys.readouterr().out
    assert "1 (400.00)" in shown  # nothing further
    assert "4 (2,530.00)" in shown  # held, of all segments
