"""A version is what the files say, not how they say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskseg.domain.facts import Kind
from tests.support.strategies import FACTS, SMALL, changed, fact, sound

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
    "spaces in an expression": ("tiers.yaml", "days_past_due > 30", "( days_past_due>30 )"),
    "quotes": ("strategy.yaml", "owner: tests", "owner: 'tests'"),
    "the form of a number": ("paths.yaml", "balance_overdue < 10", "balance_overdue < 10.00"),
    "the form of a cut": ("strategy.yaml", "low: 0.1,", "low: 0.10,"),
    "a list of one": ("segments.yaml", "[any, high,", "[any, [high],"),
    "the order in a cell": ("segments.yaml", "[new, late]", "[late, new]"),
    "the order of paths": (
        "paths.yaml",
        "leave: {for: [leave], starts: as_of}\n",
        "'leave': {starts: as_of, for: [leave]}\n",
    ),
    "a path that stays": ("paths.yaml", "starts: as_of}", "starts: as_of, then: stay}"),
    "the default of must": ("paths.yaml", "action: sms,", "action: sms, must: false,"),
    "the default of a guard": (
        "guards.yaml",
        "when: is_vulnerable",
        "when: is_vulnerable\n  unknown: match",
    ),
    "a default value nobody reads": (
        "strategy.yaml",
        "protective:",
        "expects: {other: {type: integer, else: 0}}\nprotective:",
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
    "a guard": ("guards.yaml", "guard: vulnerable", "guard: frail"),
    "what is done instead": ("guards.yaml", "instead: letter", "instead: sms"),
    "a source": ("guards.yaml", "instead: letter", "instead: letter\n  source: a book"),
    "when a guard begins": ("guards.yaml", "on_plan", "on_plan\n  effective_from: 2020-01-01"),
    "what unknown means to a guard": (
        "guards.yaml",
        "when: is_vulnerable",
        "when: is_vulnerable\n  unknown: skip",
    ),
    "a property": ("guards.yaml", "- hold:", "- prove: action <> 'agency' or p > 0.1\n- hold:"),
    "the order of actions": (
        "strategy.yaml",
        "{name: sms, channel: sms}\n  - {name: letter, channel: post}",
        "{name: letter, channel: post}\n  - {name: sms, channel: sms}",
    ),
    "two people who approve": (
        "strategy.yaml",
        "{name: agency, channel: file}",
        "{name: agency, channel: file, significant: true, four_eyes: true}",
    ),
    "a special category": ("strategy.yaml", "protective:", "special_category: []\nprotective:"),
    "a default value": (
        "strategy.yaml",
        "protective:",
        "expects: {on_plan: {type: boolean, else: false}}\nprotective:",
    ),
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


def test_changed_by_the_dates_of_a_path(tmp_path: Path) -> None:
    dated = {**SMALL, "strategy.yaml": SMALL["strategy.yaml"] + "effective_to: 2026-12-31\n"}
    before = sound(tmp_path, dated).fingerprint
    paths = dated["paths.yaml"].replace("as_of}", "as_of, effective_to: 2027-01-31}")
    assert sound(tmp_path, {**dated, "paths.yaml": paths}).fingerprint != before


def test_it_does_not_hang_on_the_types_of_the_workspace(tmp_path: Path) -> None:
    there = {
        **FACTS,
        "balance_overdue": fact("balance_overdue", Kind.INTEGER),
        "days_past_due": fact("days_past_due", Kind.NUMBER),
        "months_on_book": fact("months_on_book", Kind.DECIMAL),
    }
    before = sound(tmp_path, SMALL).fingerprint
    assert sound(tmp_path, SMALL, there).fingerprint == before


def test_a_stand_in_counts_where_the_fact_is_there_too(tmp_path: Path) -> None:
    """What is written counts, whether or not this workspace needs it."""
    change = OTHER["a default value"]
    here = sound(tmp_path, changed(*change)).fingerprint
    without = {name: f for name, f in FACTS.items() if name != "on_plan"}
    assert sound(tmp_path, changed(*change), without).fingerprint == here


def test_it_is_short_and_the_same_each_time(tmp_path: Path) -> None:
    one, other = sound(tmp_path, SMALL).fingerprint, sound(tmp_path, SMALL).fingerprint
    assert one == other
    assert len(one) == 12
    assert set(one) <= set("0123456789abcdef")
