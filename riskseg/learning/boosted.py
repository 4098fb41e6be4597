"""Boosted trees: LightGBM, held to the declared directions of risk and to the same trees at
any number of threads.

Text goes in as the place of its level in the order of risk. A null is a value of its own where
training saw nulls; elsewhere it counts as the median of training, never as 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from riskseg.domain.facts import Fact
from riskseg.learning.canonical import fixed
from riskseg.learning.levels import level_codes, levels_by_risk

if TYPE_CHECKING:
    import lightgbm as lgb
    import pandas as pd

    from riskseg.learning.frame import Floats, Folds, Labels

# Small trees: as good on tables of this kind, and quick to score and to explain.
PARAMETERS: dict[str, Any] = {
    "objective": "binary",
    "metric": "binary_logloss",
    "learning_rate": 0.1,
    "num_leaves": 15,
    "max_depth": 6,
    "max_bin": 127,
    "min_data_in_leaf": 50,
    "lambda_l2": 5.0,
    # The simplest method: the others gained nothing measurable, and have been reported to let
    # a violation through.
    "monotone_constraints_method": "basic",
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
# With fewer cells than this, threads wait for one another longer than they work.
WORTH_THREADS = 2_000_000
MOST_TREES = 400
PATIENCE = 20
# The fewest trees whose loss is within this factor of the least are as good as the least.
AS_GOOD = 1.0005


@dataclass(frozen=True)
class Column:
    """How a feature becomes a number. `fill` stands in for a null training never saw."""

    name: str
    levels: tuple[str, ...] | None
    fill: float | None
    gain: float = 0.0

    def numbers(self, batch: pd.DataFrame) -> Floats:
        import numpy as np

        values = batch[self.name]
        if self.levels is None:
            numbers: Floats = values.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
        else:
            numbers = level_codes(values, self.levels)
            numbers[numbers < 0] = np.nan
        if self.fill is not None:
            numbers[np.isnan(numbers)] = self.fill
        return numbers


@dataclass(frozen=True)
class Boosted:
    """Trees as LightGBM's own text, and how a batch becomes their input."""

    columns: tuple[Column, ...]
    text: str

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @cached_property
    def _booster(self) -> lgb.Booster:
        import lightgbm as lgb

        return lgb.Booster(model_str=self.text)

    @property
    def trees(self) -> int:
        return int(self._booster.num_trees())

    def margin(self, batch: pd.DataFrame, threads: int = 1) -> Floats:
        """Log-odds of the bad outcome."""
        return self._predict(batch, threads, raw_score=True)

    def contributions(self, batch: pd.DataFrame, threads: int = 1) -> Floats:
        """Exact SHAP values in log-odds, (rows, features): positive raises the risk.

        Lundberg et al., *From local explanations to global understanding with explainable AI
        for trees* (2020); about 0.2 ms a row at 100 trees.
        """
        return self._predict(batch, threads, pred_contrib=True)[:, :-1]

    def _predict(self, batch: pd.DataFrame, threads: int, **how: bool) -> Floats:
        import numpy as np

        if batch.empty:  # LightGBM refuses a batch without rows
            return np.zeros((0, len(self.columns) + 1) if how.get("pred_contrib") else 0)
        matrix = _matrix(batch, self.columns)
        return np.asarray(self._booster.predict(matrix, num_threads=threads, **how))

    def as_json(self) -> dict[str, Any]:
        return {
            "trees": self.trees,
            "columns": [
                {
                    "feature": column.name,
                    "levels": None if column.levels is None else list(column.levels),
                    "fill": column.fill,
                    "gain": column.gain,
                }
                for column in self.columns
            ],
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any], text: str) -> Boosted:
        columns = (
            Column(
                c["feature"],
                None if c["levels"] is None else tuple(c["levels"]),
                c["fill"],
                c["gain"],
            )
            for c in told["columns"]
        )
        return cls(tuple(columns), text)


