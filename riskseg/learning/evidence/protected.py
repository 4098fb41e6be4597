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
from riskseg.learning.evidence.cohorts import OTHER, levels_of
from riskseg.learning.evidence.model import ProtectedAttribute
from riskseg.learning.evidence.uncertainty import auc_interval
from riskseg.learning.evidence.verdicts import STAND_IN_AUC
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.split import folds_by_party
from riskseg.results.interval import Interval

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


def proxies(
    training: TrainingFrame, features: Sequence[Fact], seed: int
) -> list[ProtectedAttribute]:
    """One entry for each protected attribute; of text, or of a number of several values, one for
    each level against the rest, at most five. Rows where the attribute is unknown are left out.

    Protected attributes are those so marked among the frame's attributes and the features.
    `in_model`: the model reads it. `auc` is null where too few rows are of either kind; `through`
    names the three features that predict it most, by gain; `stands_in` is whether the AUC is
    above 0.75.
    """
    inside = {fact.name for fact in features}
    marked = {f.name: f for f in (*training.attributes, *features) if f.protected}
    if not marked:
        return []
    many = min(len(training), MOST_ROWS)
    sample = training.where(np.unique(np.linspace(0, len(training) - 1, many).astype(np.int64)))
    folds = folds_by_party(sample.group, FOLDS, seed)
    matrix = _matrix(sample.rows, features)
    measured = []
    for fact in marked.values():
        others = [place for place, other in enumerate(features) if other.name != fact.name]
        known = ~sample.rows[fact.name].isna().to_numpy()
        for level, is_level in _levels(sample, fact):
            rows = known.nonzero()[0]
            label = is_level[rows].astype(np.int8)
            area: Interval | None = None
            through: list[str] = []
            bad = int(label.sum())
            if others and min(bad, len(label) - bad) >= LEAST_OF_EACH:
                score, gain = _outside(
                    matrix[rows][:, others],
                    label,
                    sample.weight[rows],
                    [i for i, o in enumerate(others) if features[o].kind.is_textual],
                    folds[rows],
                    seed,
                )
                area = auc_interval(label, score, sample.weight[rows], sample.group[rows])
                names = [features[place].name for place in others]
                ranked = sorted(zip(-gain, names, strict=True))[:THROUGH]
                through = [name for less, name in ranked if less < 0]
            measured.append(
                ProtectedAttribute(
                    attribute=fact.name,
                    level=level,
                    in_model=fact.name in inside,
                    rows=len(rows),
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
        (level, chosen)
        for level, chosen in levels_of(sample.rows[fact.name], fact, sample.weight)
        if level is not None and level != OTHER
    ]
    if fact.kind is Kind.BOOLEAN:
        yield from ((None, chosen) for level, chosen in levels if level is True)
        return
    if len(levels) == 2:
        levels = [min(levels, key=lambda pair: (int(pair[1].sum()), str(pair[0])))]
    common = sorted(levels, key=lambda pair: (-int(pair[1].sum()), str(pair[0])))[:MOST_LEVELS]
    yield from sorted(common, key=lambda pair: str(pair[0]))


def _matrix(rows: pd.DataFrame, features: Sequence[Fact]) -> Floats:
    """Text as the place of its level from the commonest, the rare ones together; null as NaN."""
    columns = []
    for fact in features:
        values = rows[fact.name]
        if not fact.kind.is_textual:
            columns.append(values.to_numpy(dtype=np.float64, na_value=np.nan))
            continue
        codes, levels = pd.factorize(values)
        counts = np.bincount(codes[codes >= 0], minlength=len(levels))
        ranked = sorted(range(len(levels)), key=lambda place: (-counts[place], str(levels[place])))
        places = np.full(len(levels) + 1, np.nan)
        places[ranked] = np.minimum(np.arange(len(ranked)), MOST_CATEGORIES)
        columns.append(places[codes])
    return np.column_stack(columns) if columns else np.empty((len(rows), 0))


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
        held = folds == fold
        if held.all() or label[~held].min() == label[~held].max():
            continue
        data = lgb.Dataset(
            matrix[~held], label[~held], weight=weight[~held], categorical_feature=textual
        )
        trees = lgb.train(PARAMETERS | {"seed": seed}, data, TREES)
        score[held] = trees.predict(matrix[held], num_threads=1)
        gain += trees.feature_importance(importance_type="gain")
    return score, gain
