"""Which rows changed, reported as a person would point at them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from riskseg.domain.problems import Problems
from riskseg.strategy.authored import read_strategy
from riskseg.strategy.changes import changes
from riskseg.strategy.check import check_strategy
from riskseg.strategy.editions import Edition
from tests.support.strategies import FACTS, LACKING, MODELS, SMALL, changed

LATE = "  - {tier: late, when: days_past_due > 30}\n"
NEW = "  - {tier: new, when: months_on_book < 6, unknown: match}\n"
CHASE = "  - {id: chase, match: [any, high, [new, late]], segment: chase}\n"
CLOSED = "  - {id: closed, match: [closed_in_debt, any, any], segment: trace}\n"

# One place changed: what is reported, and what is reported the other way round.
Case = tuple[tuple[str, str, str], list[str], list[str]]
TOLD: dict[str, Case] = {
    "a cut": (
        ("strategy.yaml", "low: 0.1,", "low: 0.15,"),
        ["strategy.yaml band risk, level low (line 6): cut was 0.1, is 0.15"],
        ["strategy.yaml band risk, level low (line 6): cut was 0.15, is 0.1"],
    ),
    "a level": (
        ("strategy.yaml", "low: 0.1,", "low: 0.1, middle: 0.2,"),
        ["strategy.yaml band risk, level middle added (line 6): cut 0.2"],
        ["strategy.yaml band risk, level middle removed (line 6): cut 0.2"],
    ),
    "a band": (
        ("strategy.yaml", "actions:\n", "  more: {of: p, cuts: {some: 0.5, all: 1}}\nactions:\n"),
        ["strategy.yaml band more added (line 7): of p, some to 0.5, all to 1"],
        ["strategy.yaml band more removed (line 7): of p, some to 0.5, all to 1"],
    ),
    "an action": (
        ("strategy.yaml", "{name: sms, channel: sms}", "{name: sms, channel: app, contact: true}"),
        [
            "strategy.yaml action sms (line 8): channel was sms, is app",
            "strategy.yaml action sms (line 8): contact was false, is true",
        ],
        [
            "strategy.yaml action sms (line 8): channel was app, is sms",
            "strategy.yaml action sms (line 8): contact was true, is false",
        ],
    ),
    "the priority": (
        ("strategy.yaml", "coalesce(p, 0.5)", "coalesce(p, 0.6)"),
        [
            "strategy.yaml priority (line 12): was balance_overdue * coalesce(p, 0.5), "
            "is balance_overdue * coalesce(p, 0.6)"
        ],
        [
            "strategy.yaml priority (line 12): was balance_overdue * coalesce(p, 0.6), "
            "is balance_overdue * coalesce(p, 0.5)"
        ],
    ),
    "the model": (
        ("strategy.yaml", "uses: {p: default}", "uses: {p: late_payment}"),
        ["strategy.yaml uses p (line 4): was default, is late_payment"],
        ["strategy.yaml uses p (line 4): was late_payment, is default"],
    ),
    "what protects": (
        ("strategy.yaml", "protective: [is_vulnerable]", "protective: []"),
        ["strategy.yaml protective is_vulnerable removed (line 11)"],
        ["strategy.yaml protective is_vulnerable added (line 11)"],
    ),
    "effective dates": (
        ("strategy.yaml", "owner: tests", "owner: tests\neffective_from: 2026-01-01"),
        ["strategy.yaml effective_from added (line 4): 2026-01-01"],
        ["strategy.yaml effective_from removed (line 4): 2026-01-01"],
    ),
    "a threshold": (
        ("tiers.yaml", "days_past_due > 30", "days_past_due > 31"),
        [
            "tiers.yaml behaviour row late (line 3): when was days_past_due > 30, "
            "is days_past_due > 31"
        ],
        [
            "tiers.yaml behaviour row late (line 3): when was days_past_due > 31, "
            "is days_past_due > 30"
        ],
    ),
    "what unknown means": (
        ("tiers.yaml", "unknown: match", "unknown: skip"),
        ["tiers.yaml behaviour row new (line 2): unknown was match, is skip"],
        ["tiers.yaml behaviour row new (line 2): unknown was skip, is match"],
    ),
    "a second row of a tier": (
        ("tiers.yaml", NEW, "  - {tier: late, when: days_past_due > 90}\n" + NEW),
        ["tiers.yaml behaviour row late added (line 2): tier late, when days_past_due > 90"],
        ["tiers.yaml behaviour row late removed (line 2): tier late, when days_past_due > 90"],
    ),
    "the order of tiers": (
        ("tiers.yaml", NEW + LATE, LATE + NEW),
        ["tiers.yaml behaviour row late moved (line 3 -> 2): was after new, is first"],
        ["tiers.yaml behaviour row new moved (line 3 -> 2): was after late, is first"],
    ),
    "cells": (
        ("segments.yaml", "[any, high, [new, late]]", "[any, any, [late]]"),
        [
            "segments.yaml row chase (line 4): risk was high, is any",
            "segments.yaml row chase (line 4): behaviour was new or late, is late",
        ],
        [
            "segments.yaml row chase (line 4): risk was any, is high",
            "segments.yaml row chase (line 4): behaviour was late, is new or late",
        ],
    ),
    "a row's segment": (
        ("segments.yaml", "any, any], segment: trace", "any, any], segment: chase"),
        ["segments.yaml row closed (line 3): segment was trace, is chase"],
        ["segments.yaml row closed (line 3): segment was chase, is trace"],
    ),
    "a row": (
        ("segments.yaml", CHASE, CHASE + CHASE.replace("chase,", "more,").replace("high", "low")),
        ["segments.yaml row more added (line 5): risk low, behaviour new or late, segment chase"],
        ["segments.yaml row more removed (line 5): risk low, behaviour new or late, segment chase"],
    ),
    "the order of rows": (
        ("segments.yaml", CLOSED + CHASE, CHASE + CLOSED),
        ["segments.yaml row chase moved (line 4 -> 3): was after closed, is first"],
        ["segments.yaml row closed moved (line 4 -> 3): was after chase, is first"],
    ),
    "a step's template": (
        ("paths.yaml", "template: reminder", "template: other"),
        ["paths.yaml path chase, step on day 3 (line 6): template was reminder, is other"],
        ["paths.yaml path chase, step on day 3 (line 6): template was other, is reminder"],
    ),
    "a step's day": (
        ("paths.yaml", "day: 14", "day: 15"),
        ["paths.yaml path chase, step on day 14 (line 7): day was 14, is 15"],
        ["paths.yaml path chase, step on day 15 (line 7): day was 15, is 14"],
    ),
    "a step": (
        ("paths.yaml", "    - {day: 14, action: letter}\n", ""),
        ["paths.yaml path chase, step on day 14 removed (line 7): day 14, action letter"],
        ["paths.yaml path chase, step on day 14 added (line 7): day 14, action letter"],
    ),
    "what follows": (
        ("paths.yaml", "  then: trace\n", "  stay: deliberately\n"),
        ["paths.yaml path chase (line 8): then was trace, is stay"],
        ["paths.yaml path chase (line 8): then was stay, is trace"],
    ),
    "when a path ends": (
        ("paths.yaml", "balance_overdue < 10", "balance_overdue < 20"),
        [
            "paths.yaml path chase (line 9): ends_when was balance_overdue < 10, "
            "is balance_overdue < 20"
        ],
        [
            "paths.yaml path chase (line 9): ends_when was balance_overdue < 20, "
            "is balance_overdue < 10"
        ],
    ),
    "how long a step is due": (
        ("paths.yaml", "  then: trace\n", "  then: trace\n  due_for: 3\n"),
        ["paths.yaml path chase (line 2 -> 9): due_for was none, is 3"],
        ["paths.yaml path chase (line 9 -> 2): due_for was 3, is none"],
    ),
    "what a guard forbids": (
        ("guards.yaml", "never: [agency]\n  instead: letter", "never: [agency, letter]"),
        [
            "guards.yaml guard vulnerable (line 1): never was [agency], is [agency, letter]",
            "guards.yaml guard vulnerable (line 1): instead was letter, is none",
        ],
        [
            "guards.yaml guard vulnerable (line 1): never was [agency, letter], is [agency]",
            "guards.yaml guard vulnerable (line 1): instead was none, is letter",
        ],
    ),
    "what a requirement needs": (
        ("guards.yaml", "days_past_due >= 60", "days_past_due >= 70"),
        [
            "guards.yaml requirement old (line 7): needs was days_past_due >= 60, "
            "is days_past_due >= 70"
        ],
        [
            "guards.yaml requirement old (line 7): needs was days_past_due >= 70, "
            "is days_past_due >= 60"
        ],
    ),
    "a hold": (
        ("guards.yaml", "- hold: plan\n  when: on_plan\n", ""),
        ["guards.yaml hold plan removed (line 5): when on_plan, unknown match"],
        ["guards.yaml hold plan added (line 5): when on_plan, unknown match"],
    ),
}

SAME = {
    "a comment": ("tiers.yaml", "behaviour:", "# why\n\nbehaviour:  # because"),
    "layout": ("tiers.yaml", LATE, "  - tier: late\n    when: 'days_past_due   >   30'\n"),
    "a number": ("tiers.yaml", "months_on_book < 6,", "months_on_book < 6.0,"),
    "the order of keys": ("strategy.yaml", "{of: p, cuts:", "{cuts:"),
    "a default": ("paths.yaml", "starts: as_of}", "starts: as_of, then: stay}"),
    "an example": ("examples.yaml", "example: quiet", "example: very quiet"),
}


def edition(folder: Path, files: Mapping[str, str]) -> Edition:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    problems = Problems()
    authored = read_strategy(folder, problems, shown="rules")
    assert authored is not None, list(problems)
    strategy = check_strategy(authored, FACTS, LACKING, MODELS, problems)
    assert strategy is not None, list(map(str, problems))
    return Edition(strategy, authored.documents, authored.texts)


@pytest.mark.parametrize("case", TOLD.values(), ids=TOLD)
def test_tells(case: Case, tmp_path: Path) -> None:
    change, forth, back = case
    files = changed(*change)
    if change[1].startswith("any, any]"):  # nothing leads to its path but another path now
        files["paths.yaml"] = files["paths.yaml"].replace("for: [trace]", "for: []")
        forth = [*forth, "paths.yaml path trace (line 1): for was [trace], is none"]
        back = [*back, "paths.yaml path trace (line 1): for was none, is [trace]"]
    old, new = edition(tmp_path / "old", SMALL), edition(tmp_path / "new", files)
    assert list(map(str, changes(old, new))) == forth
    assert list(map(str, changes(new, old))) == back
    assert old.strategy.fingerprint != new.strategy.fingerprint


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_is_silent_about(change: tuple[str, str, str], tmp_path: Path) -> None:
    files = changed(*change)
    if change[2] == "{cuts:":
        files["strategy.yaml"] = files["strategy.yaml"].replace("high: 1}}", "high: 1}, of: p}")
    old, new = edition(tmp_path / "old", SMALL), edition(tmp_path / "new", files)
    assert changes(old, new) == ()
    assert old.strategy.fingerprint == new.strategy.fingerprint


def test_the_fewest_rows_have_moved(tmp_path: Path) -> None:
    """One row taken from the top to the bottom is one move, not one of every other row."""
    levels = ["low", "high", "unscored"]
    rows = [
        f"  - {{id: {tier}_{level}, match: [any, {level}, {tier}], segment: chase}}\n"
        for tier in ("new", "late", "good")
        for level in levels
    ][:-1]
    text = SMALL["segments.yaml"].replace(CHASE, "@")
    old = edition(tmp_path / "old", {**SMALL, "segments.yaml": text.replace("@", "".join(rows))})
    turned = "".join([*rows[1:], rows[0]])
    new = edition(tmp_path / "new", {**SMALL, "segments.yaml": text.replace("@", turned)})
    assert list(map(str, changes(old, new))) == [
        "segments.yaml row new_low moved (line 4 -> 11): was after closed, is after good_high"
    ]


def test_a_column_that_was_not_there_was_any(tmp_path: Path) -> None:
    wide = {
        **SMALL,
        "segments.yaml": "columns: [lifecycle, region, risk, behaviour]\nrows:\n"
        "  - {id: closed, match: [closed_in_debt, any, any, any], segment: trace}\n"
        "  - {id: chase, match: [any, north, high, [new, late]], segment: chase}\n"
        "  - {id: rest, match: [any, any, any, any], segment: leave}\n",
    }
    old, new = edition(tmp_path / "old", SMALL), edition(tmp_path / "new", wide)
    assert list(map(str, changes(old, new))) == [
        "segments.yaml columns (line 1): was [lifecycle, risk, behaviour], "
        "is [lifecycle, region, risk, behaviour]",
        "segments.yaml row chase (line 4): region was any, is north",
    ]
