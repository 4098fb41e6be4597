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
    weight_total = float(weight.sum())
    rate = float((weight * label).sum()) / weight_total
    if not 0 < rate < 1:
        return wilson_of(rate, weight_total**2 / float((weight * weight).sum()))  # Kish (1965)
    row_errors = weight * (label - rate)
    varies = float((row_errors * row_errors).sum())
    if party is not None:
        codes, parties = pd.factorize(party)
        together = sums_by(codes, row_errors, len(parties))
        varies = max(varies, float((together * together).sum()))
    return wilson_of(rate, rate * (1 - rate) * weight_total**2 / varies)


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
    area_spread = _spread(influence, party)
    # Where no pair is in the wrong order nothing spreads: as if half of one pair were.
    edge = 0.5 / float((label == 1).sum() * (label == 0).sum())
    area_inside = min(max(area, edge), 1 - edge)
    if area_inside != area:
        area_spread = math.sqrt(area_inside * (1 - area_inside) / pd.Series(party).nunique())
    middle, half = (
        math.log(area_inside / (1 - area_inside)),
        Z * area_spread / (area_inside * (1 - area_inside)),
    )
    low, high = (
        1 / (1 + math.exp(-interval_end)) for interval_end in (middle - half, middle + half)
    )
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
    distinct, distinct_place = np.unique(score, return_inverse=True)
    total = sums_by(distinct_place, weight, len(distinct))
    bad = sums_by(distinct_place, weight * label, len(distinct))
    good = total - bad
    all_bad, all_good = float(bad.sum()), float(good.sum())
    goods_below = (np.cumsum(good) - good / 2) / all_good  # share of goods that a bad here beats
    bads_above = (all_bad - np.cumsum(bad) + bad / 2) / all_bad
    area = float((bad * goods_below).sum()) / all_bad
    area_moved = np.where(
        label == 1,
        (goods_below[distinct_place] - area) / all_bad,
        (bads_above[distinct_place] - area) / all_good,
    )
    return area, weight * area_moved


