"""LightGBM's text model, read into arrays: what its trees do, without LightGBM.

The format is LightGBM's own (`docs/`, `src/io/tree.cpp`, version v4 of the text). It is read
strictly: what is not understood to the last word is refused, never passed over.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from riskseg.domain.problems import ProblemsError, problem

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats

    Whole = NDArray[np.int64]

# LightGBM's kZeroThreshold, a float32: what is no farther from zero than this is zero to it.
ZERO = 1.0000000180025095e-35

LARGEST = sys.float_info.max

CATEGORICAL, DEFAULT_LEFT = 1, 2
# What each tree must say, and nothing else may.
INTEGERS = ("split_feature", "decision_type", "left_child", "right_child", "internal_count")
TOLD = {
    *INTEGERS,
    "num_leaves",
    "num_cat",
    "split_gain",
    "threshold",
    "leaf_value",
    "leaf_weight",
    "leaf_count",
    "internal_value",
    "internal_weight",
    "is_linear",
    "shrinkage",
}
# Lines of the head that say what the numbers mean; others would change it unseen.
HEAD = {
    "version": ("v4",),
    "num_class": ("1",),
    "num_tree_per_iteration": ("1",),
    "objective": ("binary sigmoid:1",),
}
HEAD_FREE = {
    "label_index",
    "max_feature_idx",
    "feature_names",
    "feature_infos",
    "tree_sizes",
    "monotone_constraints",
}


class Missing(IntEnum):
    """What a split sends its default way. Where it is not NaN, a NaN counts as 0.0."""

    NOTHING = 0
    ZERO = 1
    NAN = 2


@dataclass(frozen=True)
class Tree:
    """One tree. Arrays have an entry a split, or a leaf.

    A split goes left where the value of `feature` is at most `threshold`, right elsewhere; what
    `missing` names goes by `default_left` alone. `left` and `right` hold the next split, or the
    leaf n as -1 - n; a tree of one leaf has no splits. `count` and `leaf_count` are the training
    rows that came through: exact SHAP values weigh ways not taken by them.
    """

    feature: Whole
    threshold: Floats
    left: Whole
    right: Whole
    default_left: NDArray[np.bool_]
    missing: Whole
    count: Whole
    value: Floats
    leaf_count: Whole

    def goes_left(self, node: int, values: Floats) -> NDArray[np.bool_]:
        """Which values of the split's feature go left."""
        missing_type, is_nan = self.missing[node], np.isnan(values)
        is_left: NDArray[np.bool_] = np.where(is_nan, 0.0, values) <= self.threshold[node]
        if missing_type == Missing.NAN:
            is_left[is_nan] = self.default_left[node]
        elif missing_type == Missing.ZERO:
            is_left[is_nan | (np.abs(values) <= ZERO)] = self.default_left[node]
        return is_left


@dataclass(frozen=True)
class Trees:
    """A boosted model: its margin is the sum of the leaves a row falls in, one a tree."""

    features: int
    trees: tuple[Tree, ...]

    def margin(self, matrix: Floats) -> Floats:
        """Log-odds of the bad outcome of each row of (rows, features)."""
        margin_sum = np.zeros(len(matrix))
        for tree in self.trees:
            leaf = np.zeros(len(matrix), dtype=np.int64)
            unvisited = [(0, np.arange(len(matrix)))] if len(tree.feature) else []
            while unvisited:
                node, rows_at_node = unvisited.pop()
                goes_left = tree.goes_left(node, matrix[rows_at_node, tree.feature[node]])
                for child, rows_of_child in (
                    (int(tree.left[node]), rows_at_node[goes_left]),
                    (int(tree.right[node]), rows_at_node[~goes_left]),
                ):
                    if child < 0:
                        leaf[rows_of_child] = -1 - child
                    elif len(rows_of_child):
                        unvisited.append((child, rows_of_child))
            margin_sum += tree.value[leaf]
        return margin_sum


