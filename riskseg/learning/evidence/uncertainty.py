"""How sure the figures are: 95% intervals that count parties, not rows, as evidence.

Shapes are those of metrics.py; `party` has one id a row.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskseg.learning.calibration import logistic_line, logit
from riskseg.learning.canonical import fixed
from riskseg.learning.evidence.metrics import (
    GROUPS,
    Ranked,
    all_metrics,
    log_losses,
    squares,
    sums_by,
)
from riskseg.results.interval import Interval

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats, Labels, Mask

Z = 1.959964  # of 95%
DRAWS = 200
# Scores are grouped this finely before they are drawn: the width of an interval needs no more.
FINE = 500
BIASED = ("ks", "expected_calibration_error")
# Draws counted at a time: bounds the memory, changes no value.
CELLS_AT_ONCE = 20_000_000


def wilson(
    label: Labels | Mask, weight: Floats | None = None, party: NDArray[Any] | None = None
) -> Interval:
    """The weighted share of rows whose label is 1 and Wilson's interval (1927), at six decimals.

    The count it stands on is the one that would give an equally weighted share of independent
    rows the variance that this share has: Σ over parties of (Σ w (label − share))² / (Σw)².
    """
    weight = np.ones(len(label)) if weight is None else weight
    total = float(weight.sum())
    rate = float((weight * label).sum()) / total
    if not 0 < rate < 1:
        return wilson_of(rate, total**2 / float((weight * weight).sum()))  # Kish (1965)
    each = weight * (label - rate)
    varies = float((each * each).sum())
    if party is not None:
        codes, parties = pd.factorize(party)
        together = sums_by(codes, each, len(parties))
        varies = max(varies, float((together * together).sum()))
    return wilson_of(rate, rate * (1 - rate) * total**2 / varies)


def wilson_of(rate: float, count: float) -> Interval:
    """Wilson's interval of a share seen among so many."""
    square = Z * Z / count
    middle = (rate + square / 2) / (1 + square)
    half = Z / (1 + square) * math.sqrt(max(rate * (1 - rate), 0.0) / count + square / count / 4)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return Interval(fixed(rate), fixed(min(low, rate)), fixed(max(high, rate)))


def auc_interval(
    label: Labels, score: Floats, weight: Floats, party: NDArray[Any]
) -> Interval | None:
    """The AUC and its interval, symmetric in its log-odds; None without both outcomes.

    DeLong et al. (1988), its parts summed by party as of Obuchowski, *Nonparametric analysis of
    clustered ROC curve data* (1997).
    """
    if label.min() == label.max():
        return None
    area, influence = _influence(label, score, weight)
    spread = _spread(influence, party)
    # Where no pair is in the wrong order nothing spreads: as if half of one pair were.
    edge = 0.5 / float((label == 1).sum() * (label == 0).sum())
    inside = min(max(area, edge), 1 - edge)
    if inside != area:
        spread = math.sqrt(inside * (1 - inside) / pd.Series(party).nunique())
    middle, half = math.log(inside / (1 - inside)), Z * spread / (inside * (1 - inside))
    low, high = (1 / (1 + math.exp(-end)) for end in (middle - half, middle + half))
    return Interval(fixed(area), fixed(min(low, area)), fixed(max(high, area)))


def auc_difference(
    label: Labels, score: Floats, rival: Floats, weight: Floats, party: NDArray[Any]
) -> Interval | None:
    """AUC of the rival less that of the score on the same rows, by DeLong as `auc_interval`."""
    if label.min() == label.max():
        return None
    ours, mine = _influence(label, score, weight)
    theirs, other = _influence(label, rival, weight)
    gain, half = theirs - ours, Z * _spread(other - mine, party)
    return Interval(fixed(gain), fixed(gain - half), fixed(gain + half))


