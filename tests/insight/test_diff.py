"""`strategy diff`: which rows changed, and who moves, against what `assign` decides with each."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.domain.problems import Problems
from riskseg.engine import Engine
from riskseg.insight import decided_twice
from riskseg.pipeline import staged_ledger
from riskseg.pipeline import strategy_versions as editions
from riskseg.pipeline.decisions import make_decided
from riskseg.pipeline.session import open_checked
from riskseg.run.assign import assign
from riskseg.store.journal import Journal
from riskseg.store.records import ActivationRecord, StrategyRecord, text_hash
from tests.support import portfolio as p

DAY = p.AS_OF.isoformat()
OTHER = "rules/other"
CUT = ("strategy.yaml", "medium: 0.15", "medium: 0.20")
OUTCOME = ("segment", "path", "action")


@pytest.fixture
def workspace(trained: Path, copy_of: Callable[[Path], Path]) -> Path:
    """With a second strategy beside the first, the same so far."""
    folder = copy_of(trained)
    shutil.copytree(folder / p.STRATEGY, folder / OTHER)
    return folder


def run(workspace: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["-w", str(workspace), "strategy", "diff", *arguments])


def diff(workspace: Path, *arguments: str) -> dict[str, Any]:
    result = run(workspace, str(workspace / p.STRATEGY), OTHER, *arguments, "--json")
    assert result.exit_code == 0, result.output
    reported: dict[str, Any] = json.loads(result.stdout)
    return reported


def change(workspace: Path, file: str, old: str, new: str) -> None:
    p.replace(workspace, f"{OTHER}/{file}", old, new)


def decisions(workspace: Path, strategy: str) -> dict[str, dict[str, Any]]:
    """What `assign` decides with a strategy, by account."""
    toml = workspace / "riskseg.toml"
    text = toml.read_text()
    toml.write_text(text.replace(f'"{p.STRATEGY}"', f'"{strategy}"'))
    place = workspace / f"{Path(strategy).name}.parquet"
    assign(workspace, p.AS_OF, str(place), at=p.AT, reasons="none")
    toml.write_text(text)
    rows = pq.read_table(place).to_pylist()
    return {row["account_id"]: row for row in rows}


def test_a_strategy_and_itself_reformatted(workspace: Path) -> None:
    for file in (workspace / OTHER).glob("*.yaml"):
        data = yaml.safe_load(file.read_text())
        file.write_text("# laid out anew\n" + yaml.safe_dump(data, sort_keys=False, width=40))
    reported = diff(workspace, "--as-of", DAY)
    assert reported["changes"] == []
    assert reported["old"]["fingerprint"] == reported["new"]["fingerprint"]
    assert reported["moves"]["accounts"] > 250
    assert reported["moves"]["moved"] == reported["moves"]["different"] == 0
    assert reported["moves"]["moves"] == reported["moves"]["levels"] == []
    assert not any(a["added"] or a["removed"] for a in reported["moves"]["actions"])
    shown = run(workspace, str(workspace / p.STRATEGY), OTHER, "--as-of", DAY)
    assert "No row changed." in shown.stdout
    assert f"As of {DAY} 0 of {reported['moves']['accounts']} accounts move" in shown.stdout


@pytest.mark.slow
def test_one_cut_moved(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exactly the accounts between the cuts change their level, and nobody else moves: nor is
    anybody else decided a second time."""
    p.replace(workspace, "riskseg.toml", "threads = 1", "threads = 1\npartitions = 3")
    change(workspace, *CUT)
    numbers: list[int] = []

    def counted(engine: Engine, *arguments: Any) -> None:
        numbers.append(engine.value("select count(*) from scored"))
        make_decided(engine, *arguments)

    monkeypatch.setattr(decided_twice, "make_decided", counted)
    reported = diff(workspace, "--as-of", DAY)
    assert [c["text"] for c in reported["changes"]] == [
        "strategy.yaml band risk, level medium (line 21): cut was 0.15, is 0.2"
    ]
    old, new = (decisions(workspace, s) for s in (p.STRATEGY, OTHER))
    between = {
        a
        for a, d in old.items()
        if d["p_default"] is not None and Decimal("0.15") <= d["p_default"] < Decimal("0.20")
    }
    assert len(between) >= 5
    assert sum(numbers) == len(old) + len(between)
    levels = reported["moves"]["levels"]
    assert [(x["name"], x["old"], x["new"], x["accounts"]) for x in levels] == [
        ("risk", "high", "medium", len(between))
    ]
    assert Decimal(levels[0]["overdue"]) == sum(old[a]["balance_overdue"] for a in between)
    assert reported["moves"]["columns"]["risk"] == reported["moves"]["different"] == len(between)
    moved = {a for a in old if any(old[a][c] != new[a][c] for c in OUTCOME)}
    assert reported["moves"]["moved"] == len(moved)
    assert moved <= between


