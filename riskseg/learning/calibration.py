"""From log-odds to a probability, by a map that keeps the order.

Four kinds, from the simplest:

- none: the margin is the log-odds;
- sigmoid: a line on the margin. Platt, *Probabilistic outputs for support vector machines* (1999);
- beta: a·ln s − b·ln(1 − s) + c with s = 1 / (1 + exp(−margin)) and a, b not negative. Kull,
  Silva Filho and Flach, *Beta calibration* (2017);
- isotonic: straight lines between the groups of an isotonic regression. Zadrozny and Elkan,
  *Transforming classifier scores into accurate multiclass probability estimates* (2002).

All are fitted on margins from models that did not see the row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, get_args

import numpy as np
from pydantic import Field, model_validator

from riskseg.learning.canonical import fixed
from riskseg.learning.parallel import side_by_side
from riskseg.learning.stored import LARGEST, Fitted, Stored

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats, Folds, Labels

CalibrationKind = Literal["none", "sigmoid", "beta", "isotonic"]
# From the simplest: the first that is as good as the best is chosen.
KINDS: tuple[CalibrationKind, ...] = get_args(CalibrationKind)

# Far enough out that a probability at six decimals is 0 or 1.
FARTHEST = 30.0
LEAST_PROBABILITY = 1e-6  # a probability has six decimals: 0 means "less than this"
# An isotonic map: no more points than this, and so many outcomes of each kind in a group.
MOST_POINTS = 50
LEAST_OF_EACH = 5.0


@dataclass(frozen=True)
class Calibration:
    """A map of margins to log-odds, and so to probabilities. It never falls: order is kept.

    `slope` and `intercept` belong to sigmoid; `a`, `b` and `c` to beta; `points`, (margin,
    log-odds) rising in both, to isotonic: straight lines between them, level beyond the ends.
    `then`, if there is one, is a line (slope, intercept) on the log-odds that comes after: what
    `models recalibrate` adds.
    """

    kind: CalibrationKind = "none"
    slope: float = 1.0
    intercept: float = 0.0
    a: float = 1.0
    b: float = 1.0
    c: float = 0.0
    points: tuple[tuple[float, float], ...] = ()
    then: tuple[float, float] | None = None

    def log_odds(self, margin: Floats) -> Floats:
        """Log-odds of the bad outcome, within ±30."""
        log_odds: Floats
        if self.kind == "sigmoid":
            log_odds = self.slope * margin + self.intercept
        elif self.kind == "beta":
            log_odds = self.c - self.a * np.logaddexp(0, -margin) + self.b * np.logaddexp(0, margin)
        elif self.kind == "isotonic":
            knots, values_at_knots = zip(*self.points, strict=True)
            log_odds = np.interp(margin, knots, values_at_knots)
        else:
            log_odds = np.asarray(margin)
        if self.then is not None:
            log_odds = self.then[0] * log_odds + self.then[1]
        return np.clip(log_odds, -FARTHEST, FARTHEST)

    def probability(self, margin: Floats) -> Floats:
        """Probabilities at six decimals."""
        probability: Floats = np.round(1.0 / (1.0 + np.exp(-self.log_odds(margin))), 6)
        return probability

    def shifted(self, slope: float, intercept: float) -> Calibration:
        """This map with a line on its log-odds after it; a line that was there is taken in."""
        if slope < 0:
            raise ValueError("a falling line would turn the order")
        line_before = self.then or (1.0, 0.0)
        line_after = (
            round(slope * line_before[0], 9),
            round(slope * line_before[1] + intercept, 9),
        )
        return replace(self, then=line_after)

    def as_json(self) -> dict[str, Any]:
        calibration_json: dict[str, Any] = {"kind": self.kind}
        if self.kind == "sigmoid":
            calibration_json |= {"slope": self.slope, "intercept": self.intercept}
        elif self.kind == "beta":
            calibration_json |= {"a": self.a, "b": self.b, "c": self.c}
        elif self.kind == "isotonic":
            calibration_json["points"] = [list(point) for point in self.points]
        if self.then is not None:
            calibration_json["then"] = {"slope": self.then[0], "intercept": self.then[1]}
        return calibration_json


class StoredLine(Stored):
    slope: Annotated[float, Field(ge=0, le=LARGEST)]
    intercept: Fitted


class StoredCalibration(Stored):
    """A calibration in calibration.json. A slope and intercept without a kind are an older form of
    sigmoid."""

    kind: CalibrationKind = "sigmoid"
    slope: Annotated[float, Field(ge=0, le=LARGEST)] = 1.0
    intercept: Fitted = 0.0
    a: Annotated[float, Field(ge=0, le=LARGEST)] = 1.0
    b: Annotated[float, Field(ge=0, le=LARGEST)] = 1.0
    c: Fitted = 0.0
    points: list[Annotated[list[Fitted], Field(min_length=2, max_length=2)]] = Field(
        default_factory=list
    )
    then: StoredLine | None = None

    @model_validator(mode="after")
    def _never_falls(self) -> Self:
        steps = pairwise(self.points)
        if any(x > next_x or y > next_y for (x, y), (next_x, next_y) in steps):
            raise ValueError("the points of the calibration do not rise")
        if self.kind == "isotonic" and not self.points:
            raise ValueError("the calibration has no points")
        return self

    def calibration(self) -> Calibration:
        points = tuple((margin, log_odds) for margin, log_odds in self.points)
        then = None if self.then is None else (self.then.slope, self.then.intercept)
        return Calibration(
            self.kind, self.slope, self.intercept, self.a, self.b, self.c, points, then
        )


def fit_calibration(
    kind: CalibrationKind, margin: Floats, label: Labels, weight: Floats | None = None
) -> Calibration:
    """The most likely map of this kind. A margin that says nothing, or the opposite, gives every
    row the mean rate (unless the kind is none)."""
    weight = np.ones(len(label)) if weight is None else weight
    if kind == "sigmoid":
        return fit_sigmoid(margin, label, weight)
    if kind == "beta":
        return _fit_beta(margin, label, weight)
    if kind == "isotonic":
        return _fit_isotonic(margin, label, weight)
    return Calibration()


def choose_calibration(
    margin: Floats,
    label: Labels,
    weight: Floats,
    folds: Folds,
    kinds: Sequence[CalibrationKind] = KINDS,
    threads: int = 1,
) -> tuple[Calibration, list[dict[str, Any]]]:
    """(the chosen kind fitted on all rows, what was tried).

    Each kind is fitted on the other folds' margins and judged by its log loss on the fold. The
    simplest kind is chosen whose mean loss is within one standard error, over folds and paired,
    of the best kind's. `kinds` come from the simplest.
    """
    by_kind = side_by_side(
        lambda kind: _fold_losses(kind, margin, label, weight, folds), kinds, threads
    )
    losses = np.array(by_kind)
    mean = losses.mean(axis=1)
    best = int(mean.argmin())
    worse = losses - losses[best]
    noise = worse.std(axis=1, ddof=1) / math.sqrt(losses.shape[1]) if losses.shape[1] > 1 else 0.0
    chosen_index = int(np.argmax(mean - mean[best] <= noise))
    kinds_tried = [
        {"what": f"{kind} calibration", "log_loss": fixed(loss), "chosen": index == chosen_index}
        for index, (kind, loss) in enumerate(zip(kinds, mean, strict=True))
    ]
    return fit_calibration(kinds[chosen_index], margin, label, weight), kinds_tried


def _fold_losses(
    kind: CalibrationKind, margin: Floats, label: Labels, weight: Floats, folds: Folds
) -> list[float]:
    losses = []
    for fold in np.unique(folds):
        in_fold = folds == fold
        calibration = fit_calibration(kind, margin[~in_fold], label[~in_fold], weight[~in_fold])
        log_odds = calibration.log_odds(margin[in_fold])
        loss = np.logaddexp(0.0, log_odds) - label[in_fold] * log_odds
        losses.append(float(np.average(loss, weights=weight[in_fold])))
    return losses


def fit_sigmoid(margin: Floats, label: Labels, weight: Floats | None = None) -> Calibration:
    """The most likely line. A margin that says nothing, or the opposite, gives slope 0."""
    slope, intercept = _rising_line(margin, label, weight)
    return Calibration("sigmoid", slope=round(slope, 9), intercept=round(intercept, 9))


def fit_shift(
    probability: Floats, label: Labels, weight: Floats | None = None, *, slope: bool = False
) -> tuple[float, float]:
    """(slope, intercept) of the line on the log-odds that makes probabilities right for rows of
    a later time: `Calibration.shifted` takes it. Without `slope` the level alone moves.

    Steyerberg et al., *Validation and updating of predictive logistic regression models* (2004):
    updating the intercept, or intercept and slope.
    """
    margin = logit(probability)
    if slope:
        ones, shift_level = _rising_line(margin, label, weight)
        return round(ones, 9), round(shift_level, 9)
    weight = np.ones(len(label)) if weight is None else weight
    (shift_level,) = likeliest(np.ones((len(label), 1)), label, weight, margin)
    return 1.0, round(shift_level, 9)


def logit(probability: Floats) -> Floats:
    """Log-odds of probabilities; 0 and 1 count as one millionth short of them."""
    clipped_probability = np.clip(probability, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return np.asarray(np.log(clipped_probability / (1 - clipped_probability)))


def _rising_line(margin: Floats, label: Labels, weight: Floats | None) -> tuple[float, float]:
    slope, intercept = logistic_line(margin, label, weight)
    return (slope, intercept) if slope > 0 else (0.0, _rate_log_odds(label, weight))


def logistic_line(
    margin: Floats, label: Labels | Floats, weight: Floats | None = None
) -> tuple[float, float]:
    """(slope, intercept) of a logistic regression of the label on the margin."""
    weight = np.ones(len(label)) if weight is None else weight
    if float(np.ptp(margin)) == 0.0:
        return 0.0, _rate_log_odds(label, weight)
    slope, intercept = likeliest(np.column_stack([margin, np.ones(len(margin))]), label, weight)
    return slope, intercept


def likeliest(
    columns: Floats, label: Labels | Floats, weight: Floats, offset: Floats | None = None
) -> list[float]:
    """Coefficients of a logistic regression of the label on columns, the last of which is 1.

    `offset` is added to the line as it is. A label may be the share of bad outcomes among the
    rows that a row stands for. Newton's method, each step halved until it gains likelihood (from
    a rare outcome's flat start a whole step can overshoot for good), with a trace of ridge on
    standardised columns, so that separable data too have an answer.
    """
    start = np.zeros(len(label)) if offset is None else offset
    total = float(weight.sum())
    column_means, column_spread, standardised = [], [], []
    for column in columns.T[:-1]:
        column_means.append(float(np.average(column, weights=weight)))
        column_spread.append(
            math.sqrt(float(np.average((column - column_means[-1]) ** 2, weights=weight))) or 1
        )
        standardised.append((column - column_means[-1]) / column_spread[-1])
    standardised.append(np.ones(len(label)))
    ridge = np.array([1e-6 * total] * len(column_spread) + [0.0])

    # Sums column by column: BLAS adds in an order that depends on the number of threads.
    def line_of(coefficients: Floats) -> Floats:
        return sum(
            (
                first_coefficient * column
                for first_coefficient, column in zip(coefficients, standardised, strict=True)
            ),
            start,
        )

    def loss(coefficients: Floats) -> float:
        line = line_of(coefficients)
        losses = weight * (np.logaddexp(0.0, line) - label * line)
        return float(losses.sum() + (ridge * coefficients**2).sum() / 2)

    coefficients = np.zeros(len(standardised))
    coefficients[-1] = _rate_log_odds(label, weight) - float(np.average(start, weights=weight))
    current_loss = loss(coefficients)
    for _ in range(200):
        probability = 1.0 / (1.0 + np.exp(-np.clip(line_of(coefficients), -FARTHEST, FARTHEST)))
        error, curvature = weight * (label - probability), weight * probability * (1 - probability)
        slope = (
            np.array([float((error * column).sum()) for column in standardised])
            - ridge * coefficients
        )
        hessian = np.array(
            [
                [float((curvature * first_coefficient * second).sum()) for second in standardised]
                for first_coefficient in standardised
            ]
        )
        newton_step = np.linalg.solve(hessian + np.diag(ridge + 1e-12 * total), slope)
        while (new_loss := loss(coefficients + newton_step)) > current_loss and np.abs(
            newton_step
        ).sum() > 1e-12:
            newton_step = newton_step / 2
        coefficients, current_loss = coefficients + newton_step, min(current_loss, new_loss)
        if np.abs(newton_step).sum() < 1e-12:
            break
    slopes = [
        float(first_coefficient) / scale
        for first_coefficient, scale in zip(coefficients, column_spread, strict=False)
    ]
    return [
        *slopes,
        float(coefficients[-1])
        - sum(
            slope_of * centre_of for slope_of, centre_of in zip(slopes, column_means, strict=True)
        ),
    ]


def _rate_log_odds(label: Labels | Floats, weight: Floats | None) -> float:
    rate = float(np.average(label, weights=weight))
    rate = min(max(rate, LEAST_PROBABILITY), 1 - LEAST_PROBABILITY)
    return math.log(rate / (1 - rate))


def _fit_beta(margin: Floats, label: Labels, weight: Floats) -> Calibration:
    """Where a or b would fall below 0 it is 0, and the others are fitted once more."""
    low, high = -np.logaddexp(0.0, -margin), np.logaddexp(0.0, margin)
    ones = np.ones(len(margin))
    slope_low, slope_high, constant = likeliest(np.column_stack([low, high, ones]), label, weight)
    if slope_low < 0 or slope_high < 0:
        edges = []
        for column, index in ((low, 0), (high, 1)):
            slope, level = _rising_line(column, label, weight)
            beta_line = slope * column + level
            loss = float((weight * (np.logaddexp(0.0, beta_line) - label * beta_line)).sum())
            edges.append((loss, (slope, 0.0, level) if index == 0 else (0.0, slope, level)))
        slope_low, slope_high, constant = min(edges)[1]
    return Calibration("beta", a=round(slope_low, 9), b=round(slope_high, 9), c=round(constant, 9))


def _fit_isotonic(margin: Floats, label: Labels, weight: Floats) -> Calibration:
    """Lines between the means of an isotonic regression's groups.

    A group's rate is smoothed by half an outcome of each kind and never stands on a handful of
    rows, so no probability is 0 or 1. Lines, not steps, keep apart the rows that steps would
    tie; the two end groups lean by one standard error of their own rate, to the same purpose.
    """
    from sklearn.isotonic import IsotonicRegression

    order = np.argsort(margin, kind="stable")
    margins_rising, labels, weights = margin[order], label[order].astype(np.float64), weight[order]
    if margins_rising[0] == margins_rising[-1]:
        log_odds_level = round(_rate_log_odds(label, weight), 9)
        return Calibration("isotonic", points=((float(margins_rising[0]), log_odds_level),))
    fitted = IsotonicRegression().fit_transform(margins_rising, labels, sample_weight=weights)
    begins_group = np.r_[True, (np.diff(fitted) > 1e-12) & (np.diff(margins_rising) > 0)]
    starts = np.flatnonzero(begins_group)
    sums = np.stack(
        [
            np.add.reduceat(values_summed, starts)
            for values_summed in (weights, weights * labels, weights * margins_rising)
        ],
        axis=1,
    )
    # Weight of one row: what counts as an outcome where goods were sampled.
    unit = float((weights * weights).sum() / weights.sum())
    groups = _merged(sums, LEAST_OF_EACH * unit)
    total, bad, weighted_margin = groups.T
    rate = (bad + unit / 2) / (total + unit)
    heights = np.log(rate / (1 - rate))
    # Smoothing pulls a small group further than a large one, and so can turn their order.
    heights = IsotonicRegression().fit_transform(
        weighted_margin / total, heights, sample_weight=total
    )
    lean = np.sqrt(unit / (total * rate * (1 - rate)))[[0, -1]]
    xs = np.r_[margins_rising[0], weighted_margin / total, margins_rising[-1]]
    ys = np.r_[heights[0] - lean[0], heights, heights[-1] + lean[1]]
    is_distinct = np.r_[True, np.diff(xs) > 0]
    xs, ys = xs[is_distinct], ys[is_distinct]
    # Lines between means do not keep the mean: move all of them so that they do.
    (log_odds_level,) = likeliest(
        np.ones((len(margins_rising), 1)), labels, weights, np.interp(margins_rising, xs, ys)
    )
    points = zip(xs, ys + log_odds_level, strict=True)
    return Calibration(
        "isotonic",
        points=tuple(
            (round(float(weighted_margin), 9), round(float(to), 9))
            for weighted_margin, to in points
        ),
    )


def _merged(sums: Floats, least: float) -> Floats:
    """Neighbouring groups joined until each has enough of both outcomes (columns: weight, bad,
    weight times margin), and then the most alike until there are few enough."""
    groups: list[Floats] = []
    for group in sums:
        if groups and min(groups[-1][1], groups[-1][0] - groups[-1][1]) < least:
            groups[-1] = groups[-1] + group
        else:
            groups.append(group)
    if len(groups) > 1 and min(groups[-1][1], groups[-1][0] - groups[-1][1]) < least:
        last_group = groups.pop()
        groups[-1] = groups[-1] + last_group
    while len(groups) > MOST_POINTS - 2:
        merged_sums = np.stack(groups)
        total, rate = merged_sums[:, 0], merged_sums[:, 1] / merged_sums[:, 0]
        # Squared error that joining two neighbours adds (Ward's criterion).
        cost = total[:-1] * total[1:] / (total[:-1] + total[1:]) * np.diff(rate) ** 2
        least_cost = int(cost.argmin())
        groups[least_cost : least_cost + 2] = [groups[least_cost] + groups[least_cost + 1]]
    return np.stack(groups)
