"""What the fitted model makes of each feature, measured by asking it.

Partial dependence (Friedman, *Greedy function approximation*, 2001): the mean margin where a
feature is set to a value and everything else is as in a sample of rows. A value that does not go
with the rest of a row is asked about all the same: read it as the model's rule, not as a cause.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskseg.domain.facts import Fact, Kind, glossed
from riskseg.learning.canonical import fixed
from riskseg.learning.evidence.metrics import sums_by
from riskseg.learning.evidence.model import Effect, EffectPoint, Level, Monotonicity
from riskseg.learning.psi import weighted_quantiles
from riskseg.learning.stored import Sign

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats

Margin = Callable[["pd.DataFrame"], "Floats"]

MOST_VALUES = 20
MOST_ROWS = 1_000
LEAST_ROWS = 200
# Rows the model is asked about in all: a wide model gets a smaller sample.
MOST_ASKED = 250_000
# How finely a declared direction is tried, and on how many rows.
STEPS = 60
STEPPED_ROWS = 100
# A turn smaller than this is rounding.
TURN = 1e-9


def effects(
    margin: Margin, rows: pd.DataFrame, weight: Floats, features: Sequence[Fact]
) -> list[Effect]:
    """The effect of every feature in log-odds, less the mean margin of the sample.

    Values are the distinct ones, at most twenty; of more, numbers take twentieths and both ends,
    text its commonest levels. Null is the last, where there are nulls. `share` is that of the
    rows nearest to the value.
    """
    sample_size = min(
        MOST_ROWS, max(LEAST_ROWS, MOST_ASKED // (MOST_VALUES * max(len(features), 1)))
    )
    sampled_rows = _sample(len(rows), sample_size)
    sample, their = rows.iloc[sampled_rows], weight[sampled_rows]
    middle = float(np.average(margin(sample), weights=their))
    measured = []
    for fact in features:
        values, shares = _values(rows[fact.name], fact, weight)
        margins = _margins(margin, sample, fact, values)
        levels = np.average(margins, axis=1, weights=their) - middle
        points = [
            EffectPoint(value=_plain(point_value), margin=fixed(effect_level), share=fixed(share))
            for point_value, effect_level, share in zip(values, levels, shares, strict=True)
        ]
        if fact.kind.is_textual:
            points.sort(
                key=lambda effect_point: (
                    effect_point.value is None,
                    effect_point.margin,
                    str(effect_point.value),
                )
            )
        measured.append(effect(fact, points))
    return measured


def effect(fact: Fact, points: list[EffectPoint]) -> Effect:
    """The effect of a feature by its points."""
    kind: Literal["number", "boolean", "text"] = "number"
    if fact.kind.is_textual:
        kind = "text"
    elif fact.kind is Kind.BOOLEAN:
        kind = "boolean"
    return Effect(
        feature=fact.name,
        words=glossed(fact.words),
        kind=kind,
        direction=_direction(fact),
        points=points,
    )


def monotone(
    margin: Margin, rows: pd.DataFrame, features: Sequence[Fact], bound: Mapping[str, int]
) -> list[Monotonicity]:
    """For every number with a declared direction, whether the fitted model keeps to it: in how
    many steps of how many rows the margin moves the other way, and how far at most.

    `bound` are the directions that the learner was held to, by feature."""
    sample = rows.iloc[_sample(len(rows), STEPPED_ROWS)]
    measured = []
    for fact in features:
        if fact.kind.is_textual or not fact.direction:
            continue
        feature_numbers = rows[fact.name].to_numpy(dtype=np.float64, na_value=np.nan)
        ordinary_numbers = feature_numbers[
            ~(np.isnan(feature_numbers) | np.isin(feature_numbers, fact.special_values))
        ]
        cuts = weighted_quantiles(ordinary_numbers, np.ones(len(ordinary_numbers)), STEPS)
        steps = (
            np.unique(np.r_[ordinary_numbers.min(), cuts, ordinary_numbers.max()])
            if len(ordinary_numbers)
            else cuts
        )
        margins = _margins(margin, sample, fact, list(steps))
        moves = np.diff(margins, axis=0) * fact.direction
        against = moves < -TURN
        measured.append(
            Monotonicity(
                feature=fact.name,
                direction=_direction(fact),
                violations=int(against.sum()),
                tried=int(moves.size),
                worst=fixed(max(0.0, -float(moves.min(initial=0.0)))) if against.any() else 0.0,
                constrained=bound.get(fact.name, 0) == fact.direction,
            )
        )
    return measured


def _sample(rows: int, many: int) -> NDArray[Any]:
    """Evenly spaced positions."""
    return np.unique(np.linspace(0, rows - 1, min(rows, many)).astype(np.int64))


def _margins(margin: Margin, sample: pd.DataFrame, fact: Fact, values: Sequence[Any]) -> Floats:
    """(values, rows): the margin of every row of the sample with the feature set to each value."""
    sample_count = len(sample)
    if not values:
        return np.zeros((0, sample_count))
    repeated_rows = sample.iloc[np.tile(np.arange(sample_count), len(values))].reset_index(
        drop=True
    )
    dtype = object if fact.kind.is_textual else np.float64
    repeated_values = np.repeat(np.array(values, dtype=dtype), sample_count)
    repeated_rows[fact.name] = pd.Series(repeated_values, dtype=dtype)
    return margin(repeated_rows).reshape(len(values), sample_count)


def _values(values: pd.Series, fact: Fact, weight: Floats) -> tuple[list[Any], list[float]]:
    """(values to ask about, the share of the rows nearest to each)."""
    null = values.isna().to_numpy()
    known_values, known_weights = values[~null], weight[~null]
    values_asked: list[Any]
    if fact.kind.is_textual:
        codes, levels = pd.factorize(known_values)
        weight_of_level = sums_by(codes, known_weights, len(levels))
        levels_by_weight = sorted(
            zip(weight_of_level, levels, strict=True),
            key=lambda weight_and_level: (-weight_and_level[0], str(weight_and_level[1])),
        )
        values_asked = [level for _, level in levels_by_weight[: MOST_VALUES - 1]]
        value_weights = [
            float(value_weight) for value_weight, _ in levels_by_weight[: MOST_VALUES - 1]
        ]
    else:
        numbers = known_values.to_numpy(dtype=np.float64)
        grid = np.unique(numbers)
        if len(grid) > MOST_VALUES - 1:
            cuts = weighted_quantiles(numbers, known_weights, MOST_VALUES - 3)
            grid = np.unique(np.r_[grid[0], cuts, grid[-1]])
        halves = grid / 2  # of two huge numbers, the sum is infinite
        nearest = np.searchsorted(halves[1:] + halves[:-1], numbers)
        values_asked = [float(grid_value) for grid_value in grid]
        value_weights = [
            float(value_weight) for value_weight in sums_by(nearest, known_weights, len(grid))
        ]
    if null.any():
        values_asked.append(None if fact.kind.is_textual else np.nan)
        value_weights.append(float(weight[null].sum()))
    all_weight = float(weight.sum())
    return values_asked, [value_weight / all_weight for value_weight in value_weights]


def _direction(fact: Fact) -> Sign:
    return 1 if fact.direction > 0 else -1 if fact.direction < 0 else 0


def _plain(value: Any) -> Level:
    if value is None or value != value:
        return None
    return fixed(value) if isinstance(value, float) else str(value)
