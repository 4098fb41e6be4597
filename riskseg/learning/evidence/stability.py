"""Whether the distribution of rows has moved (the population stability index), and how the model
did month by month."""

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
    fitted_series, held_series = pd.Series(fitted), pd.Series(beyond)
    probability_groups = Groups.of(fitted_series, None, training.weight)
    psi_found, chance = probability_groups.psi(
        fitted_series, held_series, training.weight, held.weight
    )
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
        feature_values = training.rows[fact.name]
        if later is not None:
            probability_groups = Groups.of(feature_values[~later], fact, training.weight[~later])
            halves = probability_groups.psi(
                feature_values[~later],
                feature_values[later],
                training.weight[~later],
                training.weight[later],
            )
            change_of_feature = change(feature_values[~later], feature_values[later])
            shifts.append(
                _shift(fact.name, halves, "training halves", whose, later, change_of_feature)
            )
        probability_groups = Groups.of(feature_values, fact, training.weight)
        shift = probability_groups.psi(
            feature_values, held.rows[fact.name], training.weight, held.weight
        )
        change_of_feature = change(feature_values, held.rows[fact.name])
        shifts.append(_shift(fact.name, shift, "hold-out", both, is_held, change_of_feature))
    return Stability(
        probability=Shift(psi=fixed(psi_found), by_chance=fixed(chance)), features=shifts
    )


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
        codes_by_part = codes[: len(training)], codes[len(training) :]
        if len(parties) == len(codes):
            return cls(*codes_by_part, None)
        some = codes_by_part[0] % (-(-len(within) // ENOUGH_ROWS) or 1) == 0
        probability_fact = Fact("p", Kind.NUMBER)
        return cls(
            *codes_by_part,
            alikeness(pd.Series(within[some]), probability_fact, codes_by_part[0][some]),
        )

    def times_chance(self, chosen: Mask, *, of_training: bool = False) -> float:
        """How many times as far as those of independent rows the probabilities of chosen rows go by
        chance from those of all training rows."""
        if self.alike is None:
            return 1.0
        codes_after = (self.training if of_training else self.held)[chosen]
        codes = np.concatenate([self.training, codes_after])
        is_later = np.repeat([False, True], [len(self.training), len(codes_after)])
        return Parties(codes, {"p": self.alike}).times_chance("p", is_later)


def _thinned(frame: TrainingFrame, probability: Floats) -> tuple[TrainingFrame, Floats]:
    """Evenly spaced rows, where there are more than enough."""
    stride = -(-len(frame) // ENOUGH_ROWS)
    if stride < 2:
        return frame, probability
    every_nth = np.arange(0, len(frame), stride)
    return frame.where(every_nth), probability[every_nth]


def _shift(
    name: str,
    shift: tuple[float, float],
    part: str,
    parties: Parties | None,
    later: Mask,
    changed: dict[str, Any],
) -> FeatureShift:
    times = parties.times_chance(name, later) if parties is not None else 1.0
    psi_rounded, by_chance = fixed(shift[0]), fixed(times * shift[1])
    return FeatureShift(feature=name, psi=psi_rounded, by_chance=by_chance, part=part, **changed)


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
    fitted_series = pd.Series(fitted)
    probability_groups = Groups.of(fitted_series, None, training.weight)
    whose = _Whose.of(training, fitted, held)
    by_month = []
    parts_of_time: tuple[
        tuple[Literal["training", "hold_out"], TrainingFrame, Floats, Floats], ...
    ] = (
        ("training", training, within, fitted),
        ("hold_out", held, beyond, beyond),
    )
    for part_name, frame, probability, spread in parts_of_time:
        months = frame.as_of.astype("datetime64[M]")
        for month in np.unique(months[~np.isnat(months)]):
            in_month = months == month
            rows_of_month = frame.where(in_month)
            shift, chance = probability_groups.psi(
                fitted_series, pd.Series(spread[in_month]), training.weight, rows_of_month.weight
            )
            chance *= whose.times_chance(in_month, of_training=part_name == "training")
            by_month.append(
                Month(
                    from_=str(rows_of_month.as_of.min().astype("datetime64[D]")),
                    until=str(rows_of_month.as_of.max().astype("datetime64[D]")),
                    part=part_name,
                    **judged(rows_of_month, probability[in_month]),
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
