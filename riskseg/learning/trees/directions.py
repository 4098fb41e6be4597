"""Declared directions of risk that the data refuse.

Whether a fitted model keeps the directions it is held to is measured on the model itself
(`effects.monotone`): LightGBM's issues 5358 and 6155 report violated constraints.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats, Labels
    from riskseg.learning.parties import Parties

# Groups of equal count a feature's bad rates are compared over.
GROUPS = 20
# Twice the log-likelihood the direction alone costs one feature, above which it is refused: with
# no trend at all, 20 groups lose about 17, seldom as much as 45.
REFUSED = 45.0


def refused(
    matrix: Floats,
    label: Labels,
    weight: Floats,
    directions: Sequence[int],
    party: Parties | None = None,
    names: Sequence[str] = (),
) -> tuple[int, ...]:
    """The directions with 0 for those that the feature on its own speaks against.

    Twice the log-likelihood between the bad rates of 20 groups of equal count and the nearest
    rates in the direction (isotonic regression by pooling adjacent violators); weights are
    scaled to the number of rows, so that sampling adds no evidence. Where a `party` has several
    rows they count for as many as their design effect leaves; `names` are the features.
    """
    from sklearn.isotonic import IsotonicRegression

    scaled = weight * (len(weight) / weight.sum())
    allowed = list(directions)
    for index, direction in enumerate(directions):
        column_values = matrix[:, index]
        not_null = ~np.isnan(column_values)
        if not direction or not not_null.any():
            continue
        edges = np.unique(np.quantile(column_values[not_null], np.linspace(0, 1, GROUPS + 1)[1:-1]))
        group_of_row = np.searchsorted(edges, column_values[not_null], side="left")
        rows_by_group = np.bincount(group_of_row, scaled[not_null], len(edges) + 1).astype(
            np.float64
        )
        bads_by_group = np.bincount(
            group_of_row, scaled[not_null] * label[not_null], len(edges) + 1
        ).astype(np.float64)
        occurs = rows_by_group > 0
        bads_by_group, rows_by_group = bads_by_group[occurs], rows_by_group[occurs]
        isotonic = IsotonicRegression(increasing=direction > 0)
        shares = bads_by_group / rows_by_group
        rates = isotonic.fit_transform(
            np.arange(len(rows_by_group)), shares, sample_weight=rows_by_group
        )
        likelihood_lost = 2 * (
            _likelihood(bads_by_group, rows_by_group, shares)
            - _likelihood(bads_by_group, rows_by_group, rates)
        )
        if party is not None:
            # What is left of outcomes by the rates that speak against the direction: raw rates
            # would be those of the parties themselves.
            against = IsotonicRegression(increasing=direction < 0)
            rates = against.fit_transform(
                np.arange(len(rows_by_group)), shares, sample_weight=rows_by_group
            )
            error = np.zeros(len(label))
            error[not_null] = scaled[not_null] * (
                label[not_null] - rates[np.cumsum(occurs)[group_of_row] - 1]
            )
            likelihood_lost /= party.design_effect(error, names[index])
        if likelihood_lost > REFUSED:
            allowed[index] = 0
    return tuple(allowed)


def _likelihood(bad: Floats, count: Floats, rate: Floats) -> float:
    sure = np.clip(rate, 1e-12, 1 - 1e-12)
    return float((bad * np.log(sure) + (count - bad) * np.log1p(-sure)).sum())
