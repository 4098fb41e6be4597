"""Exact SHAP values of boosted trees, in log-odds, for many rows at once.

The values are those of *path-dependent* TreeSHAP (Lundberg et al., *From local explanations to
global understanding with explainable AI for trees*, 2020), which LightGBM's `pred_contrib` also
gives. What differs is the order of work. How a tree treats a row depends only on which of its
intervals each feature falls in, and a small tree has few combinations of intervals. So:

1. Each feature of each row is coded once, by its place among all thresholds of the model.
2. Leaves are taken in groups (a tree, or a subtree of a large one) with at most `MOST_CELLS`
   combinations of intervals, the cells. A group's values are worked out for every cell.
3. A row's cell is a sum over its codes; its values are looked up.

A leaf with value v whose path holds d features gives feature j

    v (o_j - r_j) sum over sets S of the others of |S|! (d - 1 - |S|)! / d!
                  times prod of o_k over S and of r_k over the rest

where o says whether the row meets the path's conditions on a feature and r is the share of
training rows that did. The factorials are the integral of t^|S| (1 - t)^(d - 1 - |S|) over
[0, 1], so the sum is the integral of prod (o_k t + r_k (1 - t)): a polynomial of degree d - 1,
which Gauss-Legendre's rule with d / 2 points integrates exactly (the step of Yu et al., *Linear
TreeShap*, 2022). No term is subtracted or divided, so nothing is lost to rounding.

Every addition for a row is made in an order that the model alone decides. A row's values are
the same bytes in any batch, at any number of threads.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riskseg.learning.parallel import in_parts
from riskseg.learning.trees.leaves import Leaf, LeafSums, shares_of_value
from riskseg.learning.trees.text import ZERO, Missing, Tree, Trees

if TYPE_CHECKING:
    from riskseg.learning.frame import Coded, Floats

    Codes = NDArray[Any]

# Cells of a group. More make fewer groups to look up and more to work out beforehand.
MOST_CELLS = 4096
# Intervals of one feature in a group: a place among them is one byte.
MOST_CLASSES = 256
# Rows up to which adding up their leaves takes less than making the tables does.
FEW = 8


def shap_values(trees: Trees, matrix: Floats, threads: int = 1) -> Floats:
    """(rows, features) log-odds each feature adds to each row, beside the mean of training."""
    return Explainer.of(trees).values(matrix, threads)


@dataclass(frozen=True)
class _Coding:
    """A feature's codes: 0 to len(cuts) by value (a code holds its upper cut), then NaN, where
    any split treats a NaN otherwise than 0.0. A set of codes is a whole number, bit by bit."""

    cuts: Floats
    zero: int
    nan: bool

    @property
    def count(self) -> int:
        return len(self.cuts) + 1 + self.nan

    def codes(self, values: Floats) -> Codes:
        missing = np.isnan(values)
        codes = np.searchsorted(self.cuts, values)
        codes[missing] = self.count - 1 if self.nan else self.zero
        return codes.astype(np.min_scalar_type(max(self.count - 1, 0)))

    def left(self, threshold: float, missing: int, default_left: bool) -> int:
        """The codes a split sends left."""
        codes_left = (2 << int(self.cuts.searchsorted(threshold))) - 1
        if missing == Missing.ZERO:
            codes_left = _with(codes_left, self.zero, default_left)
        if self.nan:
            as_zero = bool(codes_left >> self.zero & 1)
            codes_left = _with(
                codes_left, self.count - 1, default_left if missing == Missing.NAN else as_zero
            )
        return codes_left


def _with(codes: int, code: int, there: bool) -> int:
    return codes | 1 << code if there else codes & ~(1 << code)


@dataclass(frozen=True)
class _Side:
    """A feature of a group. Codes of one class meet the same conditions; `firsts` is a code of
    each. `steps` are (the last code before a change of class, the change)."""

    feature: int
    firsts: tuple[int, ...]
    steps: tuple[tuple[int, int], ...]

    @property
    def classes(self) -> int:
        return len(self.firsts)


@dataclass(frozen=True)
class _Group:
    """Leaves whose values are looked up together; a cell is a class of each side. `sets` are the
    conditions of the leaves on each feature. A single leaf with too many cells has no sides."""

    leaves: tuple[Leaf, ...]
    sets: Mapping[int, frozenset[int]]
    sides: tuple[_Side, ...] | None

    @property
    def cells(self) -> int:
        return math.prod(side.classes for side in self.sides or ())


@dataclass(frozen=True)
class Explainer:
    """Trees made ready to explain rows."""

    features: int
    codings: tuple[_Coding, ...]
    groups: tuple[_Group, ...]
    constant: float  # what trees without splits say

    @classmethod
    def of(cls, trees: Trees) -> Explainer:
        codings = _codings(trees)
        groups: list[_Group] = []
        for tree in trees.trees:
            _keep(_groups(tree, codings), groups, codings)
        constant = math.fsum(tree.value[0] for tree in trees.trees if not len(tree.feature))
        return cls(trees.features, codings, tuple(groups), constant)

    @cached_property
    def tables(self) -> tuple[Floats | None, ...]:
        return tuple(_tables(self.groups))

    @cached_property
    def _sums(self) -> LeafSums:
        return LeafSums(self.features, [group.leaves for group in self.groups])

    def values(self, matrix: Floats, threads: int = 1) -> Floats:
        """(rows, features) SHAP values in log-odds of (rows, features) values."""
        if len(matrix) <= FEW:
            few_values = [self._sums.values(row) for row in _rows(self.coded(matrix))]
            return np.reshape(few_values, (len(matrix), self.features))
        shap_values = np.zeros((self.features, len(matrix)))

        def part(chosen: slice) -> None:
            for group, table, looked_up in self._places(self.coded(matrix[chosen])):
                if table is None:
                    for feature_on, values in _leaf_values(group.leaves[0], looked_up).items():
                        shap_values[feature_on, chosen] += values
                    continue
                looked_up_values = np.empty(len(looked_up))
                for group_side, contribution in zip(group.sides or (), table, strict=False):
                    np.take(contribution, looked_up, out=looked_up_values, mode="clip")
                    shap_values[group_side.feature, chosen] += looked_up_values

        in_parts(part, len(matrix), threads)
        return shap_values.T

    def coded(self, matrix: Floats) -> list[Codes]:
        """The codes of each feature of (rows, features) values."""
        return [coding.codes(matrix[:, index]) for index, coding in enumerate(self.codings)]

    def coded_margin(self, coded: Coded) -> Floats:
        """Log-odds of each row: LightGBM's raw prediction but for the order of additions."""
        if len(coded[0]) <= FEW:
            return np.array([self._sums.margin(row, self.constant) for row in _rows(coded)])
        margins = np.full(len(coded[0]), self.constant)

        def part(chosen: slice) -> None:
            for group, table, looked_up in self._places([codes[chosen] for codes in coded]):
                if table is None:
                    leaf = group.leaves[0]
                    margins[chosen] += leaf.value * math.prod(_leaf_met(leaf, looked_up))
                else:
                    margins[chosen] += np.take(table[-1], looked_up, mode="clip")

        in_parts(part, len(margins), threads=1)
        return margins

    def _places(
        self, codes_of_feature: Sequence[Codes]
    ) -> Iterator[tuple[_Group, Floats | None, Any]]:
        """Each group with its table and the cell of each row; for a leaf without a table, the
        codes of all features. The array of cells is used again: finish with one before the next.
        """
        row_count = len(codes_of_feature[0])
        is_above, local_code = np.empty(row_count, np.bool_), np.empty(row_count, np.uint8)
        scaled_code, cell_code = np.empty(row_count, np.uint16), np.empty(row_count, np.uint16)
        table_place = np.empty(row_count, np.intp)
        step_view = is_above.view(np.uint8)
        for group, table in zip(self.groups, self.tables, strict=True):
            if group.sides is None:
                yield group, None, codes_of_feature
                continue
            cell_code.fill(0)
            radix = group.cells
            for side in group.sides:
                radix //= side.classes
                feature_code = codes_of_feature[side.feature]
                local_code.fill(0)
                for step_number, (last_code, class_change) in enumerate(side.steps):
                    if step_number == 0:  # from class 0 to class 1
                        np.greater(feature_code, last_code, out=local_code.view(np.bool_))
                        continue
                    np.greater(feature_code, last_code, out=is_above)
                    if class_change != 1:
                        np.multiply(step_view, np.uint8(class_change % 256), out=step_view)
                    np.add(local_code, step_view, out=local_code)
                np.multiply(local_code, np.uint16(radix), out=scaled_code, dtype=np.uint16)
                np.add(cell_code, scaled_code, out=cell_code)
            np.copyto(table_place, cell_code)
            yield group, table, table_place


