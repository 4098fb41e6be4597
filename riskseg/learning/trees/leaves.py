"""What the leaves of trees give the features on their paths; and their sums, for a few rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats


@dataclass(frozen=True)
class Leaf:
    """A leaf, with an entry for each feature on its path: the codes that meet the path's
    conditions, and the share of training rows that did."""

    value: float
    met: Mapping[int, int]
    shares: tuple[float, ...]


def shares_of_value(met: Any, shares: Any, value: Any) -> list[Floats]:
    """What a leaf gives each feature of its path, for arrays that broadcast: the formula of
    :mod:`riskseg.learning.trees.shap`.

    `met` and `shares` have an entry a feature of the path.
    """
    length = len(met)
    points, weights = np.polynomial.legendre.leggauss((length + 1) // 2)
    totals: list[Any] = [0.0] * length
    for point, weight in zip((points + 1) / 2, weights / 2, strict=True):
        factors = [
            met_ * point + share * (1 - point) for met_, share in zip(met, shares, strict=True)
        ]
        # The product of all but one is that of those before times that of those after.
        weights_before: list[Any] = [weight]
        for factor in factors[:-1]:
            weights_before.append(weights_before[-1] * factor)
        factor_after: Any = 1.0
        for index in reversed(range(length)):
            totals[index] = totals[index] + weights_before[index] * factor_after
            factor_after = factor_after * factors[index]
    return [
        value * (met_ - share) * product
        for met_, share, product in zip(met, shares, totals, strict=True)
    ]


@dataclass(frozen=True)
class LeafSums:
    """Sums over all leaves for one row after the other, without tables. They are made by the
    additions that tables are made and read by, in the same order, so they are the same bytes.

    What is called `of_part` has an entry for each feature of each leaf, leaf by leaf.
    """

    features: int
    groups: Sequence[Sequence[Leaf]]

    @cached_property
    def _leaves(self) -> list[Leaf]:
        return list(chain.from_iterable(self.groups))

    @cached_property
    def _lengths(self) -> NDArray[np.int64]:
        return np.array([len(leaf.met) for leaf in self._leaves], dtype=np.int64)

    @cached_property
    def _first_parts(self) -> NDArray[np.int64]:
        return np.cumsum(self._lengths) - self._lengths

    @cached_property
    def _group_of_leaf(self) -> NDArray[np.int64]:
        return np.repeat(np.arange(len(self.groups)), [len(leaves) for leaves in self.groups])

    @cached_property
    def _condition_of_part(self) -> list[tuple[int, int]]:
        return [condition for leaf in self._leaves for condition in leaf.met.items()]

    @cached_property
    def _share_of_part(self) -> Floats:
        return np.array([share for leaf in self._leaves for share in leaf.shares])

    @cached_property
    def _value_of_leaf(self) -> Floats:
        return np.array([leaf.value for leaf in self._leaves])

    @cached_property
    def _sum_of_part(self) -> NDArray[np.int64]:
        """The number of the sum that each part belongs to: that of its group and feature."""
        features = np.array([feature for feature, _ in self._condition_of_part], dtype=np.int64)
        return np.repeat(self._group_of_leaf, self._lengths) * self.features + features

    def _met(self, codes: Sequence[int]) -> Floats:
        return np.array(
            [codes_met >> codes[feature] & 1 for feature, codes_met in self._condition_of_part],
            dtype=np.float64,
        )

    def values(self, codes: Sequence[int]) -> Floats:
        """The SHAP values of the row that has these codes, one of each feature."""
        met, parts = self._met(codes), np.empty(len(self._condition_of_part))
        for length in np.unique(self._lengths):
            is_long = self._lengths == length
            places = self._first_parts[is_long] + np.arange(length)[:, None]
            of_leaves = self._share_of_part[places], self._value_of_leaf[is_long]
            parts[places] = shares_of_value(met[places], *of_leaves)
        by_group = _added(self._sum_of_part, parts, len(self.groups) * self.features)
        feature_of_sum = np.tile(np.arange(self.features), len(self.groups))
        return _added(feature_of_sum, by_group, self.features)

    def margin(self, codes: Sequence[int], constant: float) -> float:
        """The log-odds of the row that has these codes, `constant` included."""
        if not self._leaves:
            return constant
        is_reached = np.minimum.reduceat(self._met(codes), self._first_parts) > 0
        values = np.where(is_reached, self._value_of_leaf, 0.0)
        by_group = _added(self._group_of_leaf, values, len(self.groups))
        return float(_added(np.zeros(len(by_group) + 1, np.int64), [constant, *by_group], 1)[0])


def _added(sums: NDArray[np.int64], parts: Floats | Sequence[float], count: int) -> Floats:
    """`count` sums, each of the parts that have its number in `sums`, added in their order."""
    return np.asarray(np.bincount(sums, weights=parts, minlength=count), dtype=np.float64)
