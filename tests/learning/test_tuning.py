from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from riskseg.learning.trees.tuning import (
    CANDIDATES,
    FIRST_FOLDS,
    MOST_LEAVES,
    SEEDS,
    STEP,
    Bag,
    Candidate,
    Curve,
    Judged,
    Part,
    dataset,
    mean_curve,
    search,
)

if TYPE_CHECKING:
    pass


def make_part(fold: int, rows: int = 600) -> Part:
    random = np.random.default_rng(fold)
    matrix = random.normal(size=(rows, 3))
    label = (random.random(rows) < 1 / (1 + np.exp(-matrix[:, 0]))).astype(np.int8)
    weight = np.where(label == 1, 1.0, 2.0)
    held = np.arange(rows) < rows // 3
    seen = ~held
    return Part(
        held,
        dataset(matrix[seen], label[seen], weight[seen]),
        matrix[held],
        label[held],
        weight[held],
        (1, 0, 0),
    )


@dataclass
class KnownBag(Bag):
    """A bag whose losses are given, not learned; counts how many seeds were asked for."""

    losses: list[float]
    seeds: int = 0

    def grown_to(self, size: int, most: int | None = None) -> Bag:
        self.seeds = max(self.seeds, size)
        return self

    def curve(self, size: int) -> Curve:
        assert size <= self.seeds
        return Curve({size: np.array(self.losses) * 10}, 10.0)


class Known(Judged):
    """Folds whose losses are given, not learned."""

    def __init__(self, losses: dict[Candidate, list[list[float]]]) -> None:
        super().__init__([make_part(0, 150)] * 5, 1, 1)
        self.bags = {
            (candidate, place): KnownBag(curve)
            for candidate, curves in losses.items()
            for place, curve in enumerate(curves)
        }

    def bag(self, candidate: Candidate, place: int) -> Bag:
        return self.bags[candidate, place]

    def seeds(self, candidate: Candidate) -> list[int]:
        return [self.bags[candidate, place].seeds for place in range(5)]


def test_the_candidates_are_shallow_and_differ() -> None:
    assert len({c.words for c in CANDIDATES}) == len(CANDIDATES) == len(set(CANDIDATES))
    assert all(c.depth <= 6 and c.leaves <= 16 and c.random for c in CANDIDATES)
    assert all(c.leaves * STEP < MOST_LEAVES for c in CANDIDATES)
    assert not Candidate(3, 2, 1, 0.0, rows=1.0, columns=1.0).random


def test_the_least_loss_wins_and_the_worst_see_few_folds() -> None:
    base = {c: [[0.5, 0.4 + i / 100]] * 5 for i, c in enumerate(CANDIDATES)}
    best = CANDIDATES[2]
    base[best] = [[0.5, 0.39]] * 5
    judged = Known(base)
    chosen, record = search(judged)
    assert chosen == best
    assert {c for c, _, _ in record} == set(CANDIDATES)
    last = CANDIDATES[-1]
    assert judged.seeds(last) == [1] * FIRST_FOLDS + [0] * (5 - FIRST_FOLDS)
    assert judged.seeds(best) == [SEEDS] * 5
    assert {(c, folds) for c, _, folds in record} >= {(last, FIRST_FOLDS), (best, 5)}


def test_of_the_as_good_the_one_with_fewest_leaves_wins() -> None:
    losses = {c: [[0.6, 0.5]] * 5 for c in CANDIDATES}
    large, small = CANDIDATES[0], CANDIDATES[-1]
    assert small.leaves < large.leaves
    losses[large], losses[small] = [[0.5, 0.40]] * 5, [[0.5, 0.40001]] * 5
    assert search(Known(losses))[0] == small
    losses[small] = [[0.5, 0.41]] * 5
    assert search(Known(losses))[0] == large


def test_the_mean_is_over_rows_by_weight_as_far_as_all_folds_go() -> None:
    curves = [Curve({1: np.array([8.0, 6.0, 5.0])}, 10.0), Curve({1: np.array([1.0, 2.0])}, 5.0)]
    assert mean_curve(curves, 1) == pytest.approx([9 / 15, 8 / 15])


def test_a_bags_loss_is_that_of_the_mean_margin() -> None:
    part = make_part(1)
    grown = Bag(part, CANDIDATES[-1], 7, 50)
    for size in (1, 3):
        curve = grown.curve(size)
        boosters = grown.boosters
        assert len(boosters) == size and set(curve.loss) == {size}
        trees = 2 * STEP
        reported = [
            b.predict(part.judged, raw_score=True, num_iteration=trees) for b in boosters[:size]
        ]
        chance = 1 / (1 + np.exp(-np.mean(reported, axis=0)))
        loss = -np.where(part.label == 1, np.log(chance), np.log(1 - chance)) * part.weight
        assert curve.loss[size][1] == pytest.approx(loss.sum())
        assert grown.margin(size, trees) == pytest.approx(np.mean(reported, axis=0))
        assert curve.weight == part.weight.sum()
    margins = [b.predict(part.judged, raw_score=True) for b in boosters]
    assert np.abs(margins[0] - margins[1]).max() > 0.001


def test_a_fold_of_a_candidate_is_learned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = Judged([make_part(1), make_part(2)], 7, 1)
    first = judged.loss(CANDIDATES[-1])
    monkeypatch.setattr("riskseg.learning.trees.tuning.Bag", None)
    assert judged.loss(CANDIDATES[-1]) == first
    assert judged.by_fold(CANDIDATES[-1]).shape == (2,)


def test_later_members_grow_no_more_trees_than_their_bag_allows() -> None:
    bag = Bag(make_part(1), CANDIDATES[-1], 7, 40).grown_to(2, 20)
    assert [booster.current_iteration() for booster in bag.boosters][1] == 20
    assert all(c.most_trees(1) * c.leaves <= MOST_LEAVES for c in CANDIDATES)
    assert all(c.most_trees(3) * c.leaves * 3 <= MOST_LEAVES for c in CANDIDATES)


def test_candidates_side_by_side_have_the_losses_they_have_alone() -> None:
    parts = [make_part(fold) for fold in range(3)]
    alone, beside = Judged(parts, 7, 1), Judged(parts, 7, 4)
    beside.reckon(CANDIDATES)
    assert [beside.loss(c) for c in CANDIDATES] == [alone.loss(c) for c in CANDIDATES]
