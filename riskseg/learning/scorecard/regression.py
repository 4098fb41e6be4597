"""The logistic regression on weights of evidence, without coefficients of the wrong sign."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from riskseg.learning.parallel import one_thread_each

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats, Labels

# The strength of the ridge on a coefficient: small samples need it, large ones do not feel it.
RIDGE = 10.0
# Rows on which the sign of a coefficient shows as well as on all of them.
ENOUGH_FOR_SIGNS = 30_000
MOST_STEPS = 50
ENOUGH = 1e-9


def regress(
    woe: Floats, label: Labels, weight: Floats, must: Sequence[bool]
) -> tuple[list[int], list[float], float]:
    """(columns kept, their coefficients, intercept) for the log-odds of the bad outcome.

    A higher weight of evidence is a better risk: where `must`, the coefficient is negative. The
    most wrong of these columns goes, and what that makes of the others is read off the likelihood's
    quadratic form, until none is wrong; then the rest is fitted again. So on rows enough to tell
    first, then on all of them.
    """
    stride = -(-len(label) // ENOUGH_FOR_SIGNS)
    columns_left = list(range(woe.shape[1]))
    with one_thread_each():
        if stride > 1 and any(must):
            every_so_many = slice(None, None, stride)
            columns_left, _, _ = _without_wrong_signs(
                woe[every_so_many], label[every_so_many], weight[every_so_many], columns_left, must
            )
        return _without_wrong_signs(woe, label, weight, columns_left, must)


def _without_wrong_signs(
    woe: Floats,
    label: Labels,
    weight: Floats,
    columns_left: list[int],
    must: Sequence[bool],
) -> tuple[list[int], list[float], float]:
    columns_left = list(columns_left)
    rate = float(np.average(label, weights=weight))
    line: Floats = np.r_[-np.ones(len(columns_left)), math.log(rate / (1 - rate))]
    while columns_left:
        line, curvature = ridge_logistic(woe[:, columns_left], label, weight, line)
        coefficients = np.round(line[:-1], 6)
        wrong = np.where([must[column] for column in columns_left], coefficients, -np.inf)
        if wrong.max() < 0:
            return (
                columns_left,
                [float(coefficient) for coefficient in coefficients],
                round(float(line[-1]), 6),
            )
        covariance = np.asarray(np.linalg.inv(curvature)[:-1, :-1], dtype=np.float64)
        columns_right = _right_ones(columns_left, line[:-1], covariance, must)
        line = np.r_[line[:-1][np.isin(columns_left, columns_right)], line[-1]]
        columns_left = columns_right
    return [], [], round(math.log(rate / (1 - rate)), 6)


def ridge_logistic(
    columns: Floats, label: Labels, weight: Floats, start: Floats
) -> tuple[Floats, Floats]:
    """(coefficients and then the intercept, the curvature there) of a logistic regression with a
    ridge on the coefficients, by Newton's method from a start, each step halved until it gains."""
    design = np.column_stack([columns, np.ones(len(label))])
    bad = label.astype(np.float64)
    ridge = np.r_[np.full(columns.shape[1], RIDGE), 0.0]

    def loss(coefficients: Floats) -> float:
        margin = design @ coefficients
        return float(
            weight @ (np.logaddexp(0.0, margin) - bad * margin) + ridge @ coefficients**2 / 2
        )

    coefficients, current_loss = start, loss(start)
    for _ in range(MOST_STEPS):
        probability = 1.0 / (1.0 + np.exp(-np.clip(design @ coefficients, -30, 30)))
        curvature = design.T @ (
            design * (weight * probability * (1 - probability))[:, None]
        ) + np.diag(ridge)
        newton_step = np.linalg.solve(
            curvature, design.T @ (weight * (bad - probability)) - ridge * coefficients
        )
        step_share = 1.0
        while (
            next_loss := loss(coefficients + step_share * newton_step)
        ) > current_loss + 1e-12 * abs(current_loss) and step_share > 1e-6:
            step_share /= 2
        coefficients, current_loss = coefficients + step_share * newton_step, next_loss
        if np.abs(newton_step).max() < ENOUGH:
            break
    return coefficients, curvature


def _right_ones(
    columns_left: list[int], coefficients: Floats, spread: Floats, must: Sequence[bool]
) -> list[int]:
    """The columns left when the most wrong goes, and again, until none is. `spread` is the inverse
    of the curvature: without one column the others move by their share of it."""
    columns_left = list(columns_left)
    while columns_left:
        wrong = np.where([must[column_left] for column_left in columns_left], coefficients, -np.inf)
        worst = int(wrong.argmax())
        if np.round(wrong[worst], 6) < 0:
            return columns_left
        move = spread[:, worst] / spread[worst, worst]
        coefficients = np.delete(coefficients - move * coefficients[worst], worst)
        spread = spread - np.outer(move, spread[worst])
        spread = np.delete(np.delete(spread, worst, axis=0), worst, axis=1)
        columns_left.pop(worst)
    return columns_left