def _influence(label: Labels, score: Floats, weight: Floats) -> tuple[float, Floats]:
    """(AUC, by how much each row moves it)."""
    distinct, place = np.unique(score, return_inverse=True)
    total = sums_by(place, weight, len(distinct))
    bad = sums_by(place, weight * label, len(distinct))
    good = total - bad
    all_bad, all_good = float(bad.sum()), float(good.sum())
    below = (np.cumsum(good) - good / 2) / all_good  # share of goods that a bad here beats
    above = (all_bad - np.cumsum(bad) + bad / 2) / all_bad
    area = float((bad * below).sum()) / all_bad
    moved = np.where(label == 1, (below[place] - area) / all_bad, (above[place] - area) / all_good)
    return area, weight * moved


def _spread(influence: Floats, party: NDArray[Any]) -> float:
    """Standard error of a sum of influences that are independent between parties."""
    codes, parties = pd.factorize(party)
    sums = sums_by(codes, influence, len(parties))
    count = len(parties)
    return math.sqrt(float((sums * sums).sum()) * count / max(count - 1, 1))


def drawn_sums(columns: Any, party: NDArray[Any], *, seed: int, draws: int = DRAWS) -> Floats:
    """Sums of columns under a bootstrap that draws as many parties as there are: (draws, columns).

    `columns` is a matrix with one row a row, dense or sparse. The same parties, seed and draws
    give the same draws, so that two calls can be paired.
    """
    from scipy import sparse

    codes, parties = pd.factorize(party)
    count = len(parties)
    belongs = sparse.csr_matrix(
        (np.ones(len(codes)), (codes, np.arange(len(codes)))), shape=(count, len(codes))
    )
    by_party = sparse.csr_matrix(belongs @ sparse.csr_matrix(columns)).T.tocsr()
    random = np.random.default_rng(seed)
    sums = np.empty((draws, by_party.shape[0]))
    step = max(1, CELLS_AT_ONCE // max(count, 1))
    for start in range(0, draws, step):
        some = range(start, min(start + step, draws))
        times = np.stack(
            [np.bincount(random.integers(0, count, count), minlength=count) for _ in some], axis=1
        )
        sums[some.start : some.stop] = (by_party @ times.astype(np.float64)).T
    return sums


def intervals(
    label: Labels,
    probability: Floats,
    weight: Floats,
    party: NDArray[Any],
    seed: int,
    draws: int = DRAWS,
) -> dict[str, Interval]:
    """Every metric of `all_metrics` that is one number, with its interval by a bootstrap over
    parties, at six decimals.

    Of the draws the percentiles are taken. KS and the calibration error come out too high by
    chance, and once more so in a draw: their percentiles are turned about the estimate (the
    basic interval of Davison and Hinkley, *Bootstrap Methods and their Application*, 1997). An
    error that chance alone may give (as often as 1 in 40) reaches down to 0.
    """
    metrics = all_metrics(label, probability, weight)
    drawn, chance = _drawn_metrics(label, probability, weight, party, seed, draws)
    by_metric: dict[str, Interval] = {}
    for name, values in drawn.items():
        estimate = float(metrics[name])
        low, high = (float(q) for q in np.nanquantile(values, [0.025, 0.975]))
        if name in BIASED:
            low, high = max(0.0, 2 * estimate - high), 2 * estimate - low
        if name == "expected_calibration_error" and estimate <= np.quantile(chance, 0.975):
            low = 0.0
        by_metric[name] = Interval(estimate, fixed(min(low, estimate)), fixed(max(high, estimate)))
    return by_metric


def _drawn_metrics(
    label: Labels,
    probability: Floats,
    weight: Floats,
    party: NDArray[Any],
    seed: int,
    draws: int,
) -> tuple[dict[str, Floats], Floats]:
    """(each metric in each draw, the calibration error that chance alone gives in each). Rows are
    grouped finely by probability, so that a draw is counts."""
    from scipy import sparse

    ranked = Ranked.of(label, probability, weight)
    middle = (np.cumsum(ranked.total) - ranked.total / 2) / ranked.total.sum()
    coarse = len(middle) > FINE
    group_of = (middle * FINE).astype(np.int64) if coarse else np.arange(len(middle))
    group_of = np.unique(group_of, return_inverse=True)[1]
    groups = int(group_of[-1]) + 1
    group = group_of[np.searchsorted(ranked.score, probability)]
    mass = sums_by(group_of, ranked.total, groups)
    level = sums_by(group_of, ranked.total * ranked.score, groups) / mass
    margin = sums_by(group_of, ranked.total * logit(ranked.score), groups) / mass

    place = np.arange(len(label))
    counts = sparse.csr_matrix(
        (weight, (place, group + groups * (label == 0))), shape=(len(label), 2 * groups)
    )
    losses = np.column_stack([squares(label, probability), log_losses(label, probability)])
    columns = sparse.hstack([counts, sparse.csr_matrix(losses * weight[:, None])]).tocsr()
    sums = drawn_sums(columns, party, seed=seed, draws=draws)
    bad, good = sums[:, :groups], sums[:, groups : 2 * groups]
    total = bad + good

    error, chance = _drawn_errors(total, bad, level, mass)
    with np.errstate(invalid="ignore", divide="ignore"):
        bads, goods = bad.sum(axis=1), good.sum(axis=1)
        below = np.cumsum(good, axis=1) - good / 2
        area = (bad * below).sum(axis=1) / (bads * goods)
        gap = np.cumsum(bad, axis=1) / bads[:, None] - np.cumsum(good, axis=1) / goods[:, None]
        drawn = {
            "auc": area,
            "ks": np.abs(gap).max(axis=1),
            "brier": sums[:, -2] / total.sum(axis=1),
            "log_loss": sums[:, -1] / total.sum(axis=1),
            "expected_calibration_error": error,
        }
    slope, intercept = _drawn_lines(total, bad, margin, mass)
    return drawn | {"calibration_slope": slope, "calibration_intercept": intercept}, chance


def _drawn_errors(total: Floats, bad: Floats, level: Floats, mass: Floats) -> tuple[Floats, Floats]:
    """(the expected calibration error of each draw, over the groups that all rows make; the one
    it would have if every group were right on average)."""
    cuts = np.r_[0.0, np.cumsum(mass)]
    edges = cuts[-1] * np.arange(GROUPS + 1) / GROUPS
    # How much of each fine group lies in each of the ten.
    shares = np.clip(
        (np.minimum(cuts[1:, None], edges[1:]) - np.maximum(cuts[:-1, None], edges[:-1]))
        / mass[:, None],
        0,
        1,
    )
    excess = total * level - bad
    gaps = np.stack([(excess * part).sum(axis=1) for part in shares.T], axis=1)
    gaps = gaps / total.sum(axis=1, keepdims=True)
    return np.abs(gaps).sum(axis=1), np.abs(gaps - gaps.mean(axis=0)).sum(axis=1)


def _drawn_lines(total: Floats, bad: Floats, margin: Floats, mass: Floats) -> tuple[Floats, Floats]:
    """Calibration slope and intercept of each draw: a few of Newton's steps from the fit to all
    rows, which a draw is never far from."""
    centre = float(np.average(margin, weights=mass))
    x = margin - centre
    everything = total.mean(axis=0)
    share = np.divide(bad.mean(axis=0), everything, out=np.zeros_like(x), where=everything > 0)
    start, level = logistic_line(x, share, everything)
    slope, height = np.full(len(total), start), np.full(len(total), level)
    shift = np.zeros(len(total))
    # A trace of ridge: a draw may hold one outcome only.
    trace = 1e-6 * total.sum(axis=1)
    for _ in range(8):
        p = 1 / (1 + np.exp(-np.clip(slope[:, None] * x + height[:, None], -30, 30)))
        error, bend = bad - total * p, total * p * (1 - p)
        a = (bend * x * x).sum(axis=1) + trace
        b, d = (bend * x).sum(axis=1), bend.sum(axis=1) + trace
        g, h = (error * x).sum(axis=1), error.sum(axis=1)
        down = a * d - b * b
        slope = slope + np.clip((d * g - b * h) / down, -0.5, 0.5)
        height = height + np.clip((a * h - b * g) / down, -1, 1)
        p = 1 / (1 + np.exp(-np.clip(margin + shift[:, None], -30, 30)))
        rise = (bad - total * p).sum(axis=1) / ((total * p * (1 - p)).sum(axis=1) + trace)
        shift = shift + np.clip(rise, -1, 1)
    return slope, shift
