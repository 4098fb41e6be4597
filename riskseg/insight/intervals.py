"""Intervals of what is observed of accounts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from riskseg.results.units import share_of

# Of a normal distribution, 95% lies within so many standard deviations.
NORMAL_95 = 1.96
# The probability beyond either end of a 95% interval.
BEYOND = 0.025


def ratio_of_sums(
    accounts: float, whole: float, part: float, *, parts: float, crossed: float, wholes: float
) -> tuple[float, float]:
    """The ratio of two sums over accounts, and its standard error (Cochran, Sampling Techniques,
    1977, section 6.3). `parts` and `wholes` are the sums of squares, `crossed` that of products."""
    ratio = part / whole
    spread = max(parts - 2 * ratio * crossed + ratio * ratio * wholes, 0.0)
    return ratio, math.sqrt(spread * accounts / max(accounts - 1, 1)) / whole


class ObservedShare(NamedTuple):
    """A share of a whole, and the ends of its 95% interval."""

    share: Decimal
    low: Decimal
    high: Decimal


def difference(one: ObservedShare, other: ObservedShare) -> tuple[float, float, float]:
    """The lower and the upper end of the 95% interval of the difference of two shares, from the
    intervals of both (Newcombe, Statistics in Medicine 17, 1998, method 10), and how probable so
    large a difference is by chance."""
    gap = float(one.share - other.share)
    below = math.hypot(one.share - one.low, other.high - other.share)
    above = math.hypot(one.high - one.share, other.share - other.low)
    towards_none = below if gap > 0 else above
    if gap == 0:
        chance = 1.0
    elif towards_none == 0:
        chance = 0.0
    else:
        chance = math.erfc(NORMAL_95 * abs(gap) / towards_none / math.sqrt(2))
    return gap - below, gap + above, chance


def clear_of_many(chances: Sequence[float], wrong: float = 0.05) -> float:
    """Up to which of these probabilities a difference is called clear, where many are looked at: so
    that on average at most that part of those called clear is chance (Benjamini and Hochberg,
    Journal of the Royal Statistical Society B 57, 1995). Negative where none is."""
    found = -1.0
    for rank, chance in enumerate(sorted(chances), start=1):
        if chance <= wrong * rank / len(chances):
            found = chance
    return found


def share_columns(part: str, whole: str) -> str:
    """What :func:`observed_share` takes, as SQL over rows of one party each."""
    of_part, of_whole = f"cast({part} as hugeint)", f"cast({whole} as hugeint)"
    return f"""count(*) filter (where {whole} <> 0), sum({of_part}), sum({of_whole}),
                sum({of_part} * {of_part}), sum({of_part} * {of_whole}),
                sum({of_whole} * {of_whole})"""


def observed_share(
    parties: int, part: float, whole: float, parts: float, crossed: float, wholes: float
) -> ObservedShare:
    """A share of sums over parties, with its interval; 0 of nothing. What belongs to one party goes
    together: its accounts and days say less than those of others would."""
    if not whole:
        return ObservedShare(*[Decimal(0)] * 3)
    share, error = ratio_of_sums(parties, whole, part, parts=parts, crossed=crossed, wholes=wholes)
    low = max(share - NORMAL_95 * error, min(share, 0.0))
    high = min(share + NORMAL_95 * error, max(share, 1.0))
    # Where none, or all, of it is seen, the parties do not differ, and what is normal says nothing:
    # the exact bound of a binomial share (Clopper and Pearson, Biometrika 26, 1934).
    if part == 0:
        high = 1 - BEYOND ** (1 / parties)
    if part == whole:
        low = BEYOND ** (1 / parties)
    return ObservedShare(
        share_of(int(part), int(whole)), round(Decimal(low), 6), round(Decimal(high), 6)
    )
