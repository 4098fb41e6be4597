"""Pairs, one to one, whose scores are together the highest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment


def best_pairs(scores: Sequence[Sequence[float]], least: float) -> dict[int, int]:
    """The column for each row, of those pairs that score at least `least`. Of equally good
    assignments, the one that gives the earlier row the earlier column is taken."""
    if not scores or not scores[0]:
        return {}
    matrix = np.array(scores, dtype=float)
    # Too little to change what is best, enough to settle what is equal.
    order = np.add.outer(np.arange(matrix.shape[0]), np.arange(matrix.shape[1])) * 1e-9
    matrix = np.where(matrix >= least, matrix - order * (matrix >= least), 0.0)
    rows, columns = linear_sum_assignment(matrix, maximize=True)
    return {
        int(row): int(column)
        for row, column in zip(rows, columns, strict=True)
        if scores[int(row)][int(column)] >= least
    }
