"""The classic scorecard: weights of evidence, and a logistic regression on them.

Formulae: Siddiqi, *Intelligent Credit Scoring* (2nd ed., 2017), chapter 6.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riskseg.domain.facts import Fact, Kind
from riskseg.learning.canonical import fixed
from riskseg.learning.levels import levels_by_risk
from riskseg.learning.parallel import side_by_side
from riskseg.learning.parties import NO_MORE_THAN_CHANCE, Parties
from riskseg.learning.scorecard.additive_fit import line_block
from riskseg.learning.scorecard.additive_pairs import beyond_chance
from riskseg.learning.scorecard.binning import (
    LEAST_ROWS,
    best_starts,
    prebin_cuts,
    refuses,
    unstable,
)
from riskseg.learning.scorecard.controls import AS_IT_COMES, Controls
from riskseg.learning.scorecard.edits import Edit, around, hand_bins
from riskseg.learning.scorecard.optimal import LEAST_SHARE, load_optbinning, optimal_bins
from riskseg.learning.scorecard.regression import regress
from riskseg.learning.scorecard.tables import Bins, Scorecard, Table, base_for, points_for

if TYPE_CHECKING:
    import pandas as pd

    from riskseg.learning.frame import Floats, Folds, Labels, Mask

    Places = NDArray[np.int64]

# Rows that are enough to choose a setting by.
ENOUGH_TO_CHOOSE = 50_000
# Of many settings, those that do best on the first folds are judged on the others.
FIRST_FOLDS, SECOND_ROUND = 2, 4
# A bin with fewer rows than the first in one half of the window, where the other half leads one
# to expect at least the second, is a bin of the other half's time.
NEARLY_EMPTY, EXPECTED = 5, 25


@dataclass(frozen=True)
class Setting:
    """How bins are cut and weighed.

    `penalty`: log-likelihood a cut must gain. `least_share`: of the rows, in a bin. `above_chance`:
    standard deviations by which a feature's information must exceed what chance gives (the
    customary fixed 0.02 throws away what large samples know, and keeps noise in small ones).
    `turned`: whether a feature without a declared direction may have a coefficient whose sign
    turns beside the others. `average`: every bin is counted as if it also held so many average
    accounts, so that a bin of a few rows does not claim certainty, and an empty one says nothing
    (its weight of evidence is 0).
    """

    penalty: float
    least_share: float
    above_chance: float = 0.0
    turned: bool = False
    average: float = 10.0

    def __str__(self) -> str:
        signs = "kept" if self.turned else "dropped"
        return (
            f"bins of {self.least_share:.1%} or more, {self.penalty:g} of log-likelihood a cut, "
            f"{self.above_chance:g} deviations above chance, turned signs {signs}, "
            f"{self.average:g} average accounts added to a bin"
        )


# From coarse to fine.
CUTTING = tuple(
    Setting(penalty, share) for penalty in (4.0, 1.0, 0.25, 0.05) for share in (0.05, 0.02, 0.002)
)
WEIGHING = tuple((chance, average) for chance in (3.0, 0.0) for average in (30.0, 10.0))


def fit_classic(
    rows: pd.DataFrame,
    label: Labels,
    weight: Floats,
    features: Sequence[Fact],
    folds: Folds,
    *,
    controls: Controls = AS_IT_COMES,
    turned_signs: bool = False,
    snapshots: NDArray[np.datetime64] | None = None,
    party: Parties | None = None,
    seed: int = 0,
    threads: int = 1,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[Scorecard, Floats, list[dict[str, Any]]]:
    """(the scorecard, each row's margin from one that did not see its fold, what was tried).

    `label` is 1 for the bad outcome, and both occur outside every fold. `snapshots` are the
    rows' dates: where they span two or more, bins must hold in both halves of their time. `party`
    numbers the party of each row, where one has several. The setting is chosen on the folds by
    mean log loss; bins, levels and the choice of features are learned anew in every fold. With
    `turned_signs` a feature without a declared direction may have points that run against its
    weights of evidence, beside the other features. Nothing here is random: `seed` and `threads`
    change nothing.
    """
    if controls.optimal:
        say("loading optbinning")
        load_optbinning()
    later = _later(snapshots)
    data = _Data(rows, label, weight, controls.directed(features), controls, later, party)
    some = slice(None, None, -(-len(label) // ENOUGH_TO_CHOOSE) or 1)
    sample = data if some.step == 1 else data.only(some)
    folds_there = list(np.unique(folds))
    say("binning finely")
    parts = side_by_side(lambda fold: _prepare(sample, folds[some] != fold), folds_there, threads)
    losses: dict[tuple[Setting, int], float] = {}

    def mean(setting: Setting) -> float:
        """Over the folds that the setting was judged on."""
        return float(np.mean([loss for (one, _), loss in losses.items() if one == setting]))

    def best_of(settings: Sequence[Setting]) -> Setting:
        if len(settings) > SECOND_ROUND and len(parts) > FIRST_FOLDS:
            reckon(settings, FIRST_FOLDS)
            settings = sorted(settings, key=mean)[:SECOND_ROUND]
        reckon(settings, len(parts))
        # The best, not the coarsest within one standard error of it: on small samples the error
        # is wide, and the coarser bins measured 0.01 of AUC worse.
        return min(settings, key=lambda setting: round(mean(setting), 6))

    def reckon(settings: Sequence[Setting], count: int) -> None:
        pieces = [(one, n) for one in settings for n in range(count) if (one, n) not in losses]
        found = side_by_side(
            lambda piece: _loss(sample, parts[piece[1]], piece[0]), pieces, threads
        )
        losses.update(zip(pieces, found, strict=True))

    cutting = _cutting(controls)
    say(f"trying {len(cutting)} {'way' if len(cutting) == 1 else 'ways'} to cut")
    setting = best_of(cutting)
    weighing = [
        replace(setting, above_chance=chance, turned=turned_signs, average=average)
        for chance, average in WEIGHING
    ]
    say(f"trying {len(weighing)} ways to weigh")
    setting = best_of(weighing)
    judged = dict.fromkeys(one for one, _ in losses)
    tried = [_record(one, losses, len(parts), one == setting) for one in judged]
    say("fitting to all folds and rows")

    def card(fold: int | None) -> Scorecard:
        seen = np.ones(len(label), dtype=np.bool_) if fold is None else folds != fold
        prepared = parts[folds_there.index(fold)] if fold is not None and sample is data else None
        return _card(data, prepared or _prepare(data, seen), setting)

    *cards, whole = side_by_side(card, [*folds_there, None], threads)
    outside = np.zeros(len(label))
    for fold, one in zip(folds_there, cards, strict=True):
        outside[folds == fold] = one.margin(rows[folds == fold])
    return whole, outside, tried


def _cutting(controls: Controls) -> Sequence[Setting]:
    """The ways to cut that the controls leave a choice of."""
    if controls.optimal:  # it cuts by itself
        return (Setting(0.0, controls.min_bin_share or LEAST_SHARE),)
    if controls.min_bin_share is None:
        return CUTTING
    given = [replace(one, least_share=controls.min_bin_share) for one in CUTTING]
    return tuple(dict.fromkeys(given))


def _record(
    setting: Setting, losses: Mapping[tuple[Setting, int], float], folds: int, chosen: bool
) -> dict[str, Any]:
    found = [loss for (one, _), loss in losses.items() if one == setting]
    over = "" if len(found) == folds else f", {len(found)} folds"
    return {
        "what": f"{setting}{over}",
        "log_loss": fixed(sum(found) / len(found)),
        "chosen": chosen,
    }


@dataclass(frozen=True)
class _Data:
    rows: pd.DataFrame
    label: Labels
    weight: Floats
    features: tuple[Fact, ...]
    controls: Controls
    later: Mask | None
    party: Parties | None

    def only(self, some: slice) -> _Data:
        """The same of some of the rows."""
        return replace(
            self,
            rows=self.rows.iloc[some].reset_index(drop=True),
            label=self.label[some],
            weight=self.weight[some],
            later=None if self.later is None else self.later[some],
            party=None if self.party is None else self.party.where(some),
        )


@dataclass(frozen=True)
class _Column:
    """A feature in pre-bins. `places` is the pre-bin of every row, seen or not; the other arrays
    have one entry a pre-bin and are of the rows seen: `counts` and `bads` effective rows, `held`
    parties. `idle` says that it tells no more of parties than chance would. `given` are the cuts
    where they are not to be searched for, `note` says why there are none. `ordinary` are the
    pre-bins along the value that are no code. `halves` are (rows, bad ones), effective too, in the
    first and in the second half of the window."""

    fact: Fact
    fine: Bins
    by_hand: bool
    given: frozenset[float] | None
    note: str
    places: Places
    idle: bool
    ordinary: Places
    counts: Floats
    bads: Floats
    held: Floats
    halves: tuple[tuple[Floats, Floats], ...]


@dataclass(frozen=True)
class _Part:
    """The rows seen by one fit. `scale` turns weights into effective rows."""

    seen: Mask
    scale: float
    columns: tuple[_Column, ...]


@dataclass(frozen=True)
class _Weighed:
    """A feature with its bins: `groups` gives the bin of evidence of every pre-bin."""

    column: _Column
    groups: Places
    woe: Floats
    information: float
    by_chance: float
    free: int
    notes: tuple[str, ...]

    @property
    def fine_woe(self) -> Floats:
        values: Floats = self.woe[self.groups]
        return values


def _later(snapshots: NDArray[np.datetime64] | None) -> Mask | None:
    """Marks the rows of the second half of the window; None where there is one date at most."""
    if snapshots is None:
        return None
    days = np.asarray(snapshots).astype("datetime64[D]")
    known = days[~np.isnat(days)]
    if not len(known) or known.min() == known.max():
        return None
    return np.asarray(days > known.min() + (known.max() - known.min()) // 2)


def _prepare(data: _Data, seen: Mask) -> _Part:
    """Pre-bins and their counts, from the rows seen alone."""
    label, weight = data.label[seen], data.weight[seen]
    bad = label == 1
    # A sample of n rows with weights w tells as much as (sum w)² / sum w² rows without (Kish,
    # *Survey Sampling*, 1965); of the two outcomes, the rarer decides how much both tell.
    each = [w.sum() ** 2 / (w**2).sum() for w in (weight[bad], weight[~bad])]
    rate = float(weight[bad].sum() / weight.sum())
    scale = 1 / (rate * (1 - rate) * (1 / each[0] + 1 / each[1])) / float(weight.sum())
    later = data.later[seen] if data.later is not None else None
    party = data.party.where(seen) if data.party is not None else None
    columns = []
    for fact in data.features:
        edit = data.controls.edits.get(fact.name)
        if edit is not None and edit.drop:
            continue
        values = data.rows[fact.name]
        by_hand = hand_bins(edit, fact.name)
        given: Bins | str | None = by_hand
        if data.controls.optimal and by_hand is None:
            given = optimal_bins(values[seen], label, weight, fact, data.controls, party)
        whole = given if isinstance(given, Bins) else None
        fine, specials = _fine_bins(values[seen], label, weight, fact, edit, whole, party)
        places = fine.places(values)
        here, size = places[seen], fine.count

        def sums(of: Floats, where: Mask | None = None, at: Places = here, n: int = size) -> Floats:
            at, of = (at, of) if where is None else (at[where], of[where])
            return np.bincount(at, weights=of, minlength=n).astype(np.float64)

        held: Floats = np.ones(len(here))
        less, idle = 1.0, False
        if party is not None:
            held = party.counted(fact.name)
            error: Floats = weight * (label - _rates(sums(weight), sums(weight * label))[here])
            effect = party.design_effect(error, fact.name)
            less = 1 / effect
            # As levels come in order of risk already, neighbours are no more alike than others.
            line = 0 if fine.levels else len(fine.cuts) + 1
            idle = not beyond_chance(
                line_block(line, size - line),
                sums(weight * (label - rate)),
                sums(weight) * rate * (1 - rate),
                effect,
            )
        few, bad_ones = np.full(len(here), less), np.asarray(label * less, dtype=np.float64)
        along = np.arange(len(fine.cuts) + 1)
        coded = np.searchsorted(fine.cuts, specials, side="right")
        columns.append(
            _Column(
                fact,
                fine,
                by_hand is not None,
                None if whole is None else frozenset(whole.cuts),
                given if isinstance(given, str) else "",
                places,
                idle,
                along[~np.isin(along, coded)],
                sums(weight) * scale * less,
                sums(weight * label) * scale * less,
                sums(held),
                ()
                if later is None
                else tuple((sums(few, w), sums(bad_ones, w)) for w in (~later, later)),
            )
        )
    return _Part(seen, scale, tuple(columns))


def _rates(counts: Floats, bads: Floats) -> Floats:
    """The rate of bad outcomes about each pre-bin: over a tenth of all rows, so that a few
    parties do not make it their own."""
    tenth = np.minimum((np.cumsum(counts) - counts) * 10 // counts.sum(), 9).astype(np.int64)
    whole = np.maximum(np.bincount(tenth, counts), 1e-9)
    rates: Floats = (np.bincount(tenth, bads) / whole)[tenth]
    return rates


def _fine_bins(
    values: pd.Series,
    label: Labels,
    weight: Floats,
    fact: Fact,
    edit: Edit | None,
    given: Bins | None,
    party: Parties | None,
) -> tuple[Bins, tuple[float, ...]]:
    """(the narrowest bins to cut between, or those given, the values that are codes)."""
    if fact.kind.is_textual:
        if given is not None:
            return given, ()
        levels = levels_by_risk(values, label, weight, None if party is None else party.codes)
        return Bins(fact.name, tuple(float(n) for n in range(1, len(levels))), levels), ()
    specials = tuple(float(s) for s in edit.specials) if edit is not None else ()
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    numbers = numbers[~np.isnan(numbers)]
    if given is not None:
        cuts = set(given.cuts)
    else:
        cuts = set(map(float, prebin_cuts(numbers[~np.isin(numbers, specials)])))
    if specials:
        cuts |= set(around(specials, whole=fact.kind is Kind.INTEGER))
    return Bins(fact.name, tuple(sorted(cuts)), None), specials


def _weighed(data: _Data, column: _Column, setting: Setting) -> _Weighed | str:
    """A feature's bins and their weights of evidence, or why it has none."""
    fact, ordinary = column.fact, column.ordinary
    controls = data.controls
    counts, bads, held = (part[ordinary] for part in (column.counts, column.bads, column.held))
    occurs = np.flatnonzero(held)
    direction = controls.direction(fact, counts[occurs], bads[occurs])
    notes = [f"{fact.name}: {column.note}; these bins are riskseg's"] if column.note else []
    if column.given is None and len(occurs):
        declared = 0 if fact.kind.is_textual else fact.direction
        if declared and refuses(counts[occurs], bads[occurs], declared):
            return f"the data refuse the direction {'+' if declared > 0 else '-'}"
        share = controls.share(fact.name)
        share = setting.least_share if share is None else share
        least = max(float(LEAST_ROWS), share * float(column.held.sum()))
        found = best_starts(
            counts[occurs],
            bads[occurs],
            held[occurs],
            direction=direction,
            penalty=setting.penalty,
            least=least,
        )
        starts = [0, *(int(occurs[start]) for start in found[1:])]
        starts = _without(starts, column, controls.edits.get(fact.name))
        starts = _stable(starts, column, notes)
        starts = controls.starts(fact.name, starts, counts, bads, float(column.counts.sum()))
    else:
        starts = _given(column)
    while True:
        groups = _groups(column, starts)
        woe, information, by_chance, free = _evidence(column, groups, setting.average)
        if not direction:
            break
        # The average accounts weigh most on small bins, and joining over time mixes rates: either
        # can turn the order of two neighbours. Neighbours in the wrong order become one bin.
        wrong = np.flatnonzero(direction * np.diff(woe[: len(starts)]) >= 0)
        if not len(wrong):
            break
        if column.by_hand:
            if not fact.kind.is_textual:
                notes.append(
                    f"{fact.name}: the cuts by hand do not keep to the direction "
                    f"{'+' if direction > 0 else '-'}"
                )
            break
        starts = starts[: wrong[0] + 1] + starts[wrong[0] + 2 :]
    return _Weighed(column, groups, woe, information, by_chance, free, tuple(notes))


def _given(column: _Column) -> list[int]:
    """The starts of bins that are given: a code in the midst of one does not part it."""
    given, cuts, along = column.given or (), column.fine.cuts, column.ordinary
    return [
        0,
        *(
            n
            for n in range(1, len(along))
            if any(cuts[c] in given for c in range(along[n - 1], along[n]))
        ),
    ]


def _without(starts: list[int], column: _Column, edit: Edit | None) -> list[int]:
    """The starts less the one nearest to each cut that is not wanted."""
    for unwanted in edit.without if edit is not None else ():
        if len(starts) > 1:
            cuts = [column.fine.cuts[column.ordinary[start] - 1] for start in starts[1:]]
            nearest = min(range(len(cuts)), key=lambda n: abs(cuts[n] - unwanted))
            del starts[nearest + 1]
    return starts


def _stable(starts: list[int], column: _Column, notes: list[str]) -> list[int]:
    """The starts less those of bins that do not hold in both halves of the window's time."""
    name = column.fact.name
    while column.halves and len(starts) > 1:
        counts, bads = (
            tuple(np.add.reduceat(half[part][column.ordinary], starts) for half in column.halves)
            for part in (0, 1)
        )
        both = counts[0] + counts[1]
        gone, why = None, ""
        for half in counts:
            expected = both * half.sum() / both.sum()
            empty = np.flatnonzero((half < NEARLY_EMPTY) & (expected >= EXPECTED))
            if len(empty):
                place, why = int(empty[0]), "one half of the time has almost no such rows"
                rate = (bads[0] + bads[1]) / both
                last = place == len(starts) - 1
                nearer_below = place > 0 and (
                    last or abs(rate[place] - rate[place - 1]) <= abs(rate[place + 1] - rate[place])
                )
                gone = place if nearer_below else place + 1
                break
        if gone is None:
            with np.errstate(divide="ignore", invalid="ignore"):
                rates = tuple(np.nan_to_num(b / n) for b, n in zip(bads, counts, strict=True))
            gone = unstable((rates[0], rates[1]), (counts[0], counts[1]))
            why = "the order of bad rates turns between the halves of the time"
        if gone is None:
            break
        notes.append(f"{name}: {_start(column, starts[gone])} is no cut: {why}")
        starts = starts[:gone] + starts[gone + 1 :]
    return starts


def _start(column: _Column, start: int) -> str:
    """What a bin begins with, in words."""
    place = int(column.ordinary[start])
    levels = column.fine.levels
    return f"{column.fine.cuts[place - 1]:g}" if levels is None else f'"{levels[place]}"'


def _groups(column: _Column, starts: Sequence[int]) -> Places:
    """The bin of evidence of every pre-bin: those along the value, then one for each code, then
    other levels, then nulls. A bin with a code in its midst stays one."""
    size = column.fine.count
    groups = np.full(size, -1, dtype=np.int64)
    begins = np.zeros(len(column.ordinary), dtype=np.int64)
    begins[list(starts)] = 1
    groups[column.ordinary] = np.cumsum(begins) - 1
    rest = np.flatnonzero(groups < 0)
    groups[rest] = len(starts) + np.arange(len(rest))
    return groups


def _evidence(column: _Column, groups: Places, average: float) -> tuple[Floats, float, float, int]:
    """(weight of evidence ln(share of goods / share of bads) of each bin, their information
    value, what chance makes of it, by how many degrees of freedom), with the average accounts
    added to every bin.

    Where outcomes do not depend on the bin, information times goods times bads over all rows is
    close to chi-squared with one degree of freedom fewer than bins: `by_chance` is the
    information that one degree of freedom is worth. Levels put in order of risk before they are
    joined have as many as there are levels.
    """
    counts = np.bincount(groups, weights=column.counts)
    bads = np.bincount(groups, weights=column.bads)
    total = float(counts.sum())
    rate = float(bads.sum()) / total
    bad = (bads + average * rate) / (rate * total)
    good = (counts - bads + average * (1 - rate)) / ((1 - rate) * total)
    woe = np.asarray(np.round(np.log(good / bad), 6) + 0.0, dtype=np.float64)
    held = counts > 0
    information = float(((good - bad) * woe)[held].sum())
    occur = column.counts > 0 if column.fine.levels and not column.by_hand else held
    free = max(int(occur.sum()) - 1, 0)
    return woe, information, free / (rate * (1 - rate) * total), free


def _possible(weighed: _Weighed, above: float) -> float:
    """The information that chance gives, so many standard deviations above its mean (a
    chi-squared with f degrees of freedom has mean f and variance 2 f)."""
    free = weighed.free
    return weighed.by_chance * (1 + above * math.sqrt(2 / free)) if free else 0.0


@dataclass(frozen=True)
class _Fit:
    kept: tuple[_Weighed, ...]
    coefficients: tuple[float, ...]
    intercept: float
    dropped: Mapping[str, str]


def _fit(data: _Data, part: _Part, setting: Setting) -> _Fit:
    dropped = {name: "left out by hand" for name, edit in data.controls.edits.items() if edit.drop}
    weighed: list[_Weighed] = []
    for column in part.columns:
        one = _weighed(data, column, setting)
        if column.idle and not column.by_hand:
            one = NO_MORE_THAN_CHANCE
        if isinstance(one, str):
            dropped[column.fact.name] = one
        elif one.information <= _possible(one, setting.above_chance):
            dropped[column.fact.name] = (
                f"on its own it tells no more than chance: information value {one.information:.4f}"
            )
        else:
            weighed.append(one)
    seen = part.seen
    woe = np.column_stack(
        [one.fine_woe[one.column.places[seen]] for one in weighed] or [np.zeros((seen.sum(), 0))]
    )
    must = [
        not setting.turned or bool(one.column.fact.direction and one.column.fact.kind.is_numeric)
        for one in weighed
    ]
    kept, coefficients, intercept = regress(
        woe, data.label[seen], data.weight[seen] * part.scale, must
    )
    for place, one in enumerate(weighed):
        if place not in kept:
            dropped[one.column.fact.name] = "its sign turns beside the other features"
    return _Fit(tuple(weighed[k] for k in kept), tuple(coefficients), intercept, dropped)


def _loss(data: _Data, part: _Part, setting: Setting) -> float:
    """Mean log loss on the rows not seen."""
    fit = _fit(data, part, setting)
    held = ~part.seen
    margin = np.full(int(held.sum()), fit.intercept)
    for one, coefficient in zip(fit.kept, fit.coefficients, strict=True):
        margin += coefficient * one.fine_woe[one.column.places[held]]
    signed = np.where(data.label[held] == 1, -margin, margin)
    return float(np.average(np.logaddexp(0, signed), weights=data.weight[held]))


def _card(data: _Data, part: _Part, setting: Setting) -> Scorecard:
    fit = _fit(data, part, setting)
    label, weight = data.label[part.seen], data.weight[part.seen]
    tables = []
    notes: list[str] = []
    for one, coefficient in zip(fit.kept, fit.coefficients, strict=True):
        bins, woe = _whole(one)
        places = bins.places(data.rows[one.column.fact.name][part.seen])
        counts = np.bincount(places, weights=weight, minlength=bins.count)
        bads = np.bincount(places, weights=weight * label, minlength=bins.count)
        tables.append(
            Table(
                bins,
                tuple(round(float(n)) for n in counts),
                tuple(round(float(n)) for n in bads),
                tuple(points_for(coefficient * w) for w in woe),
                woe,
            )
        )
        notes += one.notes
        if coefficient > 0:
            notes.append(
                f"{one.column.fact.name}: beside the other features its points run against its "
                "weights of evidence"
            )
    return Scorecard(
        "classic", base_for(fit.intercept), tuple(tables), (), fit.dropped, tuple(notes)
    )


def _whole(one: _Weighed) -> tuple[Bins, tuple[float, ...]]:
    """The bins that neighbouring pre-bins of one group make, and their weights of evidence."""
    fine = one.column.fine
    along = one.groups[: len(fine.cuts) + 1]
    begins = np.flatnonzero(np.diff(along)) + 1
    bins = replace(fine, cuts=tuple(fine.cuts[start - 1] for start in begins))
    woe = np.r_[one.woe[along[np.r_[0, begins]]], one.woe[one.groups[len(along) :]]]
    return bins, tuple(float(w) for w in woe)
