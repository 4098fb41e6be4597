"""What the rows of a worklist say beside the action: at which hours somebody may be reached."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

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
