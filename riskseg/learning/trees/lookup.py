"""The margin of many rows, looked up: the bits are those of a walk through the trees.

A walk asks one question a level and every row asks others. Here every row is asked all questions
of a tree, which a processor does for many rows at once:

1. Each feature of each row is coded once, by its place among the thresholds it is compared with.
   "Is the value at most the threshold?" is then a comparison of two small whole numbers.
2. The answers of a tree are the bits of a number, and a table says which value each number
   leads to. A tree of 14 splits has a table of 16,384 values.

The values of a row are added in the order of the trees, as LightGBM adds them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riskseg.learning.parallel import in_parts
from riskseg.learning.trees.text import ZERO, Missing, Tree, Trees

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats

    Codes = NDArray[Any]
    # The number of a coding, and the last code that goes left.
    Split = tuple[int, int]

# Splits of a tree, and values of all tables together: 64 MB.
MOST_SPLITS = 14
MOST_VALUES = 2**23
# Answers that one byte holds.
_BYTE = 8


@dataclass(frozen=True)
class _Coding:
    """How a feature is coded for splits that treat what is missing alike: 0 to `len(cuts)`, where
    a code holds its upper cut. What is missing has the code of the way it goes."""

    feature: int
    missing: Missing
    default_left: bool
    cuts: Floats

    def codes(self, values: Floats) -> Codes:
        codes = np.searchsorted(self.cuts, values)
        is_missing = np.isnan(values)
        if self.missing == Missing.NOTHING:
            codes[is_missing] = np.searchsorted(self.cuts, 0.0)
        else:
            if self.missing == Missing.ZERO:
                is_missing |= np.abs(values) <= ZERO
            codes[is_missing] = 0 if self.default_left else len(self.cuts)
        return codes.astype(np.min_scalar_type(len(self.cuts)))


@dataclass(frozen=True)
class Lookup:
    """Trees made ready for many rows: the splits of each, and the value of each set of answers."""

    codings: tuple[_Coding, ...]
    splits: tuple[tuple[Split, ...], ...]
    values: tuple[Floats, ...]

    @classmethod
    def of(cls, trees: Trees) -> Lookup | None:
        """None where the tables would be too large."""
        sizes = [len(tree.feature) for tree in trees.trees]
        if max(sizes, default=0) > MOST_SPLITS or sum(1 << size for size in sizes) > MOST_VALUES:
            return None
        thresholds: dict[tuple[int, Missing, bool], list[float]] = {}
        for tree in trees.trees:
            for asked, threshold in zip(_asked(tree), tree.threshold.tolist(), strict=True):
                thresholds.setdefault(asked, []).append(threshold)
        codings = {asked: _Coding(*asked, np.unique(cuts)) for asked, cuts in thresholds.items()}
        number = {asked: index for index, asked in enumerate(codings)}
        splits = tuple(
            tuple(
                (number[asked], int(codings[asked].cuts.searchsorted(threshold)))
                for asked, threshold in zip(_asked(tree), tree.threshold.tolist(), strict=True)
            )
            for tree in trees.trees
        )
        return cls(tuple(codings.values()), splits, tuple(map(_values, trees.trees)))

    def margin(self, matrix: Floats, threads: int = 1) -> Floats:
        """Log-odds of the bad outcome of each row of (rows, features)."""
        margins = np.zeros(len(matrix))

        def part(chosen: slice) -> None:
            self._add(matrix[chosen], margins[chosen])

        in_parts(part, len(matrix), threads)
        return margins

    def _add(self, matrix: Floats, margins: Floats) -> None:
        """Add what each tree says of each row."""
        codes = [
            coding.codes(np.ascontiguousarray(matrix[:, coding.feature])) for coding in self.codings
        ]
        row_count = len(matrix)
        answers = np.empty((2, row_count), np.uint8)
        number, value = np.empty(row_count, np.intp), np.empty(row_count)
        for splits, values in zip(self.splits, self.values, strict=True):
            if not splits:
                margins += values[0]
                continue
            _answer(splits[:_BYTE], codes, answers[0])
            np.copyto(number, answers[0])
            if len(splits) > _BYTE:
                _answer(splits[_BYTE:], codes, answers[1])
                number += answers[1].astype(np.uint16) << _BYTE
            # Every number has its value: `clip` only spares the check.
            np.take(values, number, out=value, mode="clip")
            margins += value


def _answer(splits: tuple[Split, ...], codes: list[Codes], answers: Codes) -> None:
    """Set `answers` to whether each row goes left at each of up to eight splits, the first in the
    lowest bit."""
    goes_left = np.empty(len(answers), np.bool_)
    answers.fill(0)
    for coding, last_code in reversed(splits):
        np.less_equal(codes[coding], last_code, out=goes_left)
        np.add(answers, answers, out=answers)
        np.bitwise_or(answers, goes_left.view(np.uint8), out=answers)


def _asked(tree: Tree) -> list[tuple[int, Missing, bool]]:
    """What each split looks at: a feature, and how it treats what is missing."""
    return [
        (feature, Missing(missing), default_left and missing != Missing.NOTHING)
        for feature, missing, default_left in zip(
            tree.feature.tolist(), tree.missing.tolist(), tree.default_left.tolist(), strict=True
        )
    ]


def _values(tree: Tree) -> Floats:
    """The value that each set of answers leads to: bit n says that split n sends left."""
    answers = np.arange(1 << len(tree.feature))
    # Where each set of answers has come to: a split, or the leaf n as -1 - n.
    node = np.zeros(len(answers), dtype=np.int64)
    if not len(tree.feature):
        return tree.value[:1]
    # A child comes after its parent, so each split is passed once.
    for split, (left, right) in enumerate(zip(tree.left, tree.right, strict=True)):
        at_split = node == split
        goes_left = (answers >> split & 1).astype(bool)
        node[at_split & goes_left] = left
        node[at_split & ~goes_left] = right
    return tree.value[-1 - node]
