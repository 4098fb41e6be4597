"""A model that ranks barely better than chance is kept, and is not used unless somebody says so."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from riskseg.cli import app
from riskseg.domain.problems import ProblemsError
from riskseg.run import models as versions
from riskseg.run.assign import assign
from riskseg.run.export import export
from riskseg.run.init import init
from riskseg.run.score import score
from riskseg.run.train import train
from tests.support import portfolio as p


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Outcomes that nothing in the file tells of."""
    root = tmp_path_factory.mktemp("chance") / "w"
    init(root, "account-file")
    random = np.random.default_rng(5)
    accounts = pd.DataFrame(
        {
            "id": [f"C{n:05d}" for n in range(400)],
            "income": random.normal(30, 9, 400).round(1),
            "years": random.integers(0, 20, 400),
            "outcome": (random.random(400) < 0.3).astype(int),
        }
    )
    accounts.to_parquet(root / "accounts.parquet", index=False)
    (root / "riskseg.toml").write_text(
        '[workspace]\nstrategy = "rules/account-file"\n[engine]\nthreads = 1\n'
        '[source.accounts]\nfrom = "accounts.parquet"\naccount_id = "id"\n'
    )
    (root / "models/outcome.yaml").write_text(
        "name: outcome\ntarget: {column: outcome}\nlearners: [scorecard]\n"
        "scorecard: {form: classic}\n"
    )
    return root


def test_a_model_at_chance_waits_for_somebody(workspace: Path, tmp_path: Path) -> None:
    root = p.copied(workspace, tmp_path / "w")
    (kept,) = train(root, (), at=p.AT)
    assert not kept.champion and kept.champion_version is None
    assert "barely better than chance" in kept.summary.verdict.too_weak
    (listed,) = versions.versions(root)
    assert (listed.version, listed.champion) == (kept.version, False)
    again = CliRunner().invoke(app, ["-w", str(root), "models", "show", "outcome"])
    assert "The probability of the bad outcome in the column “outcome”" in again.output
    assert "It is not made the champion: it ranks barely better than chance" in again.output
    hint = f"riskseg models promote outcome {kept.version}"
    assert hint in again.output

    out = str(root / "out.csv")
    uses = (
        lambda: assign(root, p.AS_OF, out, at=p.AT),
        lambda: score(root, p.AS_OF, out),
        lambda: score(root, p.AS_OF, out, names=("outcome",)),
        lambda: export(root, "outcome", None, "sql", root / "outcome.sql"),
    )
    for use in uses:
        with pytest.raises(ProblemsError) as error:
            use()
        (problem,) = error.value.problems
        assert problem.code == "RS411" and kept.version in problem.hint
    versions.promote(root, "outcome", kept.version, at=p.AT, by="tests", reason="we know")
    for use in uses:
        use()


def test_training_may_promote_at_once(workspace: Path, tmp_path: Path) -> None:
    root = p.copied(workspace, tmp_path / "w")
    done = CliRunner().invoke(app, ["-w", str(root), "train", "--promote", "--json"])
    (kept,) = json.loads(done.stdout)
    assert kept["champion"] and kept["champion_version"] == kept["version"]
    checks = {check["status"] for check in kept["summary"]["verdict"]["checks"]}
    assert "watch" in checks
