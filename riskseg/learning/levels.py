"""Text as numbers: the levels of a feature in rising order of risk.

Both learners read text this way: a scorecard groups neighbouring levels into bins, and trees
split the order. A level too rare to judge, or never seen, has no place in the order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskseg.learning.parties import LEAST_PARTIES

if TYPE_CHECKING:
    from riskseg.learning.frame import Codes, Floats, Labels

# As for parties, where every row is one.
LEAST_ROWS = LEAST_PARTIES


def levels_by_risk(
    values: pd.Series, label: Labels, weight: Floats | None = None, party: Codes | None = None
) -> tuple[str, ...]:
    """Levels of enough parties, from the lowest (weighted) share of bad outcomes to the highest.

    Without `party` every row is one.
    """
    known = values.notna().to_numpy()
    counted = np.ones(len(label)) if weight is None else weight
    table = pd.DataFrame(
        {
            "level": values[known].astype(str).to_numpy(),
            "bad": (label * counted)[known],
            "all": counted[known],
            "party": np.arange(len(label))[known] if party is None else party[known],
        }
    )
    by_level = table.groupby("level")
    table = by_level[["bad", "all"]].sum()[by_level["party"].nunique() >= LEAST_PARTIES]
    rates = zip(table["bad"] / table["all"], table.index, strict=True)
    return tuple(str(level) for _, level in sorted(rates))


def level_codes(values: pd.Series, levels: tuple[str, ...]) -> Floats:
    """The place of each row's level in the order: NaN for null, -1 for any other level."""
    codes, levels_there = pd.factorize(values)
    code_of_level = {level: float(index) for index, level in enumerate(levels)}
    codes_of_levels = np.array(
        [*(code_of_level.get(str(level), -1.0) for level in levels_there), np.nan]
    )
    return codes_of_levels[codes]
