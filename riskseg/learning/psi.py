"""The population stability index: whether rows are spread as others are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskseg.domain.facts import Fact
from riskseg.learning.evidence.metrics import GROUPS, sums_by

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats

MOST_LEVELS = 20
DRIFT = 0.25
# By chance a PSI of two groups exceeds ten times its mean once in 600.
TIMES_CHANCE = 10.0


def psi(
    before: NDArray[Any],
    after: NDArray[Any],
    weight_before: Floats | None = None,
    weight_after: Floats | None = None,
    groups: int | None = None,
) -> tuple[float, float]:
    """(population stability index between two sets of rows, what chance alone gives on average).

    The rows come as the number of their group, 0 and up; `groups` are counted, also where they
    are empty. PSI = Σ (q − p)·ln(q / p). Half a row is added to every group, so that an empty one
    has a finite share; a share of 0 replaced by some tiny number would decide the whole index.
    By chance: (groups − 1)·(1/n + 1/m), of independent rows (Yurdakul, *Statistical properties of
    population stability index*, 2018).
    """
    if not len(before) or not len(after):
        return 0.0, 0.0
    count = groups or int(max(before.max(), after.max())) + 1
    shares_by_part = []
    for group_of_row, weight in ((before, weight_before), (after, weight_after)):
        weight = np.ones(len(group_of_row)) if weight is None else weight
        total = float(weight.sum())
        effective_rows = total**2 / float((weight * weight).sum())
        shares_by_part.append(sums_by(group_of_row, weight, count) / total * effective_rows)
    return psi_of(*shares_by_part)


def psi_of(before: Floats, after: Floats) -> tuple[float, float]:
    """As :func:`psi`, of rows counted by group."""
    shares_before, shares_after = (
        (before + 0.5) / (before + 0.5).sum(),
        (after + 0.5) / (after + 0.5).sum(),
    )
    by_chance = (len(shares_before) - 1) * (1 / float(before.sum()) + 1 / float(after.sum()))
    return float(
        ((shares_after - shares_before) * np.log(shares_after / shares_before)).sum()
    ), by_chance


def significant(found: float, by_chance: float) -> bool:
    """Whether a PSI is a shift to act on: beyond the customary bound, which presumes many rows,
    and well beyond what chance alone gives."""
    return found > max(DRIFT, TIMES_CHANCE * by_chance)


@dataclass(frozen=True)
class Groups:
    """Tenths of the known values of some rows, or their commonest levels; nulls are a group of
    their own, as are the other levels."""

    cuts: Floats | None
    levels: tuple[str, ...]
    nulls: bool

    @classmethod
    def of(cls, values: pd.Series, fact: Fact | None, weight: Floats) -> Groups:
        """`fact` None: a number that is never null."""
        null = values.isna().to_numpy()
        if fact is not None and fact.kind.is_textual:
            known_levels = values[~null].astype(str)
            by_level = sorted(
                _weights(known_levels, weight[~null]).items(),
                key=lambda level_and_count: (-level_and_count[1], level_and_count[0]),
            )
            return cls(
                None, tuple(common_level for common_level, _ in by_level[:MOST_LEVELS]), True
            )
        known_numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)[~null]
        return cls(weighted_quantiles(known_numbers, weight[~null], GROUPS), (), bool(null.any()))

    @property
    def count(self) -> int:
        known = len(self.levels) + 1 if self.cuts is None else len(self.cuts) + 1
        return known + 1

    def places(self, values: pd.Series) -> NDArray[Any]:
        if self.cuts is None:
            codes, distinct = pd.factorize(values)
            place_of_level = {level: index for index, level in enumerate(self.levels)}
            place_of_others = len(self.levels)
            return np.array(
                [
                    *(place_of_level.get(str(level), place_of_others) for level in distinct),
                    place_of_others + 1,
                ]
            )[codes]
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        places = np.searchsorted(self.cuts, numbers, side="right")
        places[np.isnan(numbers)] = len(self.cuts) + 1
        return places

    def psi(
        self, before: pd.Series, after: pd.Series, weight: Floats, later: Floats
    ) -> tuple[float, float]:
        """As :func:`psi`. Groups that neither side has (nulls, other levels) are none."""
        old, new = self.places(before), self.places(after)
        used, both = np.unique(np.r_[old, new], return_inverse=True)
        return psi(both[: len(old)], both[len(old) :], weight, later, max(len(used), 1))


def weighted_quantiles(values: Floats, weight: Floats, groups: int) -> Floats:
    """Distinct inner cuts into groups of equal weight; a group holds its lower cut."""
    if not len(values):
        return np.empty(0)
    order = np.argsort(values, kind="stable")
    weight_below = np.cumsum(weight[order])
    weight_wanted = np.arange(1, groups) / groups * weight_below[-1]
    places = np.searchsorted(weight_below, weight_wanted * (1 - 1e-12))
    return np.unique(values[order][np.minimum(places, len(values) - 1)])


def _weights(values: pd.Series, weight: Floats) -> dict[str, float]:
    codes, distinct = pd.factorize(values)
    totals = sums_by(codes, weight, len(distinct))
    return {str(level): float(total) for level, total in zip(distinct, totals, strict=True)}
