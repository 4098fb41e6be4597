"""How good probabilities are. Everywhere `label` is 1 for the bad outcome and both occur."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from riskseg.learning.calibration import logistic_line
from riskseg.learning.canonical import fixed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskseg.learning.frame import Floats, Labels

GROUPS = 10
LEAST_PROBABILITY = 1e-6  # a probability has six decimals: 0 means "less than this"


def auc(label: Labels, score: Floats) -> float:
    """Chance that a random bad outcome scores above a random good one; a tie counts half."""
    import numpy as np

    return Ranking(label, score).auc(np.ones(len(label)))


class Ranking:
    """Rows sorted by score once, so that the AUC under many weights is quick."""

    def __init__(self, label: Labels, score: Floats) -> None:
        import numpy as np

        self._order = np.argsort(score, kind="stable")
        ranked = score[self._order]
        self._starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
        self._bad = label[self._order].astype(np.float64)

    def auc(self, weight: Floats) -> float:
        """The AUC where each row counts `weight` times; NaN if an outcome has no weight."""
        import numpy as np

        ordered = weight[self._order]
        bad = np.add.reduceat(ordered * self._bad, self._starts)
        good = np.add.reduceat(ordered, self._starts) - bad
        below = np.cumsum(good) - good
        pairs = bad.sum() * good.sum()
        return float((bad * (below + good / 2)).sum() / pairs) if pairs else float("nan")


def auc_gain(
    label: Labels,
    score: Floats,
    rival: Floats,
    party: NDArray[Any],
    *,
    seed: int,
    draws: int = 300,
    level: float = 0.95,
) -> tuple[float, float, float]:
    """(AUC of the rival less AUC of the score, and the ends of its interval).

    A percentile bootstrap that draws parties, not rows: a party's rows are no independent
    evidence. Both scores are judged on the same draws.
    """
    import numpy as np
    import pandas as pd

    codes, parties = pd.factorize(party)
    ours, theirs = Ranking(label, score), Ranking(label, rival)
    random = np.random.default_rng(seed)
    gains = []
    for _ in range(draws):
        times = np.bincount(random.integers(0, len(parties), len(parties)), minlength=len(parties))
        weight = times[codes].astype(np.float64)
        gains.append(theirs.auc(weight) - ours.auc(weight))
    low, high = np.nanquantile(gains, [(1 - level) / 2, (1 + level) / 2])
    return auc(label, rival) - auc(label, score), float(low), float(high)


def ks(label: Labels, score: Floats) -> float:
    """Kolmogorov-Smirnov: the widest gap between the two outcomes' distributions of the score."""
    import numpy as np

    order = np.argsort(score, kind="stable")
    ranked, bad = score[order], label[order].astype(np.float64)
    ends = np.flatnonzero(np.r_[ranked[1:] != ranked[:-1], True])
    gap = np.cumsum(bad) / bad.sum() - np.cumsum(1 - bad) / (1 - bad).sum()
    return float(np.abs(gap[ends]).max())


def brier(label: Labels, probability: Floats) -> float:
    """Mean squared distance of probability and outcome."""
    return float(((probability - label) ** 2).mean())


def log_loss(label: Labels, probability: Floats) -> float:
    """Mean negative log-likelihood, in nats."""
    import numpy as np

    p = np.clip(probability, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return float(-np.where(label == 1, np.log(p), np.log(1 - p)).mean())


def expected_calibration_error(label: Labels, probability: Floats) -> float:
    """Mean distance of the mean probability and the share of bad outcomes, over ten groups of
    equal count from the lowest probability to the highest, weighted by their counts."""
    import numpy as np

    order = np.argsort(probability, kind="stable")
    gaps = [
        abs(float(probability[part].sum()) - float(label[part].sum()))
        for part in np.array_split(order, GROUPS)
    ]
    return sum(gaps) / len(label)


def calibration_line(label: Labels, probability: Floats) -> tuple[float, float]:
    """(slope, intercept) as of Cox (1958): the slope of the outcome on the log-odds, 1 when
    neither too bold nor too timid; the intercept with the slope held at 1, 0 when right on
    average."""
    import numpy as np

    p = np.clip(probability, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    margin = np.log(p / (1 - p))
    slope, _ = logistic_line(margin, label)
    intercept = 0.0
    for _ in range(100):
        q = 1 / (1 + np.exp(-(margin + intercept)))
        step = float((label - q).sum() / (q * (1 - q)).sum())
        intercept += max(-1.0, min(1.0, step))
        if abs(step) < 1e-12:
            break
    return slope, intercept


def lift(label: Labels, probability: Floats) -> list[float]:
    """Share of bad outcomes in each tenth, the riskiest first, over the share in all."""
    import numpy as np

    order = np.argsort(-probability, kind="stable")
    mean = float(label.mean())
    return [float(label[part].mean()) / mean for part in np.array_split(order, GROUPS)]


def all_metrics(label: Labels, probability: Floats) -> dict[str, Any]:
    """Every metric, at six decimals."""
    area = auc(label, probability)
    slope, intercept = calibration_line(label, probability)
    return {
        "auc": fixed(area),
        "gini": fixed(2 * area - 1),
        "ks": fixed(ks(label, probability)),
        "brier": fixed(brier(label, probability)),
        "log_loss": fixed(log_loss(label, probability)),
        "expected_calibration_error": fixed(expected_calibration_error(label, probability)),
        "calibration_slope": fixed(slope),
        "calibration_intercept": fixed(intercept),
        "lift_by_decile": [fixed(part) for part in lift(label, probability)],
    }