def fit_boosted(
    rows: pd.DataFrame,
    label: Labels,
    features: Sequence[Fact],
    folds: Folds,
    *,
    seed: int,
    threads: int,
) -> tuple[Boosted, Floats]:
    """(the trees, each row's log-odds from trees that did not see its fold).

    The number of trees is the one with the least mean loss over the folds, each judged by the
    trees learned from the others; with that number all rows are learned from once more.
    """
    import numpy as np

    rounds: list[tuple[_Grown, Any]] = []
    for fold in range(int(folds.max()) + 1):
        seen, held = folds != fold, folds == fold
        if seen.all():
            continue
        columns = _columns(rows[seen], label[seen], features)
        grown = _grow(
            _matrix(rows[seen], columns),
            label[seen],
            features,
            MOST_TREES,
            seed,
            threads,
            judge=(_matrix(rows[held], columns), label[held]),
        )
        rounds.append((grown, held))
    shortest = min(len(grown.losses) for grown, _ in rounds)
    mean = np.mean([grown.losses[:shortest] for grown, _ in rounds], axis=0)
    trees = int(np.argmax(mean <= mean.min() * AS_GOOD)) + 1
    outside = np.zeros(len(label))
    for grown, held in rounds:
        outside[held] = grown.held_margin(trees, threads)

    columns = _columns(rows, label, features)
    booster = _grow(_matrix(rows, columns), label, features, trees, seed, threads).booster
    gains = booster.feature_importance(importance_type="gain")
    columns = tuple(
        Column(c.name, c.levels, c.fill, fixed(gain))
        for c, gain in zip(columns, gains, strict=True)
    )
    # The number of threads is written into the text but is no part of the model.
    text = re.sub(r"\[num_threads: \d+\]\n", "", booster.model_to_string())
    return Boosted(columns, text), outside


def _columns(rows: pd.DataFrame, label: Labels, features: Sequence[Fact]) -> tuple[Column, ...]:
    import numpy as np

    columns = []
    for fact in features:
        values = rows[fact.name]
        levels = levels_by_risk(values, label) if fact.kind.is_textual else None
        numbers = Column(fact.name, levels, None).numbers(rows)
        nulls = bool(np.isnan(numbers).any())
        columns.append(Column(fact.name, levels, None if nulls else float(np.median(numbers))))
    return tuple(columns)


def _matrix(batch: pd.DataFrame, columns: Sequence[Column]) -> Floats:
    import numpy as np

    return np.ascontiguousarray(np.column_stack([column.numbers(batch) for column in columns]))


@dataclass(frozen=True)
class _Grown:
    booster: lgb.Booster
    losses: Sequence[float]
    judged: Floats | None

    def held_margin(self, trees: int, threads: int) -> Floats:
        import numpy as np

        told = self.booster.predict(
            self.judged, raw_score=True, num_iteration=trees, num_threads=threads
        )
        return np.asarray(told)


def _grow(
    matrix: Floats,
    label: Labels,
    features: Sequence[Fact],
    trees: int,
    seed: int,
    threads: int,
    judge: tuple[Floats, Labels] | None = None,
) -> _Grown:
    """Trees, and with a judge its loss after each of them, stopped when it no longer falls."""
    import lightgbm as lgb

    parameters = PARAMETERS | {
        "seed": seed,
        "num_threads": threads if matrix.size >= WORTH_THREADS else 1,
        # Text is in order of risk already, as the learner's own doing: no direction to keep.
        "monotone_constraints": [0 if f.kind.is_textual else f.direction for f in features],
    }
    data = lgb.Dataset(matrix, label)
    if judge is None:
        return _Grown(lgb.train(parameters, data, trees), (), None)
    told: dict[str, dict[str, list[float]]] = {}
    booster = lgb.train(
        parameters,
        data,
        trees,
        valid_sets=[lgb.Dataset(judge[0], judge[1], reference=data)],
        valid_names=["held"],
        callbacks=[lgb.record_evaluation(told), lgb.early_stopping(PATIENCE, verbose=False)],
    )
    return _Grown(booster, told["held"]["binary_logloss"], judge[0])
