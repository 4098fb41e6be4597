from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from riskseg.learning.artefact import Model
from riskseg.learning.boosted import Boosted, fit_boosted
from riskseg.learning.canonical import canonical
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.levels import level_codes, levels_by_risk
from riskseg.learning.metrics import auc
from riskseg.learning.split import folds_by_party


@pytest.fixture(scope="module")
def trees(frame: TrainingFrame) -> Boosted:
    folds = folds_by_party(frame.group, 5, 7)
    told, outside = fit_boosted(frame.rows, frame.label, frame.features, folds, seed=7, threads=1)
    assert 0.7 < auc(frame.label, outside) < auc(frame.label, told.margin(frame.rows))
    return told


def test_it_comes_back_from_its_text(trees: Boosted, frame: TrainingFrame) -> None:
    again = Boosted.from_json(json.loads(canonical(trees.as_json())), trees.text)
    assert again == trees
    assert (again.margin(frame.rows) == trees.margin(frame.rows)).all()


def test_the_declared_direction_holds_everywhere(trees: Boosted, frame: TrainingFrame) -> None:
    """Measured on the fitted model: every other feature as it is in 40 rows, one on a grid."""
    for fact in frame.features:
        values = frame.rows[fact.name]
        if not fact.direction:
            continue
        grid = np.quantile(values.dropna(), np.linspace(0, 1, 25))
        rows = frame.rows.head(40).loc[np.repeat(np.arange(40), 25)].reset_index(drop=True)
        rows[fact.name] = np.tile(grid, 40)
        along = trees.margin(rows).reshape(40, 25)
        assert (fact.direction * np.diff(along, axis=1) >= 0).all(), fact.name
    assert np.ptp(along) > 0


def test_nulls_never_seen_count_as_the_median(trees: Boosted, frame: TrainingFrame) -> None:
    batch = frame.rows.head(50)
    holed = batch.assign(months_on_book=np.nan)
    typical = batch.assign(months_on_book=frame.rows["months_on_book"].median())
    assert (trees.margin(holed) == trees.margin(typical)).all()
    # Nulls that were seen are a value of their own.
    assert {c.name: c.fill is None for c in trees.columns}["balance"]


def test_an_unseen_level_is_as_a_null(trees: Boosted, frame: TrainingFrame) -> None:
    batch = frame.rows.head(50)
    unseen, null = batch.assign(tariff="brand new"), batch.assign(tariff=None)
    assert (trees.margin(unseen) == trees.margin(null)).all()


def test_levels_are_in_order_of_risk_and_rare_ones_have_no_place() -> None:
    values = pd.Series(["b"] * 100 + ["a"] * 100 + ["rare"] * 5 + [None], dtype=object)
    label = np.r_[np.arange(100) % 2, np.arange(100) % 4 == 0, np.ones(6)].astype(np.int8)
    levels = levels_by_risk(values, label)
    assert levels == ("a", "b")
    codes = level_codes(pd.Series(["a", "b", "rare", None, "new"], dtype=object), levels)
    assert codes.tolist()[:3] == [0, 1, -1] and np.isnan(codes[3]) and codes[4] == -1


def test_contributions_add_up_to_the_margin(boosted: Model, frame: TrainingFrame) -> None:
    assert isinstance(boosted.scorer, Boosted)
    part = boosted.scorer.contributions(frame.rows)
    base = boosted.scorer.margin(frame.rows) - part.sum(axis=1)
    assert part.shape == (len(frame), len(boosted.features))
    assert base == pytest.approx(base[0], abs=1e-9)
    assert np.ptp(part) > 0.5
