"""Training by its command: by default, with one learner, on all rows, and interrupted."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from riskseg.cli import app

TOML = """
[workspace]
currency = "GBP"
strategy = "rules/account-file"

[source.accounts]
from       = "accounts.parquet"
account_id = "id"
"""


def riskseg(workspace: Path, *words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["-w", str(workspace), *words])
    assert result.exit_code == code, result.output + result.stderr
    return result.stdout if code == 0 else result.stderr


def make(root: Path, rows: int) -> Path:
    """An account file whose outcome depends on two of its columns together."""
    random = np.random.default_rng(2)
    income, years = random.normal(30, 9, rows).round(1), random.integers(0, 20, rows)
    use = random.gamma(2, 50, rows).round(1)
    odds = -0.9 - 0.08 * (income - 30) - 0.1 * (years - 10) + 0.01 * (use - 100) * (years > 9)
    outcome = (random.random(rows) < 1 / (1 + np.exp(-odds))).astype(int)
    CliRunner().invoke(app, ["init", str(root), "--strategy", "account-file"])
    ids = [f"C{n:06d}" for n in random.permutation(rows)]
    table = {"id": ids, "income": income, "years": years, "use": use, "outcome": outcome}
    pd.DataFrame(table).to_parquet(root / "accounts.parquet", index=False)
    (root / "riskseg.toml").write_text(TOML)
    return root


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("training") / "w", 2500)


def manifest(workspace: Path, kept: Any) -> dict[str, Any]:
    text = (workspace / "models" / kept["name"] / kept["version"] / "manifest.json").read_text()
    found: dict[str, Any] = json.loads(text)
    return found


def test_one_learner_of_the_spec_alone(workspace: Path) -> None:
    [kept] = json.loads(riskseg(workspace, "train", "--only", "scorecard", "--json"))
    reported = manifest(workspace, kept)
    assert (reported["learner"], reported["form"]) == ("scorecard", "additive")
    assert list(reported["metrics"]) == ["scorecard"]
    [again] = json.loads(riskseg(workspace, "train", "--only", "lightgbm", "--json"))
    assert manifest(workspace, again)["learner"] == "lightgbm"
    assert (kept["champion"], again["champion"]) == (True, False)
    refused = riskseg(workspace, "train", "--only", "scorcard", code=1)
    assert "outcome does not learn with scorcard" in refused
    assert "outcome.yaml:" in refused and 'Did you mean "scorecard"?' in refused


def test_the_summary_says_what_ships_and_by_how_much(workspace: Path) -> None:
    spec = workspace / "models/outcome.yaml"
    spec.write_text(spec.read_text() + "refit: true\nlightgbm: {search: none}\n")
    [kept] = json.loads(riskseg(workspace, "train", "--json"))
    reported = manifest(workspace, kept)
    assert reported["champion"]["gain"] is not None
    assert set(reported["champion"]["log_loss_saved"]) == {"share", "low", "high"}
    assert reported["refit"]["rows"] == 2500 > reported["training"]["rows"]
    shown = " ".join(riskseg(workspace, "models", "show", "outcome", kept["version"]).split())
    assert "95% interval" in shown and "saves" in shown
    assert "learned from all 2,500 rows, the hold-out among them" in shown


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.slow
def test_an_interrupt_ends_the_learning_and_leaves_nothing(tmp_path: Path) -> None:
    root = make(tmp_path / "w", 40_000)
    command = [sys.executable, "-m", "riskseg", "-w", str(root), "train", "--only", "lightgbm"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "comparing" in line:
                break
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        sent = time.monotonic()
        rest = process.stderr.read()
        code = process.wait(60)
    assert code == 130 and "Interrupted" in rest and "Traceback" not in rest
    assert time.monotonic() - sent < 20
    assert not (root / "models/outcome").exists()
