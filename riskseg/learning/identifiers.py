"""Features that are row numbers or identifiers, and so say nothing about an account."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskseg.domain.facts import Fact
from riskseg.learning.frame import TrainingFrame

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats

# With fewer values nothing shows.
LEAST_VALUES = 100
# Numbers that are no identifiers would repeat so many times at least, by chance alone, in the range
# that they have, and these do so no more than a twentieth as often.
REPEATED_BY_CHANCE, NO_MORE_THAN = 20.0, 0.05
# The share of texts that no other account has.
OWN_TEXTS = 0.95
# The share of rows that have the value of the others of their account or party.
SAME_THROUGHOUT = 0.99
# Names of what numbers something.
NUMBERED = re.compile(
    r"(^|_|\b)(id|ids|idx|index|key|no|nr|num|number|nummer|ref|reference|row|rowid|rownum|rn|seq"
    r"|sequence|serial|uuid|guid)$|^unnamed: \d+$|^__index_level_\d+__$",
    re.IGNORECASE,
)


def identifiers(training: TrainingFrame, features: Sequence[Fact]) -> dict[str, str]:
    """Why each feature that is a row number or an identifier is one.

    Whole numbers that are (nearly) all different are, where numbers drawn at random from their
    range would repeat: a measure, such as an income, repeats more often than these, not less. Where
    the range is too wide to tell, those all different are whose name says that they number
    something. So are texts that nearly every account has its own of.
    """
    units = {"row": None, "account": training.account, "party": training.group}
    unit_codes = {
        unit: None if ids is None else pd.factorize(ids)[0].astype("int64")
        for unit, ids in units.items()
    }
    reason_by_feature: dict[str, str] = {}
    for fact in features:
        for unit, ids in unit_codes.items():
            one_value_each = _one_each(training.rows[fact.name], ids)
            if one_value_each is None or len(one_value_each) < LEAST_VALUES:
                continue
            what_it_numbers = (
                _text(one_value_each, unit)
                if fact.kind.is_textual
                else _number(one_value_each, fact.name, unit)
            )
            if what_it_numbers:
                reason_by_feature[fact.name] = f"a row number or identifier: {what_it_numbers}"
                break
    return reason_by_feature


def _one_each(values: pd.Series, ids: NDArray[Any] | None) -> pd.Series | None:
    """The known values, one for each account or party; None where theirs differ."""
    is_known = values.notna().to_numpy()
    values = values[is_known]
    if ids is None or not len(values):
        return values
    ids = ids[is_known]
    codes, _ = pd.factorize(values)
    _, first_rows, id_index = np.unique(ids, return_index=True, return_inverse=True)
    if (codes == codes[first_rows][id_index]).mean() < SAME_THROUGHOUT:
        return None
    return values.iloc[first_rows]


def _text(values: pd.Series, unit: str) -> str | None:
    different = int(values.nunique())
    if different < OWN_TEXTS * len(values):
        return None
    return f"nearly every {unit} has a text of its own"


def _number(values: pd.Series, name: str, unit: str) -> str | None:
    numbers: Floats = values.to_numpy(dtype=np.float64)
    if not np.isfinite(numbers).all() or (numbers != np.floor(numbers)).any():
        return None
    number_count, different = len(numbers), len(np.unique(numbers))
    range_ = min(float(numbers.max()) - float(numbers.min()) + 1.0, sys.float_info.max)
    by_chance = number_count + range_ * float(np.expm1(-number_count / range_))
    repeated = number_count - different
    if by_chance >= REPEATED_BY_CHANCE and repeated <= NO_MORE_THAN * by_chance:
        how_different = "different" if not repeated else "nearly all different"
        return (
            f"{number_count:,} whole numbers, {how_different} for each {unit}, where some "
            f"{by_chance:,.0f} would repeat by chance"
        )
    if not repeated and NUMBERED.search(name):
        return f"by its name, and {number_count:,} whole numbers, different for each {unit}"
    return None