# Changes that move many accounts: over segments and paths, over what is due and how it is sent.
MANY = {
    "cells": [("segments.yaml", "in_arrears, low, [new", "in_arrears, any, [new")],
    "a fact that the old one does not read": [
        ("tiers.yaml", "months_on_book < 6, unk", "months_on_book < 6 or overdue_bills > 0, unk")
    ],
    "another model under the same name": [
        (
            "strategy.yaml",
            "{p_late: late_payment, p_default: default}",
            "{p_late: late_payment, p_default: late_payment}",
        )
    ],
    "paths and actions": [
        ("paths.yaml", "{day: 3,  action: sms,            t", "{day: 3,  action: letter, t"),
        (
            "paths.yaml",
            "{day: -5, action: sms, template: bill_coming_up}",
            "{day: -5, action: call}",
        ),
        ("paths.yaml", "starts: next_due_on", "starts: next_due_on\n  due_for: 30"),
        ("strategy.yaml", "{name: letter,         channel: post", "{name: letter, channel: app"),
        ("guards.yaml", "open_disputes > 0", "open_disputes >= 0"),
    ],
}
DECIDED = (
    *("risk", "late_risk", "standing", "behaviour", *OUTCOME, "channel", "path_day", "step"),
    *("template", "next_action", "next_on", "priority", "guards", "due_action"),
)


@pytest.mark.slow
@pytest.mark.parametrize("changes", MANY.values(), ids=MANY)
def test_who_moves_is_who_is_decided_otherwise(
    workspace: Path, changes: list[tuple[str, str, str]]
) -> None:
    for one in changes:
        change(workspace, *one)
    reported = diff(workspace, "--as-of", DAY)["moves"]
    old, new = (decisions(workspace, s) for s in (p.STRATEGY, OTHER))
    assert reported["accounts"] == len(old) == len(new)

    moved: dict[tuple[str, ...], list[str]] = {}
    due, added, removed = Counter[Any](), Counter[Any](), Counter[Any]()
    now = Counter[Any]()
    for account in old:
        was, is_ = (tuple(d[account][c] for c in OUTCOME) for d in (old, new))
        if was != is_:
            moved.setdefault(was + is_, []).append(account)
        acts = [(d[account]["channel"], d[account]["action"]) for d in (old, new)]
        due[acts[0]] += 1
        now[acts[1]] += 1
        if acts[0] != acts[1]:
            removed[acts[0]] += 1
            added[acts[1]] += 1
    found = {
        tuple(m[side][c] for side in ("old", "new") for c in OUTCOME): m for m in reported["moves"]
    }
    assert {key: m["accounts"] for key, m in found.items()} == {k: len(v) for k, v in moved.items()}
    assert reported["moved"] == sum(map(len, moved.values()))
    vulnerable = _vulnerable(workspace)
    for key, accounts in moved.items():
        assert found[key]["examples"] == sorted(accounts)[:3]
        overdue = sum(old[a]["balance_overdue"] for a in accounts)
        assert Decimal(found[key]["overdue"]) == overdue
        flags = Counter(vulnerable[a] for a in accounts)
        assert (found[key]["protected"], found[key]["unknown"]) == (flags["true"], flags[""])
    acted = {(a["channel"], a["action"]): a for a in reported["actions"]}
    assert acted.keys() == {key for key in {*due, *now} if key[1] != "none"}
    for key, a in acted.items():
        figures = due[key], now[key], added[key], removed[key]
        assert (a["old"], a["new"], a["added"], a["removed"]) == figures
    different = {c: sum(old[a][c] != new[a][c] for a in old) for c in DECIDED}
    assert reported["columns"] == {c: n for c, n in different.items() if n}
    assert reported["different"] >= max(different.values()) > 0


def _vulnerable(workspace: Path) -> dict[str, str]:
    head, *lines = (line.split(",") for line in p.rows(workspace, "accounts"))
    return {line[head.index("account_id")]: line[head.index("is_vulnerable")] for line in lines}


@pytest.mark.parametrize("silent", [p.STRATEGY, OTHER])
def test_protection_that_nobody_knows_is_counted_apart(workspace: Path, silent: str) -> None:
    """A workspace without the flag, which a default value says is unknown, for everyone. One of the
    two strategies does not list it: what the other protects is protected."""
    p.replace(workspace, f"{silent}/strategy.yaml", "protective: [is_vulnerable]", "protective: []")
    p.replace(workspace, "riskseg.toml", 'is_vulnerable = "cast(is_vulnerable as boolean)"\n', "")
    lines = [line.replace("is_vulnerable", "other_flag") for line in p.rows(workspace, "accounts")]
    p.write_rows(workspace, "accounts", lines)
    change(workspace, "segments.yaml", "in_arrears, low, [new", "in_arrears, any, [new")
    reported = diff(workspace, "--as-of", DAY)["moves"]
    assert reported["default_values"] == {"is_vulnerable": None}
    assert reported["moved"] == reported["unknown"] > 0
    assert reported["protected"] == 0