def _spread(influence: Floats, party: NDArray[Any]) -> float:
    """Standard error of a sum of influences that are independent between parties."""
    codes, parties = pd.factorize(party)
    influence_by_party = sums_by(codes, influence, len(parties))
    party_count = len(parties)
    return math.sqrt(
        float((influence_by_party * influence_by_party).sum())
        * party_count
        / max(party_count - 1, 1)
    )


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
    sums_by_draw = np.empty((draws, by_party.shape[0]))
    draws_at_once = max(1, CELLS_AT_ONCE // max(count, 1))
    for first_draw in range(0, draws, draws_at_once):
        some = range(first_draw, min(first_draw + draws_at_once, draws))
        times = np.stack(
            [np.bincount(random.integers(0, count, count), minlength=count) for _ in some], axis=1
        )
        sums_by_draw[some.start : some.stop] = (by_party @ times.astype(np.float64)).T
    return sums_by_draw


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
    drawn_metrics, chance = _drawn_metrics(label, probability, weight, party, seed, draws)
    by_metric: dict[str, Interval] = {}
    for metric_name, drawn_values in drawn_metrics.items():
        estimate = float(metrics[metric_name])
        low, high = (float(quantile) for quantile in np.nanquantile(drawn_values, [0.025, 0.975]))
        if metric_name in BIASED:
            low, high = max(0.0, 2 * estimate - high), 2 * estimate - low
        if metric_name == "expected_calibration_error" and estimate <= np.quantile(chance, 0.975):
            low = 0.0
        by_metric[metric_name] = Interval(
            estimate, fixed(min(low, estimate)), fixed(max(high, estimate))
        )
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
    group_of_row = group_of[np.searchsorted(ranked.score, probability)]
    mass = sums_by(group_of, ranked.total, groups)
    mean_score = sums_by(group_of, ranked.total * ranked.score, groups) / mass
    margin = sums_by(group_of, ranked.total * logit(ranked.score), groups) / mass

    row_number = np.arange(len(label))
    rows_by_group = sparse.csr_matrix(
        (weight, (row_number, group_of_row + groups * (label == 0))), shape=(len(label), 2 * groups)
    )
    losses = np.column_stack([squares(label, probability), log_losses(label, probability)])
    summed_columns = sparse.hstack(
        [rows_by_group, sparse.csr_matrix(losses * weight[:, None])]
    ).tocsr()
    sums_by_draw = drawn_sums(summed_columns, party, seed=seed, draws=draws)
    bad, good = sums_by_draw[:, :groups], sums_by_draw[:, groups : 2 * groups]
    total = bad + good

    error, chance = _drawn_errors(total, bad, mean_score, mass)
    with np.errstate(invalid="ignore", divide="ignore"):
        bads, goods = bad.sum(axis=1), good.sum(axis=1)
        goods_below = np.cumsum(good, axis=1) - good / 2
        area = (bad * goods_below).sum(axis=1) / (bads * goods)
        gap = np.cumsum(bad, axis=1) / bads[:, None] - np.cumsum(good, axis=1) / goods[:, None]
        metrics_drawn = {
            "auc": area,
            "ks": np.abs(gap).max(axis=1),
            "brier": sums_by_draw[:, -2] / total.sum(axis=1),
            "log_loss": sums_by_draw[:, -1] / total.sum(axis=1),
            "expected_calibration_error": error,
        }
    slope, intercept = _drawn_lines(total, bad, margin, mass)
    return metrics_drawn | {"calibration_slope": slope, "calibration_intercept": intercept}, chance


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
    gaps = np.stack([(excess * share_of_group).sum(axis=1) for share_of_group in shares.T], axis=1)
    gaps = gaps / total.sum(axis=1, keepdims=True)
    return np.abs(gaps).sum(axis=1), np.abs(gaps - gaps.mean(axis=0)).sum(axis=1)


def _drawn_lines(total: Floats, bad: Floats, margin: Floats, mass: Floats) -> tuple[Floats, Floats]:
    """Calibration slope and intercept of each draw: a few of Newton's steps from the fit to all
    rows, which a draw is never far from."""
    centre = float(np.average(margin, weights=mass))
    centred_margin = margin - centre
    everything = total.mean(axis=0)
    bad_share = np.divide(
        bad.mean(axis=0), everything, out=np.zeros_like(centred_margin), where=everything > 0
    )
    first_slope, first_level = logistic_line(centred_margin, bad_share, everything)
    slope, height = np.full(len(total), first_slope), np.full(len(total), first_level)
    shift = np.zeros(len(total))
    # A trace of ridge: a draw may hold one outcome only.
    trace = 1e-6 * total.sum(axis=1)
    for _ in range(8):
        drawn_probability = 1 / (
            1 + np.exp(-np.clip(slope[:, None] * centred_margin + height[:, None], -30, 30))
        )
        error, bend = (
            bad - total * drawn_probability,
            total * drawn_probability * (1 - drawn_probability),
        )
        a = (bend * centred_margin * centred_margin).sum(axis=1) + trace
        weighted_bend, bend_total = (bend * centred_margin).sum(axis=1), bend.sum(axis=1) + trace
        weighted_error, error_total = (error * centred_margin).sum(axis=1), error.sum(axis=1)
        down = a * bend_total - weighted_bend * weighted_bend
        slope = slope + np.clip(
            (bend_total * weighted_error - weighted_bend * error_total) / down, -0.5, 0.5
        )
        height = height + np.clip((a * error_total - weighted_bend * weighted_error) / down, -1, 1)
        drawn_probability = 1 / (1 + np.exp(-np.clip(margin + shift[:, None], -30, 30)))
        rise = (bad - total * drawn_probability).sum(axis=1) / (
            (total * drawn_probability * (1 - drawn_probability)).sum(axis=1) + trace
        )
        shift = shift + np.clip(rise, -1, 1)
    return slope, shift
