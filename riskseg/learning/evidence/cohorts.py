"""How the model does for each level of an attribute, and whom a cut takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from riskseg.domain.facts import Fact, Kind
from riskseg.learning.canonical import fixed
from riskseg.learning.evidence.metrics import expected_calibration_error, sums_by
from riskseg.learning.evidence.stability import judged, weighted_quantiles
from riskseg.learning.evidence.uncertainty import wilson

if TYPE_CHECKING:
    import pandas as pd

    from riskseg.learning.frame import Floats, Mask, TrainingFrame

MOST_LEVELS = 20
# A number of more values than this is cut into quarters.
FEW_VALUES = 6
QUARTERS = 4
OTHER = "other levels"


def cohorts(
    held: TrainingFrame, probability: Floats, attributes: Sequence[Fact], cut: float
) -> list[dict[str, Any]]:
    """One entry an attribute and level, null being a level of its own.

    `above_cut` is the share whose probability is at least `cut`; `bad_above_cut` that of the bad
    outcomes (equal for all levels: equality of opportunity, Hardt et al. 2016), `good_above_cut`
    that of the good ones.
    """
    import numpy as np

    found = []
    for fact in attributes:
        for level, chosen in levels_of(held.rows[fact.name], fact, held.weight):
            rows, told = held.where(chosen), probability[chosen]
            above = (told >= cut).astype(np.int8)
            entry = {
                "attribute": fact.name,
                "level": level,
                **judged(rows, told),
                "expected_calibration_error": fixed(
                    expected_calibration_error(rows.label, told, rows.weight)
                ),
                "above_cut": list(wilson(above, rows.weight, rows.group)),
                "cut": fixed(cut),
            }
            for name, outcome in (("bad", 1), ("good", 0)):
                these = rows.label == outcome
                share = (
                    list(wilson(above[these], rows.weight[these], rows.group[these]))
                    if these.any()
                    else None
                )
                entry[f"{name}_above_cut"] = share
            found.append(entry)
    return found


def levels_of(
    values: pd.Series, fact: Fact, weight: Floats
) -> Iterator[tuple[str | bool | float | None, Mask]]:
    """(level, its rows) of an attribute that is yes or no, text, or a number; None is null.

    Text beyond the commonest levels is one level together; a number of many values is cut into
    quarters, a date into years.
    """
    import numpy as np
    import pandas as pd

    null = values.isna().to_numpy()
    if fact.kind.is_textual or fact.kind is Kind.DATE:
        text = values.astype(object).where(~null, None)
        if fact.kind is Kind.DATE:
            text = text.map(lambda day: None if day is None else str(day)[:4])
        codes, found = pd.factorize(text)
        sums = sums_by(codes[codes >= 0], weight[codes >= 0], len(found))
        order = sorted(range(len(found)), key=lambda place: (-sums[place], str(found[place])))
        for place in sorted(order[:MOST_LEVELS], key=lambda place: str(found[place])):
            yield str(found[place]), codes == place
        if order[MOST_LEVELS:]:
            yield OTHER, np.isin(codes, order[MOST_LEVELS:])
    else:
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        distinct = np.unique(numbers[~null])
        if fact.kind is Kind.BOOLEAN or len(distinct) <= FEW_VALUES:
            for one in distinct:
                yield bool(one) if fact.kind is Kind.BOOLEAN else float(one), numbers == one
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
