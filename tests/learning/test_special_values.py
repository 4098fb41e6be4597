"""Codes have no place in a direction: each learner takes them apart, and keeps to it elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.learning.scorecard.additive import fit_additive
from riskseg.learning.scorecard.classic import fit_classic
from riskseg.learning.scorecard.controls import Controls
from riskseg.learning.scorecard.tables import Scorecard
from riskseg.learning.trees.boosted import Boosted
from riskseg.learning.trees.boosted_fit import fit_boosted

# Two codes with risks of their own, one of them below and one above all counts; 5.5 never occurs.
CODES = (-1.0, 5.5, 98.0)
FACTS = (
    Fact("x", Kind.NUMBER, direction=1, special_values=CODES),
    Fact("y", Kind.NUMBER, direction=1),
)
COUNTS = np.arange(13.0)


def data() -> tuple[pd.DataFrame, Any, Any, Any]:
    random = np.random.default_rng(3)
    size = 2_400
    x = random.integers(0, 13, size).astype(float)
    y = random.normal(size=size)
    chance = 1 / (1 + np.exp(2 - 0.3 * x - 0.5 * y))
    drawn = random.random(size)
    for code, risk, low, high in ((-1.0, 0.9, 0.0, 0.06), (98.0, 0.03, 0.06, 0.14)):
        here = (drawn >= low) & (drawn < high)
        x, chance = np.where(here, code, x), np.where(here, risk, chance)
    label = (random.random(size) < chance).astype(np.int8)
    return pd.DataFrame({"x": x, "y": y}), label, np.ones(size), np.arange(size) % 3


def additive(*given: Any) -> Scorecard:
    return fit_additive(*given[:3], FACTS, given[3])[0]


def paired(*given: Any) -> Scorecard:
    return fit_additive(*given[:3], FACTS, given[3], pairs=(("x", "y"),))[0]


def classic(*given: Any) -> Scorecard:
    return fit_classic(*given[:3], FACTS, given[3], controls=Controls().with_codes(FACTS))[0]


def boosted(*given: Any) -> Boosted:
    said: Callable[[str], None] = lambda _: None  # noqa: E731
    options: dict[str, Any] = {"seed": 1, "threads": 1, "say": said, "searching": False}
    return fit_boosted(*given[:3], FACTS, given[3], **options)[0]


@pytest.mark.parametrize("learn", [additive, paired, classic, boosted])
def test_codes_stand_apart_and_the_direction_holds(learn: Callable[..., Any]) -> None:
    model = learn(*data())

    def at(*values: float) -> Any:
        return model.margin(pd.DataFrame({"x": values, "y": 0.0}))

    counts, (low, high) = at(*COUNTS), at(-1.0, 98.0)
    assert (np.diff(counts) >= -1e-9).all() and counts[-1] - counts[0] > 1
    if isinstance(model, Boosted):
        assert (at(-1.0, 5.5, 98.0) == at(np.nan)[0]).all()
        assert Boosted.from_json(model.as_json(), model.text).columns == model.columns
    else:
        # The code below all counts is the riskiest, the one above them the safest.
        assert low > np.median(counts) + 1 and high < np.median(counts) - 1
        again = Scorecard.from_json(model.as_json())
        assert (again.margin(data()[0]) == model.margin(data()[0])).all()


WHOLE = (replace(FACTS[0], kind=Kind.INTEGER, special_values=(-1.0, 98.0)), FACTS[1])


@pytest.mark.parametrize("pairs", [(), (("x", "y"),), None])
@pytest.mark.parametrize("facts", [FACTS, WHOLE], ids=["numbers", "whole"])
def test_only_the_code_itself_has_the_points_of_a_code(
    facts: tuple[Fact, ...], pairs: tuple[tuple[str, str], ...] | None
) -> None:
    """Values that training never saw, next to a code or beyond it, are where the direction has
    them: -2 is no riskier than 0, and 97 and 99 are no safer than 12."""
    rows, label, weight, folds = data()
    if pairs is None:
        controls = Controls().with_codes(facts)
        card = fit_classic(rows, label, weight, facts, folds, controls=controls)[0]
    else:
        card = fit_additive(rows, label, weight, facts, folds, pairs=pairs)[0]

    def at(*values: float) -> Any:
        return card.margin(pd.DataFrame({"x": values, "y": 0.0}))

    near = [math.nextafter(code, way) for code in facts[0].special_values for way in (-999, 999)]
    if facts is WHOLE:
        near = [-2.0, 0.0, 97.0, 99.0]
    values = sorted({*COUNTS, *near, -1e300, -5.0, 50.0, 1e300})
    assert (np.diff(at(*values)) >= -1e-9).all()
    assert at(-1e300) == at(near[0]) == at(0.0) and at(1e300) == at(near[-1]) == at(12.0)
    assert at(-1.0) > at(12.0) - 1 and at(98.0) < at(0.0) + 1
    table = next(t for t in card.tables if t.bins.name == "x")
    for code in (-1.0, 98.0):
        place = int(table.bins.bin_indexes(pd.Series([code]))[0])
        assert table.counts[place] == (rows.x == code).sum()
        assert table.bads is not None
        assert table.bads[place] == label[rows.x == code].sum()
    for held in ([*table.counts], *([*pair.counts] for pair in card.pairs)):
        assert sum(held) == pytest.approx(len(rows), abs=len(held) / 2)
    for pair in card.pairs:
        place = int(pair.first.bin_indexes(pd.Series([98.0]))[0]) * pair.second.count
        assert sum(pair.counts[place : place + pair.second.count]) == (rows.x == 98).sum()
