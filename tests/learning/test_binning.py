"""The cut search, held against optbinning's under the same bounds: a referee, not a part."""

from __future__ import annotations

import contextlib
import io
import warnings

import numpy as np
import pytest

from riskseg.learning.scorecard.binning import best_starts, prebin_cuts, shaped_blocks

LEAST = 0.05
Shape = tuple[str, int]

SHAPES: list[Shape] = [("rising", 1), ("falling", -1), ("steps", 1), ("counter", 1), ("turn", 0)]


def portfolio(shape: str, seed: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x = random.poisson(0.6, rows).astype(float) if shape == "counter" else random.random(rows)
    margin = {
        "rising": 3 * x,
        "falling": -3 * x,
        "steps": 2.0 * (x > 0.3) + 1.0 * (x > 0.8),
        "counter": 0.9 * np.minimum(x, 3),
        "turn": 12 * (x - 0.5) ** 2,
    }[shape]
    label = (random.random(rows) < 1 / (1 + np.exp(2.5 - margin))).astype(np.int8)
    return x, label


def loss(x: np.ndarray, label: np.ndarray, cuts: list[float], shape: str) -> float:
    """Mean log loss, on new rows, of the rate of bad outcomes that each bin has in these."""
    places = np.searchsorted(cuts, x, side="right")
    count = np.bincount(places, minlength=len(cuts) + 1)
    rate = (np.bincount(places, weights=label, minlength=len(cuts) + 1) + 0.5) / (count + 1)
    new, came_out = portfolio(shape, seed=12, rows=60_000)
    p = rate[np.searchsorted(cuts, new, side="right")]
    return float(-np.where(came_out == 1, np.log(p), np.log1p(-p)).mean())


@pytest.mark.parametrize(("shape", "direction"), SHAPES)
def test_our_cuts_tell_new_rows_as_well(shape: str, direction: int) -> None:
    optbinning = pytest.importorskip("optbinning")
    x, label = portfolio(shape, seed=11, rows=6_000)
    starts = prebin_cuts(x)
    places = np.searchsorted(starts, x, side="right")
    counts = np.bincount(places, minlength=len(starts) + 1).astype(float)
    bads = np.bincount(places, weights=label, minlength=len(starts) + 1)
    blocks = shaped_blocks(counts, bads, direction)
    ours = best_starts(counts, bads, counts, blocks, penalty=0.0, least=LEAST * len(x))
    cuts = [float(starts[start - 1]) for start in ours if start]
    rates = np.diff(
        [label[np.searchsorted(cuts, x, side="right") == n].mean() for n in range(len(cuts) + 1)]
    )
    assert (direction * rates >= 0).all()
    assert np.bincount(np.searchsorted(cuts, x, side="right")).min() >= LEAST * len(x)

    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        trend = {1: "ascending", -1: "descending", 0: "auto"}[direction]
        theirs = optbinning.OptimalBinning(
            solver="cp", monotonic_trend=trend, min_bin_size=LEAST, min_prebin_size=LEAST
        ).fit(x, label)
    assert loss(x, label, cuts, shape) < 1.0005 * loss(x, label, list(theirs.splits), shape)
