"""Portfolios that several tests look at, each made once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache

import pytest

from riskseg.synthetic import generate
from tests.synthetic.measure import Shape

UNTIL = date(2026, 3, 31)


@cache
def _shape(seed: int) -> Shape:
    portfolio = generate(5_000, 24, seed, until=UNTIL)
    return Shape(portfolio.tables(), portfolio.since, portfolio.until)


@pytest.fixture(scope="session")
def shape_of() -> Callable[[int], Shape]:
    """The shape of 5,000 accounts over 24 months, by seed."""
    return _shape
