"""`strategy diff` without arguments: what is in force beside the folder, and who moves."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import Result
from openpyxl import load_workbook
from typer.testing import CliRunner

from riskseg.cli import app
from tests.support.account_file import DAY, put_in_force, write

RULES = {
    "tiers.yaml": "size:\n  - {tier: big, when: amount > $large, unknown: skip}\n"
    "  - {tier: small, otherwise: true}\n",
    "segments.yaml": "columns: [size]\nrows:\n  - {id: a, match: [big], segment: hit}\n"
    "  - {id: b, match: [any], segment: miss}\n",
}
ACCOUNTS = "id,amount\nA,200\nB,80\nC,5\nD,\n"
HEAD = "constants: {large: 100}\nprotective: []\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = write(tmp_path, ACCOUNTS, RULES, types={"amount": "integer"})
    head = root / "rules/s/strategy.yaml"
    head.write_text(head.read_text() + HEAD)
    return root


def replace(root: Path, file: str, old: str, new: str) -> None:
    path = root / "rules/s" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def run(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["-w", str(root), "strategy", *arguments])


def test_what_is_in_force_is_compared_with_the_folder(workspace: Path) -> None:
    nothing = run(workspace, "diff")
    assert nothing.exit_code == 1
    assert "RS605" in nothing.output and "none was activated" in nothing.output
    put_in_force(workspace)
    replace(workspace, "strategy.yaml", "large: 100", "large: 60")
    result = run(workspace, "diff", "--as-of", str(DAY), "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["old"]["where"].startswith("s@")
    assert found["new"]["where"] == "rules/s"
    [change] = found["changes"]
    assert (change["item"], change["was"], change["now"]) == ("constant $large", "100", "60")
    assert change["reaches"] == ["tiers.yaml size row big"]
    assert (found["moves"]["moved"], found["movers"]) == (1, None)


def test_the_latest_run_stands_for_what_was_never_activated(workspace: Path) -> None:
    outside = ["assign", "--as-of", str(DAY), "--out", str(workspace / "d.csv")]
    assert CliRunner().invoke(app, ["-w", str(workspace), *outside]).exit_code == 0
    replace(workspace, "strategy.yaml", "large: 100", "large: 60")
    result = run(workspace, "diff", "--as-of", str(DAY), "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["old"]["where"].startswith(".riskseg/runs/")
    assert ([change["now"] for change in found["changes"]], found["moves"]["moved"]) == (["60"], 1)


def test_a_day_before_the_first_activation_is_named(workspace: Path) -> None:
    put_in_force(workspace)
    result = run(workspace, "diff", "--as-of", "2020-01-01")
    assert "RS605" in result.output and "the first holds from" in result.output
    assert "strategy activate --by NAME --from 2020-01-01" in result.output.replace("\n", " ")


def test_a_version_is_found_as_it_is_shown(workspace: Path) -> None:
    put_in_force(workspace)
    shown = json.loads(run(workspace, "diff", "--json").stdout)["old"]["where"]
    assert run(workspace, "diff", shown).exit_code == 0


@pytest.mark.parametrize("name", ["movers.csv", "movers.xlsx"])
def test_each_account_that_moves_is_listed(workspace: Path, name: str) -> None:
    put_in_force(workspace)
    replace(workspace, "strategy.yaml", "large: 100", "large: 60")
    out = workspace / name
    result = run(workspace, "diff", "--as-of", str(DAY), "--out", str(out))
    assert result.exit_code == 0, result.output
    assert f"1 account in {out}." in result.stdout.replace("\n", "")
    if name.endswith("csv"):
        with out.open(newline="") as file:
            [row] = csv.DictReader(file)
        row = dict(row)
    else:
        head, values = load_workbook(out).worksheets[0].iter_rows(values_only=True)
        row = dict(zip(head, values, strict=True))
    assert row["account_id"] == "B"
    assert (row["segment_before"], row["segment_after"]) == ("miss", "hit")
    assert (row["action_before"], row["action_after"]) == ("sms", "agency")


def test_nobody_moves_for_another_name_of_a_segment(workspace: Path) -> None:
    put_in_force(workspace)
    replace(workspace, "segments.yaml", "segment: hit", "segment: struck")
    replace(workspace, "paths.yaml", "for: [hit]", "for: [struck]")
    result = run(workspace, "diff", "--as-of", str(DAY))
    assert "segment hit (line 3): renamed, was hit, is struck" in result.stdout
    assert f"As of {DAY} 0 of 4 accounts move" in result.stdout
    assert "No difference in meaning" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["diff", "nowhere", "--plan"], "RS230"),
        (["diff", "rules/s", "nowhere", "--plan"], "RS230"),
        (["diff", "--plan"], "RS605"),
        (["activate", "0123", "--by", "me", "--plan"], "RS230"),
    ],
)
def test_a_plan_checks_the_names(workspace: Path, arguments: list[str], code: str) -> None:
    result = run(workspace, *arguments)
    assert result.exit_code == 1
    assert code in result.output


def test_movers_need_a_date(workspace: Path) -> None:
    put_in_force(workspace)
    result = run(workspace, "diff", "--out", str(workspace / "movers.csv"))
    assert result.exit_code == 2
    assert "--as-of" in result.output


def test_movers_do_not_write_over_a_source(workspace: Path) -> None:
    put_in_force(workspace)
    source = str(workspace / "accounts.csv")
    result = run(workspace, "diff", "--as-of", str(DAY), "--out", source)
    assert result.exit_code == 1
    assert "RS010" in result.output
