"""Rules in a repository of their own: checked, tried, proved and compared without any data."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.run.activate import activate
from riskseg.run.strategy import show
from tests.docs.pages import ROOT
from tests.support.account_file import AT, DAY, write

STARTERS = ("household-utility", "account-file")


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the shipped strategies and nothing else."""
    for name in STARTERS:
        shutil.copytree(ROOT / "rules" / name, tmp_path / "rules" / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["strategy", *words])
    return done.exit_code, done.output


@pytest.mark.parametrize("name", STARTERS)
@pytest.mark.parametrize("command", ["check", "test", "prove", "show"])
def test_a_shipped_strategy_stands_alone(alone: Path, command: str, name: str) -> None:
    for path in (name, f"rules/{name}", str(alone / "rules" / name)):
        code, output = run(command, path)
        assert code == 0, output
        if command == "prove":
            break
    if command != "show":
        assert json.loads(run(command, name, "--json")[1])["from_data"] is False


@pytest.mark.slow  # two strategies that have nothing in common; others are compared every time
def test_two_strategies_are_compared(alone: Path) -> None:
    code, output = run("diff", *STARTERS)
    assert code == 0, output
    assert "strategy.yaml name" in output
    code, output = run("diff", *STARTERS, "--as-of", str(DAY))
    assert (code, "RS602" in output) == (1, True)


def test_the_folder_that_one_is_in(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "RS230" in run("check")[1]
    assert 'Did you mean "account-file"?' in run("check", "acount-file")[1]
    monkeypatch.chdir(alone / "rules" / "account-file")
    assert run("check")[0] == 0


def test_a_name_that_is_no_fact_is_a_problem(alone: Path) -> None:
    tiers = alone / "rules" / "household-utility" / "tiers.yaml"
    tiers.write_text(tiers.read_text().replace("days_past_due > 0", "days_pastdue > 0"))
    code, output = run("check", "household-utility")
    assert (code, "RS303" in output) == (1, True)


@pytest.mark.parametrize("command", ["check", "test", "prove", "show", "diff"])
def test_missing_data_can_be_done_without(tmp_path: Path, command: str) -> None:
    """The Problem of a file that is missing names the option, where the command has it."""
    segments = "columns: [lifecycle]\nrows:\n  - {id: r, match: [any], segment: miss}\n"
    paths = "miss: {for: [miss], starts: as_of, steps: [{day: 0, action: sms}]}\n"
    root = write(tmp_path, "id\na\n", {"segments.yaml": segments, "paths.yaml": paths})
    for file in root.glob("*.csv"):
        file.unlink()
    [rules] = (root / "rules").iterdir()
    words = ("-w", str(root), "strategy", command, *([str(rules)] * 2 if command == "diff" else []))
    stopped = CliRunner().invoke(app, words)
    assert stopped.exit_code == 1 and "RS006" in stopped.output
    assert stopped.output.count("To go without the data, add --no-data.") == 1
    assert CliRunner().invoke(app, [*words, "--no-data"]).exit_code == 0
    if command == "diff":
        stopped = CliRunner().invoke(app, [*words, "--as-of", str(DAY)])
        assert "RS006" in stopped.output and "--no-data" not in stopped.output


def test_a_default_value_stands_for_nothing_where_there_are_no_data(tmp_path: Path) -> None:
    """A workspace that lacks the fact has its default value; elsewhere it may have any."""
    head = """\
name: s
purpose: to be tried
owner: tests
expects: {late_fees: {type: integer, else: 0}}
actions: [{name: sms, channel: sms}, {name: agency, channel: file}]
"""
    files = {
        "strategy.yaml": head,
        "tiers.yaml": "t:\n  - {tier: a, when: late_fees > 3}\n  - {tier: b, otherwise: true}\n",
        "segments.yaml": "columns: [t]\nrows:\n  - {id: a, match: [a], segment: hit}\n"
        "  - {id: b, match: [any], segment: miss}\n",
        "guards.yaml": "- {prove: action <> 'agency', name: nobody}\n",
    }
    root = write(tmp_path, "id\na\n", files)
    with_data, without = show(root), show(root, data=False)
    assert (with_data.from_data, with_data.defaults) == (True, {"late_fees": 0})
    assert (without.from_data, without.defaults) == (False, {})
    assert with_data.version == without.version
    workspace = ["-w", str(root), "strategy"]
    refuted = CliRunner().invoke(app, [*workspace, "prove", "--no-data"])
    assert (refuted.exit_code, "refuted" in refuted.output) == (1, True)


def test_a_version_in_the_journal_is_shown(tmp_path: Path) -> None:
    segments = "columns: [lifecycle]\nrows:\n  - {id: r, match: [any], segment: miss}\n"
    paths = "miss: {for: [miss], starts: as_of, steps: [{day: 0, action: sms}]}\n"
    root = write(tmp_path, "id\na\n", {"segments.yaml": segments, "paths.yaml": paths})
    version = activate(root, effective_from=DAY, by="ann", at=AT).version
    (root / "rules" / "s" / "paths.yaml").write_text(paths.replace("sms", "letter"))
    assert show(root).version != version
    for name in (version, version[:5]):
        assert show(root, name).version == version
        for command in ("check", "test", "show", "prove"):
            done = CliRunner().invoke(app, ["-w", str(root), "strategy", command, name])
            assert done.exit_code == 0, done.output
