"""SHAP values are LightGBM's to the ninth decimal, and the same bytes however they are made."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from riskseg.learning import parallel
from riskseg.learning.trees import shap
from riskseg.learning.trees.shap import Explainer, shap_values
from riskseg.learning.trees.text import Tree, Trees, read_trees
from tests.learning.growing import KINDS, awkward, grow


def swift_margin(trees: Trees, matrix: np.ndarray) -> np.ndarray:
    explainer = Explainer.of(trees)
    return explainer.coded_margin(explainer.coded(matrix))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cells", [1, 40, 4096])
def test_the_values_are_lightgbms(kind: str, cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shap, "MOST_CELLS", cells)
    booster = grow(**KINDS[kind])
    trees = read_trees(booster.model_to_string())
    matrix = awkward(trees, 700)
    given = np.asarray(booster.predict(matrix, pred_contrib=True))[:, :-1]
    found = shap_values(trees, matrix, 1)
    assert found.shape == matrix.shape
    assert np.abs(found - given).max() < 1e-9
    assert np.ptp(given) > 0.5
    margin = np.asarray(booster.predict(matrix, raw_score=True))
    assert np.abs(swift_margin(trees, matrix) - margin).max() < 1e-12


def test_they_add_up_to_the_margin() -> None:
    trees = read_trees(grow(nulls=0.2).model_to_string())
    matrix = awkward(trees)
    gap = trees.margin(matrix) - shap_values(trees, matrix).sum(axis=1)
    assert np.ptp(gap) < 1e-12  # the mean of training, the same for every row


@pytest.mark.parametrize("cells", [1, 40, 4096])
def test_the_same_bytes_in_any_batch_and_at_any_number_of_threads(
    cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel, "CHUNK", 150)
    monkeypatch.setattr(shap, "MOST_CELLS", cells)
    trees = read_trees(grow(nulls=0.2, num_leaves=31).model_to_string())
    matrix = awkward(trees, 500)
    whole = shap_values(trees, matrix, 1)
    assert shap_values(trees, matrix, 2).tobytes() == whole.tobytes()
    explainer = Explainer.of(trees)
    one_by_one = np.vstack([explainer.values(matrix[n : n + 1]) for n in range(40)])
    assert one_by_one.tobytes() == whole[:40].tobytes()
    few = [explainer.coded_margin(explainer.coded(matrix[n : n + 3])) for n in range(0, 39, 3)]
    margin = explainer.coded_margin(explainer.coded(matrix))
    assert np.hstack(few).tobytes() == margin[:39].tobytes()
    turned = shap_values(trees, np.asfortranarray(matrix[::-1]))[::-1]
    assert turned.tobytes() == whole.tobytes()


def test_groups_are_small_and_hold_every_leaf() -> None:
    trees = read_trees(grow(num_leaves=63, min_data_in_leaf=3).model_to_string())
    explainer = Explainer.of(trees)
    assert all(group.cells <= shap.MOST_CELLS for group in explainer.groups)
    leaves = [leaf.value for group in explainer.groups for leaf in group.leaves]
    assert sorted(leaves) == sorted(float(v) for tree in trees.trees for v in tree.value)


@pytest.mark.parametrize("booster", [{"min_data_in_leaf": 10_000}, {"trees": 1, "num_leaves": 2}])
def test_small_models(booster: dict[str, Any]) -> None:
    model = grow(**booster)
    trees = read_trees(model.model_to_string())
    matrix = awkward(trees, 20)
    given = np.asarray(model.predict(matrix, pred_contrib=True))[:, :-1]
    assert np.abs(shap_values(trees, matrix) - given).max() < 1e-12
    margin = np.asarray(model.predict(matrix, raw_score=True))
    assert np.abs(swift_margin(trees, matrix) - margin).max() < 1e-12
    assert shap_values(trees, matrix[:0]).shape == (0, trees.features)


def _chain(depth: int) -> Trees:
    """A tree that asks each feature once, each time of those that said yes so far."""
    splits = np.arange(depth)
    right = np.append(splits[1:], -1 - depth)
    count = 2 ** (depth - splits) * 3
    leaf_count = np.append(count // 2, count[-1] // 2)
    value = np.append(np.zeros(depth), 1.0) + 0.1 * np.arange(depth + 1)
    flags, none = np.zeros(depth, dtype=np.bool_), np.zeros(depth, dtype=np.int64)
    zeros = np.zeros(depth)
    tree = Tree(splits, zeros, -1 - splits, right, flags, none, count, value, leaf_count)
    return Trees(depth, (tree,))


def test_the_definition_itself() -> None:
    """Shapley values by their definition: means over all orders in which features become known."""
    trees = _chain(4)
    tree = trees.trees[0]

    def expected(known: frozenset[int], row: Any) -> float:
        total, reach = 0.0, 1.0
        for n in range(4):
            share = tree.leaf_count[n] / tree.count[n]
            left = float(row[n] <= 0.0) if n in known else share
            total += reach * left * tree.value[n]
            reach *= 1 - left
        return float(total + reach * tree.value[4])

    matrix = np.array(list(itertools.product([-1.0, 1.0], repeat=4)))
    found = shap_values(trees, matrix)
    for row, given in zip(matrix, found, strict=True):
        wanted = np.zeros(4)
        for order in itertools.permutations(range(4)):
            for n, feature in enumerate(order):
                before = frozenset(order[:n])
                wanted[feature] += expected(before | {feature}, row) - expected(before, row)
        assert np.abs(given - wanted / math.factorial(4)).max() < 1e-14


def test_a_path_of_very_many_features() -> None:
    """Too many patterns for a table: the leaf is worked out for the rows themselves."""
    trees = _chain(40)
    random = np.random.default_rng(2)
    matrix = np.where(random.random((300, 40)) < 0.9, 1.0, -1.0)
    matrix[:5] = 1.0
    found = shap_values(trees, matrix)
    gap = trees.margin(matrix) - found.sum(axis=1)
    assert np.ptp(gap) < 1e-12
    assert found[0].min() > 0 and np.abs(found[0] - found[4]).max() == 0
