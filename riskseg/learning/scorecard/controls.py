"""What an analyst asks of every feature's bins, with the exceptions that edits make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from riskseg.domain.facts import Fact
from riskseg.learning.scorecard.binning import better_direction
from riskseg.learning.scorecard.edits import Edit, Monotone, with_special_values

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats
    from riskseg.learning.scorecard.learner import ScorecardSettings

DIRECTIONS = {"increasing": 1, "decreasing": -1, "none": 0}


@dataclass(frozen=True)
class Controls:
    """Bounds on a scorecard's bins. Bins of codes, of other levels and of nulls do not count.

    With `optimal` the bins are those that optbinning finds.
    """

    max_bins: int | None = None
    min_bin_share: float | None = None
    monotone: Monotone = "auto"
    optimal: bool = False
    edits: Mapping[str, Edit] = field(default_factory=dict)

    @classmethod
    def of(cls, choice: ScorecardSettings) -> Controls:
        optimal = choice.binning == "optbinning"
        return cls(choice.max_bins, choice.min_bin_share, choice.monotone, optimal, choice.edits)

    def with_codes(self, features: Iterable[Fact]) -> Controls:
        """The same, with the declared special values of each feature among its specials."""
        return replace(self, edits=with_special_values(self.edits, features))

    def edit(self, name: str) -> Edit:
        return self.edits.get(name) or Edit()

    def most(self, name: str) -> int | None:
        """The most bins of a feature."""
        edit = self.edit(name)
        return self.max_bins if edit.max_bins is None else edit.max_bins

    def share(self, name: str) -> float | None:
        """The least share of all accounts in a bin of a feature."""
        edit = self.edit(name)
        return self.min_bin_share if edit.min_bin_share is None else edit.min_bin_share

    def shape(self, name: str) -> Monotone:
        return self.edit(name).monotone or self.monotone

    def directed(self, features: Iterable[Fact]) -> tuple[Fact, ...]:
        """The features, with the directions that were asked for in place of the declared ones."""
        return tuple(
            fact
            if fact.kind.is_textual
            else replace(fact, direction=DIRECTIONS.get(self.shape(fact.name), fact.direction))
            for fact in features
        )

    def direction(self, fact: Fact, counts: Floats, bads: Floats) -> int | None:
        """The sign of the bad rate along a feature's pre-bins; 0 where it may turn once, None
        where it may take any shape. `fact` is one that :meth:`directed` gave."""
        if fact.kind.is_textual:
            return 1  # levels are in order of risk
        if fact.direction:
            return fact.direction
        shape = self.shape(fact.name)
        if shape == "always" and len(counts):
            return better_direction(counts, bads)
        return None if shape == "none" else 0

    def starts(
        self, name: str, starts: list[int], counts: Floats, bads: Floats, whole: float
    ) -> list[int]:
        """The starts of bins that stay so that the bounds hold, the likeliest of all such choices.

        `counts` and `bads` are those of the pre-bins, `whole` the accounts in all.
        """
        row_sums, bad_sums = np.add.reduceat(counts, starts), np.add.reduceat(bads, starts)

        def cost(count: Floats, bad: Floats) -> Floats:
            with np.errstate(divide="ignore", invalid="ignore"):
                log_likelihood = bad * np.log(bad / count) + (count - bad) * np.log1p(-bad / count)
            return -np.nan_to_num(log_likelihood)

        begins = self._kept(name, row_sums, whole, cost(*_sums(row_sums, bad_sums)))
        return [starts[index] for index in begins]

    def levels_off(self, name: str, effects: Floats, rows: Floats, whole: float) -> list[int]:
        """Which of neighbouring bins begin one of those that stay so that the bounds hold: the
        choice whose mean effects are nearest to the effects."""
        row_sums, effect_sums, square_sums = _sums(rows, rows * effects, rows * effects * effects)
        with np.errstate(divide="ignore", invalid="ignore"):
            effect_spread = np.nan_to_num(square_sums - effect_sums * effect_sums / row_sums)
        return self._kept(name, rows, whole, effect_spread)

    def _kept(self, name: str, rows: Floats, whole: float, cost: Floats) -> list[int]:
        most, least_share = self.most(name), self.share(name)
        # A hair below: the share that is asked for may be exactly what there is.
        least_rows = (least_share or 0.0) * whole * (1 - 1e-9)
        if (most is None or len(rows) <= most) and rows.min(initial=least_rows) >= least_rows:
            return list(range(len(rows)))
        return coarser(cost, rows, len(rows) if most is None else most, least_rows)


def coarser(cost: Floats, rows: Floats, most: int, least: float) -> list[int]:
    """Which bins begin one of at most `most` runs of neighbours with at least `least` rows each:
    those of the lowest sum of costs, all in one run where there is no such choice.

    `cost[i, j]` is that of a run of the bins from i up to, but not including, j.
    """
    bin_count = len(rows)
    rows_so_far = np.r_[0.0, np.cumsum(rows)]
    allowed = np.where(rows_so_far[None, :] - rows_so_far[:, None] >= least, cost, np.inf)
    allowed[np.tril_indices(bin_count + 1)] = np.inf
    best = np.full(bin_count + 1, np.inf)
    best[0] = 0.0
    backs: list[Sequence[int]] = []
    end_costs: list[float] = []
    for _ in range(min(most, bin_count)):
        cost_to_end = best[:, None] + allowed
        backs.append(cost_to_end.argmin(axis=0).tolist())
        best = cost_to_end.min(axis=0)
        end_costs.append(float(best[bin_count]))
    # Of equal costs the one with the fewest runs.
    runs = int(np.argmin(np.round(end_costs, 9)))
    if not np.isfinite(end_costs[runs]):
        return [0]
    starts: list[int] = []
    bin_end = bin_count
    for back in reversed(backs[: runs + 1]):
        bin_end = back[bin_end]
        starts.append(bin_end)
    return starts[::-1]


def _sums(*parts: Floats) -> tuple[Floats, ...]:
    """For each of some arrays, the sum over the bins from i up to, but not including, j."""
    ends = [np.r_[0.0, np.cumsum(part)] for part in parts]
    return tuple(end[None, :] - end[:, None] for end in ends)


# What an analyst asks of the bins where nothing is asked.
AS_IT_COMES = Controls()
