"""The tables of an additive scorecard that are learned from one set of rows: one for each feature,
and those of two features together, in the declared directions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from riskseg.domain.facts import Fact
from riskseg.learning.parallel import one_thread_each
from riskseg.learning.parties import ADDS_NOTHING, Parties
from riskseg.learning.scorecard.additive_bins import FeatureBins, Setting, bins_of
from riskseg.learning.scorecard.additive_fit import (
    Block,
    Effects,
    Likelihood,
    grid_block,
    line_block,
)
from riskseg.learning.scorecard.additive_pairs import (
    alone,
    beyond_chance,
    in_direction,
    pooled,
    rank_pairs,
)
from riskseg.learning.scorecard.controls import AS_IT_COMES, Controls
from riskseg.learning.scorecard.tables import PairTable, Scorecard, Table, base_for, points_for

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from riskseg.learning.frame import Floats, Labels

    CellIndexes = NDArray[np.int64]

Pairs = tuple[tuple[str, str], ...]

# Neighbouring bins whose log-odds differ by no more than this are one bin: half a point.
SAME = 0.01
# A feature whose effects all stay within this is left out: less than a fifth of a point.
NOTHING = 0.005
ROUNDS = 30


class TableLearner:
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
        self.features = [
            bins_of(rows[fact.name], label, weight, fact, setting, controls, party)
            for fact in features
        ]
        self.blocks = [line_block(feature.ordered, feature.extra) for feature in self.features]
        self.cells_of_rows = [feature.cell_of_row for feature in self.features]
        self.names = [(fact.name,) for fact in features]
        self.alone = self._likelihood(self.blocks, self.cells_of_rows, self.names)

    def single(self) -> Effects:
        """One-way tables alone, before directions are imposed."""
        return self.alone.fit()

    def informative_only(self, single: Effects, pairs: Pairs) -> tuple[TableLearner, Effects]:
        """(this less the tables that tell no more than chance does between parties, its one-way
        tables); one table at least is left, and those of declared `pairs` are."""
        party = self.party
        assert party is not None
        probability = 1.0 / (1.0 + np.exp(-single.margin(self.cells_of_rows)))
        error, spread = (
            self.weight * (self.label - probability),
            self.weight * probability * (1 - probability),
        )
        design_effects = party.design_effects(error, self.names)
        in_pairs = {table_feature for pair in pairs for table_feature in pair}

        def is_informative(index: int) -> bool:
            block, cell_of_row, effects = (
                self.blocks[index],
                self.cells_of_rows[index],
                single.cells[index],
            )
            curvature = np.bincount(cell_of_row, spread, block.cells).astype(np.float64)
            mean_effect = float(curvature @ effects) / max(float(curvature.sum()), 1e-9)
            gradient = np.bincount(cell_of_row, error, block.cells) + curvature * (
                effects - mean_effect
            )
            (table_feature,) = self.names[index]
            return beyond_chance(
                block, gradient, curvature, design_effects[index], moves=party.moves(table_feature)
            )

        with one_thread_each():
            informative = [
                index
                for index, (table_feature,) in enumerate(self.names)
                if table_feature in in_pairs or is_informative(index)
            ]
        if not informative or len(informative) == len(self.features):
            return self, single
        reduced = copy(self)
        reduced.features = [self.features[index] for index in informative]
        reduced.blocks = [self.blocks[index] for index in informative]
        reduced.cells_of_rows = [self.cells_of_rows[index] for index in informative]
        reduced.names = [self.names[index] for index in informative]
        reduced.dropped = {
            table_feature: ADDS_NOTHING
            for index, (table_feature,) in enumerate(self.names)
            if index not in informative
        }
        reduced.alone = reduced._likelihood(reduced.blocks, reduced.cells_of_rows, reduced.names)
        informative_start = Effects(
            single.intercept,
            tuple(single.cells[index] for index in informative),
            tuple(single.smoothing[index] for index in informative),
        )
        return reduced, reduced.alone.fit(start=informative_start)

    def card(self, single: Effects | None, pairs: Pairs | None, most: int) -> Scorecard:
        chosen_pairs = self._chosen(single, pairs, most)
        if not chosen_pairs:
            assert single is not None
            return self._card(self._directed(single), (), ())
        grids = [
            grid_block(
                (self.features[i].side.ordered, self.features[i].extra),
                (self.features[j].side.ordered, self.features[j].extra),
            )
            for i, j in chosen_pairs
        ]
        pair_cells = [self._pair_cells(i, j) for i, j in chosen_pairs]
        feature_names = [self.names[i] + self.names[j] for i, j in chosen_pairs]
        likelihood = self._likelihood(
            [*self.blocks, *grids],
            [*self.cells_of_rows, *pair_cells],
            [*self.names, *feature_names],
        )
        joint = likelihood.fit(start=single)
        feature_count = len(self.features)
        one_way = [effects.copy() for effects in joint.cells[:feature_count]]
        surfaces = [
            self._surface(i, j, one_way, effects.reshape(self.features[i].side.cells, -1))
            for (i, j), effects in zip(chosen_pairs, joint.cells[feature_count:], strict=True)
        ]
        directed = any(feature.direction for feature in self.features)
        if directed:
            offset = np.zeros(len(self.label))
            for surface, pair_cell in zip(surfaces, pair_cells, strict=True):
                offset += surface.ravel()[pair_cell]
            joint_start = replace(
                joint, cells=tuple(one_way), smoothing=joint.smoothing[:feature_count]
            )
            final = self._directed(joint_start, offset)
        else:
            final = replace(joint, cells=tuple(one_way))
        return self._card(final, tuple(chosen_pairs), tuple(surfaces))

    def _chosen(
        self, single: Effects | None, pairs: Pairs | None, most: int
    ) -> list[tuple[int, int]]:
        if pairs is not None:
            position = {feature.bins.name: index for index, feature in enumerate(self.features)}
            return [
                (position[first_name], position[second_name]) for first_name, second_name in pairs
            ]
        if not most:
            return []
        assert single is not None
        probability = 1.0 / (1.0 + np.exp(-single.margin(self.cells_of_rows)))
        error = self.weight * (self.label - probability)
        pairs_ranked = rank_pairs(
            [feature.side for feature in self.features],
            [feature.coarse_of_cell[feature.cell_of_row] for feature in self.features],
            error,
            self.weight * probability * (1 - probability),
            self._dispersed(error),
        )
        return pairs_ranked[:most]

    def _likelihood(
        self,
        blocks: Sequence[Block],
        cells_of_rows: Sequence[CellIndexes],
        names: Sequence[tuple[str, ...]],
    ) -> Likelihood:
        return Likelihood(
            blocks,
            cells_of_rows,
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
            (
                party_unit.design_effects(error, [()])[0],
                [party_unit.alike[name] for (name,) in self.names],
            )
            for party_unit in units
        ]
        return lambda i, j: max(
            1.0 + likeness[i] * likeness[j] * (design_effect - 1.0)
            for design_effect, likeness in alikeness
        )

    def _rows_in_cells(self, cell: CellIndexes, cells: int) -> Floats:
        """The weighted number of rows in each cell."""
        return np.asarray(np.bincount(cell, self.weight, cells), dtype=np.float64)

    def _pair_cells(self, i: int, j: int) -> CellIndexes:
        first, second = self.features[i], self.features[j]
        first_cell: CellIndexes = first.coarse_of_cell[first.cell_of_row] * second.side.cells
        return first_cell + second.coarse_of_cell[second.cell_of_row]

    def _surface(self, i: int, j: int, one_way: list[Floats], surface: Floats) -> Floats:
        """A two-way table without what one of its features says alone, which is added to
        `one_way`. A table with a feature that has a direction keeps that direction by itself,
        so it is worked out from what the two features say in all."""
        first_feature, second_feature = self.features[i], self.features[j]
        rows_of_cells = self._rows_in_cells(self._pair_cells(i, j), surface.size).reshape(
            surface.shape
        )
        if first_feature.direction or second_feature.direction:
            for feature, axis in ((first_feature, 0), (second_feature, 1)):
                if feature.direction:
                    surface = surface + np.expand_dims(self._coarse(feature, one_way), 1 - axis)
            surface = in_direction(surface, rows_of_cells, first_feature.side, second_feature.side)
        for _ in range(ROUNDS):
            for feature, axis in ((first_feature, 0), (second_feature, 1)):
                rows_across = rows_of_cells.sum(axis=1 - axis)
                mean = (surface * rows_of_cells).sum(axis=1 - axis) / np.maximum(rows_across, 1e-9)
                if feature.direction:
                    mean[: feature.side.ordered] = alone(surface, feature.side, axis)[
                        : feature.side.ordered
                    ]
                else:
                    one_way[i if axis == 0 else j] += mean[feature.coarse_of_cell]
                surface = surface - np.expand_dims(mean, 1 - axis)
                # Where no row has ever been, nothing is said.
                surface = np.where(np.expand_dims(rows_across, 1 - axis) > 0, surface, 0.0)
        return surface

    def _coarse(self, feature: FeatureBins, one_way: Sequence[Floats]) -> Floats:
        """The mean effect of a feature in each of its coarse bins."""
        effect_of_cell = one_way[
            [other.bins.name for other in self.features].index(feature.bins.name)
        ]
        rows_in_cell = self._rows_in_cells(feature.cell_of_row, feature.cells) + 1e-9
        rows_in_coarse_bin = np.bincount(feature.coarse_of_cell, rows_in_cell, feature.side.cells)
        return np.asarray(
            np.bincount(feature.coarse_of_cell, rows_in_cell * effect_of_cell, feature.side.cells)
            / rows_in_coarse_bin
        )

    def _directed(self, directed_start: Effects, offset: Floats | None = None) -> Effects:
        """One-way tables in the declared directions: bins in the wrong order become one, and
        the rest is fitted again, until none is wrong."""
        likelihood = self.alone if offset is None else self.alone.moved(offset)
        cell_groups = [np.arange(block.cells) for block in self.blocks]
        effects = directed_start
        stale = offset is not None
        while True:
            any_wrong = False
            for index, feature in enumerate(self.features):
                if not feature.direction:
                    continue
                in_order = slice(0, feature.ordered)
                signed_effects = feature.direction * effects.cells[index][in_order]
                if (np.diff(signed_effects) < -1e-12).any() and not stale:
                    any_wrong = True
                    monotone = pooled(
                        signed_effects,
                        self._rows_in_cells(feature.cell_of_row, feature.cells)[in_order],
                    )
                    joined = np.concatenate([[0], np.cumsum(np.diff(monotone) > 1e-12)])
                    cell_groups[index] = np.concatenate(
                        [joined, joined[-1] + 1 + np.arange(feature.extra)]
                    ).astype(np.int64)
            if not any_wrong and not stale:
                return effects
            stale = False
            means = (
                _means(effects_in_cells, group_of_cell)[group_of_cell]
                for effects_in_cells, group_of_cell in zip(effects.cells, cell_groups, strict=True)
            )
            directed_start = replace(effects, cells=tuple(means))
            effects = likelihood.fit(
                start=directed_start, fixed=directed_start.smoothing, tied=cell_groups
            )

    def _card(
        self, effects: Effects, pairs: Sequence[tuple[int, int]], surfaces: Sequence[Floats]
    ) -> Scorecard:
        intercept = effects.intercept
        feature_tables, dropped = [], dict(self.dropped)
        for feature, cells in zip(self.features, effects.cells, strict=True):
            rows_in_cell = self._rows_in_cells(feature.cell_of_row, feature.cells)
            centred, mean_effect = _centred(cells, rows_in_cell)
            intercept += mean_effect
            if float(np.abs(centred).max()) < NOTHING:
                dropped[feature.bins.name] = "beside the other features it says nothing of its own"
                continue
            feature_tables.append(self._table(feature, centred, rows_in_cell))
        pair_tables = []
        for (first_index, second_index), surface in zip(pairs, surfaces, strict=True):
            rows_in_cell = self._rows_in_cells(
                self._pair_cells(first_index, second_index), surface.size
            )
            first, second = self.features[first_index], self.features[second_index]
            mean_effect = float((surface.ravel() * rows_in_cell).sum() / rows_in_cell.sum())
            has_rows = (
                rows_in_cell.reshape(surface.shape).sum(axis=1)[:, None]
                * rows_in_cell.reshape(surface.shape).sum(axis=0)[None, :]
            ) > 0
            intercept += mean_effect
            cell_of_pair = (
                first.coarse_cell_of_bin[:, None] * second.side.cells + second.coarse_cell_of_bin
            ).ravel()
            points = np.where(has_rows, surface - mean_effect, 0.0).ravel()[cell_of_pair]
            pair_of_row = first.coarse_bin_of_row * second.coarse.count + second.coarse_bin_of_row
            bads = np.bincount(pair_of_row, self.weight * self.label, len(cell_of_pair))
            pair_tables.append(
                PairTable(
                    first.coarse,
                    second.coarse,
                    tuple(
                        round(float(row_count))
                        for row_count in self._rows_in_cells(pair_of_row, len(cell_of_pair))
                    ),
                    tuple(round(float(row_count)) for row_count in bads),
                    tuple(points_for(float(effect)) for effect in points),
                )
            )
        in_pairs = {
            pair_side.name for pair in pair_tables for pair_side in (pair.first, pair.second)
        }
        dropped = {
            dropped_feature: why
            for dropped_feature, why in dropped.items()
            if dropped_feature not in in_pairs
        }
        return Scorecard(
            "additive", base_for(intercept), tuple(feature_tables), tuple(pair_tables), dropped
        )

    def _table(self, feature: FeatureBins, effects: Floats, rows_of_bins: Floats) -> Table:
        """The table of a feature, with neighbours that say the same made one bin."""
        ordered_effects, rows_ordered = effects[: feature.ordered], rows_of_bins[: feature.ordered]
        starts = _distinct(ordered_effects, rows_ordered)
        rows_in_run = np.add.reduceat(rows_ordered, starts)
        mean_effect = np.add.reduceat(rows_ordered * ordered_effects, starts) / np.maximum(
            rows_in_run, 1e-9
        )
        levelled_starts = self.controls.levels_off(
            feature.bins.name, mean_effect, rows_in_run, float(rows_of_bins.sum())
        )
        starts = [starts[position] for position in levelled_starts]
        group_of_cell = np.searchsorted(starts, np.arange(feature.ordered), side="right") - 1
        group_of_cell = np.concatenate([group_of_cell, len(starts) + np.arange(feature.extra)])
        rows_in_bin = np.bincount(group_of_cell, rows_of_bins)
        means = np.bincount(group_of_cell, rows_of_bins * effects) / np.maximum(rows_in_bin, 1e-9)
        # From the cells of the fit back to the bins: there a code stands between its neighbours.
        group_of_cell = group_of_cell[feature.cell_of_bin]
        rows_of_bins = self._rows_in_cells(feature.bin_of_row, feature.bins.count)
        bads = np.bincount(feature.bin_of_row, self.weight * self.label, feature.bins.count)
        ordered_bins = len(feature.bins.cuts) + 1
        outside_order = np.arange(ordered_bins, len(group_of_cell))
        cut_positions = np.flatnonzero(np.diff(group_of_cell[:ordered_bins])) + 1
        bin_starts = np.concatenate([np.zeros(1, dtype=np.int64), cut_positions, outside_order])
        return Table(
            replace(
                feature.bins,
                cuts=tuple(feature.bins.cuts[position - 1] for position in cut_positions),
            ),
            tuple(
                round(float(row_count)) for row_count in np.add.reduceat(rows_of_bins, bin_starts)
            ),
            tuple(round(float(row_count)) for row_count in np.add.reduceat(bads, bin_starts)),
            tuple(points_for(float(effect)) for effect in means[group_of_cell[bin_starts]]),
        )


def _means(effects: Floats, groups: CellIndexes) -> Floats:
    """The mean effect of the cells of each group."""
    means: Floats = np.bincount(groups, effects) / np.bincount(groups)
    return means


def _centred(effects: Floats, rows: Floats) -> tuple[Floats, float]:
    """(effects less their mean over rows, that mean); a bin without rows is the average."""
    mean_effect = float((effects * rows).sum() / rows.sum())
    return np.where(rows > 0, effects - mean_effect, 0.0), mean_effect


def _distinct(effects: Floats, rows: Floats) -> list[int]:
    """Where bins begin once neighbours within :data:`SAME` of each other are one."""
    starts = [0]
    low = high = float(effects[0]) if len(effects) else 0.0
    for position, effect in enumerate(effects.tolist()):
        if max(high, effect) - min(low, effect) > SAME:
            starts.append(position)
            low = high = effect
        low, high = min(low, effect), max(high, effect)
    return starts
