"""What the rows of a worklist say beside the action: at which hours somebody may be reached, and by
when; and what becomes of duties."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.run.explain import explain
from riskseg.run.outcomes import record
from tests.support import treated

DAY = date(2026, 1, 5)
GUARDS = [
    {
        "contact_rule": "daytime",
        "of": ["call"],
        "hours": {"from": "08:00", "to": "21:00"},
        "zone": "timezone",
        "zones": ["US"],
    }
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    zones = {
        "known": "America/Chicago",
        "unknown": "central",
        "none": "",
        "written_to": "America/Chicago",
    }
    accounts = [
        {
            "account_id": name,
            "treatment": "letters" if name == "written_to" else "calls",
            "timezone": zone,
        }
        for name, zone in zones.items()
    ]
    return treated.write(
        tmp_path_factory.mktemp("columns") / "w",
        paths={
            "calls": {"steps": [{"day": 3, "action": "call"}]},
            "letters": {"steps": [{"day": 3, "action": "letter"}]},
        },
        rows={
            "accounts": accounts,
            "bills": [
                {"account_id": name, "bill_id": "b", "due_on": "2026-01-01", "amount": 100}
                for name in zones
            ],
        },
        guards=GUARDS,
    )


def test_a_call_has_the_hours_of_where_somebody_lives(root: Path) -> None:
    columns = ("action", "contact_from", "contact_to", "contact_zone")
    found = {row["account_id"]: tuple(row[c] for c in columns) for row in treated.listed(root, DAY)}
    unknown = ("call", "13:00", "21:00", "America/New_York")
    assert found == {
        "known": ("call", "08:00", "21:00", "America/Chicago"),
        "unknown": unknown,
        "none": unknown,
        "written_to": ("letter", None, None, None),
    }


def test_explain_says_the_hours(root: Path) -> None:
    hours = {name: explain(root, name, DAY).contact_hours for name in ("known", "written_to")}
    assert hours == {"known": "08:00 to 21:00 America/Chicago", "written_to": None}


SUPPORT = {
    "duty": "support",
    "when": "missed_on is not null",
    "since": "missed_on",
    "action": ["letter"],
    "within": "5 days",
    "template": "we can help",
}


@pytest.fixture
def owing(tmp_path: Path) -> Path:
    """Accounts that are texted on 5 January, or written to. Two have missed a payment; for the
    smaller of these all letters are forbidden."""
    missed = {"large": "", "small": "2026-01-03", "quiet": "2026-01-03", "written": ""}
    amounts = {"large": 900, "small": 100, "quiet": 50, "written": 800}
    return treated.write(
        tmp_path / "w",
        paths={
            "texts": {"steps": [{"day": 3, "action": "sms"}]},
            "letters": {"steps": [{"day": 3, "action": "letter"}]},
        },
        rows={
            "accounts": [
                {
                    "account_id": name,
                    "treatment": "letters" if name == "written" else "texts",
                    "missed_on": day,
                    "no_letters": name == "quiet",
                }
                for name, day in missed.items()
            ],
            "bills": [
                {"account_id": name, "bill_id": "b", "due_on": "2026-01-01", "amount": amount}
                for name, amount in amounts.items()
            ],
        },
        guards=[SUPPORT, {"guard": "no_letters", "when": "no_letters", "never": ["letter"]}],
        attributes={"missed_on": "date", "no_letters": "boolean"},
    )


def test_a_duty_has_a_deadline_and_comes_first_on_the_list(owing: Path) -> None:
    done, rows = treated.issue(owing, DAY)
    columns = ("account_id", "action", "template", "path", "deadline", "due_on")
    assert [tuple(row[c] for c in columns) for row in rows] == [
        ("small", "letter", "we can help", "duty support", date(2026, 1, 8), date(2026, 1, 3)),
        ("large", "sms", None, "texts", None, DAY),
        ("written", "letter", None, "letters", None, DAY),
    ]
    assert rows[0]["reason"] == (
        "day 2 of duty support; due since 2026-01-03; duty support: until 2026-01-08"
    )
    assert [duty.model_dump() for duty in done.duties] == [
        {"duty": "support", "open": 2, "late": 0, "left": 1}
    ]


def test_a_day_s_capacity_goes_to_a_duty_first(owing: Path) -> None:
    rows = treated.listed(owing, DAY, capacity={"letter": 1})
    assert [row["account_id"] for row in rows if row["action"] == "letter"] == ["small"]


def test_a_duty_that_is_late_is_counted_and_a_letter_that_failed_does_not_meet_it(
    owing: Path, tmp_path: Path
) -> None:
    treated.issue(owing, DAY)
    listed = [row["action"] for row in treated.listed(owing, date(2026, 1, 6))]
    assert listed == ["sms"]  # the text to the small one, which the letter came before
    file = tmp_path / "came.csv"
    file.write_text("account_id,action,outcome\nsmall,letter,failed\n", encoding="utf-8")
    record(owing, file, on=date(2026, 1, 7), at=treated.AT, by="ann")
    done, rows = treated.issue(owing, date(2026, 1, 9))
    assert [(row["account_id"], row["action"]) for row in rows] == [("small", "letter")]
    assert [(duty.open, duty.late, duty.left) for duty in done.duties] == [(2, 2, 1)]


def test_explain_says_in_words_what_was_done_and_what_holds(owing: Path) -> None:
    treated.issue(owing, DAY)
    words = {"small": "letter last issued on 2026-01-05", "large": "sms of texts issued on"}
    for account, said in words.items():
        shown = CliRunner().invoke(
            app, ["-w", str(owing), "explain", account, "--as-of", "2026-01-06"]
        )
        facts, state = (" ".join(shown.output.split()).split("Facts the rules read: ")[1]).split(
            "Done before, and holding: "
        )
        assert said in state
        assert "issued" not in facts and "missed_on=" in facts
