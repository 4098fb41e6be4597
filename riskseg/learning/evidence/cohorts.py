"""How the model does for each level of an attribute, and whom a cut takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskseg.domain.facts import Fact, Kind
from riskseg.learning.canonical import fixed
from riskseg.learning.evidence.metrics import expected_calibration_error, sums_by
from riskseg.learning.evidence.model import Cohort, Level
from riskseg.learning.evidence.stability import judged
from riskseg.learning.evidence.uncertainty import wilson
from riskseg.learning.psi import weighted_quantiles

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats, Mask, TrainingFrame

MOST_LEVELS = 20
# A number of more values than this is cut into quarters.
FEW_VALUES = 6
QUARTERS = 4
OTHER = "other levels"


def cohorts(
    held: TrainingFrame, probability: Floats, attributes: Sequence[Fact], cut: float
) -> list[Cohort]:
    """One entry an attribute and level, null being a level of its own.

    `above_cut` is the share whose probability is at least `cut`; `bad_above_cut` that of the bad
    outcomes (equal for all levels: equality of opportunity, Hardt et al. 2016), `good_above_cut`
    that of the good ones.
    """
    compared = []
    for fact in attributes:
        for cohort_level, is_level in levels_of(held.rows[fact.name], fact, held.weight):
            rows_of_level, their_probability = held.where(is_level), probability[is_level]
            is_above_cut = (their_probability >= cut).astype(np.int8)
            above_by_outcome = [
                wilson(
                    is_above_cut[outcome],
                    rows_of_level.weight[outcome],
                    rows_of_level.group[outcome],
                )
                if outcome.any()
                else None
                for outcome in (rows_of_level.label == 0, rows_of_level.label == 1)
            ]
            error = expected_calibration_error(
                rows_of_level.label, their_probability, rows_of_level.weight
            )
            compared.append(
                Cohort(
                    attribute=fact.name,
                    level=cohort_level,
                    **judged(rows_of_level, their_probability),
                    expected_calibration_error=fixed(error),
                    above_cut=wilson(is_above_cut, rows_of_level.weight, rows_of_level.group),
                    cut=fixed(cut),
                    bad_above_cut=above_by_outcome[1],
                    good_above_cut=above_by_outcome[0],
                )
            )
    return compared


def levels_of(values: pd.Series, fact: Fact, weight: Floats) -> Iterator[tuple[Level, Mask]]:
    """(level, its rows) of an attribute that is yes or no, text, or a number; None is null.

    Text beyond the commonest levels is one level together; a number of many values is cut into
    quarters, a date into years.
    """
    null = values.isna().to_numpy()
    if fact.kind.is_textual or fact.kind is Kind.DATE:
        text_values = values.astype(object).where(~null, None)
        if fact.kind is Kind.DATE:
            text_values = text_values.map(lambda day: None if day is None else str(day)[:4])
        codes, levels = pd.factorize(text_values)
        weight_by_level = sums_by(codes[codes >= 0], weight[codes >= 0], len(levels))
        order = sorted(
            range(len(levels)),
            key=lambda level_place: (-weight_by_level[level_place], str(levels[level_place])),
        )
        for level_place in sorted(
            order[:MOST_LEVELS], key=lambda level_place: str(levels[level_place])
        ):
            yield str(levels[level_place]), codes == level_place
        if order[MOST_LEVELS:]:
            yield OTHER, np.isin(codes, order[MOST_LEVELS:])
    else:
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        distinct = np.unique(numbers[~null])
        if fact.kind is Kind.BOOLEAN or len(distinct) <= FEW_VALUES:
            as_level = bool if fact.kind is Kind.BOOLEAN else float
            for distinct_number in distinct:
                yield as_level(distinct_number), numbers == distinct_number
        else:
            cuts = weighted_quantiles(numbers[~null], weight[~null], QUARTERS)
            quarter = np.searchsorted(cuts, numbers, side="right")
            for index in np.unique(quarter[~null]):
                yield _between(cuts, int(index)), (quarter == index) & ~null
    if null.any():
        yield None, null


def _between(cuts: Floats, index: int) -> str:
    if index == 0:
        return f"below {cuts[0]:g}"
    if index == len(cuts):
        return f"{cuts[-1]:g} and above"
    return f"{cuts[index - 1]:g} to below {cuts[index]:g}"
