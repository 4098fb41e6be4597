"""How good probabilities are.

Everywhere `label` is 1 for the bad outcome and both occur; `weight` is how many rows of the whole
population a row stands for (None: one each). A row of weight 3 counts as three equal rows. Rows
that tie share what they get: no metric depends on the order of the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riskseg.learning.calibration import likeliest, logistic_line, logit
from riskseg.learning.canonical import fixed

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats, Labels

GROUPS = 10


@dataclass(frozen=True)
class Ranked:
    """The distinct scores in rising order, the weight at each and the bad part of it."""

    score: Floats
    total: Floats
    bad: Floats

    @classmethod
    def of(cls, label: Labels, score: Floats, weight: Floats | None = None) -> Ranked:
        distinct, distinct_place = np.unique(score, return_inverse=True)
        weight = np.ones(len(label)) if weight is None else weight
        total = sums_by(distinct_place, weight, len(distinct))
        bad = sums_by(distinct_place, weight * label, len(distinct))
        not_empty = total > 0
        return cls(distinct[not_empty], total[not_empty], bad[not_empty])

    @cached_property
    def good(self) -> Floats:
        return self.total - self.bad

    @property
    def rate(self) -> float:
        """Share of bad outcomes."""
        return float(self.bad.sum() / self.total.sum())

    def auc(self) -> float:
        """NaN if an outcome has no weight."""
        pairs = float(self.bad.sum() * self.good.sum())
        below = np.cumsum(self.good) - self.good
        return float((self.bad * (below + self.good / 2)).sum()) / pairs if pairs else float("nan")

    def parts(self, values: Floats, groups: int = GROUPS) -> Floats:
        """Sums of `values` (one a distinct score) over groups of equal weight, from the lowest
        score; where a tie straddles two groups, it is shared out between them."""
        so_far = np.r_[0.0, np.cumsum(self.total)]
        cuts = so_far[-1] * np.arange(groups + 1) / groups
        return np.diff(np.interp(cuts, so_far, np.r_[0.0, np.cumsum(values)]))


def sums_by(place: NDArray[Any], values: Floats, count: int) -> Floats:
    """The sum of `values` at each of `count` places."""
    return np.asarray(np.bincount(place, values, count), dtype=np.float64)


def auc(label: Labels, score: Floats, weight: Floats | None = None) -> float:
    """Chance that a random bad outcome scores above a random good one; a tie counts half."""
    return Ranked.of(label, score, weight).auc()


def ks(label: Labels, score: Floats, weight: Floats | None = None) -> float:
    """Kolmogorov-Smirnov: the widest gap between the two outcomes' distributions of the score."""
    ranked = Ranked.of(label, score, weight)
    gap = ranked.bad.cumsum() / ranked.bad.sum() - ranked.good.cumsum() / ranked.good.sum()
    return float(np.abs(gap).max())


def brier(label: Labels, probability: Floats, weight: Floats | None = None) -> float:
    """Mean squared distance of probability and outcome."""
    return float(np.average(squares(label, probability), weights=weight))


def log_loss(label: Labels, probability: Floats, weight: Floats | None = None) -> float:
    """Mean negative log-likelihood, in nats."""
    return float(np.average(log_losses(label, probability), weights=weight))


def squares(label: Labels, probability: Floats) -> Floats:
    """Each row's part of the Brier score."""
    return (probability - label) ** 2


def log_losses(label: Labels, probability: Floats) -> Floats:
    """Each row's negative log-likelihood, in nats."""
    margin = logit(probability)
    return np.logaddexp(0.0, margin) - label * margin


def expected_calibration_error(
    label: Labels, probability: Floats, weight: Floats | None = None
) -> float:
    """Mean distance of the mean probability and the share of bad outcomes, over ten groups of
    equal weight from the lowest probability to the highest."""
    ranked = Ranked.of(label, probability, weight)
    gaps = ranked.parts(ranked.total * ranked.score - ranked.bad)
    return float(np.abs(gaps).sum() / ranked.total.sum())


def calibration_line(
    label: Labels, probability: Floats, weight: Floats | None = None
) -> tuple[float, float]:
    """(slope, intercept) as of Cox (1958): the slope of the outcome on the log-odds, 1 when
    neither too bold nor too timid; the intercept with the slope held at 1, 0 when right on
    average."""
    ranked = Ranked.of(label, probability, weight)
    margin, share = logit(ranked.score), ranked.bad / ranked.total
    slope, _ = logistic_line(margin, share, ranked.total)
    (intercept,) = likeliest(np.ones((len(margin), 1)), share, ranked.total, margin)
    return slope, intercept


def lift(label: Labels, probability: Floats, weight: Floats | None = None) -> list[float]:
    """Share of bad outcomes in each tenth, the riskiest first, over the share in all."""
    ranked = Ranked.of(label, probability, weight)
    caught = ranked.parts(ranked.bad)[::-1] / ranked.bad.sum()
    return [float(part) * GROUPS for part in caught]


def all_metrics(label: Labels, probability: Floats, weight: Floats | None = None) -> dict[str, Any]:
    """Every metric, at six decimals."""
    area = auc(label, probability, weight)
    slope, intercept = calibration_line(label, probability, weight)
    return {
        "auc": fixed(area),
        "gini": fixed(2 * area - 1),
        "ks": fixed(ks(label, probability, weight)),
        "brier": fixed(brier(label, probability, weight)),
        "log_loss": fixed(log_loss(label, probability, weight)),
        "expected_calibration_error": fixed(expected_calibration_error(label, probability, weight)),
        "calibration_slope": fixed(slope),
        "calibration_intercept": fixed(intercept),
        "lift_by_decile": [fixed(part) for part in lift(label, probability, weight)],
    }
