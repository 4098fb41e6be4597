"""Bins small enough to be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from riskseg.learning.scorecard.binning import (
    best_starts,
    prebin_cuts,
    refuses,
    shaped_blocks,
    unstable,
)


def numbers(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def test_every_value_but_the_least_is_a_cut() -> None:
    assert prebin_cuts(numbers(3, 1, 2, 2)).tolist() == [2, 3]
    assert prebin_cuts(numbers(5, 5)).tolist() == []
    assert prebin_cuts(np.arange(4.0), most=4).tolist() == [1, 2, 3]
    assert prebin_cuts(np.arange(8.0), most=4).tolist() == [2, 4, 6]


@pytest.mark.parametrize(("least", "starts"), [(100, [0, 1]), (101, [0])])
def test_a_bin_holds_at_least_so_many_rows(least: float, starts: list[int]) -> None:
    counts = numbers(100, 100)
    bads = numbers(5, 50)
    blocks = shaped_blocks(counts, bads, 1)
    found = best_starts(counts, bads, counts, blocks, penalty=1.0, least=least)
    assert found == starts


def test_a_direction_joins_what_runs_against_it() -> None:
    counts, bads = numbers(100, 100, 100), numbers(10, 50, 20)
    along, free = (
        best_starts(
            counts, bads, counts, shaped_blocks(counts, bads, direction), penalty=1.0, least=1
        )
        for direction in (1, 0)
    )
    assert (along, free) == ([0, 1], [0, 1, 2])


def test_a_direction_is_refused_by_clear_data_alone() -> None:
    counts = numbers(1_000, 1_000)
    assert refuses(counts, numbers(200, 50), 1)
    assert not refuses(counts, numbers(200, 50), -1)
    assert not refuses(counts, numbers(110, 100), 1)


def test_the_bin_that_turns_is_joined_with_the_one_before_it() -> None:
    counts = numbers(1_000, 1_000, 1_000)
    first, second = numbers(0.1, 0.2, 0.3), numbers(0.1, 0.3, 0.2)
    assert unstable((first, second), (counts, counts)) == 2
    assert unstable((first, first), (counts, counts)) is None
