"""`explain` names what a contact waits for, and until when: the rule, the hold, the calendar, or
the duty that comes first."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

import riskseg
from riskseg.cli import app
from tests.support import treated

DAY = date(2026, 1, 5)  # a Monday
CALL = {"steps": [{"day": 3, "action": "call"}]}
PATHS = {
    "limited": CALL,
    "held": CALL,
    "replaced": CALL,
    "weekdays": {**CALL, "calendar": {"days": ["tue", "wed"], "holidays": "GB-ENG"}},
    "owed": {"steps": [{"day": 3, "action": "visit"}]},
}
GUARDS = [
    {"hold": "complaint_open", "event": "complaint"},
    {"contact_rule": "week_after", "of": "call", "after_conversation": "7 days"},
    {
        "guard": "spared",
        "when": "treatment = 'replaced'",
        "unknown": "skip",
        "never": ["call"],
        "instead": "letter",
    },
    {
        "duty": "support",
        "when": "treatment = 'owed'",
        "unknown": "skip",
        "since": "episode_started_on",
        "action": "support",
        "within": "5 days",
    },
]


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> riskseg.Workspace:
    events = [
        {
            "account_id": "held",
            "happened_on": "2026-01-04",
            "kind": "complaint",
            "until": "2026-01-09",
        },
        {
            "account_id": "limited",
            "happened_on": "2026-01-04",
            "kind": "contact",
            "channel": "phone",
            "outcome": "reached",
        },
    ]
    root = treated.write(
        tmp_path_factory.mktemp("waits") / "w",
        paths=PATHS,
        rows={
            "accounts": [{"account_id": name, "treatment": name} for name in PATHS],
            "bills": [
                {"account_id": name, "bill_id": "b", "due_on": "2026-01-01", "amount": 100}
                for name in PATHS
            ],
            "events": events,
        },
        guards=GUARDS,
    )
    return riskseg.open(root)


WAITS = {
    "limited": (
        date(2026, 1, 11),
        "the contact rule week_after forbids it until 2026-01-10: call per account: none in the 7 "
        "days from a conversation on",
    ),
    "held": (
        None,
        "the hold complaint_open stops everything until 2026-01-09: an event `complaint` lasts",
    ),
    "replaced": (None, "the guard spared forbids it: treatment = 'replaced'"),
    "weekdays": (
        date(2026, 1, 6),
        "the day is closed by the calendar tue,wed GB-ENG, closed: next",
    ),
}


@pytest.mark.parametrize("account", WAITS)
def test_what_a_call_waits_for_is_said(account: str, ws: riskseg.Workspace) -> None:
    waits = ws.explain(account, as_of=DAY).waits
    assert waits is not None
    assert (waits.action, waits.until, *waits.because) == ("call", *WAITS[account])
    assert waits.instead == ("letter" if account == "replaced" else None)
    assert [step.when for step in ws.explain(account, as_of=DAY).steps] == ["waits"]


def test_an_open_duty_is_named(ws: riskseg.Workspace) -> None:
    explained = ws.explain("owed", as_of=DAY)
    (duty,) = explained.duties
    assert (duty.name, duty.open, duty.due, duty.deadline) == (
        "support",
        True,
        True,
        date(2026, 1, 7),
    )
    assert explained.decision["action"] == "support"
    # The path's own step, of the same day, comes after it.
    assert [step.when for step in explained.steps] == ["waits"]
    (other,) = ws.explain("held", as_of=DAY).duties
    assert not other.open


def test_a_duty_whose_deadline_has_passed_is_overdue(
    ws: riskseg.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    command = ["-w", str(ws.root), "explain", "owed", "--as-of", "2026-01-20"]
    shown = CliRunner().invoke(app, command).output
    assert "Duty support is overdue: support had to be issued by 2026-01-07, counted from" in shown
    assert "is open" not in shown


def test_the_command_shows_it(ws: riskseg.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")

    def shown(account: str) -> str:
        command = ["-w", str(ws.root), "explain", account, "--as-of", str(DAY)]
        return CliRunner().invoke(app, command).output

    assert "call is due and waits until 2026-01-11." in shown("limited")
    assert WAITS["limited"][1] in shown("limited")
    assert "call is due and not lawful: letter instead." in shown("replaced")
    assert "Duty support is open: support until 2026-01-07" in shown("owed")


def test_the_history_says_what_a_run_let_wait(ws: riskseg.Workspace, tmp_path: Path) -> None:
    ws.assign(as_of=DAY, at=treated.AT)
    # Of what a run has decided the same is said.
    by_run = ws.explain("weekdays", as_of=DAY)
    assert by_run.run is not None and by_run.waits is not None
    assert (by_run.waits.until, *by_run.waits.because) == WAITS["weekdays"]
    words = [e.words for e in ws.history("limited", as_of=DAY).entries if e.kind == "decision"]
    assert words == [
        "segment limited, path limited day 3: none; call waits until 2026-01-11: week_after"
    ]
