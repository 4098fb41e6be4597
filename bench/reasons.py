"""What it costs to say why: SHAP values of boosted trees and riskseg's whole reasons, in one run.

    python bench/reasons.py [--rows 100000] [--slow-rows 10000] [--trees 150] [--leaves 15 31]
                            [--threads 2] [--runs 3] [--json]

Trees are learned from Give Me Some Credit (../shared/data from the project's root; rows of the
same shape are generated where it is absent). Timed on the same trees and rows: LightGBM's
`pred_contrib`, woodelf-explainer (tree-path dependent) where it is installed, riskseg's SHAP values
with and without making the trees ready, and riskseg's whole reasons: contributions, ranking, the
test of every reason against the model, and the words. `pred_contrib` is slow, so it sees the first
`--slow-rows` rows alone; every figure is per row. The contenders run in turn; times are the least
of `--runs`, of the wall clock and of the processor over all threads. Before anything is timed,
riskseg's values are compared with LightGBM's.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd

from riskseg.domain.facts import Fact, Kind
from riskseg.learning.evidence.effects import effects
from riskseg.learning.reasons import Ordinary, ranked_reasons
from riskseg.learning.trees.boosted import Boosted
from riskseg.learning.trees.columns import Column
from riskseg.learning.trees.shap import Explainer
from riskseg.learning.trees.text import read_trees

DATA = Path(__file__).parents[2] / "shared/data/give_me_some_credit/cs_training.parquet"
TARGET = "SeriousDlqin2yrs"


def rows_and_label(wanted: int) -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
    if DATA.exists():
        table = pd.read_parquet(DATA).sample(frac=1, random_state=7, ignore_index=True)
        label = table[TARGET].to_numpy()
        rows = table.drop(columns=["id", TARGET]).astype(np.float64)
    else:
        print("no Give Me Some Credit here: rows are generated", file=sys.stderr)
        random = np.random.default_rng(7)
        values = np.exp(random.normal(size=(150_000, 10)))
        values[:, 4:] = np.floor(values[:, 4:])
        line = -3 + np.log1p(values) @ random.normal(size=10) * 0.7
        label = (random.random(len(values)) < 1 / (1 + np.exp(-line))).astype(np.int64)
        values[random.random(values.shape) < 0.02] = np.nan
        rows = pd.DataFrame(values, columns=[f"x{n}" for n in range(10)])
    while len(rows) < wanted:
        rows, label = pd.concat([rows, rows], ignore_index=True), np.concatenate([label, label])
    return rows, label


def learned(rows: pd.DataFrame, label: np.ndarray[Any, Any], trees: int, leaves: int) -> Boosted:
    parameters = {
        "objective": "binary",
        "num_leaves": leaves,
        "max_bin": 127,
        "min_data_in_leaf": 50,
        "learning_rate": 0.05,
        "lambda_l2": 5.0,
        "num_threads": 2,
        "verbosity": -1,
    }
    booster = lgb.train(parameters, lgb.Dataset(rows.to_numpy()[:150_000], label[:150_000]), trees)
    columns = tuple(Column(str(name), None, None) for name in rows.columns)
    return Boosted(columns, booster.model_to_string())


def measured(
    contenders: dict[str, tuple[Callable[[], Any], int]], runs: int
) -> dict[str, tuple[float, float]]:
    """Microseconds a row, of the wall clock and of the processor: the least of the runs."""
    least: dict[str, tuple[float, float]] = {}
    for _ in range(runs):
        for name, (work, rows) in contenders.items():
            wall, cpu = time.perf_counter(), time.process_time()
            work()
            taken = (time.perf_counter() - wall, time.process_time() - cpu)
            before = least.get(name, (np.inf, np.inf))
            least[name] = (
                min(before[0], taken[0] / rows * 1e6),
                min(before[1], taken[1] / rows * 1e6),
            )
    return least


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--slow-rows", type=int, default=10_000)
    parser.add_argument("--trees", type=int, default=150)
    parser.add_argument("--leaves", type=int, nargs="+", default=[15, 31])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows, label = rows_and_label(given.rows)
    batch = rows.head(given.rows)
    matrix, slow = batch.to_numpy(), batch.to_numpy()[: given.slow_rows]
    facts = tuple(Fact(str(name), Kind.NUMBER) for name in rows.columns)
    results = []
    for leaves in given.leaves:
        model = learned(rows, label, given.trees, leaves)
        booster = lgb.Booster(model_str=model.text)
        trees = read_trees(model.text)
        explainer = Explainer.of(trees)
        theirs = np.asarray(booster.predict(slow, pred_contrib=True))[:, :-1]
        gap = float(np.abs(explainer.values(slow) - theirs).max())

        shapes = effects(model.margin, batch, np.ones(len(batch)), facts)
        ordinary = Ordinary.of(shapes)

        def reasons(model: Boosted = model, ordinary: Ordinary = ordinary) -> Any:
            return ranked_reasons(
                batch,
                model.contributions(batch, given.threads),
                facts,
                ordinary,
                model,
                4,
                given.threads,
            ).texts()

        contenders: dict[str, tuple[Callable[[], Any], int]] = {
            "pred_contrib": (
                lambda b=booster: b.predict(slow, pred_contrib=True, num_threads=given.threads),
                len(slow),
            ),
            "riskseg SHAP": (lambda e=explainer: e.values(matrix, given.threads), len(matrix)),
            "  and making ready": (
                lambda t=trees: Explainer.of(t).values(matrix, given.threads),
                len(matrix),
            ),
            "predict": (
                lambda b=booster: b.predict(matrix, num_threads=given.threads),
                len(matrix),
            ),
            "riskseg reasons": (reasons, len(matrix)),
        }
        try:
            from woodelf import WoodelfExplainer
        except ImportError:
            print("woodelf-explainer is not installed", file=sys.stderr)
        else:
            contenders["woodelf-explainer"] = (
                lambda b=booster: WoodelfExplainer(
                    b, feature_perturbation="tree_path_dependent"
                ).shap_values(batch, verbose=False),
                len(matrix),
            )
        taken = measured(contenders, given.runs)
        wall, cpu = taken["pred_contrib"]
        for name, (seconds, busy) in taken.items():
            row = {
                "leaves": leaves,
                "what": name.strip(),
                "microseconds_a_row": round(seconds, 2),
                "processor_microseconds_a_row": round(busy, 2),
                "times_as_fast": round(wall / seconds, 1),
                "times_as_fast_by_processor": round(cpu / busy, 1),
            }
            results.append(row)
            if not given.json:
                print(
                    f"{leaves:>3} leaves  {name:<20} {seconds:>9.2f} µs a row"
                    f"  {wall / seconds:>7.1f} x pred_contrib"
                    f"  ({busy:>8.2f} µs of processor, {cpu / busy:>6.1f} x)",
                    flush=True,
                )
        if not given.json:
            print(f"{leaves:>3} leaves  greatest difference from pred_contrib {gap:.1e}")
    if given.json:
        settings = {"rows": given.rows, "trees": given.trees, "threads": given.threads}
        print(json.dumps({**settings, "results": results}))


if __name__ == "__main__":
    main()
