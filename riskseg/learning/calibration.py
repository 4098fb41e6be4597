"""From log-odds to a probability: p = 1 / (1 + exp(-(slope · margin + intercept))).

Platt, *Probabilistic outputs for support vector machines* (1999), fitted on margins from models
that did not see the row.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats, Labels

# Far enough out that a probability at six decimals is 0 or 1.
FARTHEST = 30.0


@dataclass(frozen=True)
class Calibration:
    """A line on the log-odds. The slope is never negative: order is kept."""

    slope: float = 1.0
    intercept: float = 0.0

    def probability(self, margin: Floats) -> Floats:
        """Probabilities at six decimals."""
        import numpy as np

        line = np.clip(self.slope * margin + self.intercept, -FARTHEST, FARTHEST)
        probability: Floats = np.round(1.0 / (1.0 + np.exp(-line)), 6)
        return probability

    def as_json(self) -> dict[str, float]:
        return {"slope": self.slope, "intercept": self.intercept}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Calibration:
        return cls(told["slope"], told["intercept"])


def fit_sigmoid(margin: Floats, label: Labels) -> Calibration:
    """The most likely line. A margin that says nothing, or the opposite, gives slope 0."""
    slope, intercept = logistic_line(margin, label)
    if slope <= 0:
        rate = float(label.mean())
        slope, intercept = 0.0, math.log(rate / (1 - rate))
    return Calibration(round(slope, 9), round(intercept, 9))


def logistic_line(margin: Floats, label: Labels) -> tuple[float, float]:
    """(slope, intercept) of a logistic regression of the label on the margin.

    Newton's method, each step halved until it gains likelihood (from a rare outcome's flat start
    a whole step can overshoot for good), with a trace of ridge, so that separable data too have
    an answer.
    """
    import numpy as np

    centre, spread = float(margin.mean()), float(margin.std())
    rate = float(label.mean())
    if spread == 0.0:
        return 0.0, math.log(rate / (1 - rate))
    x = (margin - centre) / spread
    ridge = 1e-6 * len(label)

    def loss(slope: float, level: float) -> float:
        line = slope * x + level
        return float((np.logaddexp(0.0, line) - label * line).sum()) + ridge * slope * slope / 2

    slope, level = 0.0, math.log(rate / (1 - rate))
    now = loss(slope, level)
    for _ in range(100):
        p = 1.0 / (1.0 + np.exp(-np.clip(slope * x + level, -FARTHEST, FARTHEST)))
        weight, error = p * (1 - p), label - p
        a, b = float((weight * x * x).sum()) + ridge, float((weight * x).sum())
        d = float(weight.sum())
        g, h = float((error * x).sum()) - ridge * slope, float(error.sum())
        down = a * d - b * b
        step, rise = (d * g - b * h) / down, (a * h - b * g) / down
        while (then := loss(slope + step, level + rise)) > now and abs(step) + abs(rise) > 1e-12:
            step, rise = step / 2, rise / 2
        slope, level, now = slope + step, level + rise, min(now, then)
        if abs(step) + abs(rise) < 1e-12:
            break
    return slope / spread, level - slope * centre / spread
