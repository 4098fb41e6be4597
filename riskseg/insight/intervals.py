"""Intervals of what is observed of accounts."""

from __future__ import annotations

import math

# Of a normal distribution, 95% lies within so many standard deviations.
NORMAL_95 = 1.96


def ratio_of_sums(
    accounts: float, whole: float, part: float, *, parts: float, crossed: float, wholes: float
) -> tuple[float, float]:
    """The ratio of two sums over accounts, and its standard error (Cochran, Sampling Techniques,
    1977, section 6.3). `parts` and `wholes` are the sums of squares, `crossed` that of products."""
    ratio = part / whole
    spread = max(parts - 2 * ratio * crossed + ratio * ratio * wholes, 0.0)
    return ratio, math.sqrt(spread * accounts / max(accounts - 1, 1)) / whole
