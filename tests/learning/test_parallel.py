"""Pieces of work side by side give what they give one after the other."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from riskseg.learning.parallel import (
    Interrupted,
    one_thread_each,
    side_by_side,
    stop_if_interrupted,
)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_the_order_of_the_pieces(threads: int) -> None:
    def slow_first(piece: int) -> int:
        time.sleep(0.01 * (3 - piece % 3))
        return piece * piece

    assert side_by_side(slow_first, range(7), threads) == [n * n for n in range(7)]


def test_after_an_error_no_new_piece_is_begun() -> None:
    begun = []

    def work(piece: int) -> None:
        begun.append(piece)
        if piece == 0:
            raise ValueError("piece 0")
        time.sleep(0.05)

    with pytest.raises(ValueError, match="piece 0"):
        side_by_side(work, range(50), 2)
    assert len(begun) < 10


def test_an_interrupt_ends_the_pieces_at_work_within_others_too() -> None:
    ended = []

    def inner(_: int) -> None:
        try:
            for _ in range(2000):
                stop_if_interrupted()
                time.sleep(0.005)
        except Interrupted:
            ended.append(threading.get_ident())
            raise

    def outer(piece: int) -> None:
        if piece == 0:
            time.sleep(0.05)
            raise KeyboardInterrupt
        side_by_side(inner, range(2), 2)

    before = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        side_by_side(outer, range(2), 2)
    assert len(ended) == 2 and time.perf_counter() - before < 5
    stop_if_interrupted()  # what comes after is not interrupted


def test_linear_algebra_has_one_thread_until_the_last_is_done() -> None:
    np.ones((2, 2)) @ np.ones((2, 2))

    def most() -> int:
        return max(one["num_threads"] for one in threadpool_info())

    before = most()
    with one_thread_each():
        with one_thread_each():
            assert most() == 1
        assert most() == 1
    assert most() == before