def _rows(coded: Coded) -> list[list[int]]:
    """The codes of each row."""
    return np.reshape(coded, (len(coded), len(coded[0]))).T.tolist()


def _leaf_values(leaf: Leaf, codes: Sequence[Codes]) -> dict[int, Floats]:
    """What a leaf gives its features where their patterns are too many for a table."""
    parts = shares_of_value(_leaf_met(leaf, codes), leaf.shares, leaf.value)
    return dict(zip(leaf.met, parts, strict=True))


def _leaf_met(leaf: Leaf, codes: Sequence[Codes]) -> list[Floats]:
    """For each feature of the path, 1.0 where a row meets its conditions."""
    # A code past the highest that meets the conditions does not meet them: the last flag is 0.
    flags = [
        np.array(
            [met >> code_met & 1 for code_met in range(met.bit_length() + 1)], dtype=np.float64
        )
        for met in leaf.met.values()
    ]
    return [
        np.take(met_flag, codes[met_feature], mode="clip")
        for met_flag, met_feature in zip(flags, leaf.met, strict=True)
    ]


def _codings(trees: Trees) -> tuple[_Coding, ...]:
    feature, threshold, missing = (
        np.concatenate([np.zeros(0), *(getattr(tree, split_array) for tree in trees.trees)])
        for split_array in ("feature", "threshold", "missing")
    )
    codings = []
    for feature_index in range(trees.features):
        is_of_feature = feature == feature_index
        cuts = threshold[is_of_feature]
        if (missing[is_of_feature] == Missing.ZERO).any():  # zero needs a code of its own
            cuts = np.concatenate([cuts, [np.nextafter(-ZERO, -1.0), ZERO]])
        cuts = np.unique(cuts)
        nan = bool((missing[is_of_feature] == Missing.NAN).any())
        codings.append(_Coding(cuts, int(np.searchsorted(cuts, 0.0)), nan))
    return tuple(codings)


