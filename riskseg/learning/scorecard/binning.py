"""Where to cut a number into bins: an exact search over counts in narrow pre-bins.

The rates of bad outcomes are held to a shape (rising, falling, or at most one turn) by pooling
adjacent violators, and of all ways to join the pooled blocks the one with the highest penalised
likelihood is found by dynamic programming (Jackson et al., "An algorithm for optimal
partitioning of data on an interval", IEEE Signal Processing Letters 12, 2005). Blocks in order
stay in order when neighbours are joined, so the shape holds for the bins too.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats

    Places = NDArray[np.int64]

# Values with fewer distinct ones are each a pre-bin of their own: a rare late counter keeps its
# few telling values.
MOST_PREBINS = 60
LEAST_ROWS = 25
# Log-likelihood that one turn must gain over none: Akaike's price of two parameters.
PRICE_OF_A_TURN = 2.0
# Log-likelihood by which the opposite direction must fit better for the data to refuse one.
REFUSED_BY = 8.0


def prebin_cuts(values: Floats, most: int = MOST_PREBINS) -> Floats:
    """Rising values to cut at: every distinct one but the least, or about equal counts.

    `values` holds no NaN.
    """
    rising_values = np.sort(values)
    distinct_values = np.unique(rising_values)
    if len(distinct_values) > most:
        distinct_values = np.unique(rising_values[np.arange(most) * len(rising_values) // most])
    return distinct_values[1:]


def best_starts(
    counts: Floats,
    bads: Floats,
    rows: Floats,
    blocks: Places,
    *,
    penalty: float,
    least: float,
) -> list[int]:
    """The pre-bins at which bins begin, the first (0) among them.

    `counts` and `bads` are (effective) rows and bad ones of each pre-bin, `rows` are the rows
    themselves, of which every bin holds at least `least`. A cut must gain `penalty` in
    log-likelihood, and is made only where one of the `blocks` begins.
    """
    count_of_block, bads_of_block, rows_of_block = (
        np.add.reduceat(values_summed, blocks) for values_summed in (counts, bads, rows)
    )
    block_count = len(blocks)
    count, bad, rows_so_far = (
        np.r_[0.0, np.cumsum(values_summed)]
        for values_summed in (count_of_block, bads_of_block, rows_of_block)
    )
    best, back = np.full(block_count + 1, np.inf), np.zeros(block_count + 1, dtype=np.int64)
    best[0] = 0.0
    # A half average row keeps a bin without bad outcomes from seeming certain.
    half = 0.5 * bads.sum() / counts.sum()
    for block_end in range(1, block_count + 1):
        rows_within, bads_within = (
            count[block_end] - count[:block_end],
            bad[block_end] - bad[:block_end],
        )
        rate = (bads_within + half) / (rows_within + 0.5)
        cost = (
            -(bads_within * np.log(rate) + (rows_within - bads_within) * np.log1p(-rate)) + penalty
        )
        cost_to_end = np.where(
            rows_so_far[block_end] - rows_so_far[:block_end] >= least,
            best[:block_end] + cost,
            np.inf,
        )
        back[block_end] = int(cost_to_end.argmin())
        best[block_end] = cost_to_end[back[block_end]]
    if not np.isfinite(best[block_count]):
        return [0]
    starts: list[int] = []
    block_end = block_count
    while block_end:
        block_end = int(back[block_end])
        starts.append(int(blocks[block_end]))
    return starts[::-1]


def refuses(counts: Floats, bads: Floats, direction: int) -> bool:
    """Whether rates against the direction fit the data clearly better than rates along it."""
    with_it, _ = _pooled(counts, bads, direction)
    against, _ = _pooled(counts, bads, -direction)
    return bool(with_it[-1] - against[-1] > REFUSED_BY)


def better_direction(counts: Floats, bads: Floats) -> int:
    """The sign of the monotone rates that fit the data better."""
    rising, falling = (float(_pooled(counts, bads, sign)[0][-1]) for sign in (1, -1))
    return 1 if rising <= falling else -1


def shaped_blocks(counts: Floats, bads: Floats, direction: int | None) -> Places:
    """Where the pooled blocks begin that fit the data best within the allowed shapes.

    `direction` is the sign of the rate along the value; 0 leaves it to the data, which may have
    one turn; None holds the rates to no shape.
    """
    if direction is None:
        return np.arange(len(counts))
    straight = [_pooled(counts, bads, sign) for sign in ((direction,) if direction else (1, -1))]
    costs = [float(cost[-1]) for cost, _ in straight]
    best_starts_found = straight[int(np.argmin(costs))][1]
    if direction:
        return np.asarray(best_starts_found, dtype=np.int64)
    least_cost = min(costs) - PRICE_OF_A_TURN
    for sign in (1, -1):
        cost_before, _ = _pooled(counts, bads, sign)
        cost_after, _ = _pooled(counts[::-1], bads[::-1], sign)
        turn_costs = cost_before + cost_after[::-1]
        turn = int(turn_costs.argmin())
        if turn_costs[turn] < least_cost and 0 < turn < len(counts):
            least_cost = float(turn_costs[turn])
            _, rising = _pooled(counts[:turn], bads[:turn], sign)
            _, falling = _pooled(counts[turn:], bads[turn:], -sign)
            best_starts_found = [*rising, *(turn + falling_start for falling_start in falling)]
    return np.asarray(best_starts_found, dtype=np.int64)


def _pooled(counts: Floats, bads: Floats, sign: int) -> tuple[Floats, list[int]]:
    """(negative log-likelihood of the best monotone rates of the first 0, 1, … pre-bins; where
    the blocks of all of them begin), by pooling adjacent violators."""

    def cost_of(count: float, bad: float) -> float:
        good = count - bad
        if bad <= 0 or good <= 0:
            return 0.0
        return -(bad * math.log(bad / count) + good * math.log(good / count))

    costs, total_cost = [0.0], 0.0
    blocks: list[tuple[int, float, float, float]] = []
    for index, (count, bad) in enumerate(zip(counts.tolist(), bads.tolist(), strict=True)):
        block_start, cost = index, cost_of(count, bad)
        while blocks and sign * (blocks[-1][2] * count - bad * blocks[-1][1]) >= 0:
            block_start, block_count, block_bad, block_cost = blocks.pop()
            total_cost -= block_cost
            count, bad = count + block_count, bad + block_bad
            cost = cost_of(count, bad)
        blocks.append((block_start, count, bad, cost))
        total_cost += cost
        costs.append(total_cost)
    return np.asarray(costs), [block[0] for block in blocks]


def unstable(rates: tuple[Floats, Floats], counts: tuple[Floats, Floats]) -> int | None:
    """The first bin to be joined with the one before it: in the two halves of the window the
    order of their rates turns beyond noise (two-proportion z, both at 5%). None if there is
    none."""
    zs = []
    for rate, rows_of_half in zip(rates, counts, strict=True):
        counts_of_both = rows_of_half[1:] + rows_of_half[:-1]
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = (rate[1:] * rows_of_half[1:] + rate[:-1] * rows_of_half[:-1]) / counts_of_both
            rate_spread = np.sqrt(
                mean * (1 - mean) * (1 / rows_of_half[1:] + 1 / rows_of_half[:-1])
            )
            zs.append(np.nan_to_num((rate[1:] - rate[:-1]) / rate_spread, posinf=0.0, neginf=0.0))
    turned = np.flatnonzero((np.minimum(zs[0], zs[1]) < -1.96) & (np.maximum(zs[0], zs[1]) > 1.96))
    return int(turned[0]) + 1 if len(turned) else None
