"""Which facts rules without data are checked and proved against, and how strategies are named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from riskseg.cli.app import app

ROWS = "columns: [t]\nrows:\n  - {id: a, match: [a], segment: hit}\n"
SMALL = {
    "strategy.yaml": "name: small\npurpose: to be proved\nowner: tests\nactions:\n"
    "  - {name: sms, channel: sms}\n  - {name: agency, channel: file}\n",
    "tiers.yaml": "t:\n  - {tier: a, when: mine > 3}\n  - {tier: b, otherwise: true}\n",
    "segments.yaml": ROWS + "  - {id: b, match: [any], segment: miss}\n",
    "paths.yaml": "hit: {for: [hit], starts: as_of, steps: [{day: 0, action: agency}]}\n"
    "miss: {for: [miss], starts: as_of, steps: [{day: 0, action: sms}]}\n",
}
TOML = '[workspace]\ncurrency = "GBP"\nstrategy = "rules/small"\n[source.accounts]\n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with no workspace above it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["strategy", *words])


def reported(*words: str) -> Any:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def problems(*words: str) -> list[dict[str, Any]]:
    result = run(*words, "--json")
    assert result.exit_code == 1, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)["problems"]
    return found


def write(folder: Path, expects: str = "", **more: str) -> Path:
    """The small strategy in a folder of its own; `more` are files without their ending."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {**SMALL, **{f"{name}.yaml": text for name, text in more.items()}}
    files["strategy.yaml"] += expects and f"expects: {{{expects}}}\n"
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def workspace(folder: Path, expects: str) -> Path:
    write(folder / "rules" / "small", expects)
    source = "from = \"select * from read_csv('accounts.csv', types = {'id': 'VARCHAR'})\"\n"
    (folder / "riskseg.toml").write_text(f'{TOML}{source}account_id = "id"\n')
    (folder / "accounts.csv").write_text("id\na\nb\n")
    return folder


def verdicts(*words: str) -> Mapping[str, str]:
    found = json.loads(run("prove", *words, "--json").stdout)
    declared = (r for r in found["proofs"]["results"] if r["claim"] == "declared")
    return {r["subject"]: r["verdict"] for r in declared}


PROPERTIES = """\
- {prove: "mine = 7", name: is_the_default}
- {prove: "mine is not null", name: known}
- {prove: "open_disputes is not null and broken_promises_12m is not null", name: both_known}
- {prove: "coalesce(open_disputes >= 0, true)", name: counted}
- {prove: "broken_promises_12m is not null", name: promises_known}
"""


def test_an_expected_fact_may_be_anything_of_its_type_and_unknown_where_it_says_so(
    here: Path,
) -> None:
    expects = (
        "mine: {type: integer, else: 7}, open_disputes: {type: integer, else: unknown}, "
        "broken_promises_12m: {type: integer, else: 0}"
    )
    write(here / "alone", expects, guards=PROPERTIES)
    # What the catalogue says of a count holds wherever it comes from.
    alone = {
        "is_the_default": "refuted",
        "known": "proved",
        "both_known": "refuted",
        "counted": "proved",
        "promises_known": "proved",
    }
    assert verdicts("alone") == alone
    there = workspace(here / "w", expects)
    (there / "rules" / "small" / "guards.yaml").write_text(PROPERTIES)
    # In a workspace that lacks it, it is its default value.
    assert verdicts(str(there / "rules" / "small"))["is_the_default"] == "proved"
    assert verdicts(str(there / "rules" / "small"), "--no-data") == alone


def test_an_example_without_an_expected_fact_has_its_default_value(here: Path) -> None:
    examples = (
        "defaults: {lifecycle: live}\nexamples:\n  - {example: by default, expect: {t: a}}\n"
        "  - {example: given, given: {mine: 1}, expect: {t: b}}\n"
    )
    write(here / "alone", "mine: {type: integer, else: 7}", examples=examples)
    decided = reported("test", "alone")["examples"]
    assert [e["decision"]["action"] for e in decided] == ["agency", "sms"]


