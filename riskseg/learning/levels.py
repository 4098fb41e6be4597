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
    is_known = values.notna().to_numpy()
    counted = np.ones(len(label)) if weight is None else weight
    level_rows = pd.DataFrame(
        {
            "level": values[is_known].astype(str).to_numpy(),
            "bad": (label * counted)[is_known],
            "all": counted[is_known],
            "party": np.arange(len(label))[is_known] if party is None else party[is_known],
        }
    )
    by_level = level_rows.groupby("level")
    level_rows = by_level[["bad", "all"]].sum()[by_level["party"].nunique() >= LEAST_PARTIES]
    rates = zip(level_rows["bad"] / level_rows["all"], level_rows.index, strict=True)
    return tuple(str(level) for _, level in sorted(rates))


def level_codes(values: pd.Series, levels: tuple[str, ...]) -> Floats:
    """The place of each row's level in the order: NaN for null, -1 for any other level."""
    codes, levels_found = pd.factorize(values)
    code_of_level = {level: float(index) for index, level in enumerate(levels)}
    codes_of_levels = np.array(
        [*(code_of_level.get(str(level), -1.0) for level in levels_found), np.nan]
    )
    return codes_of_levels[codes]