def _groups(tree: Tree, codings: Sequence[_Coding]) -> Iterator[_Group]:
    """The largest subtrees that have few enough cells, from left to right."""
    leaves_under: dict[int, list[Leaf]] = {}
    feature, left, right = tree.feature.tolist(), tree.left.tolist(), tree.right.tolist()
    count, leaf_count = tree.count.tolist(), tree.leaf_count.tolist()
    value, missing = tree.value.tolist(), tree.missing.tolist()
    default, threshold = tree.default_left.tolist(), tree.threshold.tolist()

    def walk(node: int, path: dict[int, tuple[int, float]]) -> list[Leaf]:
        if node < 0:
            codes_met = {feature_index: codes for feature_index, (codes, _) in path.items()}
            leaves_under[node] = [
                Leaf(
                    value[-1 - node],
                    codes_met,
                    tuple(path_share for _, path_share in path.values()),
                )
            ]
            return leaves_under[node]
        feature_index = feature[node]
        all_codes = (1 << codings[feature_index].count) - 1
        codes_left = codings[feature_index].left(threshold[node], missing[node], default[node])
        codes_before, share_before = path.get(feature_index, (all_codes, 1.0))
        leaves_under[node] = []
        for child, codes_of_child in (
            (left[node], codes_left),
            (right[node], all_codes & ~codes_left),
        ):
            rows_of_child = leaf_count[-1 - child] if child < 0 else count[child]
            codes_and_share = (
                codes_before & codes_of_child,
                share_before * (rows_of_child / count[node]),
            )
            leaves_under[node] += walk(child, {**path, feature_index: codes_and_share})
        return leaves_under[node]

    if feature:
        walk(0, {})
    unvisited = [0] if feature else []
    while unvisited:
        node = unvisited.pop()
        sets: dict[int, set[int]] = {}
        for leaf in leaves_under[node]:
            for feature_index, codes_met in leaf.met.items():
                sets.setdefault(feature_index, set()).add(codes_met)
        frozen = {feature_index: frozenset(codes_met) for feature_index, codes_met in sets.items()}
        group = _group(tuple(leaves_under[node]), frozen, codings)
        if group is not None:
            yield group
        elif node < 0:
            yield _Group(tuple(leaves_under[node]), frozen, None)
        else:
            unvisited += [right[node], left[node]]


def _keep(new_groups: Iterable[_Group], groups: list[_Group], codings: Sequence[_Coding]) -> None:
    """Adds groups, each joined with the one before where that has few enough cells too."""
    for group in new_groups:
        joined = _joined(groups[-1], group, codings) if groups else None
        if joined is None:
            groups.append(group)
        else:
            groups[-1] = joined


def _joined(first: _Group, second: _Group, codings: Sequence[_Coding]) -> _Group | None:
    no_codes: frozenset[int] = frozenset()
    sets = {
        feature_index: first.sets.get(feature_index, no_codes)
        | second.sets.get(feature_index, no_codes)
        for feature_index in (*first.sets, *second.sets)
    }
    return _group(first.leaves + second.leaves, sets, codings)


