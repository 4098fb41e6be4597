"""A penalised logistic regression on tables: the effect of every cell, each table as smooth as
the rows ask for.

Cells next to each other are drawn together and all cells are drawn to 0. How strongly, table by
table, is estimated with the effects: the update of Wood and Fasiolo, *A generalized
Fellner-Schall method for smoothing parameter optimization* (2017), on the logistic regression's
working model. A table without information is drawn to nothing; no rows are held back for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from riskseg.learning.frame import Floats, Labels

    Places = NDArray[np.int64]

MOST_STEPS = 25
ENOUGH = 1e-2  # a step that moves rows by no more than this on average (log-odds) is the last
SMOOTHING = (0.05, 1e5)  # bounds of every penalty
START = (10.0, 1.0)
# The penalties of a table are estimated as if these many effective cells of an average table had
# been seen besides its own.
BORROWED = 0.1
# Cells times cells times rows of one step, above which smoothing is estimated on fewer rows.
WORTH_WAITING = 3e7


@dataclass(frozen=True)
class Block:
    """The cells of one table: their number, and the penalty matrices on their effects (between
    neighbours, and towards 0)."""

    cells: int
    penalties: tuple[Floats, Floats]

    def pooled(self, group: Places) -> Block:
        """The block in which cells of one group are one cell."""
        import numpy as np

        spread = np.eye(int(group.max()) + 1)[group]
        rough, size = self.penalties
        return Block(spread.shape[1], (spread.T @ rough @ spread, spread.T @ size @ spread))


def line_block(ordered: int, extra: int) -> Block:
    """A one-way table: `ordered` cells in a row, then `extra` cells with no neighbours."""
    import numpy as np

    cells = ordered + extra
    return Block(cells, (_between_neighbours(ordered, extra), np.eye(cells)))


def grid_block(first: tuple[int, int], second: tuple[int, int]) -> Block:
    """A two-way table of (ordered, extra) by (ordered, extra), the second changing fastest."""
    import numpy as np

    wide, high = sum(first), sum(second)
    rough = np.asarray(
        np.kron(_between_neighbours(*first), np.eye(high))
        + np.kron(np.eye(wide), _between_neighbours(*second)),
        dtype=np.float64,
    )
    return Block(wide * high, (rough, np.eye(wide * high)))


def _between_neighbours(ordered: int, extra: int) -> Floats:
    import numpy as np

    steps = np.diff(np.eye(ordered, ordered + extra), axis=0)
    return np.asarray(steps.T @ steps)


Smoothing = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Effects:
    """What was learned: the intercept, each table's effects, and each table's penalties."""

    intercept: float
    cells: tuple[Floats, ...]
    smoothing: Smoothing

    def margin(self, places: Sequence[Places]) -> Floats:
        """Log-odds of rows whose cells are given, table by table."""
        import numpy as np

        total = np.full(len(places[0]) if places else 0, self.intercept)
        for effects, place in zip(self.cells, places, strict=True):
            total += effects[place]
        return total


def fit_effects(
    blocks: Sequence[Block],
    places: Sequence[Places],
    label: Labels,
    weight: Floats,
    *,
    offset: Floats | None = None,
    start: Effects | None = None,
    fixed: Smoothing | None = None,
    borrowed: float = BORROWED,
) -> Effects:
    """Effects of every table's cells on the log-odds of the bad outcome.

    `places` has each row's cell, table by table; `offset` is added to the log-odds; `fixed`
    takes the penalties as given; `start` are effects of the first tables to begin from. Newton's
    method, each step halved until it gains.
    """
    import numpy as np
    from threadpoolctl import threadpool_limits

    offset = np.zeros(len(label)) if offset is None else offset
    with threadpool_limits(1):  # the order of additions, and so the bytes, stay the same
        begun: _State | None = None
        stride = math.ceil(len(label) * len(blocks) ** 2 / WORTH_WAITING)
        if fixed is None and stride > 1:
            some = slice(None, None, stride)
            system = _System(
                blocks,
                [p[some] for p in places],
                label[some],
                weight[some],
                offset[some],
                borrowed,
            )
            begun = system.solve(system.begin(start, None), MOST_STEPS, learn=True)
            fixed = begun.smoothing
        system = _System(blocks, places, label, weight, offset, borrowed)
        state = begun or system.begin(start, fixed)
        state = system.solve(state, MOST_STEPS, learn=fixed is None)
        return system.told(state)


@dataclass(frozen=True)
class _State:
    intercept: float
    effects: Floats
    smoothing: Smoothing


class _System:
    def __init__(
        self,
        blocks: Sequence[Block],
        places: Sequence[Places],
        label: Labels,
        weight: Floats,
        offset: Floats,
        borrowed: float,
    ) -> None:
        import numpy as np
        import scipy.sparse as sparse

        self.blocks, self.weight, self.offset = blocks, weight, offset
        self.borrowed = borrowed
        self.label = label.astype(np.float64)
        ends = np.cumsum([0, *(block.cells for block in blocks)])
        self.parts = [slice(a, b) for a, b in pairwise(ends)]
        rows, tables = len(label), len(blocks)
        held = np.stack([p + e for p, e in zip(places, ends[:-1], strict=True)], axis=1)
        self.design = sparse.csr_matrix(
            (np.ones(rows * tables), held.ravel(), np.arange(0, rows * tables + 1, tables)),
            shape=(rows, int(ends[-1])),
        )
        self.turned = self.design.T.tocsr()
        self.size = int(ends[-1])

    def begin(self, start: Effects | None, fixed: Smoothing | None) -> _State:
        import numpy as np

        effects = np.zeros(self.size)
        smoothing = fixed or (START,) * len(self.blocks)
        if start is not None:
            known = np.concatenate(start.cells)
            effects[: len(known)] = known
            smoothing = fixed or start.smoothing + smoothing[len(start.smoothing) :]
            return _State(start.intercept, effects, smoothing)
        rate = float((self.weight * self.label).sum() / self.weight.sum())
        rate = min(max(rate, 1e-6), 1 - 1e-6)
        level = math.log(rate / (1 - rate)) - float(np.average(self.offset, weights=self.weight))
        return _State(level, effects, smoothing)

    def solve(self, state: _State, most: int, *, learn: bool) -> _State:
        import numpy as np
        from scipy.linalg import cho_factor, cho_solve
        from scipy.linalg.lapack import dpotri

        for _ in range(most):
            penalty = self._penalty(state.smoothing)
            loss = self._loss(state, penalty)
            gradient, curvature, level, pull = self._quadratic(state)
            # The intercept, which has no penalty, is solved for and put back.
            curved = curvature - np.outer(pull, pull) / level[0]
            force = gradient - penalty @ state.effects - pull * level[1] / level[0]
            factor = cho_factor(curved + penalty, lower=True)
            step = cho_solve(factor, force)
            rise = (level[1] - pull @ step) / level[0]
            share = 1.0
            while share > 1e-4:
                tried = _State(
                    state.intercept + share * rise, state.effects + share * step, state.smoothing
                )
                if self._loss(tried, penalty) <= loss + 1e-9 * abs(loss):
                    break
                share /= 2
            moved = share * float(np.sqrt(np.mean((self.design @ step + rise) ** 2)))
            state = tried
            if learn:
                inverse, _ = dpotri(factor[0], lower=1)  # its lower triangle
                state = _State(
                    state.intercept, state.effects, self._smoother(state, penalty, inverse)
                )
            if moved < ENOUGH:
                break
        return state

    def told(self, state: _State) -> Effects:
        return Effects(
            state.intercept,
            tuple(state.effects[part] for part in self.parts),
            state.smoothing,
        )

    def _margin(self, state: _State) -> Floats:
        margin: Floats = self.offset + state.intercept + self.design @ state.effects
        return margin

    def _at(self, state: _State) -> tuple[Floats, Floats]:
        import numpy as np

        p = 1.0 / (1.0 + np.exp(-np.clip(self._margin(state), -30, 30)))
        return self.weight * (self.label - p), self.weight * p * (1 - p)

    def _loss(self, state: _State, penalty: Any) -> float:
        import numpy as np

        margin = self._margin(state)
        fit = float((self.weight * (np.logaddexp(0.0, margin) - self.label * margin)).sum())
        return fit + float(state.effects @ (penalty @ state.effects)) / 2

    def _quadratic(self, state: _State) -> tuple[Floats, Floats, tuple[float, float], Floats]:
        """(gradient, curvature, the intercept's curvature and gradient, their cross terms)."""
        import scipy.sparse as sparse

        error, spread = self._at(state)
        weighted = sparse.csr_matrix(
            (spread[self.turned.indices], self.turned.indices, self.turned.indptr),
            shape=self.turned.shape,
        )
        curvature = (weighted @ self.design).toarray()
        level = (max(float(spread.sum()), 1e-9), float(error.sum()))
        return self.turned @ error, curvature, level, self.turned @ spread

    def _penalty(self, smoothing: Smoothing) -> Floats:
        import numpy as np

        whole = np.zeros((self.size, self.size))
        for block, part, (rough, size) in zip(self.blocks, self.parts, smoothing, strict=True):
            whole[part, part] = rough * block.penalties[0] + size * block.penalties[1]
        return whole

    def _smoother(self, state: _State, penalty: Floats, inverse: Floats) -> Smoothing:
        """The next penalties: effective cells over squared roughness (or size) of the effects."""
        import numpy as np

        cells = np.zeros((len(self.blocks), 2))
        square = np.zeros((len(self.blocks), 2))
        for row, (block, part) in enumerate(zip(self.blocks, self.parts, strict=True)):
            held = np.tril(inverse[part, part])
            held = held + np.tril(held, -1).T
            less = np.linalg.inv(penalty[part, part]) - held
            effects = state.effects[part]
            for column, matrix in enumerate(block.penalties):
                strength = state.smoothing[row][column]
                cells[row, column] = max(strength * float((less * matrix).sum()), 0.0)
                square[row, column] = float(effects @ matrix @ effects)
        average = (cells.sum(axis=0) + 1e-6) / (square.sum(axis=0) + 1e-9)
        told = (cells + self.borrowed) / (square + self.borrowed / average)
        told = np.clip(told, *SMOOTHING)
        return tuple((float(rough), float(size)) for rough, size in told)
