"""Two models on the same rows."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from riskseg.learning.canonical import canonical
from riskseg.learning.evidence.compare import (
    better,
    compare,
    differences,
    moves,
    same_share,
    swap_set,
    verdict,
)
from riskseg.learning.evidence.metrics import auc, brier, log_loss
from riskseg.results.interval import Interval
from riskseg.results.model_comparison import Comparison, MetricDifferences

ROWS = 8_000


def two(seed: int = 1, party: int = 1) -> tuple[Any, Any, Any, Any]:
    """(outcomes, parties, probabilities that are right, probabilities with less in them)."""
    random = np.random.default_rng(seed)
    first, second = random.normal(size=ROWS), random.normal(size=ROWS)
    known = -1.5 + first + second
    label = (random.random(ROWS) < 1 / (1 + np.exp(-known))).astype(np.int8)
    p = np.round(1 / (1 + np.exp(-known)), 6)
    less = np.round(1 / (1 + np.exp(-(-1.3 + 0.9 * first))), 6)
    return label, np.arange(ROWS) // party, p, less


def reported(a: Any, b: Any, label: Any, party: Any, **more: Any) -> Comparison:
    return compare(label, np.ones(ROWS), party, a, b, names=("v1", "v2"), cut=0.3, seed=3, **more)


def test_the_better_model_is_better_beyond_doubt() -> None:
    label, party, better, less = two()
    found = reported(less, better, label, party)
    assert json.loads(canonical(found.as_json())) == found.as_json()
    assert [one.name for one in found.models] == ["v1", "v2"]
    for name, metric, sign in (("auc", auc, 1), ("brier", brier, -1), ("log_loss", log_loss, -1)):
        gain, low, high = getattr(found.difference, name)
        assert gain == pytest.approx(metric(label, better) - metric(label, less), abs=1e-6)
        assert low < gain < high and low * sign > 0
    assert found.models[1].intervals["auc"].low > found.models[0].intervals["auc"].high
    back = reported(better, less, label, party)
    assert back.difference.auc[0] == -found.difference.auc[0]


def test_a_model_against_itself() -> None:
    label, party, p, _ = two()
    found = reported(p, p, label, party)
    for name in ("auc", "brier", "log_loss"):
        assert getattr(found.difference, name) == (0, 0, 0)
    assert found.swap.only_a.rows == found.swap.only_b.rows == 0
    assert found.swap.only_a.rate is None
    assert found.swap.cut_b == pytest.approx(0.3, abs=1e-3)
    assert found.moves.rank_correlation == 1 and found.moves.same_tenth == 1
    assert found.moves.mean_shift == 0


def test_a_swap_set_by_hand() -> None:
    label = np.array([1, 0, 1, 0, 1, 0], dtype=np.int8)
    a, b = np.array([1.0, 1, 1, 0, 0, 0]), np.array([1.0, 0, 0, 1, 1, 0])
    found = swap_set(label, np.ones(6), np.arange(6), a, b, 0.5, 0.5)
    assert (found.both.rows, found.both.bad) == (1, 1)
    assert (found.only_a.rows, found.only_a.bad) == (2, 1)
    assert (found.only_b.rows, found.only_b.bad) == (2, 1)
    assert (found.neither.rows, found.neither.bad) == (1, 0)
    assert found.only_a.rate[0] == 0.5 and found.only_a.share == 0.333333


def test_the_cut_that_takes_the_same_share() -> None:
    a = np.linspace(0.1, 0.9, 9)
    b = a**2
    assert same_share(a, b, np.ones(9), 0.6) == pytest.approx(0.36)
    assert same_share(a, b, np.ones(9), 0.95) > b.max()
    tied = np.repeat([0.1, 0.5, 0.8], 3)
    assert same_share(a, tied, np.ones(9), 0.65) == 0.8  # three rows
    assert same_share(a, tied, np.ones(9), 0.45) == 0.5  # five: six is nearer than three
    weight = np.array([1.0] * 8 + [5.0])
    assert same_share(a, a[::-1].copy(), weight, 0.85) == pytest.approx(0.5)


def test_the_better_model_swaps_in_more_bads() -> None:
    label, party, better, less = two()
    swap = reported(less, better, label, party).swap
    assert swap.only_a.rows == pytest.approx(swap.only_b.rows, abs=2)
    assert swap.only_b.rate[1] > swap.only_a.rate[2]
    assert sum(getattr(swap, part).rows for part in ("both", "only_a", "only_b", "neither")) == ROWS
    assert reported(less, better, label, party, cut_b=0.5).swap.cut_b == 0.5


def test_who_moves() -> None:
    _, _, better, less = two()
    found = moves(less, better, np.ones(ROWS))
    table = np.array(found.tenths)
    assert table.shape == (10, 10) and table.sum() == pytest.approx(1, abs=1e-4)
    assert table.sum(axis=0) == pytest.approx(0.1, abs=1e-3)
    assert found.same_tenth == pytest.approx(np.trace(table), abs=1e-4)
    assert 0.5 < found.rank_correlation < 0.9
    assert found.mean_size_of_shift > abs(found.mean_shift)
    turned = moves(better, 1 - better, np.ones(ROWS))
    assert turned.rank_correlation == pytest.approx(-1, abs=1e-6)
    assert moves(better, np.full(ROWS, 0.2), np.ones(ROWS)).rank_correlation is None


def test_parties_and_weights_count() -> None:
    label, _, better, less = two()
    rows = np.repeat(np.arange(500), 9)
    of = (label[rows], np.ones(4_500))
    alone = differences(*of, np.arange(4_500), less[rows], better[rows], 1)
    together = differences(*of, rows, less[rows], better[rows], 1)
    for name in ("auc", "brier", "log_loss"):
        wide, narrow = getattr(together, name), getattr(alone, name)
        assert wide is not None and narrow is not None
        assert wide[2] - wide[1] == pytest.approx(3 * (narrow[2] - narrow[1]), rel=0.3)
    times = np.random.default_rng(2).integers(1, 4, ROWS)
    each = np.repeat(np.arange(ROWS), times)
    once = compare(
        label,
        times.astype(float),
        np.arange(ROWS),
        less,
        better,
        names=("a", "b"),
        cut=0.3,
        seed=1,
    )
    full = compare(
        label[each],
        np.ones(len(each)),
        each,
        less[each],
        better[each],
        names=("a", "b"),
        cut=0.3,
        seed=1,
    )
    assert once.moves == full.moves and once.swap.cut_b == full.swap.cut_b
    assert once.difference.brier == pytest.approx(full.difference.brier, abs=1e-5)
    assert once.swap.only_b.bad == full.swap.only_b.bad


CLEAR, CHANCE, WORSE = Interval(0.02, 0.01, 0.03), Interval(0.01, -0.01, 0.03), Interval(-2, -3, -1)
SAME = Interval(0, 0, 0)


@pytest.mark.parametrize(
    ("auc", "log_loss", "expected", "ranks", "estimates"),
    [
        (CLEAR, CHANCE, 1, "b ranks accounts better: its AUC is higher by 0.0200 (0.0100",
         "which may be chance"),
        (CHANCE, CHANCE, None, "Neither version clearly ranks better", "clearly better"),
        (WORSE, CHANCE, 0, "a ranks accounts better: its AUC is higher by 2.0000 (1.0000",
         "clearly better"),
        (CLEAR, CLEAR, None, "b ranks accounts better",
         "a has better probabilities: its log-loss is lower by 0.0200 (0.0100 to 0.0300)"),
        (CHANCE, WORSE, 1, "which may be chance", "b has better probabilities"),
        (SAME, WORSE, 1, "Both versions rank these accounts equally well: their AUC is the same.",
         "b has better probabilities"),
        (CHANCE, SAME, None, "Neither version clearly ranks better", "their log-loss is the same."),
        (None, WORSE, 1, "b has better probabilities", "b has better probabilities"),
    ],
)  # fmt: skip
def test_the_verdict(
    auc: Interval | None, log_loss: Interval, expected: int | None, ranks: str, estimates: str
) -> None:
    measured = MetricDifferences(auc=auc, brier=CHANCE, log_loss=log_loss)
    assert better(measured) == expected
    sentences = verdict(("a", "b"), measured)
    assert ranks in sentences[0] and estimates in sentences[-1]