def _group(
    leaves: tuple[Leaf, ...], sets: Mapping[int, frozenset[int]], codings: Sequence[_Coding]
) -> _Group | None:
    """A group of these leaves, unless it would have too many cells."""
    group_sides, cell_count = [], 1
    for feature_index in sorted(sets, key=lambda feature_index: -len(sets[feature_index])):
        group_sides.append(_side(feature_index, codings[feature_index].count, sets[feature_index]))
        cell_count *= group_sides[-1].classes
        if cell_count > MOST_CELLS or group_sides[-1].classes > MOST_CLASSES:
            return None
    # The side with the most classes last: the longest run of cells to be added at once.
    return _Group(
        leaves, sets, tuple(sorted(group_sides, key=lambda side_: (side_.classes, side_.feature)))
    )


@lru_cache(maxsize=4096)
def _side(feature: int, count: int, sets: frozenset[int]) -> _Side:
    changes = 0
    for codes in sets:
        changes |= codes ^ codes >> 1
    last_codes = [code for code in range(count - 1) if changes >> code & 1]
    first_codes = [0, *(last_code + 1 for last_code in last_codes)]
    sets_ordered = sorted(sets)
    class_of_pattern: dict[tuple[int, ...], int] = {}
    classes = [
        class_of_pattern.setdefault(
            tuple(codes >> first_code & 1 for codes in sets_ordered), len(class_of_pattern)
        )
        for first_code in first_codes
    ]
    steps = zip(last_codes, classes, classes[1:], strict=False)
    return _Side(
        feature,
        tuple(
            first_codes[classes.index(class_number)]
            for class_number in range(len(class_of_pattern))
        ),
        tuple(
            (last_code, class_now - class_before) for last_code, class_before, class_now in steps
        ),
    )


def _tables(groups: Sequence[_Group]) -> Iterator[Floats | None]:
    """(sides + 1, cells): what a group's leaves give each of its features in each cell, and last
    their part of the margin. None for a leaf that alone has too many cells."""
    patterns = _patterns([leaf for group in groups if group.sides for leaf in group.leaves])
    for group in groups:
        if group.sides is None:
            yield None
            continue
        shape = tuple(side.classes for side in group.sides)
        shap_table = np.zeros((len(shape) + 1, *shape))
        # Which classes of a side meet a condition, along the side's own axis.
        flags: dict[tuple[int, int], Any] = {}
        for side_axis, side in enumerate(group.sides):
            shape_of_axis = [1] * len(shape)
            shape_of_axis[side_axis] = side.classes
            for codes_met in group.sets[side.feature]:
                bits = [codes_met >> class_start & 1 for class_start in side.firsts]
                flags[side.feature, codes_met] = np.array(bits, dtype=np.intp).reshape(
                    shape_of_axis
                )
        axis_of = {side.feature: side_axis for side_axis, side in enumerate(group.sides)}
        for leaf in group.leaves:
            pattern: Any = 0
            for position, condition in enumerate(leaf.met.items()):
                pattern = pattern + (flags[condition] << position)
            for feature_index, values in zip(leaf.met, patterns[id(leaf)], strict=True):
                shap_table[axis_of[feature_index]] += values[pattern]
            # Its value is the margin's where all conditions are met.
            shap_table[-1] += np.where(pattern == (1 << len(leaf.met)) - 1, leaf.value, 0.0)
        yield shap_table.reshape(len(shap_table), -1)


def _patterns(leaves: Sequence[Leaf]) -> dict[int, Floats]:
    """For each leaf (d, 2^d): what it gives each feature of its path, by which of them meet
    their conditions (the first feature is the lowest bit)."""
    by_leaf: dict[int, Floats] = {}
    by_length = sorted(leaves, key=lambda leaf: len(leaf.met))
    for length, leaves_of_length in groupby(by_length, key=lambda leaf: len(leaf.met)):
        batch = list(leaves_of_length)
        bits = np.arange(1 << length) >> np.arange(length)[:, None] & 1
        shares = np.array([leaf.shares for leaf in batch]).T[:, :, None]
        leaf_values = np.array([leaf.value for leaf in batch])[:, None]
        phi_parts = np.stack(
            shares_of_value(bits.astype(np.float64)[:, None, :], shares, leaf_values)
        )
        by_leaf |= {id(leaf): phi_parts[:, index] for index, leaf in enumerate(batch)}
    return by_leaf
