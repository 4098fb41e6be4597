"""What `score` and `worklist issue` wrote stands in the journal, where no run that decides is taken
for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from riskseg.cli import app
from tests.support import portfolio, treated

DAY = date(2026, 3, 2)
DUE = DAY - timedelta(days=5)


def run(workspace: Path, *words: str) -> Any:
    done = CliRunner().invoke(app, ["-w", str(workspace), *words, "--json", "--quiet"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def listed(workspace: Path) -> Sequence[tuple[str, str, int, str | None]]:
    runs = run(workspace, "journal", "show")["runs"]
    return [(r["command"], r["run_id"], r["rows"], r["output"]) for r in runs]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return treated.write(
        tmp_path / "w",
        paths={"calls": {"steps": [{"day": 3, "action": "call"}]}},
        rows={
            "accounts": [{"account_id": f"A{n}", "treatment": "calls"} for n in range(4)],
            "bills": [
                {"account_id": f"A{n}", "bill_id": "B", "due_on": DUE, "amount": "9.00"}
                for n in range(4)
            ],
        },
    )


def test_an_issued_list_stands_in_the_journal_once(workspace: Path) -> None:
    out = workspace / "list.csv"
    issue = ("worklist", "issue", "--as-of", str(DAY), "--out", str(out))
    run(workspace, "worklist", "--as-of", str(DAY), "--out", str(out))
    assert listed(workspace) == []  # a list that is only looked at is none of the journal's
    run(workspace, *issue)
    expected = ("worklist issue", f"worklist-{DAY}", 4, str(out))
    assert listed(workspace) == [expected]
    run(workspace, *issue)
    assert listed(workspace) == [expected]


def test_runs_that_decide_are_found_beside_those_that_only_write(workspace: Path) -> None:
    decided = run(workspace, "assign", "--as-of", str(DAY), "--out", str(workspace / "d.csv"))
    run(workspace, "worklist", "issue", "--as-of", str(DAY), "--out", str(workspace / "l.csv"))
    assert [command for command, *_ in listed(workspace)] == ["worklist issue", "assign"]
    assert run(workspace, "replay", "last")["run_id"] == decided["run_id"]
    sizes = run(workspace, "insight", "size", "--as-of", str(DAY))
    assert len(sizes["days"]) == 1
    unknown = CliRunner().invoke(app, ["-w", str(workspace), "replay", f"worklist-{DAY}"])
    assert unknown.exit_code == 1 and "RS608" in unknown.stderr


def test_scores_stand_in_the_journal(trained: Path, tmp_path: Path) -> None:
    workspace = portfolio.copied(trained, tmp_path / "w")
    place = tmp_path / "scores.csv"
    scores = run(workspace, "score", "--as-of", str(portfolio.AS_OF), "--out", str(place))
    command, run_id, rows, output = listed(workspace)[0]
    assert (command, run_id) == ("score", f"score-{portfolio.AS_OF}")
    assert (rows, output) == (scores["rows"], str(place))
