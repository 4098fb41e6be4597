"""A penalised logistic regression on tables: the effect of every cell, each table as smooth as
the rows ask for.

Cells next to each other are drawn together and all cells are drawn to 0. How strongly, table by
table, is estimated with the effects: the update of Wood and Fasiolo, *A generalized
Fellner-Schall method for smoothing parameter optimization* (2017), on the logistic regression's
working model. A table without information is drawn to nothing; no rows are held back for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from riskseg.learning.parallel import one_thread_each, stop_if_interrupted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskseg.learning.frame import Floats, Labels
    from riskseg.learning.parties import Parties

    CellIndexes = NDArray[np.int64]

MOST_STEPS = 25
ENOUGH = 1e-2  # a step that moves rows by no more than this on average (log-odds) is the last
SMOOTHING = (0.05, 1e5)  # bounds of every penalty
START = (10.0, 1.0)
# The penalties of a table are estimated as if these many effective cells of an average table had
# been seen besides its own.
BORROWED = 0.1
# Tables times tables times rows, above which smoothing is estimated, and the curvature of a step
# taken, on fewer rows.
WORTH_WAITING = 3e7
# A curvature serves again while the weights of its rows are within this share of what they were.
STILL_NEAR = 0.1
# The residual, as a share of the first, at which a step by conjugate gradients is near enough.
NEAR_ENOUGH = 0.1
MOST_GRADIENTS = 40


@dataclass(frozen=True)
class Block:
    """The cells of one table: their number, and the penalty matrices on their effects (between
    neighbours, and towards 0)."""

    cells: int
    penalties: tuple[Floats, Floats]


def line_block(ordered: int, extra: int) -> Block:
    """A one-way table: `ordered` cells in a row, then `extra` cells with no neighbours."""
    cells = ordered + extra
    return Block(cells, (_between_neighbours(ordered, extra), np.eye(cells)))


@lru_cache(maxsize=512)
def grid_block(first: tuple[int, int], second: tuple[int, int]) -> Block:
    """A two-way table of (ordered, extra) by (ordered, extra), the second changing fastest."""
    wide, high = sum(first), sum(second)
    rough = np.asarray(
        np.kron(_between_neighbours(*first), np.eye(high))
        + np.kron(np.eye(wide), _between_neighbours(*second)),
        dtype=np.float64,
    )
    return Block(wide * high, (rough, np.eye(wide * high)))


def _between_neighbours(ordered: int, extra: int) -> Floats:
    steps = np.diff(np.eye(ordered, ordered + extra), axis=0)
    return np.asarray(steps.T @ steps)


Smoothing = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Effects:
    """What was learned: the intercept, each table's effects, and each table's penalties."""

    intercept: float
    cells: tuple[Floats, ...]
    smoothing: Smoothing

    def margin(self, cells_of_rows: Sequence[CellIndexes]) -> Floats:
        """Log-odds of rows whose cells are given, table by table."""
        margin_total = np.full(len(cells_of_rows[0]) if cells_of_rows else 0, self.intercept)
        for effects, cell_of_row in zip(self.cells, cells_of_rows, strict=True):
            margin_total += effects[cell_of_row]
        return margin_total


@dataclass(frozen=True)
class _State:
    """Where the steps have come to; `margin` are the log-odds of the rows there."""

    intercept: float
    effects: Floats
    smoothing: Smoothing
    margin: Floats


@dataclass
class _Last:
    """The curvature that was made last, without penalty, and the weights of rows it was made of."""

    spread: Floats | None = None
    curvature: Floats | None = None

    def near(self, spread: Floats) -> Floats | None:
        if self.spread is None:
            return None
        moved = float(np.abs(spread - self.spread).sum())
        return self.curvature if moved <= STILL_NEAR * float(spread.sum()) else None


@dataclass(frozen=True)
class _Curve:
    """The penalised curvature of the effects once the intercept is solved for, as a Cholesky
    factor, and the penalty in it. Where cells are tied, `ties` gives each its group, and the
    factor is that of the groups."""

    factor: Floats
    penalty: Floats
    ties: Any = None

    def solve(self, force: Floats) -> Floats:
        from scipy.linalg import cho_solve

        if self.ties is not None:
            force = self.ties.T @ force
        newton_step: Floats = cho_solve((self.factor, True), force, check_finite=False)
        return newton_step if self.ties is None else self.ties @ newton_step


def _conjugate(
    curved: Callable[[Floats], Floats], nearly: Callable[[Floats], Floats], force: Floats
) -> Floats:
    """The step at which the curvature takes up the force, by conjugate gradients; `nearly` solves
    for a curvature that is near (Nocedal and Wright, *Numerical Optimization*, 2006, 5.3)."""
    step = np.zeros(len(force))
    residual = force
    preconditioned = nearly(residual)
    direction, residual_size = preconditioned, float(residual @ preconditioned)
    first_size = residual_size
    for _ in range(MOST_GRADIENTS):
        if residual_size <= first_size * NEAR_ENOUGH**2:
            break
        curved_direction = curved(direction)
        length = residual_size / float(direction @ curved_direction)
        step = step + length * direction
        residual = residual - length * curved_direction
        preconditioned = nearly(residual)
        residual_size, size_before = float(residual @ preconditioned), residual_size
        direction = preconditioned + (residual_size / size_before) * direction
    return step


class Likelihood:
    """The penalised likelihood of effects of every table's cells on the log-odds of the bad
    outcome.

    `cells_of_rows` has each row's cell, table by table; `offset` is added to the log-odds. `party`
    is the party of each row, where one has several, and `features` are those of each table.
    """

    def __init__(
        self,
        blocks: Sequence[Block],
        cells_of_rows: Sequence[CellIndexes],
        label: Labels | Floats,
        weight: Floats,
        *,
        offset: Floats | None = None,
        borrowed: float = BORROWED,
        party: Parties | None = None,
        features: Sequence[tuple[str, ...]] = (),
    ) -> None:
        import scipy.sparse as sparse

        self.blocks, self.cells_of_rows, self.weight = blocks, cells_of_rows, weight
        self.offset = np.zeros(len(label)) if offset is None else offset
        self.borrowed, self.party, self.features = borrowed, party, features
        self.label = label.astype(np.float64)
        block_ends = np.cumsum([0, *(block.cells for block in blocks)])
        self.parts = [
            slice(block_start, block_end) for block_start, block_end in pairwise(block_ends)
        ]
        row_count, table_count = len(label), len(blocks)
        cell_columns = np.empty((row_count, table_count), dtype=np.int32)
        for table_index, (cell_of_row, end) in enumerate(
            zip(cells_of_rows, block_ends[:-1], strict=True)
        ):
            cell_columns[:, table_index] = cell_of_row + end
        # A 1 for each row's cell of each table.
        self.design = sparse.csr_matrix(
            (
                np.ones(row_count * table_count),
                cell_columns.ravel(),
                np.arange(0, row_count * table_count + 1, table_count, dtype=np.int32),
            ),
            shape=(row_count, int(block_ends[-1])),
        )
        self.turned = self.design.T.tocsr()
        self.size = int(block_ends[-1])
        self._sample: Likelihood | None = None
        self._last = _Last()

    def fit(
        self,
        *,
        start: Effects | None = None,
        fixed: Smoothing | None = None,
        tied: Sequence[CellIndexes] | None = None,
    ) -> Effects:
        """The likeliest effects, and the penalties that make them likeliest unless they are
        `fixed`.

        `start` are effects of the first tables to begin from; `tied` the group of each cell, table
        by table: cells of one group have one effect, and must begin with one. Newton's method, each
        step halved until it gains. On many rows the penalties are estimated on every n-th row, and
        the steps on all rows are found by conjugate gradients, preconditioned by the curvature of
        every n-th row.
        """
        stride = max(1, math.ceil(len(self.label) * len(self.blocks) ** 2 / WORTH_WAITING))
        ties = None if tied is None else self._ties(tied)
        with one_thread_each():  # the order of additions, and so the bytes, stay the same
            state = self._begin(start, fixed)
            if stride == 1:
                return self._effects(self._solve(state, ties, learn=fixed is None))
            sampled = self._every(stride)
            if fixed is None:
                state = self._at(sampled._solve(sampled._at(state), ties, learn=True))
            return self._effects(self._descend(state, sampled, ties))

    def moved(self, offset: Floats) -> Likelihood:
        """The same of other offsets."""
        shifted = copy(self)
        shifted.offset = offset
        return shifted

    def _every(self, stride: int) -> Likelihood:
        """The likelihood of every n-th row."""
        some = slice(None, None, stride)
        if self._sample is None:
            self._sample = Likelihood(
                self.blocks,
                [cell_of_row[some] for cell_of_row in self.cells_of_rows],
                self.label[some],
                self.weight[some],
                borrowed=self.borrowed,
                party=None if self.party is None else self.party.where(some),
                features=self.features,
            )
        return self._sample.moved(self.offset[some])

    def _ties(self, tied: Sequence[CellIndexes]) -> Any:
        """(cells, groups), with a 1 for the group of each cell."""
        import scipy.sparse as sparse

        group_ends = np.cumsum([0, *(int(group.max()) + 1 for group in tied)])
        group = np.concatenate(
            [
                tied_group + group_end
                for tied_group, group_end in zip(tied, group_ends[:-1], strict=True)
            ]
        )
        return sparse.csr_matrix((np.ones(self.size), (np.arange(self.size), group)))

    def _begin(self, start: Effects | None, fixed: Smoothing | None) -> _State:
        effects = np.zeros(self.size)
        smoothing = fixed or (START,) * len(self.blocks)
        if start is not None:
            start_cells = np.concatenate(start.cells)
            effects[: len(start_cells)] = start_cells
            smoothing = fixed or start.smoothing + smoothing[len(start.smoothing) :]
            return self._at(_State(start.intercept, effects, smoothing, self.offset))
        rate = float((self.weight * self.label).sum() / self.weight.sum())
        rate = min(max(rate, 1e-6), 1 - 1e-6)
        start_level = math.log(rate / (1 - rate)) - float(
            np.average(self.offset, weights=self.weight)
        )
        return self._at(_State(start_level, effects, smoothing, self.offset))

    def _at(self, state: _State) -> _State:
        """The state with the log-odds of these rows."""
        return replace(state, margin=self.offset + state.intercept + self.design @ state.effects)

    def _solve(self, state: _State, ties: Any, *, learn: bool) -> _State:
        """The state after Newton's steps, and, where asked, with the penalties that these rows
        make likeliest."""
        from scipy.linalg.lapack import dpotri

        for _ in range(MOST_STEPS):
            curve = self._curve(state, ties)
            state, moved = self._step(state, curve)
            if learn:
                inverse, _ = dpotri(np.asfortranarray(curve.factor), lower=1)
                state = replace(state, smoothing=self._smoother(state, curve.penalty, inverse))
            if moved < ENOUGH:
                break
        return state

    def _descend(self, state: _State, sampled: Likelihood, ties: Any) -> _State:
        """The state after Newton's steps found by conjugate gradients, preconditioned by the
        curvature of a sample: the curvature of all rows is never made."""
        curve = sampled._curve(
            sampled._at(state), ties, float(self.weight.sum() / sampled.weight.sum())
        )
        for _ in range(MOST_STEPS):
            state, moved = self._step(state, curve, sampled=True)
            if moved < ENOUGH:
                break
        return state

    def _step(self, state: _State, curve: _Curve, *, sampled: bool = False) -> tuple[_State, float]:
        """(the state after one step, by how much it moves the log-odds of a row, on average).
        `sampled` says that the curvature is near that of these rows, and not theirs."""
        stop_if_interrupted()
        error, spread = self._errors(state)
        pull, spread_sum = self.turned @ spread, max(float(spread.sum()), 1e-9)
        error_total = float(error.sum())
        # The intercept, which has no penalty, is solved for and put back.
        force = (
            self.turned @ error - curve.penalty @ state.effects - pull * (error_total / spread_sum)
        )

        def curved(step: Floats) -> Floats:
            along = self.turned @ (spread * (self.design @ step))
            back: Floats = along - pull * (float(pull @ step) / spread_sum) + curve.penalty @ step
            return back

        step = _conjugate(curved, curve.solve, force) if sampled else curve.solve(force)
        rise = (error_total - float(pull @ step)) / spread_sum
        moved = self.design @ step + rise
        loss, step_share = self._loss(state, curve.penalty), 1.0
        while True:
            tried_state = replace(
                state,
                intercept=state.intercept + step_share * rise,
                effects=state.effects + step_share * step,
                margin=state.margin + step_share * moved,
            )
            if step_share <= 1e-4 or self._loss(tried_state, curve.penalty) <= loss + 1e-9 * abs(
                loss
            ):
                break
            step_share /= 2
        return tried_state, step_share * float(np.sqrt(np.mean(moved**2)))

    def _effects(self, state: _State) -> Effects:
        return Effects(
            state.intercept,
            tuple(state.effects[part] for part in self.parts),
            state.smoothing,
        )

    def _errors(self, state: _State) -> tuple[Floats, Floats]:
        """(each row's weight times label less probability, its weight times the variance)."""
        predicted_bad = 1.0 / (1.0 + np.exp(-np.clip(state.margin, -30, 30)))
        return self.weight * (self.label - predicted_bad), self.weight * predicted_bad * (
            1 - predicted_bad
        )

    def _loss(self, state: _State, penalty: Any) -> float:
        fit = float(
            (self.weight * (np.logaddexp(0.0, state.margin) - self.label * state.margin)).sum()
        )
        return fit + float(state.effects @ (penalty @ state.effects)) / 2

    def _curve(self, state: _State, ties: Any = None, times: float = 1.0) -> _Curve:
        """The penalised curvature at a state, of so many times these rows."""
        import scipy.sparse as sparse

        penalty = self._penalty(state.smoothing)
        spread = self._errors(state)[1]
        curvature = self._last.near(spread)
        if curvature is None:
            weighted = sparse.csr_matrix(
                (spread[self.turned.indices], self.turned.indices, self.turned.indptr),
                shape=self.turned.shape,
            )
            curvature = (weighted @ self.design).toarray()
            pull, spread_total = curvature.diagonal().copy(), max(float(spread.sum()), 1e-9)
            curvature -= np.outer(pull, pull) / spread_total
            self._last.spread, self._last.curvature = spread, curvature
        curved = times * curvature + penalty
        if ties is not None:
            curved = ties.T @ (ties.T @ curved).T
        return _Curve(np.linalg.cholesky(curved), penalty, ties)

    def _penalty(self, smoothing: Smoothing) -> Floats:
        penalty = np.zeros((self.size, self.size))
        for block, part, (rough, size) in zip(self.blocks, self.parts, smoothing, strict=True):
            penalty[part, part] = rough * block.penalties[0] + size * block.penalties[1]
        return penalty

    def _smoother(self, state: _State, penalty: Floats, inverse: Floats) -> Smoothing:
        """The next penalties: effective cells over squared roughness (or size) of the effects."""
        effective_cells = np.zeros((len(self.blocks), 2))
        square = np.zeros((len(self.blocks), 2))
        for block_index, (block, part) in enumerate(zip(self.blocks, self.parts, strict=True)):
            block_inverse = np.tril(inverse[part, part])
            block_inverse = block_inverse + np.tril(block_inverse, -1).T
            used_up = np.linalg.inv(penalty[part, part]) - block_inverse
            effects = state.effects[part]
            for penalty_index, matrix in enumerate(block.penalties):
                strength = state.smoothing[block_index][penalty_index]
                effective_cells[block_index, penalty_index] = max(
                    strength * float((used_up * matrix).sum()), 0.0
                )
                square[block_index, penalty_index] = float(effects @ matrix @ effects)
        average = (effective_cells.sum(axis=0) + 1e-6) / (square.sum(axis=0) + 1e-9)
        smoothing = (effective_cells + self.borrowed) / (square + self.borrowed / average)
        if self.party is not None:
            # Effects that vary by chance more than those of independent rows are drawn to 0 by as
            # much more.
            smoothing *= np.array(self.party.design_effects(self._errors(state)[0], self.features))[
                :, None
            ]
        smoothing = np.clip(smoothing, *SMOOTHING)
        return tuple(
            (float(roughness), float(penalty_size)) for roughness, penalty_size in smoothing
        )
