"""A divisor is safe where its bounds leave zero out: a bound of zero itself does not."""

from __future__ import annotations

from decimal import Decimal

import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.expressions import check


@pytest.mark.parametrize(
    ("lower", "upper", "found"),
    [
        (0, None, ["RS306"]),
        (1, None, []),
        (None, 0, ["RS306"]),
        (None, -1, []),
        (-1, 1, ["RS306"]),
        (None, None, ["RS306"]),
    ],
)
def test_a_bound_of_zero(lower: int | None, upper: int | None, found: list[str]) -> None:
    low, high = (None if end is None else Decimal(end) for end in (lower, upper))
    facts = {"x": Fact("x", Kind.INTEGER, lower=low, upper=high)}
    problems = Problems()
    check("100 / x > 2", facts, problems)
    assert [problem.code for problem in problems] == found
