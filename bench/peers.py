"""What a learner is measured against: other libraries, each used the way its own guide says.

A peer takes the training rows (numbers as float64 with NaN for null, text as objects with None),
their labels (1 for the bad outcome) and a number of threads, and gives back a function from rows
to probabilities of the bad outcome. It knows nothing of the data set: a column of text is a
category, any other is a number. What a peer chooses, it chooses inside the rows it is given.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]
Predict = Callable[[pd.DataFrame], Floats]
Fit = Callable[[pd.DataFrame, Labels, int], Predict]

MOST_TREES = 2000
PATIENCE = 50


@dataclass(frozen=True)
class Peer:
    """`settings` is how it is used, in words; a change of them makes earlier results stale."""

    name: str
    fit: Fit
    libraries: tuple[str, ...]
    settings: str

    @property
    def versions(self) -> str:
        return ", ".join(f"{library} {version(library)}" for library in self.libraries)


def text_columns(rows: pd.DataFrame) -> list[str]:
    return [str(name) for name in rows.columns if rows[name].dtype == object]


def as_categories(rows: pd.DataFrame) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Text as pandas categories with the levels of these rows; a level not among them is null."""
    levels = {name: sorted(rows[name].dropna().unique()) for name in text_columns(rows)}

    def prepared(batch: pd.DataFrame) -> pd.DataFrame:
        return batch.assign(
            **{
                name: pd.Categorical(batch[name], categories=known)
                for name, known in levels.items()
            }
        )

    return prepared


def logistic_regression(rows: pd.DataFrame, label: Labels, threads: int) -> Predict:
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    text = text_columns(rows)
    numbers = [name for name in rows.columns if name not in text]
    model = make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
            (OneHotEncoder(handle_unknown="ignore"), text),
        ),
        LogisticRegression(max_iter=2000),
    )
    model.fit(rows, label)
    return lambda batch: model.predict_proba(batch)[:, 1]


def optbinning(rows: pd.DataFrame, label: Labels, threads: int) -> Predict:
    from optbinning import BinningProcess, Scorecard
    from sklearn.linear_model import LogisticRegression

    # Its own detection of text misses pandas' string type, so the text columns are named. What
    # is measured is predict_proba: score() reads the wrong bin where a variable has a metric.
    binning = BinningProcess(list(rows.columns), categorical_variables=text_columns(rows))
    model = Scorecard(binning, LogisticRegression(max_iter=2000))
    # Left to its default, a null has no weight of evidence at all.
    model.fit(rows, label, metric_missing="empirical", metric_special="empirical")
    return lambda batch: model.predict_proba(batch)[:, 1]


def lightgbm(rows: pd.DataFrame, label: Labels, threads: int) -> Predict:
    from lightgbm import LGBMClassifier

    prepared = as_categories(rows)
    model = LGBMClassifier(n_jobs=threads, random_state=0, verbose=-1)
    model.fit(prepared(rows), label)
    return lambda batch: np.asarray(model.predict_proba(prepared(batch)))[:, 1]


def xgboost(rows: pd.DataFrame, label: Labels, threads: int) -> Predict:
    import xgboost as xgb

    prepared = as_categories(rows)
    data = xgb.DMatrix(prepared(rows), label, enable_categorical=True, nthread=threads)
    fixed = {
        "objective": "binary:logistic",
        "eval_metric": "logloss",
        "tree_method": "hist",
        "eta": 0.05,
        "subsample": 0.8,
        "nthread": threads,
        "seed": 0,
    }
    best: tuple[float, dict[str, Any], int] | None = None
    for depth, weight, columns in itertools.product((2, 4, 6), (1, 20), (0.5, 0.9)):
        tried = {**fixed, "max_depth": depth, "min_child_weight": weight}
        tried["colsample_bytree"] = columns
        history: Any = xgb.cv(
            tried,
            data,
            num_boost_round=MOST_TREES,
            nfold=3,
            stratified=True,
            early_stopping_rounds=PATIENCE,
            seed=0,
        )["test-logloss-mean"]
        if best is None or history.min() < best[0]:
            best = (float(history.min()), tried, int(history.to_numpy().argmin()) + 1)
    assert best is not None
    model = xgb.train(best[1], data, num_boost_round=best[2])

    def predict(batch: pd.DataFrame) -> Floats:
        unseen = xgb.DMatrix(prepared(batch), enable_categorical=True, nthread=threads)
        return np.asarray(model.predict(unseen), dtype=np.float64)

    return predict


def catboost(rows: pd.DataFrame, label: Labels, threads: int) -> Predict:
    from catboost import CatBoostClassifier
    from sklearn.model_selection import train_test_split

    text = text_columns(rows)

    def prepared(batch: pd.DataFrame) -> pd.DataFrame:  # it takes no null category
        return batch.assign(**{name: batch[name].fillna("(null)") for name in text})

    common: dict[str, Any] = {
        "cat_features": text,
        "thread_count": threads,
        "random_seed": 0,
        "verbose": False,
        "allow_writing_files": False,
    }
    learned, watched, learned_label, watched_label = train_test_split(
        prepared(rows), label, test_size=0.2, stratify=label, random_state=0
    )
    first = CatBoostClassifier(iterations=1000, **common)
    first.fit(
        learned,
        learned_label,
        eval_set=(watched, watched_label),
        early_stopping_rounds=PATIENCE,
    )
    # Fitted again to all rows, at the rate it had chosen by itself for the part of them.
    model = CatBoostClassifier(
        iterations=first.get_best_iteration() + 1, learning_rate=first.learning_rate_, **common
    )
    model.fit(prepared(rows), label)
    return lambda batch: np.asarray(model.predict_proba(prepared(batch), thread_count=threads))[
        :, 1
    ]


def ebm(rows: pd.DataFrame, label: Labels, threads: int) -> Predict:
    from interpret.glassbox import ExplainableBoostingClassifier

    os.environ["LOKY_MAX_CPU_COUNT"] = str(threads)
    model = ExplainableBoostingClassifier(n_jobs=threads)
    model.fit(rows, label)
    return lambda batch: np.asarray(model.predict_proba(batch))[:, 1]


PEERS = {
    peer.name: peer
    for peer in (
        Peer(
            "logistic regression",
            logistic_regression,
            ("scikit-learn",),
            "medians for nulls, standardised, one-hot, C=1",
        ),
        Peer(
            "optbinning scorecard",
            optbinning,
            ("optbinning", "scikit-learn"),
            "default BinningProcess and LogisticRegression, empirical weight for nulls",
        ),
        Peer("LightGBM", lightgbm, ("lightgbm",), "defaults: 100 trees of 31 leaves"),
        Peer(
            "XGBoost tuned",
            xgboost,
            ("xgboost",),
            "12 settings (depth 2, 4, 6; child weight 1, 20; columns 0.5, 0.9) at rate 0.05 by "
            "log loss in 3 inner folds with early stopping, refitted",
        ),
        Peer(
            "CatBoost",
            catboost,
            ("catboost",),
            "defaults, at most 1,000 trees stopped on a fifth of the rows, refitted",
        ),
        Peer("EBM", ebm, ("interpret-core",), "defaults: 14 outer bags, pairs 3x"),
    )
}
