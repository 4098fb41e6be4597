"""LightGBM's text read into arrays gives LightGBM's margins, and nothing unknown passes."""

from __future__ import annotations

from collections.abc import Callable

import lightgbm as lgb
import numpy as np
import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.learning.trees.text import Missing, read_trees
from tests.learning.growing import KINDS, awkward, grow


@pytest.mark.parametrize("kind", KINDS)
def test_the_margin_is_lightgbms(kind: str) -> None:
    booster = grow(**KINDS[kind])
    trees = read_trees(booster.model_to_string())
    matrix = awkward(trees)
    given = np.asarray(booster.predict(matrix, raw_score=True))
    assert np.array_equal(trees.margin(matrix), given)
    assert np.ptp(given) > 0.5


def test_every_missing_type_that_lightgbm_writes_is_met() -> None:
    met = {
        Missing(int(missing))
        for reported in KINDS.values()
        for tree in read_trees(grow(**reported).model_to_string()).trees
        for missing in tree.missing
    }
    assert met == set(Missing)


def test_trees_without_splits() -> None:
    booster = grow(min_data_in_leaf=10_000, trees=3)
    trees = read_trees(booster.model_to_string())
    assert all(len(tree.value) == 1 for tree in trees.trees)
    matrix = np.zeros((4, 6))
    assert np.array_equal(trees.margin(matrix), booster.predict(matrix, raw_score=True))


def test_constrained_trees_are_read() -> None:
    booster = grow(monotone_constraints=[1, 1, -1, 0, 0, 0])
    assert len(read_trees(booster.model_to_string()).trees) == 12


def _categories() -> str:
    random = np.random.default_rng(1)
    matrix = random.integers(0, 6, (500, 2)).astype(float)
    label = np.isin(matrix[:, 0], [1, 4]) ^ (random.random(500) < 0.1)
    data = lgb.Dataset(matrix, label, categorical_feature=[0], free_raw_data=False)
    given = {"objective": "binary", "verbosity": -1, "num_threads": 1, "min_data_per_group": 5}
    return str(lgb.train(given, data, 2).model_to_string())


def _classes() -> str:
    random = np.random.default_rng(1)
    data = lgb.Dataset(random.normal(size=(300, 2)), random.integers(0, 3, 300))
    given = {"objective": "multiclass", "num_class": 3, "verbosity": -1, "num_threads": 1}
    return str(lgb.train(given, data, 2).model_to_string())


def _changed(old: str, new: str) -> Callable[[], str]:
    def make() -> str:
        text = str(grow(trees=2).model_to_string())
        assert old in text
        return text.replace(old, new, 1)

    return make


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (_categories, "splits by category"),
        (_classes, "num_class is 3"),
        (lambda: grow(linear_tree=True).model_to_string(), "leaves are linear"),
        (
            lambda: grow(boosting="rf", bagging_freq=1, bagging_fraction=0.5).model_to_string(),
            "average_output",
        ),
        (lambda: grow(sigmoid=2.0).model_to_string(), "sigmoid:2"),
        (lambda: "", "not a LightGBM text model"),
        (_changed("end of trees", "the rest is lost"), "not a LightGBM text model"),
        (_changed("version=v4", "version=v9"), "version is v9"),
        (_changed("Tree=1", "Tree=7"), "tree 1 is called 7"),
        (_changed("shrinkage=", "leaf_const=1\nshrinkage="), "leaf_const is not known"),
        (_changed("split_feature=", "split_feature=0 "), "split_feature has 15 entries, not 14"),
        (_changed("left_child=1", "left_child=0"), "do not form a tree"),
        (_changed("decision_type=2", "decision_type=66"), "decision_type"),
        (_changed("leaf_value=", "leaf_value=nan "), "leaf_value"),
    ],
)
def test_what_is_not_known_is_refused(make: Callable[[], str], why: str) -> None:
    with pytest.raises(ProblemsError, match=why) as raised:
        read_trees(make())
    assert raised.value.problems[0].code == "RS406"
