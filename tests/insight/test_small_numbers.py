"""Which groups are hidden, so that none of few accounts can be worked out from a total."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskseg.insight.small_numbers import hidden_groups
from tests.support.small_numbers import not_shown


@pytest.mark.parametrize(
    ("sizes", "hidden"),
    [
        ({}, ""),
        ({"a": 10, "b": 500}, ""),
        # Without the next smallest, the total less the others would be that of "a".
        ({"a": 9, "b": 40, "c": 12}, "ac"),
        ({"a": 6, "b": 7, "c": 12}, "ab"),
        ({"a": 2, "b": 3, "c": 40, "d": 30}, "abd"),
        ({"a": 3, "b": 0, "c": 50}, "ac"),
        ({"a": 3}, "a"),
        ({"a": 0, "b": 20}, ""),
    ],
)
def test_a_second_group_is_hidden_where_one_could_be_worked_out(
    sizes: dict[str, int], hidden: str
) -> None:
    assert hidden_groups(sizes) == {*hidden}


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=2), st.integers(0, 40), max_size=7))
def test_what_is_left_of_a_total_is_never_of_few(sizes: dict[str, int]) -> None:
    hidden = hidden_groups(sizes)
    assert hidden == not_shown(sizes)
    assert all(size >= 10 or not size for group, size in sizes.items() if group not in hidden)
    left = [size for group, size in sizes.items() if group in hidden]
    if hidden and len(hidden) < sum(size > 0 for size in sizes.values()):
        assert len(left) > 1 and sum(left) >= 10
        # No more than are needed: without the last one, the others would be of few.
        others = [size for size in left if size < 10]
        assert len(left) - len(others) <= 1 or any(
            sum(pair) >= 10 for pair in combinations(left, len(left) - 1)
        )