def read_trees(text: str) -> Trees:
    """The trees in a LightGBM text model for a binary outcome.

    Raises ProblemsError (RS406) for what this reader does not know: splits by category, linear
    leaves, several classes, averaged forests, another version of the text.
    """
    trees_text, end_mark, _ = text.partition("\nend of trees\n")
    head, *tree_texts = trees_text.split("\nTree=")
    first_line, *header_lines = head.strip().split("\n")
    if first_line != "tree" or not end_mark:
        raise _refused("it is not a LightGBM text model")
    header = dict(_pairs(header_lines))
    for header_key, header_value in header.items():
        if header_key in HEAD and header_value not in HEAD[header_key]:
            raise _refused(f"{header_key} is {header_value}, not {' or '.join(HEAD[header_key])}")
        if header_key not in HEAD and header_key not in HEAD_FREE:
            raise _refused(f"it says {header_key}, which is not known here")
    for header_key in (*HEAD, "max_feature_idx"):
        if header_key not in header:
            raise _refused(f"it does not say {header_key}")
    features = int(header["max_feature_idx"]) + 1
    trees = []
    for index, tree_text in enumerate(tree_texts):
        tree_number, *lines = tree_text.strip().split("\n")
        if tree_number != str(index):
            raise _refused(f"tree {index} is called {tree_number}")
        try:
            trees.append(_tree(dict(_pairs(lines)), features))
        except (KeyError, ValueError) as error:
            raise _refused(f"tree {index} cannot be read ({error})") from error
    return Trees(features, tuple(trees))


def _pairs(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        key, separator, value = line.partition("=")
        if not separator:
            raise _refused(f'the line "{line[:40]}" is not known here')
        yield key, value


def _tree(fields: Mapping[str, str], features: int) -> Tree:
    if fields["num_cat"] != "0":
        raise ValueError("it splits by category")
    if fields.get("is_linear", "0") != "0":
        raise ValueError("its leaves are linear")
    for key in fields:
        if key not in TOLD:
            raise ValueError(f"{key} is not known here")
    leaves = int(fields["num_leaves"])

    def numbers(key: str, count: int, least: float, most: float) -> Floats:
        entry_values = np.array([float(entry_text) for entry_text in fields.get(key, "").split()])
        if len(entry_values) != count:
            raise ValueError(f"{key} has {len(entry_values)} entries, not {count}")
        if not ((entry_values >= least) & (entry_values <= most)).all():
            raise ValueError(f"{key} has an entry that cannot be")
        return entry_values

    def whole(key: str, count: int) -> Whole:
        entry_values = np.array(
            [int(entry_text) for entry_text in fields.get(key, "").split()], dtype=np.int64
        )
        if len(entry_values) != count:
            raise ValueError(f"{key} has {len(entry_values)} entries, not {count}")
        return entry_values

    value = numbers("leaf_value", leaves, -LARGEST, LARGEST)
    if leaves == 1:  # LightGBM writes no counts, or a single one, for a tree that never split
        none = np.zeros(0, dtype=np.int64)
        empty, flags = np.zeros(0), np.zeros(0, dtype=np.bool_)
        return Tree(none, empty, none, none, flags, none, none, value, np.ones(1, dtype=np.int64))
    splits = leaves - 1
    feature, decision, left, right, count = (whole(key, splits) for key in INTEGERS)
    if (decision & CATEGORICAL).any():
        raise ValueError("it splits by category")
    missing = decision >> 2
    if (missing > Missing.NAN).any() or (decision < 0).any():
        raise ValueError("decision_type has an entry that is not known here")
    if (feature < 0).any() or (feature >= features).any():
        raise ValueError("split_feature names a feature that is not there")
    children = np.concatenate([left, right])
    # Every split but the first, and every leaf, hangs from exactly one split.
    if sorted(children) != [*range(-leaves, 0), *range(1, splits)]:
        raise ValueError("its splits do not form a tree")
    # LightGBM numbers splits as it makes them, so a child comes after its parent: no cycles.
    if any(
        (child >= 0).any() and (child <= np.arange(splits))[child >= 0].any()
        for child in (left, right)
    ):
        raise ValueError("its splits do not form a tree")
    default_left = (decision & DEFAULT_LEFT) > 0
    leaf_count = whole("leaf_count", leaves)
    if (count <= 0).any() or (leaf_count < 0).any():
        raise ValueError("a split saw no rows")
    # An infinite threshold parts every number from NaN.
    threshold = numbers("threshold", splits, -LARGEST, math.inf)
    # LightGBM takes values this near zero for 0.0 before it compares. A threshold among them
    # moved to the end of their range says the same of the values as they are.
    threshold[(threshold >= 0.0) & (threshold < ZERO)] = ZERO
    threshold[(threshold >= -ZERO) & (threshold < 0.0)] = np.nextafter(-ZERO, -1.0)
    return Tree(feature, threshold, left, right, default_left, missing, count, value, leaf_count)


def _refused(what: str) -> ProblemsError:
    return problem(
        "RS406",
        f"The trees cannot be used: {what}.",
        hint="Train the model again with this version.",
    )