def test_facts_that_models_alone_read_are_read_where_they_are_asked(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the facts of a day are kept and its probabilities no longer are."""
    monkeypatch.setattr(staged_ledger, "_SETTLED_AFTER_NS", -(10**9))
    change(workspace, *CUT)
    assign(workspace, p.AS_OF, str(workspace / "out.parquet"), at=p.AT, reasons="none")
    reported = diff(workspace, "--as-of", DAY)
    kept = list((workspace / ".riskseg" / "staged").glob("*-scores-*.rows"))
    assert kept
    for file in kept:
        file.unlink()
    assert diff(workspace, "--as-of", DAY) == reported


def test_without_a_date_nobody_is_decided(workspace: Path) -> None:
    change(workspace, *CUT)
    reported = diff(workspace)
    assert len(reported["changes"]) == 1
    assert reported["moves"] is None


def test_one_version_alone_is_compared_with_the_workspaces_own(workspace: Path) -> None:
    change(workspace, *CUT)
    result = run(workspace, str(workspace / OTHER))
    assert result.exit_code == 0, result.output
    assert "cut was 0.2, is 0.15" in result.stdout


def test_problems_of_both_are_reported_together(workspace: Path) -> None:
    change(workspace, *CUT)
    change(workspace, "strategy.yaml", "of: p_late,", "of: p_lat,")
    p.replace(workspace, f"{p.STRATEGY}/tiers.yaml", "days_past_due > 0", "days_past_du > 0")
    result = run(workspace, str(workspace / p.STRATEGY), OTHER, "--json")
    assert result.exit_code == 1
    reported = json.loads(result.stdout)["problems"]
    assert {(x["code"], x["file"]) for x in reported} == {
        ("RS303", f"{p.STRATEGY}/tiers.yaml"),
        ("RS201", f"{OTHER}/strategy.yaml"),
    }


def test_versions_in_the_journal(workspace: Path) -> None:
    """The text of a run that kept its inputs, and one that was activated."""
    assign(workspace, p.AS_OF, str(workspace / "out.parquet"), at=p.AT, reasons="none")
    change(workspace, *CUT)
    activated = diff(workspace)["new"]["fingerprint"]
    files = {f.name: f.read_text() for f in (workspace / OTHER).glob("*.yaml")}
    with Journal.open(workspace / ".riskseg" / "journal.db") as journal:
        (ran,) = (r.strategy for r in journal.runs() if r.command == "assign")
        named = {"fingerprint": activated, "text": text_hash(files)}
        journal.activate(
            StrategyRecord(**named, name="household-utility", files=files, at=p.AT),
            ActivationRecord(
                **named, at=p.AT, by="me", effective_from=p.AS_OF, proof={}, reason=""
            ),
        )
    shutil.rmtree(workspace / p.STRATEGY)
    shutil.rmtree(workspace / OTHER)
    assert ran is not None
    result = run(workspace, ran[:6], activated, "--json")
    assert result.exit_code == 0, result.output
    reported = json.loads(result.stdout)
    assert reported["old"]["fingerprint"] == ran
    assert reported["new"]["where"] == f"household-utility@{activated}"
    assert ["cut was 0.15, is 0.2" in c["text"] for c in reported["changes"]] == [True]


def test_a_version_that_is_nowhere(workspace: Path) -> None:
    result = run(workspace, "rules/othr", "--json")
    assert result.exit_code == 1
    (reported,) = json.loads(result.stdout)["problems"]
    assert reported["code"] == "RS230"
    assert reported["hint"] == 'Did you mean "rules/other"?'


def test_the_beginning_of_two_fingerprints(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {name: editions.Text(name) for name in ("abc1", "abc2", "def3")}
    monkeypatch.setattr(editions, "_journalled", lambda _: known)
    problems = Problems()
    assert editions.find_version(open_checked(workspace), workspace, "abc", problems) is None
    [problem] = problems
    assert (problem.code, problem.what) == ("RS230", '"abc" could be abc1 or abc2.')


def test_an_empty_name_names_no_version(workspace: Path) -> None:
    for name in ("", " "):
        result = run(workspace, name, "--json")
        (reported,) = json.loads(result.stdout)["problems"]
        assert (result.exit_code, reported["code"]) == (1, "RS230")
        assert reported["what"] == "No version is named."


def test_a_version_is_tried_before_it_holds(workspace: Path) -> None:
    change(
        workspace, "strategy.yaml", "owner: collections", "owner: me\neffective_from: 2027-01-01"
    )
    reported = diff(workspace, "--as-of", DAY)["moves"]
    assert reported["moved"] == 0
    assert reported["notes"] == [
        'The strategy "household-utility" holds from 2027-01-01; 2026-05-15 is outside that. '
        "It is tried as if it held."
    ]


def test_it_leaves_nothing_behind(workspace: Path) -> None:
    def files() -> dict[Path, bytes]:
        state = workspace / ".riskseg" / "journal.db"
        listed = (f for f in workspace.rglob("*") if f.is_file() and f.parent != state.parent)
        return {f: f.read_bytes() for f in listed}

    before, state = files(), sorted(f.name for f in (workspace / ".riskseg").iterdir())
    diff(workspace, "--as-of", DAY)
    assert files() == before
    assert sorted(f.name for f in (workspace / ".riskseg").iterdir()) == state
