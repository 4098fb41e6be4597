"""Whether rows are spread as others are: the population stability index, and how the model did
month by month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from riskseg.domain.facts import Fact, Kind
from riskseg.learning.canonical import fixed
from riskseg.learning.evidence.model import FeatureShift, Month, Shift, Stability
from riskseg.learning.evidence.uncertainty import auc_interval, wilson
from riskseg.learning.parties import Parties, alikeness, counted_outcomes
from riskseg.learning.psi import Groups

if TYPE_CHECKING:
    from riskseg.learning.frame import Codes, Floats, Mask, TrainingFrame

# Rows that are enough to see a shift by.
ENOUGH_ROWS = 50_000
# With fewer outcomes of a kind an AUC says nothing.
LEAST_OF_EACH = 10


def stability(
    features: Sequence[Fact],
    training: TrainingFrame,
    fitted: Floats,
    held: TrainingFrame,
    beyond: Floats,
) -> Stability:
    """PSI of the probability and the features: of the hold-out against training, and of the later
    half of the training dates against the earlier.

    `fitted` and `beyond` are probabilities by one and the same function, so that the PSI shows a
    change of the population alone: those of rows out of fold come from other functions.
    """
    training, fitted = _thinned(training, fitted)
    held, beyond = _thinned(held, beyond)
    before, after = pd.Series(fitted), pd.Series(beyond)
    groups = Groups.of(before, None, training.weight)
    found, chance = groups.psi(before, after, training.weight, held.weight)
    chance *= _Whose.of(training, fitted, held).times_chance(np.ones(len(held), dtype=bool))
    later = later_half(training)
    whose = Parties.of(training.group, training.rows, features)
    both: Parties | None = None
    is_held = np.repeat([False, True], [len(training), len(held)])
    if whose is not None:
        groups_of = np.concatenate([training.group, held.group])
        both = replace(whose, codes=pd.factorize(groups_of)[0].astype(np.int64))
    shifts = []
    for fact in features:
        values = training.rows[fact.name]
        if later is not None:
            groups = Groups.of(values[~later], fact, training.weight[~later])
            halves = groups.psi(
                values[~later], values[later], training.weight[~later], training.weight[later]
            )
            changed = change(values[~later], values[later])
            shifts.append(_shift(fact.name, halves, "training halves", whose, later, changed))
        groups = Groups.of(values, fact, training.weight)
        shift = groups.psi(values, held.rows[fact.name], training.weight, held.weight)
        changed = change(values, held.rows[fact.name])
        shifts.append(_shift(fact.name, shift, "hold-out", both, is_held, changed))
    return Stability(probability=Shift(psi=fixed(found), by_chance=fixed(chance)), features=shifts)


@dataclass(frozen=True)
class _Whose:
    """The party of each row of the training window and of the hold-out, numbered alike, and how
    alike probabilities are within a party; None where every row is a party of its own."""

    training: Codes
    held: Codes
    alike: float | None

    @classmethod
    def of(cls, training: TrainingFrame, within: Floats, held: TrainingFrame) -> _Whose:
        codes, parties = pd.factorize(np.concatenate([training.group, held.group]))
        codes = codes.astype(np.int64)
        parts = codes[: len(training)], codes[len(training) :]
        if len(parties) == len(codes):
            return cls(*parts, None)
        some = parts[0] % (-(-len(within) // ENOUGH_ROWS) or 1) == 0
        p = Fact("p", Kind.NUMBER)
        return cls(*parts, alikeness(pd.Series(within[some]), p, parts[0][some]))

    def times_chance(self, chosen: Mask, *, of_training: bool = False) -> float:
        """How many times as far as those of independent rows the probabilities of chosen rows go by
        chance from those of all training rows."""
        if self.alike is None:
            return 1.0
        rows = (self.training if of_training else self.held)[chosen]
        codes = np.concatenate([self.training, rows])
        later = np.repeat([False, True], [len(self.training), len(rows)])
        return Parties(codes, {"p": self.alike}).times_chance("p", later)


def _thinned(frame: TrainingFrame, probability: Floats) -> tuple[TrainingFrame, Floats]:
    """Evenly spaced rows, where there are more than enough."""
    stride = -(-len(frame) // ENOUGH_ROWS)
    if stride < 2:
        return frame, probability
    chosen = np.arange(0, len(frame), stride)
    return frame.where(chosen), probability[chosen]


def _shift(
    name: str,
    shift: tuple[float, float],
    part: str,
    parties: Parties | None,
    later: Mask,
    changed: dict[str, Any],
) -> FeatureShift:
    times = parties.times_chance(name, later) if parties is not None else 1.0
    found, by_chance = fixed(shift[0]), fixed(times * shift[1])
    return FeatureShift(feature=name, psi=found, by_chance=by_chance, part=part, **changed)


def change(before: pd.Series, after: pd.Series) -> dict[str, str]:
    """Whether a column is new, null in all rows before, or gone, null in all rows after."""
    null = bool(before.isna().all()), bool(after.isna().all())
    words = {(True, False): "new", (False, True): "gone"}.get(null)
    return {"change": words} if words and len(before) and len(after) else {}


def later_half(training: TrainingFrame) -> Mask | None:
    """The rows after the median date; None where all are of one date, or of none."""
    days = training.as_of[~np.isnat(training.as_of)]
    if not len(days) or days.min() == days.max():
        return None
    later: Mask = training.as_of > np.sort(days)[(len(days) - 1) // 2]
    return later


def by_snapshot(
    training: TrainingFrame,
    within: Floats,
    held: TrainingFrame,
    beyond: Floats,
    fitted: Floats,
) -> list[Month]:
    """How the model did in each calendar month of the training window and of the hold-out; none
    where the accounts carry no dates.

    Training months are judged by the probabilities out of fold (`within`). PSI is that of the
    month's probabilities against all of training, both by the function that gave `beyond`.
    """
    whole = pd.Series(fitted)
    groups = Groups.of(whole, None, training.weight)
    whose = _Whose.of(training, fitted, held)
    by_month = []
    parts: tuple[tuple[Literal["training", "hold_out"], TrainingFrame, Floats, Floats], ...] = (
        ("training", training, within, fitted),
        ("hold_out", held, beyond, beyond),
    )
    for part, frame, probability, spread in parts:
        months = frame.as_of.astype("datetime64[M]")
        for month in np.unique(months[~np.isnat(months)]):
            chosen = months == month
            rows = frame.where(chosen)
            shift, chance = groups.psi(
                whole, pd.Series(spread[chosen]), training.weight, rows.weight
            )
            chance *= whose.times_chance(chosen, of_training=part == "training")
            by_month.append(
                Month(
                    from_=str(rows.as_of.min().astype("datetime64[D]")),
                    until=str(rows.as_of.max().astype("datetime64[D]")),
                    part=part,
                    **judged(rows, probability[chosen]),
                    psi=fixed(shift),
                    by_chance=fixed(chance),
                )
            )
    return by_month


def judged(frame: TrainingFrame, probability: Floats) -> dict[str, Any]:
    """The fields of :class:`Judged` of some rows."""
    few = min(counted_outcomes(frame.group, frame.label, frame.weight)) < LEAST_OF_EACH
    area = None if few else auc_interval(frame.label, probability, frame.weight, frame.group)
    return {
        "rows": len(frame),
        "bad": fixed(float((frame.weight * frame.label).sum())),
        "auc": area,
        "mean": fixed(float(np.average(probability, weights=frame.weight))),
        "rate": wilson(frame.label, frame.weight, frame.group),
    }
