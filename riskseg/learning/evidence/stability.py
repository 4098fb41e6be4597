"""Whether rows are spread as others are: the population stability index, and how the model did
month by month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskseg.domain.facts import Fact, Kind
from riskseg.learning.canonical import fixed
from riskseg.learning.evidence.metrics import GROUPS, sums_by
from riskseg.learning.evidence.model import FeatureShift, Month, Shift, Stability
from riskseg.learning.evidence.uncertainty import auc_interval, wilson
from riskseg.learning.parties import Parties, alikeness, counted_outcomes

if TYPE_CHECKING:
    from riskseg.learning.frame import Codes, Floats, Mask, TrainingFrame

MOST_LEVELS = 20
DRIFT = 0.25
# By chance a PSI of two groups exceeds ten times its mean once in 600.
TIMES_CHANCE = 10.0
# Rows that are enough to see a shift by.
ENOUGH_ROWS = 50_000
# With fewer outcomes of a kind an AUC says nothing.
LEAST_OF_EACH = 10


def psi(
    before: NDArray[Any],
    after: NDArray[Any],
    weight_before: Floats | None = None,
    weight_after: Floats | None = None,
    groups: int | None = None,
) -> tuple[float, float]:
    """(population stability index between two sets of rows, what chance alone gives on average).

    The rows come as the number of their group, 0 and up; `groups` are counted, also where they
    are empty. PSI = Σ (q − p)·ln(q / p). Half a row is added to every group, so that an empty one
    has a finite share; a share of 0 replaced by some tiny number would decide the whole index.
    By chance: (groups − 1)·(1/n + 1/m), of independent rows (Yurdakul, *Statistical properties of
    population stability index*, 2018).
    """
    if not len(before) or not len(after):
        return 0.0, 0.0
    count = groups or int(max(before.max(), after.max())) + 1
    counts = []
    for place, weight in ((before, weight_before), (after, weight_after)):
        weight = np.ones(len(place)) if weight is None else weight
        total = float(weight.sum())
        many = total**2 / float((weight * weight).sum())
        counts.append(sums_by(place, weight, count) / total * many)
    return psi_of(*counts)


def psi_of(before: Floats, after: Floats) -> tuple[float, float]:
    """As :func:`psi`, of rows counted by group."""
    p, q = (before + 0.5) / (before + 0.5).sum(), (after + 0.5) / (after + 0.5).sum()
    by_chance = (len(p) - 1) * (1 / float(before.sum()) + 1 / float(after.sum()))
    return float(((q - p) * np.log(q / p)).sum()), by_chance


def significant(found: float, by_chance: float) -> bool:
    """Whether a PSI is a shift to act on: beyond the customary bound, which presumes many rows,
    and well beyond what chance alone gives."""
    return found > max(DRIFT, TIMES_CHANCE * by_chance)


@dataclass(frozen=True)
class Groups:
    """Tenths of the known values of some rows, or their commonest levels; nulls are a group of
    their own, as are the other levels."""

    cuts: Floats | None
    levels: tuple[str, ...]
    nulls: bool

    @classmethod
    def of(cls, values: pd.Series, fact: Fact | None, weight: Floats) -> Groups:
        """`fact` None: a number that is never null."""
        null = values.isna().to_numpy()
        if fact is not None and fact.kind.is_textual:
            known = values[~null].astype(str)
            by_level = sorted(
                _weights(known, weight[~null]).items(), key=lambda item: (-item[1], item[0])
            )
            return cls(None, tuple(level for level, _ in by_level[:MOST_LEVELS]), True)
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)[~null]
        return cls(weighted_quantiles(numbers, weight[~null], GROUPS), (), bool(null.any()))

    @property
    def count(self) -> int:
        known = len(self.levels) + 1 if self.cuts is None else len(self.cuts) + 1
        return known + 1

    def places(self, values: pd.Series) -> NDArray[Any]:
        if self.cuts is None:
            codes, distinct = pd.factorize(values)
            place = {level: index for index, level in enumerate(self.levels)}
            last = len(self.levels)
            return np.array([*(place.get(str(level), last) for level in distinct), last + 1])[codes]
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        places = np.searchsorted(self.cuts, numbers, side="right")
        places[np.isnan(numbers)] = len(self.cuts) + 1
        return places

    def psi(
        self, before: pd.Series, after: pd.Series, weight: Floats, later: Floats
    ) -> tuple[float, float]:
        """As :func:`psi`. Groups that neither side has (nulls, other levels) are none."""
        old, new = self.places(before), self.places(after)
        used, both = np.unique(np.r_[old, new], return_inverse=True)
        return psi(both[: len(old)], both[len(old) :], weight, later, max(len(used), 1))


def weighted_quantiles(values: Floats, weight: Floats, groups: int) -> Floats:
    """Distinct inner cuts into groups of equal weight; a group holds its lower cut."""
    if not len(values):
        return np.empty(0)
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weight[order])
    wanted = np.arange(1, groups) / groups * below[-1]
    places = np.searchsorted(below, wanted * (1 - 1e-12))
    return np.unique(values[order][np.minimum(places, len(values) - 1)])


def _weights(values: pd.Series, weight: Floats) -> dict[str, float]:
    codes, distinct = pd.factorize(values)
    totals = sums_by(codes, weight, len(distinct))
    return {str(level): float(total) for level, total in zip(distinct, totals, strict=True)}


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
