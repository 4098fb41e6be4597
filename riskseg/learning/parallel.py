"""Pieces of work side by side: the same results in the same order, at any number of threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

T = TypeVar("T")
R = TypeVar("R")

_interrupted = threading.Event()
_limiting = threading.Lock()
_limits: list[Any] = []

# Rows worked on together: their codes and sums stay in a core's cache.
CHUNK = 32_768


class Interrupted(BaseException):
    """The work was called off from outside while this piece was at it."""


def side_by_side(work: Callable[[T], R], pieces: Iterable[T], threads: int) -> list[R]:
    """The result of each piece, in the order of the pieces.

    What is slow in learning (LightGBM, LAPACK, sparse products) lets other threads run. Each piece
    uses one thread itself, so that its result does not depend on how many there are. After an
    error no new piece is begun; after an interrupt, those at work end at `stop_if_interrupted`.
    """
    listed = list(pieces)
    if threads <= 1 or len(listed) <= 1:
        return [work(piece) for piece in listed]
    with one_thread_each(), ThreadPoolExecutor(min(threads, len(listed))) as pool:
        futures = [pool.submit(work, piece) for piece in listed]
        try:
            return [future.result() for future in futures]
        except BaseException as error:
            if not isinstance(error, Exception):
                _interrupted.set()
            pool.shutdown(cancel_futures=True)
            if threading.current_thread() is threading.main_thread():
                _interrupted.clear()
            raise


def in_parts(work: Callable[[slice], None], rows: int, threads: int) -> None:
    """Work on rows, so many at a time that they stay in a core's cache."""
    row_parts = [
        slice(part_start, min(part_start + CHUNK, rows)) for part_start in range(0, rows, CHUNK)
    ]
    if threads > 1 and len(row_parts) > 1:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, row_parts))
    else:
        for part in row_parts:
            work(part)


def stop_if_interrupted() -> None:
    """Ends a long piece of work where the command was interrupted."""
    if _interrupted.is_set():
        raise Interrupted


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Linear algebra by one thread: the order of its additions, and so the bytes, stay the same.

    The limit is the process's. It is set by the first who asks, since looking for the libraries
    takes milliseconds, and lifted by the last.
    """
    with _limiting:
        _limits.append(_limits[-1] if _limits else threadpool_limits(1))
    try:
        yield
    finally:
        with _limiting:
            limit = _limits.pop()
            if not _limits:
                limit.restore_original_limits()
