"""Margins that are looked up have LightGBM's bits, for every kind of split and value."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest

from riskseg.learning import parallel
from riskseg.learning.trees import lookup
from riskseg.learning.trees.lookup import Lookup
from riskseg.learning.trees.text import Trees, read_trees
from tests.learning.growing import KINDS, awkward, grow

SMALL = {kind: given for kind, given in KINDS.items() if "num_leaves" not in given}


def made_ready(booster: lgb.Booster) -> tuple[Trees, Lookup]:
    trees = read_trees(booster.model_to_string())
    ready = Lookup.of(trees)
    assert ready is not None
    return trees, ready


@pytest.mark.parametrize("leaves", [2, 8, 9, 10, 15])
@pytest.mark.parametrize("kind", SMALL)
def test_the_bits_are_lightgbms(kind: str, leaves: int) -> None:
    booster = grow(**SMALL[kind], num_leaves=leaves)
    trees, ready = made_ready(booster)
    matrix = awkward(trees)
    given = np.asarray(booster.predict(matrix, raw_score=True))
    assert ready.margin(matrix).tobytes() == given.tobytes() == trees.margin(matrix).tobytes()
    assert np.ptp(given) > 0.5


def test_the_same_bits_in_any_batch_and_at_any_number_of_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trees, ready = made_ready(grow(nulls=0.2))
    matrix = awkward(trees, 500)
    whole = ready.margin(matrix)
    monkeypatch.setattr(parallel, "CHUNK", 150)
    assert ready.margin(matrix, 2).tobytes() == whole.tobytes()
    assert ready.margin(np.asfortranarray(matrix[7:9])).tobytes() == whole[7:9].tobytes()


def test_trees_without_splits_say_the_same_of_every_row() -> None:
    booster = grow(min_data_in_leaf=10_000, trees=3)
    matrix = np.zeros((4, 6))
    _, ready = made_ready(booster)
    assert np.array_equal(ready.margin(matrix), booster.predict(matrix, raw_score=True))


def test_a_feature_of_many_thresholds_has_codes_of_two_bytes() -> None:
    random = np.random.default_rng(4)
    matrix = random.normal(size=(6000, 1))
    label = np.sin(400 * matrix[:, 0]) > 0
    parameters = {
        "objective": "binary",
        "num_leaves": 15,
        "max_bin": 2000,
        "verbosity": -1,
        "seed": 1,
    }
    booster = lgb.train(parameters | {"num_threads": 1}, lgb.Dataset(matrix, label), 60)
    _, ready = made_ready(booster)
    assert max(len(coding.cuts) for coding in ready.codings) > 255
    assert np.array_equal(ready.margin(matrix), booster.predict(matrix, raw_score=True))


def test_trees_too_large_are_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Lookup.of(read_trees(grow(num_leaves=31, trees=1).model_to_string())) is None
    trees = read_trees(grow(num_leaves=8, trees=2).model_to_string())
    monkeypatch.setattr(lookup, "MOST_VALUES", 2 * 2**7)
    assert Lookup.of(trees) is not None
    monkeypatch.setattr(lookup, "MOST_VALUES", 2 * 2**7 - 1)
    assert Lookup.of(trees) is None
