"""How the features of accounts become the numbers that trees are grown on.

Text goes in as the position of its level in the order of risk. A null is a value of its own where
training saw nulls; elsewhere it counts as the median of training, never as 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from riskseg.domain.facts import Fact
from riskseg.learning.levels import level_codes, levels_by_risk
from riskseg.learning.parties import Parties

if TYPE_CHECKING:
    import pandas as pd

    from riskseg.learning.frame import Floats, Labels


@dataclass(frozen=True)
class Column:
    """How a feature becomes a number. `fill` stands in for a null training never saw;
    `direction` is the one its trees are held to; `special_values` are the codes of
    a feature that is held to a direction: they have no place in it, and count as nulls."""

    name: str
    levels: tuple[str, ...] | None
    fill: float | None
    gain: float = 0.0
    direction: int = 0
    special_values: tuple[float, ...] = ()

    def numbers(self, batch: pd.DataFrame) -> Floats:
        column_values = batch[self.name]
        if self.levels is None:
            column_numbers: Floats = column_values.to_numpy(
                dtype=np.float64, na_value=np.nan, copy=True
            )
            if self.special_values:
                column_numbers[np.isin(column_numbers, self.special_values)] = np.nan
        else:
            column_numbers = level_codes(column_values, self.levels)
            column_numbers[column_numbers < 0] = np.nan
        if self.fill is not None:
            column_numbers[np.isnan(column_numbers)] = self.fill
        return column_numbers


def columns_of(
    rows: pd.DataFrame,
    label: Labels,
    weight: Floats,
    features: Sequence[Fact],
    party: Parties | None = None,
) -> tuple[Column, ...]:
    codes = None if party is None else party.codes
    tree_columns = []
    for fact in features:
        feature_values = rows[fact.name]
        levels = (
            levels_by_risk(feature_values, label, weight, codes) if fact.kind.is_textual else None
        )
        special = fact.special_values if fact.direction else ()
        column = Column(fact.name, levels, None, special_values=special)
        numbers = column.numbers(rows)
        if not np.isnan(numbers).any():
            # Halves: of two huge numbers, the sum is infinite.
            column = replace(column, fill=2 * float(np.median(numbers / 2)))
        tree_columns.append(column)
    return tuple(tree_columns)


def matrix_of(batch: pd.DataFrame, columns: Sequence[Column]) -> Floats:
    """(rows, features), the values of a feature side by side in memory: they are coded together."""
    matrix = np.empty((len(batch), len(columns)), order="F")
    for index, column in enumerate(columns):
        matrix[:, index] = column.numbers(batch)
    return matrix
