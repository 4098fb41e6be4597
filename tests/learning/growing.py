"""Small LightGBM models of every kind of split, and the values that try them hardest."""

from __future__ import annotations

from typing import Any

import lightgbm as lgb
import numpy as np

from riskseg.learning.trees.text import ZERO, Trees

# What decides how LightGBM writes a split's missing type.
KINDS: dict[str, dict[str, Any]] = {
    "nothing missing": {"nulls": 0.0},
    "nulls": {"nulls": 0.2},
    "zero is missing": {"nulls": 0.2, "zero_as_missing": True},
    "nulls not used": {"nulls": 0.2, "use_missing": False},
    "zeros and nulls, deep": {"nulls": 0.1, "num_leaves": 63, "min_data_in_leaf": 3},
}


def grow(nulls: float = 0.0, *, trees: int = 12, rows: int = 900, **more: Any) -> lgb.Booster:
    random = np.random.default_rng(5)
    matrix = random.normal(size=(rows, 6))
    matrix[:, 1] = random.integers(-2, 3, rows)
    matrix[:, 2] = np.exp(3 * matrix[:, 2])
    matrix[random.random(matrix.shape) < 0.2] = 0.0
    line = matrix[:, 0] + matrix[:, 1] * matrix[:, 3] - np.log1p(matrix[:, 2])
    label = random.random(rows) < 1 / (1 + np.exp(-line))
    matrix[random.random(matrix.shape) < nulls] = np.nan
    parameters = {
        "objective": "binary",
        "num_leaves": 15,
        "min_data_in_leaf": 10,
        "learning_rate": 0.2,
        "num_threads": 1,
        "verbosity": -1,
        **more,
    }
    return lgb.train(parameters, lgb.Dataset(matrix, label), trees)


def awkward(trees: Trees, rows: int = 1500) -> np.ndarray[Any, Any]:
    """Values on thresholds, a hair beside them, zeros of every kind, infinities and NaN."""
    random = np.random.default_rng(8)
    columns = []
    for feature in range(trees.features):
        on = np.concatenate([[1.0], *(t.threshold[t.feature == feature] for t in trees.trees)])
        hair = np.concatenate([on, np.nextafter(on, np.inf), np.nextafter(on, -np.inf)])
        tiny = [0.0, -0.0, ZERO, -ZERO, 1e-36, -1e-36, 2e-35, -2e-35, 5e-324]
        odd = [np.inf, -np.inf, np.nan, np.nan, 1e300, -1e300]
        columns.append(random.choice(np.concatenate([hair, tiny * 3, odd * 3]), rows))
    return np.column_stack(columns)
