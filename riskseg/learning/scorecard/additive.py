"""The additive scorecard: a table of points for every feature and a few for two features
together, learned at once.

Hastie and Tibshirani, *Generalized Additive Models* (1990), on bins: penalised likelihood, with
the smoothness of each table estimated (see :mod:`riskseg.learning.scorecard.additive_fit`).
Two-way tables as in Lou, Caruana, Gehrke and Hooker, *Accurate intelligible models with pairwise
interactions* (2013). The result is points: what the tables say is what the model does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from riskseg.domain.facts import Fact, Kind
from riskseg.learning.canonical import fixed
from riskseg.learning.levels import LEAST_ROWS, level_codes, levels_by_risk
from riskseg.learning.parallel import one_thread_each, side_by_side
from riskseg.learning.parties import ADDS_NOTHING, Parties
from riskseg.learning.scorecard.additive_fit import (
    Block,
    Effects,
    Likelihood,
    grid_block,
    line_block,
)
from riskseg.learning.scorecard.additive_pairs import (
    Side,
    alone,
    beyond_chance,
    in_direction,
    pooled,
    rank_pairs,
)
from riskseg.learning.scorecard.controls import AS_IT_COMES, Controls
from riskseg.learning.scorecard.edits import around
from riskseg.learning.scorecard.tables import (
    Bins,
    PairTable,
    Scorecard,
    Table,
    base_for,
    points_for,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from riskseg.learning.frame import Floats, Folds, Labels, Mask

    Places = NDArray[np.int64]

Pairs = tuple[tuple[str, str], ...]

# With fewer bad outcomes than this, pairs cannot be told from chance and each table borrows its
# smoothness from the others.
FEW_BADS = 500
# Neighbouring bins whose log-odds differ by no more than this are one bin: half a point.
SAME = 0.01
# A feature whose effects all stay within this is left out: less than a fifth of a point.
NOTHING = 0.005
ROUNDS = 30


@dataclass(frozen=True)
class Setting:
    """How finely and how cautiously tables are learned."""

    bins: int
    pair_bins: int
    borrowed: float


MANY = Setting(bins=32, pair_bins=8, borrowed=0.1)
FEW = Setting(bins=8, pair_bins=4, borrowed=20.0)


def fit_additive(
    rows: pd.DataFrame,
    label: Labels,
    weight: Floats,
    features: Sequence[Fact],
    folds: Folds,
    *,
    pairs: Pairs | None = None,
    most_pairs: int = 8,
    party: Parties | None = None,
    controls: Controls = AS_IT_COMES,
    seed: int = 0,
    threads: int = 1,
    say: Callable[[str], None] | None = None,
) -> tuple[Scorecard, Floats, list[dict[str, Any]]]:
    """(the tables, each row's log-odds from tables that did not see its fold, what was tried).

    `pairs` are the two-way tables to have; None has up to `most_pairs` discovered, in each fold
    anew, and kept if the folds' loss falls for them. A feature's declared direction holds in its
    table and in every two-way table that it is in. `party` numbers the party of each row, where one
    has several. Nothing is drawn at random, so `seed` changes nothing; folds are learned side by
    side.
    """
    say = say or (lambda _: None)
    notes = []
    by_hand = {fact.name for fact in features if controls.edit(fact.name).drop}
    features = controls.directed(fact for fact in features if fact.name not in by_hand)
    if pairs is not None:
        names = {fact.name for fact in features}
        notes += [
            f"no two-way table of {' and '.join(pair)}: not both are learned from"
            for pair in pairs
            if not names.issuperset(pair)
        ]
        pairs = tuple(pair for pair in pairs if names.issuperset(pair))
    few = int(label.sum()) < FEW_BADS
    setting = FEW if few else MANY
    discover = pairs is None and most_pairs > 0 and not few and len(features) > 1
    counts = [0, most_pairs] if discover else [0]
    folds_there = [fold for fold in np.unique(folds) if (folds != fold).any()]

    def cards(fold: int | None) -> list[Scorecard]:
        """The card with each number of pairs, from the rows outside a fold, or from all."""
        seen = slice(None) if fold is None else folds != fold
        if not features:
            return [_constant(label[seen], weight[seen])] * len(counts)
        whose = None if party is None else party.where(seen)
        learner = _Learner(
            rows[seen], label[seen], weight[seen], features, setting, controls, whose
        )
        single = learner.single() if discover or not pairs else None
        if single is not None and party is not None:
            learner, single = learner.telling(single, pairs or ())
        by_count = [learner.card(single, pairs, count) for count in counts]
        say(f"additive scorecard: {'all rows' if fold is None else f'fold {int(fold) + 1}'}")
        return by_count

    # All rows first, as they take longest.
    of_all_rows, *by_fold = side_by_side(cards, [None, *folds_there], threads)
    outside = {count: np.zeros(len(label)) for count in counts}
    for fold, fold_cards in zip(folds_there, by_fold, strict=True):
        for count, fold_card in zip(counts, fold_cards, strict=True):
            outside[count][folds == fold] = fold_card.margin(rows[folds == fold])
    losses = {count: _log_loss(label, weight, margin) for count, margin in outside.items()}
    best = min(counts, key=lambda count: losses[count])
    tried = [
        {"what": _told(pairs, count), "log_loss": fixed(losses[count]), "chosen": count == best}
        for count in counts
    ]
    card = of_all_rows[counts.index(best)]
    if few and pairs is None:
        notes.append(f"no two-way tables: fewer than {FEW_BADS} bad outcomes to learn them from")
    dropped = {**card.dropped, **dict.fromkeys(sorted(by_hand), "left out by hand")}
    return replace(card, notes=tuple(notes), dropped=dropped), outside[best], tried


def _constant(label: Labels, weight: Floats) -> Scorecard:
    """The card that gives everyone the average risk."""
    rate = min(max(float(np.average(label, weights=weight)), 1e-6), 1 - 1e-6)
    return Scorecard("additive", base_for(math.log(rate / (1 - rate))), (), (), {})


def _means(effects: Floats, groups: Places) -> Floats:
    """The mean effect of the cells of each group."""
    means: Floats = np.bincount(groups, effects) / np.bincount(groups)
    return means


def _told(pairs: Pairs | None, count: int) -> str:
    if pairs:
        return f"one-way tables and {len(pairs)} declared two-way tables"
    return f"one-way tables and up to {count} two-way tables" if count else "one-way tables alone"


def _log_loss(label: Labels, weight: Floats, margin: Floats) -> float:
    return float(np.average(np.logaddexp(0.0, margin) - label * margin, weights=weight))


@dataclass(frozen=True)
class _Line:
    """A feature's fine bins, each row's place in them, and the coarse bins each belongs to.

    Places are those of the fit: bins in order of the value, then those without a place in it
    (codes, other levels, nulls). A code parts the bin that it lies in into two, which are one
    place: `slots` and `coarse_slots` are the place of each bin in turn. `natural` has each row's
    bin in turn, where that is not its place.
    """

    bins: Bins
    coarse: Bins
    direction: int
    places: Places
    to_coarse: Places
    slots: Places
    coarse_slots: Places
    codes: int = 0
    natural: Places | None = None

    @property
    def extra(self) -> int:
        return (1 if self.bins.levels is None else 2) + self.codes

    @property
    def cells(self) -> int:
        return int(self.slots.max()) + 1

    @property
    def ordered(self) -> int:
        return self.cells - self.extra

    @property
    def side(self) -> Side:
        return Side(int(self.coarse_slots.max()) + 1 - self.extra, self.extra, self.direction)

    @property
    def in_bins(self) -> Places:
        """The bin of each row."""
        return self.places if self.natural is None else self.natural

    @property
    def in_coarse(self) -> Places:
        """The coarse bin of each row."""
        if self.natural is None:
            return self.to_coarse[self.places]
        along = np.searchsorted(self.coarse.cuts, (-np.inf, *self.bins.cuts), side="right")
        return np.append(along, self.coarse.count - 1)[self.natural]


class _Learner:
    """Everything that is learned from one set of rows."""

    def __init__(
        self,
        rows: pd.DataFrame,
        label: Labels,
        weight: Floats,
        features: Sequence[Fact],
        setting: Setting,
        controls: Controls = AS_IT_COMES,
        party: Parties | None = None,
    ) -> None:
        self.label, self.weight, self.setting, self.controls = label, weight, setting, controls
        self.party = party
        self.dropped: dict[str, str] = {}
        self.lines = [
            _line(rows[fact.name], label, weight, fact, setting, controls, party)
            for fact in features
        ]
        self.blocks = [line_block(line.ordered, line.extra) for line in self.lines]
        self.places = [line.places for line in self.lines]
        self.names = [(fact.name,) for fact in features]
        self.alone = self._likelihood(self.blocks, self.places, self.names)

    def single(self) -> Effects:
        """One-way tables alone, before directions are imposed."""
        return self.alone.fit()

    def telling(self, single: Effects, pairs: Pairs) -> tuple[_Learner, Effects]:
        """(this less the tables that tell no more than chance does between parties, its one-way
        tables); one table at least is left, and those of declared `pairs` are."""
        party = self.party
        assert party is not None
        p = 1.0 / (1.0 + np.exp(-single.margin(self.places)))
        error, spread = self.weight * (self.label - p), self.weight * p * (1 - p)
        design_effects = party.design_effects(error, self.names)
        in_pairs = {name for pair in pairs for name in pair}

        def tells(index: int) -> bool:
            block, place, effects = self.blocks[index], self.places[index], single.cells[index]
            weight = np.bincount(place, spread, block.cells).astype(np.float64)
            level = float(weight @ effects) / max(float(weight.sum()), 1e-9)
            force = np.bincount(place, error, block.cells) + weight * (effects - level)
            (name,) = self.names[index]
            return beyond_chance(
                block, force, weight, design_effects[index], moves=party.moves(name)
            )

        with one_thread_each():
            informative = [
                index
                for index, (name,) in enumerate(self.names)
                if name in in_pairs or tells(index)
            ]
        if not informative or len(informative) == len(self.lines):
            return self, single
        reduced = copy(self)
        reduced.lines = [self.lines[index] for index in informative]
        reduced.blocks = [self.blocks[index] for index in informative]
        reduced.places = [self.places[index] for index in informative]
        reduced.names = [self.names[index] for index in informative]
        reduced.dropped = {
            name: ADDS_NOTHING
            for index, (name,) in enumerate(self.names)
            if index not in informative
        }
        reduced.alone = reduced._likelihood(reduced.blocks, reduced.places, reduced.names)
        begun = Effects(
            single.intercept,
            tuple(single.cells[index] for index in informative),
            tuple(single.smoothing[index] for index in informative),
        )
        return reduced, reduced.alone.fit(start=begun)

    def card(self, single: Effects | None, pairs: Pairs | None, most: int) -> Scorecard:
        chosen = self._chosen(single, pairs, most)
        if not chosen:
            assert single is not None
            return self._card(self._directed(single), (), ())
        grids = [
            grid_block(
                (self.lines[i].side.ordered, self.lines[i].extra),
                (self.lines[j].side.ordered, self.lines[j].extra),
            )
            for i, j in chosen
        ]
        cells = [self._cell(i, j) for i, j in chosen]
        names = [self.names[i] + self.names[j] for i, j in chosen]
        likelihood = self._likelihood(
            [*self.blocks, *grids], [*self.places, *cells], [*self.names, *names]
        )
        joint = likelihood.fit(start=single)
        lines = len(self.lines)
        mains = [effects.copy() for effects in joint.cells[:lines]]
        surfaces = [
            self._surface(i, j, mains, effects.reshape(self.lines[i].side.cells, -1))
            for (i, j), effects in zip(chosen, joint.cells[lines:], strict=True)
        ]
        directed = any(line.direction for line in self.lines)
        if directed:
            offset = np.zeros(len(self.label))
            for surface, cell in zip(surfaces, cells, strict=True):
                offset += surface.ravel()[cell]
            begun = replace(joint, cells=tuple(mains), smoothing=joint.smoothing[:lines])
            final = self._directed(begun, offset)
        else:
            final = replace(joint, cells=tuple(mains))
        return self._card(final, tuple(chosen), tuple(surfaces))

    def _chosen(
        self, single: Effects | None, pairs: Pairs | None, most: int
    ) -> list[tuple[int, int]]:
        if pairs is not None:
            place = {line.bins.name: index for index, line in enumerate(self.lines)}
            return [(place[a], place[b]) for a, b in pairs]
        if not most:
            return []
        assert single is not None
        p = 1.0 / (1.0 + np.exp(-single.margin(self.places)))
        error = self.weight * (self.label - p)
        ranked = rank_pairs(
            [line.side for line in self.lines],
            [line.to_coarse[line.places] for line in self.lines],
            error,
            self.weight * p * (1 - p),
            self._dispersed(error),
        )
        return ranked[:most]

    def _likelihood(
        self, blocks: Sequence[Block], places: Sequence[Places], names: Sequence[tuple[str, ...]]
    ) -> Likelihood:
        return Likelihood(
            blocks,
            places,
            self.label,
            self.weight,
            borrowed=self.setting.borrowed,
            party=self.party,
            features=names,
        )

    def _dispersed(self, error: Floats) -> Callable[[int, int], float]:
        """How many times as far as with independent rows chance goes for a pair."""
        if self.party is None:
            return lambda i, j: 1.0
        party = self.party
        units = [party] if party.accounts is None else [party, party.accounts]
        alikeness = [
            (unit.design_effects(error, [()])[0], [unit.alike[name] for (name,) in self.names])
            for unit in units
        ]
        return lambda i, j: max(
            1.0 + alike[i] * alike[j] * (design_effect - 1.0) for design_effect, alike in alikeness
        )

    def _rows(self, cell: Places, cells: int) -> Floats:
        """The weighted number of rows in each cell."""
        return np.asarray(np.bincount(cell, self.weight, cells), dtype=np.float64)

    def _cell(self, i: int, j: int) -> Places:
        first, second = self.lines[i], self.lines[j]
        cell: Places = first.to_coarse[first.places] * second.side.cells
        return cell + second.to_coarse[second.places]

    def _surface(self, i: int, j: int, mains: list[Floats], surface: Floats) -> Floats:
        """A two-way table without what one of its features says alone, which is added to
        `mains`. A table with a feature that has a direction keeps that direction by itself,
        so it is worked out from what the two features say in all."""
        first, second = self.lines[i], self.lines[j]
        rows = self._rows(self._cell(i, j), surface.size).reshape(surface.shape)
        if first.direction or second.direction:
            for line, axis in ((first, 0), (second, 1)):
                if line.direction:
                    surface = surface + np.expand_dims(self._coarse(line, mains), 1 - axis)
            surface = in_direction(surface, rows, first.side, second.side)
        for _ in range(ROUNDS):
            for line, axis in ((first, 0), (second, 1)):
                across = rows.sum(axis=1 - axis)
                mean = (surface * rows).sum(axis=1 - axis) / np.maximum(across, 1e-9)
                if line.direction:
                    mean[: line.side.ordered] = alone(surface, line.side, axis)[: line.side.ordered]
                else:
                    mains[i if axis == 0 else j] += mean[line.to_coarse]
                surface = surface - np.expand_dims(mean, 1 - axis)
                # Where no row has ever been, nothing is said.
                surface = np.where(np.expand_dims(across, 1 - axis) > 0, surface, 0.0)
        return surface

    def _coarse(self, line: _Line, mains: Sequence[Floats]) -> Floats:
        """The mean effect of a feature in each of its coarse bins."""
        effects = mains[[one.bins.name for one in self.lines].index(line.bins.name)]
        rows = self._rows(line.places, line.cells) + 1e-9
        rows_in_coarse_bin = np.bincount(line.to_coarse, rows, line.side.cells)
        return np.asarray(
            np.bincount(line.to_coarse, rows * effects, line.side.cells) / rows_in_coarse_bin
        )

    def _directed(self, begun: Effects, offset: Floats | None = None) -> Effects:
        """One-way tables in the declared directions: bins in the wrong order become one, and
        the rest is fitted again, until none is wrong."""
        likelihood = self.alone if offset is None else self.alone.moved(offset)
        groups = [np.arange(block.cells) for block in self.blocks]
        effects = begun
        stale = offset is not None
        while True:
            wrong = False
            for index, line in enumerate(self.lines):
                if not line.direction:
                    continue
                part = slice(0, line.ordered)
                ordered = line.direction * effects.cells[index][part]
                if (np.diff(ordered) < -1e-12).any() and not stale:
                    wrong = True
                    monotone = pooled(ordered, self._rows(line.places, line.cells)[part])
                    joined = np.concatenate([[0], np.cumsum(np.diff(monotone) > 1e-12)])
                    groups[index] = np.concatenate(
                        [joined, joined[-1] + 1 + np.arange(line.extra)]
                    ).astype(np.int64)
            if not wrong and not stale:
                return effects
            stale = False
            means = (_means(c, g)[g] for c, g in zip(effects.cells, groups, strict=True))
            begun = replace(effects, cells=tuple(means))
            effects = likelihood.fit(start=begun, fixed=begun.smoothing, tied=groups)

    def _card(
        self, effects: Effects, pairs: Sequence[tuple[int, int]], surfaces: Sequence[Floats]
    ) -> Scorecard:
        intercept = effects.intercept
        tables, dropped = [], dict(self.dropped)
        for line, cells in zip(self.lines, effects.cells, strict=True):
            rows = self._rows(line.places, line.cells)
            centred, level = _centred(cells, rows)
            intercept += level
            if float(np.abs(centred).max()) < NOTHING:
                dropped[line.bins.name] = "beside the other features it says nothing of its own"
                continue
            tables.append(self._table(line, centred, rows))
        two_way = []
        for (i, j), surface in zip(pairs, surfaces, strict=True):
            rows = self._rows(self._cell(i, j), surface.size)
            first, second = self.lines[i], self.lines[j]
            level = float((surface.ravel() * rows).sum() / rows.sum())
            reached = (
                rows.reshape(surface.shape).sum(axis=1)[:, None]
                * rows.reshape(surface.shape).sum(axis=0)[None, :]
            ) > 0
            intercept += level
            turned = (first.coarse_slots[:, None] * second.side.cells + second.coarse_slots).ravel()
            points = np.where(reached, surface - level, 0.0).ravel()[turned]
            pair = first.in_coarse * second.coarse.count + second.in_coarse
            bads = np.bincount(pair, self.weight * self.label, len(turned))
            two_way.append(
                PairTable(
                    first.coarse,
                    second.coarse,
                    tuple(round(float(n)) for n in self._rows(pair, len(turned))),
                    tuple(round(float(n)) for n in bads),
                    tuple(points_for(float(effect)) for effect in points),
                )
            )
        in_pairs = {side.name for pair in two_way for side in (pair.first, pair.second)}
        dropped = {name: why for name, why in dropped.items() if name not in in_pairs}
        return Scorecard("additive", base_for(intercept), tuple(tables), tuple(two_way), dropped)

    def _table(self, line: _Line, effects: Floats, rows: Floats) -> Table:
        """The table of a feature, with neighbours that say the same made one bin."""
        along, rows_along = effects[: line.ordered], rows[: line.ordered]
        starts = _distinct(along, rows_along)
        n = np.add.reduceat(rows_along, starts)
        mean = np.add.reduceat(rows_along * along, starts) / np.maximum(n, 1e-9)
        levelled = self.controls.levels_off(line.bins.name, mean, n, float(rows.sum()))
        starts = [starts[place] for place in levelled]
        group = np.searchsorted(starts, np.arange(line.ordered), side="right") - 1
        group = np.concatenate([group, len(starts) + np.arange(line.extra)])
        rows_in_bin = np.bincount(group, rows)
        means = np.bincount(group, rows * effects) / np.maximum(rows_in_bin, 1e-9)
        # From the fit's places back to bins in turn, where a code stands between its neighbours.
        group = group[line.slots]
        rows = self._rows(line.in_bins, line.bins.count)
        bads = np.bincount(line.in_bins, self.weight * self.label, line.bins.count)
        numbered = len(line.bins.cuts) + 1
        rest = np.arange(numbered, len(group))
        begins = np.flatnonzero(np.diff(group[:numbered])) + 1
        each = np.concatenate([np.zeros(1, dtype=np.int64), begins, rest])
        return Table(
            replace(line.bins, cuts=tuple(line.bins.cuts[place - 1] for place in begins)),
            tuple(round(float(n)) for n in np.add.reduceat(rows, each)),
            tuple(round(float(n)) for n in np.add.reduceat(bads, each)),
            tuple(points_for(float(effect)) for effect in means[group[each]]),
        )


def _centred(effects: Floats, rows: Floats) -> tuple[Floats, float]:
    """(effects less their mean over rows, that mean); a bin without rows is the average."""
    level = float((effects * rows).sum() / rows.sum())
    return np.where(rows > 0, effects - level, 0.0), level


def _distinct(effects: Floats, rows: Floats) -> list[int]:
    """Where bins begin once neighbours within :data:`SAME` of each other are one."""
    starts = [0]
    low = high = float(effects[0]) if len(effects) else 0.0
    for place, effect in enumerate(effects.tolist()):
        if max(high, effect) - min(low, effect) > SAME:
            starts.append(place)
            low = high = effect
        low, high = min(low, effect), max(high, effect)
    return starts


def _line(
    values: pd.Series,
    label: Labels,
    weight: Floats,
    fact: Fact,
    setting: Setting,
    controls: Controls,
    party: Parties | None,
) -> _Line:
    direction = 0
    codes: tuple[float, ...] = ()
    levels: tuple[str, ...] | None = None
    if fact.kind.is_textual:
        levels = levels_by_risk(values, label, weight, None if party is None else party.codes)
        numbers = level_codes(values, levels)
        values_rising, counts = _counted(numbers, numbers >= 0, fact, party)
    else:
        direction, codes = fact.direction, tuple(sorted(set(fact.special_values)))
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        ordinary = ~np.isnan(numbers) & ~np.isin(numbers, codes)
        values_rising, counts = _counted(numbers, ordinary, fact, party)
    cuts = _cuts(values_rising, counts, setting.bins)
    apart = around(codes, whole=fact.kind is Kind.INTEGER)
    bins = Bins(fact.name, tuple(sorted({*cuts, *apart})), levels)
    slots = _slots(bins, cuts, codes)
    natural = bins.places(values)
    in_fit = slots[natural]
    ordered, cells = len(cuts) + 1, int(slots.max()) + 1
    rows_in_bin = np.bincount(in_fit, minlength=cells)[:ordered]
    if controls.shape(fact.name) == "always" and not fact.kind.is_textual:
        rows_and_bads = np.array(
            [np.bincount(in_fit, of, cells) for of in (weight, weight * label)]
        )
        rows, bads = rows_and_bads.astype(np.float64)[:, :ordered]
        direction = controls.direction(fact, rows, bads) or 0
    most = min(setting.pair_bins, controls.most(fact.name) or setting.pair_bins)
    # Coarse cuts are some of the fine ones, so that a coarse bin is a run of fine bins.
    coarse_starts = _cuts(np.arange(ordered).astype(np.float64), rows_in_bin, most)
    begins = np.asarray(coarse_starts, dtype=np.int64)
    coarse_cuts = tuple(cuts[begin - 1] for begin in begins.tolist())
    coarse = Bins(fact.name, tuple(sorted({*coarse_cuts, *apart})), levels)
    run = np.searchsorted(begins, np.arange(ordered), side="right")
    extra = np.arange(cells - ordered)
    return _Line(
        bins,
        coarse,
        direction,
        in_fit,
        np.concatenate([run, len(begins) + 1 + extra]).astype(np.int64),
        slots,
        _slots(coarse, coarse_cuts, codes),
        len(codes),
        natural if codes else None,
    )


def _slots(bins: Bins, cuts: Sequence[float], codes: Sequence[float]) -> Places:
    """The place in the fit of each bin: those between the `cuts`, then the codes, then the rest."""
    along = np.searchsorted(cuts, (-np.inf, *bins.cuts), side="right")
    coded = np.searchsorted(bins.cuts, codes, side="right")
    along[coded] = len(cuts) + 1 + np.arange(len(codes))
    rest = np.arange(bins.count - len(along)) + len(cuts) + 1 + len(codes)
    return np.concatenate([along, rest]).astype(np.int64)


def _counted(
    values: Floats, known: Mask, fact: Fact, party: Parties | None
) -> tuple[Floats, NDArray[Any]]:
    """(the known values, rising; how many parties have each, a row each without `party`)."""
    if party is None:
        return np.unique(values[known], return_counts=True)
    different, place = np.unique(values[known], return_inverse=True)
    return different, np.bincount(place, party.counted(fact.name)[known])


def _cuts(values: Floats, counts: NDArray[Any], most: int) -> tuple[float, ...]:
    """At most `most` - 1 rising cuts among rising distinct values: a value as common as a whole
    bin has one of its own, and the others share the rest of the bins evenly."""
    if len(values) <= 1:
        return ()
    if len(values) <= most:
        return tuple(float(value) for value in values[1:])
    common = counts >= counts.sum() / most
    rest = np.where(common, 0, counts)
    bins = min(max(most - int(common.sum()), 1), max(int(rest.sum()) // LEAST_ROWS, 1))
    before = np.cumsum(rest) - rest
    share = np.minimum(before * bins // max(int(rest.sum()), 1), bins - 1)
    cut = np.flatnonzero(
        (np.diff(share) > 0) | (common[1:] != common[:-1]) | (common[1:] & common[:-1])
    )
    return tuple(float(value) for value in values[cut + 1])
