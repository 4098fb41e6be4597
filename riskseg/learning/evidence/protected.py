"""How well the model's features predict a protected attribute: whether they are proxies for it.

A model that may not read an attribute can still treat people by it, through features that predict
it. So a small boosted model learns the attribute itself from the model's features, and is judged
on parties it did not see.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskseg.domain.facts import Fact, Kind
from riskseg.learning.evidence.checks import STAND_IN_AUC
from riskseg.learning.evidence.cohorts import OTHER, levels_of
from riskseg.learning.evidence.uncertainty import auc_interval
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.split import folds_by_party
from riskseg.results.interval import Interval
from riskseg.results.model_evidence import ProtectedLevel

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats, Folds, Labels, Mask

MOST_ROWS = 10_000
MOST_LEVELS = 5
FOLDS = 5
THROUGH = 3
# With fewer rows on either side nothing is said.
LEAST_OF_EACH = 50
MOST_CATEGORIES = 30

PARAMETERS: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.1,
    "num_leaves": 15,
    "max_bin": 63,
    "min_data_in_leaf": 30,
    "lambda_l2": 5.0,
    "deterministic": True,
    "force_col_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
TREES = 50


def proxies(training: TrainingFrame, features: Sequence[Fact], seed: int) -> list[ProtectedLevel]:
    """One entry for each protected attribute; of text, or of a number of several values, one for
    each level against the rest, at most five. Rows where the attribute is unknown are left out.

    Protected attributes are those so marked among the frame's attributes and the features.
    `in_model`: the model reads it. `auc` is null where too few rows are of either kind; `through`
    names the three features that predict it most, by gain; `stands_in` is whether the AUC is
    above 0.75.
    """
    names_in_model = {fact.name for fact in features}
    marked = {
        marked_fact.name: marked_fact
        for marked_fact in (*training.attributes, *features)
        if marked_fact.protected
    }
    if not marked:
        return []
    sample_size = min(len(training), MOST_ROWS)
    sample = training.where(
        np.unique(np.linspace(0, len(training) - 1, sample_size).astype(np.int64))
    )
    folds = folds_by_party(sample.group, FOLDS, seed)
    matrix = _matrix(sample.rows, features)
    measured = []
    for fact in marked.values():
        other_columns = [
            other_place
            for other_place, other_fact in enumerate(features)
            if other_fact.name != fact.name
        ]
        is_known = ~sample.rows[fact.name].isna().to_numpy()
        for level, is_level in _levels(sample, fact):
            known_rows = is_known.nonzero()[0]
            has_level = is_level[known_rows].astype(np.int8)
            area: Interval | None = None
            through: tuple[str, ...] = ()
            bad = int(has_level.sum())
            if other_columns and min(bad, len(has_level) - bad) >= LEAST_OF_EACH:
                score, gain = _outside(
                    matrix[known_rows][:, other_columns],
                    has_level,
                    sample.weight[known_rows],
                    [i for i, o in enumerate(other_columns) if features[o].kind.is_textual],
                    folds[known_rows],
                    seed,
                )
                area = auc_interval(
                    has_level, score, sample.weight[known_rows], sample.group[known_rows]
                )
                other_names = [features[other_place].name for other_place in other_columns]
                strongest = sorted(zip(-gain, other_names, strict=True))[:THROUGH]
                through = tuple(
                    strongest_name for minus_gain, strongest_name in strongest if minus_gain < 0
                )
            measured.append(
                ProtectedLevel(
                    attribute=fact.name,
                    level=level,
                    in_model=fact.name in names_in_model,
                    rows=len(known_rows),
                    stands_in=area is not None and area.value > STAND_IN_AUC,
                    auc=area,
                    through=through,
                )
            )
    return measured


def _levels(sample: TrainingFrame, fact: Fact) -> Iterator[tuple[Any, Mask]]:
    """The levels to predict, each against the rest. Of two levels the rarer is enough: of yes and
    no, yes (whose level is not named)."""
    levels = [
        (level, has_level)
        for level, has_level in levels_of(sample.rows[fact.name], fact, sample.weight)
        if level is not None and level != OTHER
    ]
    if fact.kind is Kind.BOOLEAN:
        yield from ((None, has_level) for level, has_level in levels if level is True)
        return
    if len(levels) == 2:
        levels = [
            min(
                levels,
                key=lambda level_and_rows: (int(level_and_rows[1].sum()), str(level_and_rows[0])),
            )
        ]
    common = sorted(
        levels, key=lambda level_and_rows: (-int(level_and_rows[1].sum()), str(level_and_rows[0]))
    )[:MOST_LEVELS]
    yield from sorted(common, key=lambda level_and_rows: str(level_and_rows[0]))


def _matrix(rows: pd.DataFrame, features: Sequence[Fact]) -> Floats:
    """Text as the place of its level from the commonest, the rare ones together; null as NaN."""
    matrix_columns = []
    for fact in features:
        feature_values = rows[fact.name]
        if not fact.kind.is_textual:
            matrix_columns.append(feature_values.to_numpy(dtype=np.float64, na_value=np.nan))
            continue
        codes, levels = pd.factorize(feature_values)
        rows_of_code = np.bincount(codes[codes >= 0], minlength=len(levels))
        codes_by_count = sorted(
            range(len(levels)),
            key=lambda level_code: (-rows_of_code[level_code], str(levels[level_code])),
        )
        places = np.full(len(levels) + 1, np.nan)
        places[codes_by_count] = np.minimum(np.arange(len(codes_by_count)), MOST_CATEGORIES)
        matrix_columns.append(places[codes])
    return np.column_stack(matrix_columns) if matrix_columns else np.empty((len(rows), 0))


def _outside(
    matrix: Floats,
    label: Labels,
    weight: Floats,
    textual: list[int],
    folds: Folds,
    seed: int,
) -> tuple[Floats, NDArray[Any]]:
    """(each row's score by trees that did not see its fold, mean gain of each column)."""
    import lightgbm as lgb

    score, gain = np.zeros(len(label)), np.zeros(matrix.shape[1])
    for fold in np.unique(folds):
        in_fold = folds == fold
        if in_fold.all() or label[~in_fold].min() == label[~in_fold].max():
            continue
        fold_data = lgb.Dataset(
            matrix[~in_fold], label[~in_fold], weight=weight[~in_fold], categorical_feature=textual
        )
        trees = lgb.train(PARAMETERS | {"seed": seed}, fold_data, TREES)
        score[in_fold] = trees.predict(matrix[in_fold], num_threads=1)
        gain += trees.feature_importance(importance_type="gain")
    return score, gain
