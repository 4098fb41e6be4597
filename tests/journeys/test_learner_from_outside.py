"""A learner that is added by registration alone does all that the two of the house do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.learning import learners
from tests.support.linear_learner import LinearLearner

ROWS = 1600
TOML = """
[workspace]
currency = "GBP"
strategy = "rules/account-file"

[engine]
threads = 1

[source.accounts]
from       = "accounts.parquet"
account_id = "id"
"""
SPEC = """\
name: outcome
question: Will this account have the bad outcome that the file records?
target: {column: outcome}
hold_out: {share: 0.25}
learners: [linear, scorecard]
linear: {penalty: 2.0, without: [noise]}
scorecard: {form: classic}
seed: 7
"""


def riskseg(workspace: Path, *words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["-w", str(workspace), *words])
    assert result.exit_code == code, result.output + result.stderr
    return result.stdout if code == 0 else result.stderr


@pytest.fixture(scope="module", autouse=True)
def registered() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learners, "_LEARNERS", dict(learners._LEARNERS))
        learners.register(LinearLearner())
        yield


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Accounts whose outcome is linear in two columns, scored by a champion that is too."""
    root = tmp_path_factory.mktemp("outside") / "w"
    random = np.random.default_rng(2)
    income, use = random.normal(30, 9, ROWS).round(1), random.gamma(2, 50, ROWS).round(1)
    odds = -1.1 - 0.12 * (income - 30) + 0.012 * (use - 100)
    outcome = (random.random(ROWS) < 1 / (1 + np.exp(-odds))).astype(int)
    income[random.random(ROWS) < 0.05] = np.nan
    table = {
        "id": [f"C{n:06d}" for n in range(ROWS)],
        "income": income,
        "use": use,
        "noise": random.normal(size=ROWS).round(3),
        "region": random.choice(["north", "south"], ROWS),
        "outcome": outcome,
    }
    CliRunner().invoke(app, ["init", str(root), "--strategy", "account-file"])
    pd.DataFrame(table).to_parquet(root / "accounts.parquet", index=False)
    (root / "riskseg.toml").write_text(TOML)
    (root / "models/outcome.yaml").write_text(SPEC)
    return root


@pytest.fixture(scope="module")
def trained(workspace: Path) -> dict[str, Any]:
    [kept] = json.loads(riskseg(workspace, "train", "--json"))
    assert kept["champion"]
    return dict(kept)


def manifest(workspace: Path, version: str) -> Any:
    return json.loads((workspace / "models/outcome" / version / "manifest.json").read_text())


def test_it_is_compared_with_the_others_and_ships(workspace: Path, trained: Any) -> None:
    recorded = manifest(workspace, trained["version"])
    assert recorded["learner"] == "linear" and set(recorded["metrics"]) == {"linear", "scorecard"}
    assert {"linear.json", "scorecard.json"} < set(recorded["files"])
    assert recorded["spec"]["linear"] == {"penalty": 2.0, "without": ["noise"]}
    [tried] = recorded["tried"]["linear"]["settings"]
    assert tried["what"] == "a penalty of 2" and 0 < tried["log_loss"] < 0.69
    assert "the linear model is preferred" in recorded["champion"]["why"].lower()
    assert recorded["metrics"]["linear"]["hold_out"]["auc"] > 0.75


def test_what_a_spec_says_of_it_is_checked(workspace: Path, tmp_path: Path) -> None:
    spec = workspace / "models/outcome.yaml"
    for wrong, message in (
        ("penalty: 2.0", "penalty: -1.0"),
        ("penalty: 2.0", "penalti: 2.0"),
        ("[noise]", "[noize]"),
    ):
        spec.write_text(SPEC.replace(wrong, message))
        refused = riskseg(workspace, "check", code=1)
        assert "outcome.yaml:6" in refused, refused
    spec.write_text(SPEC.replace("[linear, scorecard]", "[scorecard]"))
    assert "settings for linear" in riskseg(workspace, "check", code=1)
    spec.write_text(SPEC)
    riskseg(workspace, "check")


def test_it_is_shown(workspace: Path, trained: Any) -> None:
    shown = json.loads(riskseg(workspace, "models", "show", "outcome", "--json"))
    strongest = [feature["feature"] for feature in shown["features"]]
    assert set(strongest) == {"income", "use"} and shown["learner"] == "linear"
    assert shown["features"][0]["least"] < 0 < shown["features"][0]["most"]
    assert shown["dropped"]["region"] == "a text has no weight"
    assert "linear" in riskseg(workspace, "models", "show", "outcome")
    assert "The linear model has no bins" in riskseg(workspace, "models", "bins", "outcome")
    card = workspace / "card.html"
    riskseg(workspace, "models", "card", "outcome", "--out", str(card))
    assert "linear model" in card.read_text(encoding="utf-8")


def test_it_scores_and_explains(workspace: Path, trained: Any) -> None:
    out = workspace / "scores.parquet"
    riskseg(workspace, "score", "--as-of", "2026-06-30", "--out", str(out))
    scores = pd.read_parquet(out)
    assert len(scores) == ROWS
    story = riskseg(workspace, "explain", "C000007", "--as-of", "2026-06-30")
    assert "(linear; in log-odds, + is riskier)" in story


def test_it_is_exported_where_it_offers_it(workspace: Path, trained: Any) -> None:
    to = workspace / "outcome.sql"
    arguments = ["models", "export", "outcome", "--json"]
    done = json.loads(riskseg(workspace, *arguments, "--to", "sql", "--out", str(to)))
    assert done["rows"] >= 3000 and done["difference"] <= 1e-6
    for form in ("onnx", "points.csv"):
        refused = riskseg(workspace, "models", "export", "outcome", "--to", form, code=1)
        assert "has no export to" in refused and "linear model" in refused


def test_versions_are_compared_promoted_and_registered(workspace: Path, trained: Any) -> None:
    [other] = json.loads(riskseg(workspace, "train", "--only", "scorecard", "--json"))
    first, second = (f"outcome@{kept['version']}" for kept in (trained, other))
    compared = riskseg(workspace, "models", "compare", first, second)
    assert trained["version"] in compared
    why = ["--reason", "trial"]
    riskseg(workspace, "models", "promote", "outcome", other["version"], *why)
    riskseg(workspace, "models", "promote", "outcome", trained["version"], *why)
    folder = workspace / "models/outcome" / trained["version"]
    away = workspace / "away"
    folder.rename(away)
    riskseg(workspace, "models", "register", str(away))
    assert (folder / "linear.json").is_file()


def test_without_it_its_versions_are_refused(
    workspace: Path, trained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = {name: found for name, found in learners._LEARNERS.items() if name != "linear"}
    monkeypatch.setattr(learners, "_LEARNERS", others)
    refused = riskseg(workspace, "models", "show", f"outcome@{trained['version']}", code=1)
    assert "RS406" in refused and "'scorecard' or 'lightgbm'" in refused
