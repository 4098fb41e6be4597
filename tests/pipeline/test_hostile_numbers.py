"""Codes beside real values, huge numbers, an infinite one and some that are none, from the file to
the decision."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskseg.engine import DuckDB
from riskseg.learning.words import held
from riskseg.pipeline.frames import keyed_frame
from riskseg.run.assign import assign
from riskseg.run.bins import bins
from riskseg.run.check import check
from riskseg.run.explain import explain
from riskseg.run.export import export
from riskseg.run.init import init
from riskseg.run.models import card
from riskseg.run.score import score
from riskseg.run.train import train
from tests.support import portfolio as p

# A sum, difference or cast that overflows.
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

TOML = """\
[workspace]
strategy = "rules/account-file"
max_bad_rows = 0.01
[engine]
threads = 1
[source.accounts]
from = "data/accounts.parquet"
account_id = "id"
[source.accounts.columns.score]
direction = "-"
special_values = {-9 = "refused"}
"""
ROWS = 900


def accounts() -> pd.DataFrame:
    """The refused are good; of the others a low score is bad, and so is `turnover` below 0."""
    random = np.random.default_rng(4)
    refused = random.random(ROWS) < 0.2
    real = random.integers(300, 850, ROWS)
    turnover = np.where(random.random(ROWS) < 0.5, 1.7e308, -1.7e308) * random.random(ROWS)
    odds = -1.5 + np.where(refused, -1.5, (575 - real) / 90) - np.sign(turnover)
    used = random.random(ROWS).round(3)
    used[:2] = math.inf, math.nan
    return pd.DataFrame(
        {
            "id": [f"{n:05d}" for n in range(ROWS)],
            "score": np.where(refused, -9, real),
            "turnover": turnover,
            "used": used,
            "outcome": (random.random(ROWS) < 1 / (1 + np.exp(-odds))).astype(int),
        }
    )


LEARNERS = {
    "scorecard": "scorecard: {form: classic}\n",
    "lightgbm": "lightgbm: {search: none}\n",
}


@pytest.fixture(scope="module", params=LEARNERS)
def workspace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hostile") / "w"
    init(root, "account-file")
    (root / "data").mkdir()
    accounts().to_parquet(root / "data/accounts.parquet")
    (root / "riskseg.toml").write_text(TOML)
    (root / "models/outcome.yaml").write_text(
        f"name: outcome\ntarget: {{column: outcome}}\nlearners: [{request.param}]\n"
        f"{LEARNERS[request.param]}"
    )
    [kept] = train(root, (), at=p.AT, promote=True)
    assert {row.feature for row in kept.summary.features} >= {"score", "turnover"}
    return root


def scored(root: Path, rows: pd.DataFrame, folder: Path) -> dict[str, float]:
    rows.to_parquet(folder / "new.parquet")
    score(root, p.AS_OF, str(folder / "s.csv"), accounts_from=folder / "new.parquet")
    with (folder / "s.csv").open(encoding="utf-8", newline="") as stream:
        return {row["account_id"]: float(row["p_outcome"]) for row in csv.DictReader(stream)}


def test_an_infinite_number_is_one_bad_row(workspace: Path) -> None:
    [problem] = check(workspace).problems
    assert problem.code == "RS103" and 'used is infinite: "inf" (1 row)' in problem.what


def test_what_is_next_to_a_code_is_no_code(workspace: Path, tmp_path: Path) -> None:
    """Whoever scores 300 or less is at high risk, also where no one did in training."""
    values = [-1000, -10, -9, -8, 0, 299, 300]
    new = accounts().drop(columns="outcome").iloc[[10] * len(values)]
    new = new.assign(id=[f"s{value}" for value in values], score=values)
    found = scored(workspace, new, tmp_path)
    coded = found.pop("s-9")
    assert len(set(found.values())) == 1 and coded < found["s0"] / 2


def test_every_command_takes_what_was_trained(workspace: Path, tmp_path: Path) -> None:
    assign(workspace, p.AS_OF, str(tmp_path / "d.csv"), at=p.AT)
    explain(workspace, "00005", p.AS_OF)
    page = tmp_path / "card.html"
    card(workspace, "outcome", None, page)
    assert ">nan<" not in page.read_text(encoding="utf-8")
    export(workspace, "outcome", None, "sql", tmp_path / "e.sql")


def test_a_code_is_one_line_of_the_bins(workspace: Path) -> None:
    found = bins(workspace, "outcome", feature="score")
    if not found.features:  # trees
        return
    lines = {held(b.holds, "integer"): b for b in found.features[0].bins}
    [coded] = [line for line in lines if line.startswith("-9")]
    first = next(iter(lines))
    assert first.startswith("below ") and lines[first].points < lines[coded].points
    assert lines[coded].share == pytest.approx(0.2, abs=0.05)


def test_a_frame_of_no_columns_has_its_rows() -> None:
    keys, rows = keyed_frame(DuckDB(), "select range as snap from range(3)", keys=1)
    assert len(rows) == len(keys) == 3 and not len(rows.columns)
