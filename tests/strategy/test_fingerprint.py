"""A version is what the files say, not how they say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.strategies import SMALL, changed, sound

SAME = {
    "a comment": ("tiers.yaml", "behaviour:", "# why\nbehaviour:  # because"),
    "layout": (
        "tiers.yaml",
        "{tier: late, when: days_past_due > 30}",
        "tier: late\n    when: 'days_past_due > 30'",
    ),
    "the order of keys": (
        "strategy.yaml",
        "{name: sms, channel: sms}",
        "{channel: sms, name: sms}",
    ),
    "an example": ("examples.yaml", "example: quiet", "example: very quiet"),
}
OTHER = {
    "a cut": ("strategy.yaml", "low: 0.1,", "low: 0.11,"),
    "the owner": ("strategy.yaml", "owner: tests", "owner: others"),
    "a threshold": ("tiers.yaml", "days_past_due > 30", "days_past_due > 31"),
    "what unknown means": ("tiers.yaml", "unknown: match", "unknown: skip"),
    "a cell": ("segments.yaml", "[any, high, [new, late]]", "[any, high, new]"),
    "a row's segment": (
        "segments.yaml",
        "[any, any, any], segment: leave",
        "[any, any, any], segment: chase",
    ),
    "the order of rows": (
        "tiers.yaml",
        "{tier: new, when: months_on_book < 6, unknown: match}\n"
        "  - {tier: late, when: days_past_due > 30}",
        "{tier: late, when: days_past_due > 30}\n"
        "  - {tier: new, when: months_on_book < 6, unknown: match}",
    ),
    "a step's day": ("paths.yaml", "day: 14", "day: 15"),
    "a template": ("paths.yaml", "template: reminder", "template: reminder_2"),
    "a guard": ("guards.yaml", "never: [agency]", "never: [agency, letter]"),
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_unchanged_by(change: tuple[str, str, str], tmp_path: Path) -> None:
    before = sound(tmp_path, SMALL).fingerprint
    assert sound(tmp_path, changed(*change)).fingerprint == before


@pytest.mark.parametrize("change", OTHER.values(), ids=OTHER)
def test_changed_by(change: tuple[str, str, str], tmp_path: Path) -> None:
    files = changed(*change)
    if "segment: leave" in change[1]:
        files["paths.yaml"] = files["paths.yaml"].replace(
            "leave: {for: [leave], starts: as_of}\n", ""
        )
        files["examples.yaml"] = "{}\n"
    before = sound(tmp_path, SMALL).fingerprint
    assert sound(tmp_path, files).fingerprint != before


def test_it_is_short_and_the_same_each_time(tmp_path: Path) -> None:
    one, other = sound(tmp_path, SMALL).fingerprint, sound(tmp_path, SMALL).fingerprint
    assert one == other
    assert len(one) == 12
    assert set(one) <= set("0123456789abcdef")
