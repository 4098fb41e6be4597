"""Days that no period has, worked out by hand."""

from __future__ import annotations

from datetime import date

import pytest

from riskseg.strategy.check.periods import Period, gaps


def january(first: int, last: int) -> Period:
    return Period(date(2026, 1, first), date(2026, 1, last))


@pytest.mark.parametrize(
    ("parts", "free"),
    [
        ([], [(1, 31)]),
        ([(1, 31)], []),
        ([(1, 30)], [(31, 31)]),
        ([(2, 31)], [(1, 1)]),
        ([(1, 10), (11, 31)], []),
        ([(1, 10), (12, 31)], [(11, 11)]),
        # A short period within a longer one takes nothing from it.
        ([(1, 20), (5, 10), (21, 31)], []),
        ([(1, 20), (5, 10), (25, 31)], [(21, 24)]),
        ([(12, 11), (1, 15)], [(16, 31)]),
    ],
)
def test_gaps(parts: list[tuple[int, int]], free: list[tuple[int, int]]) -> None:
    assert gaps(january(1, 31), [january(*p) for p in parts]) == [january(*f) for f in free]