def test_a_fact_nobody_knows_is_to_be_declared(here: Path) -> None:
    rows = ROWS.replace("[t]", "[t, region]").replace("[a]", "[a, north]")
    write(
        here / "alone",
        segments=rows + "  - {id: b, match: [any, any], segment: miss}\n",
        examples="examples:\n  - {example: one, given: {others: 1}, expect: {t: a}}\n",
    )
    found = problems("check", "alone")
    assert sorted((p["code"], p["file"]) for p in found) == [
        ("RS201", "alone/examples.yaml"),
        ("RS201", "alone/segments.yaml"),
        ("RS303", "alone/tiers.yaml"),
    ]
    assert all("declared in `expects:`" in p["hint"] for p in found)
    # An attribute without levels is a text, whichever it may hold.
    (here / "alone" / "examples.yaml").unlink()
    expects = "mine: {type: integer, else: 0}, region: {type: text, else: unknown}"
    write(here / "alone", expects, segments=(here / "alone" / "segments.yaml").read_text())
    assert reported("prove", "alone")["verdict"] == "proved"


@pytest.mark.parametrize(
    ("expects", "says"),
    [
        ("mine: {type: integer, else: many}", "'many' cannot be its default value"),
        ("mine: {type: integer, else: 1}, open_disputes: {type: integer, else: -1}", "never -1"),
        ("mine: {type: integer, else: 1}, open_disputes: {type: text, else: x}", "of the type"),
    ],
)
def test_a_default_value_that_cannot_be_one(expects: str, says: str, here: Path) -> None:
    write(here / "alone", expects)
    assert any(p["code"] == "RS004" and says in p["what"] for p in problems("check", "alone"))


def test_what_two_features_say_of_each_other_is_not_said_of_a_fact_that_is_expected(
    here: Path,
) -> None:
    tiers = (
        't:\n  - {tier: a, when: "mine > 3 or late_bills_6m > 1 or late_bills_3m > 1", '
        "unknown: skip}\n  - {tier: b, otherwise: true}\n"
    )
    guards = (
        "- {prove: late_bills_3m <= late_bills_6m, unknown: match, name: part}\n"
        "- {prove: late_bills_6m <= late_bills_12m, unknown: match, name: whole}\n"
    )
    expects = "mine: {type: integer, else: 1}, late_bills_3m: {type: integer, else: unknown}"
    write(here / "alone", expects, tiers=tiers, guards=guards)
    assert verdicts("alone") == {"part": "refuted", "whole": "proved"}


def test_by_name_by_path_and_by_version(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expects = "mine: {type: integer, else: 7}"
    there = workspace(here / "w", expects)
    write(there / "rules" / "other", expects + ", p: {type: integer, else: 1}")
    alone = write(here / "alone", expects)
    monkeypatch.chdir(there)
    activated = run("activate", "--by", "me", "--from", "2026-01-01")
    assert activated.exit_code == 0, activated.output
    version = reported("check")["version"]
    # One meaning, one version: with data, without, and wherever it lies.
    for name in ("small", "rules/small", str(alone), version, version[:5]):
        assert reported("check", name)["version"] == version
        assert reported("check", name, "--no-data")["version"] == version
    assert reported("show", version[:5])["folder"] == f"small@{version}"
    assert [p["code"] for p in problems("show", "smal")] == ["RS230"]
    # A folder of the name that holds no strategy is none.
    (there / "small").mkdir()
    assert reported("check", "small")["version"] == version
    # A repository with a riskseg.toml, and no data in it.
    (there / "accounts.csv").unlink()
    assert [p["code"] for p in problems("prove", "other")] == ["RS006"]
    assert reported("prove", "other", "--no-data")["from_data"] is False


def test_what_is_shown_to_machines_is_declared(here: Path) -> None:
    write(here / "alone", "mine: {type: integer, else: 7}")
    shown = reported("show", "alone")
    assert set(shown) == {
        *("name", "version", "purpose", "owner", "effective_from", "effective_to", "folder"),
        *("uses", "bands", "tiers", "columns", "rows", "actions", "protective", "paths", "guards"),
        *("packs", "properties", "priority", "examples", "facts", "defaults", "notes", "from_data"),
        *("special_category", "treat", "duties", "constants"),
    }
    assert shown["tiers"] == [
        {
            "name": "t",
            "columns": [],
            "rows": [
                {"tier": "a", "when": "mine > 3", "unknown": None, "match": None, "cells": []},
                {"tier": "b", "when": None, "unknown": None, "match": None, "cells": []},
            ],
        }
    ]
    assert "tree" not in json.dumps(shown)


@pytest.mark.parametrize("name", ["x" * 5000, "\0", "..", "/"])
def test_odd_names_are_no_strategy(name: str) -> None:
    assert run("check", name, "--json").exit_code == 1
