"""Which pairs of features say more together than each alone, and what their tables may hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from riskseg.learning.parallel import one_thread_each
from riskseg.learning.scorecard.additive_fit import Block, grid_block

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskseg.learning.frame import Floats

    CellIndexes = NDArray[np.int64]

# The penalties of a pair while pairs are ranked: (between neighbours, towards 0).
RANKED_AT = (10.0, 3.0)
# Standard deviations by which a pair's gain must exceed what chance gives: far out, since
# hundreds of pairs are looked at and the largest gains are kept.
ABOVE_CHANCE = 4.0
# The same of a table of one feature: one that never moves within a party (an attribute) must show
# that it tells something; one that does is left out only where it gains less than chance mostly
# does, since beside others like it each gains little.
FIXED_ABOVE_CHANCE, MOVING_ABOVE_CHANCE = 3.0, -1.0
SWEEPS = 50


@dataclass(frozen=True)
class Side:
    """A feature's coarse bins in a two-way table: `ordered` in a row, then `extra` without
    neighbours (other levels, nulls). `direction` is the declared direction of risk."""

    ordered: int
    extra: int
    direction: int

    @property
    def cells(self) -> int:
        return self.ordered + self.extra


def rank_pairs(
    sides: Sequence[Side],
    cells_of_rows: Sequence[CellIndexes],
    error: Floats,
    spread: Floats,
    dispersed: Callable[[int, int], float] = lambda first_side, second_side: 1.0,
) -> list[tuple[int, int]]:
    """Pairs that gain more than chance on the one-way tables, the largest gain first.

    `error` is each row's weight times (label - p), `spread` its weight times p (1 - p). A pair's
    gain is that of one penalised Newton step: s' (diag(w) + S)^-1 s with the cells' sums s and
    w. Where outcomes depend on the one-way tables alone it is a weighted sum of chi-squared
    variables, whose mean and variance are known; `dispersed` is how many times as much for
    a pair, where rows are not independent.
    """
    gain_of_pair: list[tuple[float, int, int]] = []
    with one_thread_each():
        for first_side, second_side in combinations(range(len(sides)), 2):
            if sides[first_side].ordered < 2 or sides[second_side].ordered < 2:
                continue
            block = grid_block(
                (sides[first_side].ordered, sides[first_side].extra),
                (sides[second_side].ordered, sides[second_side].extra),
            )
            cell_of_pair = (
                cells_of_rows[first_side] * sides[second_side].cells + cells_of_rows[second_side]
            )
            force = np.bincount(cell_of_pair, error, block.cells).astype(np.float64)
            weight = np.bincount(cell_of_pair, spread, block.cells).astype(np.float64)
            gain, mean, noise = _gain(block, force, weight)
            times = dispersed(first_side, second_side)
            if gain > times * (mean + ABOVE_CHANCE * noise):
                gain_of_pair.append((round(times * mean - gain, 6), first_side, second_side))
    return [(first_side, second_side) for _, first_side, second_side in sorted(gain_of_pair)]


def beyond_chance(
    block: Block, force: Floats, weight: Floats, dispersed: float, *, moves: bool = False
) -> bool:
    """Whether a table gains more than chance does, as in :func:`rank_pairs`: `force` and `weight`
    are the sums of its cells in a model without it, `moves` says whether its feature moves within
    a party."""
    gain, mean, noise = _gain(block, force, weight)
    times_chance = MOVING_ABOVE_CHANCE if moves else FIXED_ABOVE_CHANCE
    return gain > dispersed * (mean + times_chance * noise)


def _gain(block: Block, force: Floats, weight: Floats) -> tuple[float, float, float]:
    """(what one penalised step gains, what it gains by chance, and how much that varies)."""
    roughness, penalty_size = block.penalties
    curved = np.diag(weight) + RANKED_AT[0] * roughness + RANKED_AT[1] * penalty_size
    share = np.linalg.solve(curved, np.column_stack([np.diag(weight), force]))
    hat = share[:, :-1]
    noise = float(np.sqrt(2 * (hat * hat.T).sum()))
    return float(force @ share[:, -1]), float(np.trace(hat)), noise


def in_direction(surface: Floats, weight: Floats, first: Side, second: Side) -> Floats:
    """The surface, as nearly as it can be, with every row and column in the declared directions.

    Each way in turn by pooling adjacent violators; what turning back and forth leaves is taken
    away by running maxima, so that the result holds exactly.
    """
    monotone = surface.copy()
    for _ in range(SWEEPS):
        previous = monotone.copy()
        for side, axis in ((first, 0), (second, 1)):
            if side.direction:
                monotone = np.apply_along_axis(
                    _line_in_direction,
                    axis,
                    np.concatenate([monotone, weight], axis=axis),
                    side,
                )
        if not (np.abs(monotone - previous) > 1e-9).any():
            break
    for side, axis in ((first, 0), (second, 1)):
        if side.direction:
            ordered_part = _ordered(side, axis)
            monotone[ordered_part] = side.direction * np.maximum.accumulate(
                side.direction * monotone[ordered_part], axis=axis
            )
    return monotone


def alone(surface: Floats, side: Side, axis: int) -> Floats:
    """What a feature with a direction has alone in a surface that keeps it: along its bins the
    least rise. The surface less this still keeps the direction."""
    rise = side.direction * np.diff(surface[_ordered(side, axis)], axis=axis)
    least_rise = side.direction * rise.min(axis=1 - axis)
    effect = np.zeros(side.cells)
    effect[1 : side.ordered] = np.cumsum(least_rise)
    return effect


def _ordered(side: Side, axis: int) -> tuple[slice, slice]:
    line = slice(0, side.ordered)
    return (line, slice(None)) if axis == 0 else (slice(None), line)


def _line_in_direction(line: Floats, side: Side) -> Floats:
    """The first half of `line` made monotone, weighted by the second half."""
    line_values, weights = line[: side.cells], line[side.cells :]
    monotone = np.array(line_values)
    monotone[: side.ordered] = side.direction * pooled(
        side.direction * line_values[: side.ordered], weights[: side.ordered]
    )
    return monotone


def pooled(values: Floats, weights: Floats) -> Floats:
    """Isotonic regression by pooling adjacent violators (never falling)."""
    runs: list[tuple[float, float, int]] = []  # mean, weight, length
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        runs.append((value, max(weight, 1e-9), 1))
        while len(runs) > 1 and runs[-2][0] > runs[-1][0]:
            (size_a, value_a, weight_a), (size_b, value_b, weight_b) = runs[-2:]
            runs[-2:] = [
                (
                    (size_a * value_a + size_b * value_b) / (value_a + value_b),
                    value_a + value_b,
                    weight_a + weight_b,
                )
            ]
    return np.repeat([run[0] for run in runs], [run[2] for run in runs])
