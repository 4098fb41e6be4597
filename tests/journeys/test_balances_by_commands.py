"""Monthly balances of our own, by the commands that a user types, with rules and no model."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from riskseg.cli import app
from tests.support import small

TOML = """\
[workspace]
strategy = "rules/s"
[source.balances]
from = "data/balances.csv"
"""
BALANCES = """\
account_id,as_of,days_past_due,overdue,region
a,2025-10-31,0,0,north
a,2025-11-30,31,40.00,north
b,2025-10-31,35,15.00,south
b,2025-11-30,0,0,south
c,2025-11-30,,,south
"""
TIERS = """\
t:
  - {tier: late, when: "coalesce(months_past_due, 0) >= 2"}
  - {tier: fine, otherwise: true}
"""
DAY = "2025-11-30"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = small.make(tmp_path / "w")
    (root / "riskseg.toml").write_text(TOML)
    (root / "data/balances.csv").write_text(BALANCES)
    (root / "rules/s/tiers.yaml").write_text(TIERS)
    return root


def riskseg(root: Path, *words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["-w", str(root), *words])
    assert result.exit_code == code, result.output + result.stderr
    return result.stdout + (result.stderr if code else "")


def json_of(root: Path, *words: str) -> Any:
    return json.loads(riskseg(root, *words, "--json"))


def test_balances_are_decided_explained_issued_and_decided_again(root: Path) -> None:
    assert "No problems." in riskseg(root, "check")
    out = root / "d.csv"
    decided = json_of(root, "assign", "--as-of", DAY, "--out", str(out))
    assert {s["segment"]: s["overdue"] for s in decided["segments"]} == {"late": None, "rest": None}
    with out.open(encoding="utf-8-sig") as file:
        segments = {row["account_id"]: row["segment"] for row in csv.DictReader(file)}
    assert segments == {"a": "late", "b": "rest", "c": "rest"}
    assert "months_past_due=2" in riskseg(root, "explain", "a", "--as-of", DAY)
    shown = riskseg(root, "assign", "--as-of", DAY, "--out", str(out))
    assert "overdue" not in shown.partition("decisions in")[0]
    listed = root / "list.csv"
    assert json_of(root, "worklist", "issue", "--as-of", DAY, "--out", str(listed))["rows"] == 3
    done = root / "done.csv"
    done.write_text("account_id,action,outcome\na,letter,done\n")
    riskseg(root, "worklist", "done", str(done), "--by", "ann", "--on", "2025-12-01")
    assert json_of(root, "replay", decided["run_id"])["same"] is True


def test_a_change_of_rules_is_counted_on_balances(root: Path) -> None:
    new = root / "rules/new"
    new.mkdir()
    for file in (root / "rules/s").iterdir():
        (new / file.name).write_text(file.read_text().replace(">= 2", ">= 3"))
    diff = json_of(root, "strategy", "diff", "rules/s", "rules/new", "--as-of", DAY)
    migration = json.dumps(diff)
    assert '"late"' in migration and '"rest"' in migration


def test_ageing_of_balances_does_not_ask_for_bills(root: Path) -> None:
    said = riskseg(root, "ageing", "--as-of", DAY, code=1)
    assert "RS640" in said and "Monthly balances are not bills" in said


def test_the_contract_is_that_of_the_table_that_is_delivered(root: Path) -> None:
    [table] = yaml.safe_load(riskseg(root, "contract"))["schema"]
    assert table["name"] == "balances"
    assert [column["name"] for column in table["properties"]] == [
        *("account_id", "as_of", "days_past_due", "overdue", "region"),
    ]


@pytest.mark.parametrize(
    ("row", "code", "line"),
    [
        (",2025-11-30,0,0,south", "RS101", 7),
        ("b,2025-11-30,0,0,south", "RS104", 7),
        ("d,,0,0,south", "RS101", 7),
    ],
)
def test_a_row_that_breaks_the_contract_is_a_problem(
    root: Path, row: str, code: str, line: int
) -> None:
    (root / "data/balances.csv").write_text(f"{BALANCES}{row}\n")
    [problem] = json_problems(root)
    assert (problem["code"], problem["file"], problem["line"]) == (code, "data/balances.csv", line)
    assert "observed_on" not in problem["what"]


def json_problems(root: Path) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, ["-w", str(root), "check", "--json"])
    return list(json.loads(result.stdout)["problems"])
