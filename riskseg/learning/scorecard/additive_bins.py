"""The bins of a feature that the additive scorecard learns from: fine ones for its own table,
coarse ones for its tables with another feature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from riskseg.domain.facts import Fact, Kind
from riskseg.learning.levels import LEAST_ROWS, level_codes, levels_by_risk
from riskseg.learning.parties import Parties
from riskseg.learning.scorecard.additive_pairs import Side
from riskseg.learning.scorecard.controls import Controls
from riskseg.learning.scorecard.edits import around
from riskseg.learning.scorecard.tables import Bins

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from riskseg.learning.frame import Floats, Labels, Mask

    CellIndexes = NDArray[np.int64]


@dataclass(frozen=True)
class Setting:
    """How finely and how cautiously tables are learned."""

    bins: int
    pair_bins: int
    borrowed: float


@dataclass(frozen=True)
class FeatureBins:
    """A feature's fine bins, the cell of the fit that each row is in, and the coarse bins.

    The cells of the fit are the bins in order of the value, then those outside of that order
    (codes, other levels, nulls). A code splits the bin that it lies in into two, which are one
    cell: `cell_of_bin` and `coarse_cell_of_bin` have the cell of each bin. `split_bin_of_row` has
    each row's bin where codes split bins, so that bins and cells differ.
    """

    bins: Bins
    coarse: Bins
    direction: int
    cell_of_row: CellIndexes
    coarse_of_cell: CellIndexes
    cell_of_bin: CellIndexes
    coarse_cell_of_bin: CellIndexes
    codes: int = 0
    split_bin_of_row: CellIndexes | None = None

    @property
    def extra(self) -> int:
        return (1 if self.bins.levels is None else 2) + self.codes

    @property
    def cells(self) -> int:
        return int(self.cell_of_bin.max()) + 1

    @property
    def ordered(self) -> int:
        return self.cells - self.extra

    @property
    def side(self) -> Side:
        return Side(int(self.coarse_cell_of_bin.max()) + 1 - self.extra, self.extra, self.direction)

    @property
    def bin_of_row(self) -> CellIndexes:
        """The bin of each row."""
        return self.cell_of_row if self.split_bin_of_row is None else self.split_bin_of_row

    @property
    def coarse_bin_of_row(self) -> CellIndexes:
        """The coarse bin of each row."""
        if self.split_bin_of_row is None:
            return self.coarse_of_cell[self.cell_of_row]
        along = np.searchsorted(self.coarse.cuts, (-np.inf, *self.bins.cuts), side="right")
        return np.append(along, self.coarse.count - 1)[self.split_bin_of_row]


def bins_of(
    values: pd.Series,
    label: Labels,
    weight: Floats,
    fact: Fact,
    setting: Setting,
    controls: Controls,
    party: Parties | None,
) -> FeatureBins:
    direction = 0
    special_codes: tuple[float, ...] = ()
    levels: tuple[str, ...] | None = None
    if fact.kind.is_textual:
        levels = levels_by_risk(values, label, weight, None if party is None else party.codes)
        bin_numbers = level_codes(values, levels)
        values_rising, counts = _counted(bin_numbers, bin_numbers >= 0, fact, party)
    else:
        direction, special_codes = fact.direction, tuple(sorted(set(fact.special_values)))
        bin_numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        ordinary = ~np.isnan(bin_numbers) & ~np.isin(bin_numbers, special_codes)
        values_rising, counts = _counted(bin_numbers, ordinary, fact, party)
    cuts = _cuts(values_rising, counts, setting.bins)
    cuts_at_codes = around(special_codes, whole=fact.kind is Kind.INTEGER)
    bins = Bins(fact.name, tuple(sorted({*cuts, *cuts_at_codes})), levels)
    cell_of_bin = _cells_of_bins(bins, cuts, special_codes)
    split_bin_of_row = bins.bin_indexes(values)
    cell_of_row = cell_of_bin[split_bin_of_row]
    ordered, cells = len(cuts) + 1, int(cell_of_bin.max()) + 1
    rows_in_bin = np.bincount(cell_of_row, minlength=cells)[:ordered]
    if controls.shape(fact.name) == "always" and not fact.kind.is_textual:
        rows_and_bads = np.array(
            [np.bincount(cell_of_row, row_weight, cells) for row_weight in (weight, weight * label)]
        )
        rows, bads = rows_and_bads.astype(np.float64)[:, :ordered]
        direction = controls.direction(fact, rows, bads) or 0
    most_coarse_bins = min(setting.pair_bins, controls.most(fact.name) or setting.pair_bins)
    # Coarse cuts are some of the fine ones, so that a coarse bin is a run of fine bins.
    coarse_starts = _cuts(np.arange(ordered).astype(np.float64), rows_in_bin, most_coarse_bins)
    begins = np.asarray(coarse_starts, dtype=np.int64)
    coarse_cuts = tuple(cuts[begin - 1] for begin in begins.tolist())
    coarse = Bins(fact.name, tuple(sorted({*coarse_cuts, *cuts_at_codes})), levels)
    coarse_run = np.searchsorted(begins, np.arange(ordered), side="right")
    outside_order = np.arange(cells - ordered)
    return FeatureBins(
        bins,
        coarse,
        direction,
        cell_of_row,
        np.concatenate([coarse_run, len(begins) + 1 + outside_order]).astype(np.int64),
        cell_of_bin,
        _cells_of_bins(coarse, coarse_cuts, special_codes),
        len(special_codes),
        split_bin_of_row if special_codes else None,
    )


def _cells_of_bins(bins: Bins, cuts: Sequence[float], codes: Sequence[float]) -> CellIndexes:
    """The cell in the fit of each bin: those between the `cuts`, then the codes, then the rest."""
    cell_of_bin = np.searchsorted(cuts, (-np.inf, *bins.cuts), side="right")
    bin_of_code = np.searchsorted(bins.cuts, codes, side="right")
    cell_of_bin[bin_of_code] = len(cuts) + 1 + np.arange(len(codes))
    outside_order = np.arange(bins.count - len(cell_of_bin)) + len(cuts) + 1 + len(codes)
    return np.concatenate([cell_of_bin, outside_order]).astype(np.int64)


def _counted(
    values: Floats, known: Mask, fact: Fact, party: Parties | None
) -> tuple[Floats, NDArray[Any]]:
    """(the known values, rising; how many parties have each, a row each without `party`)."""
    if party is None:
        return np.unique(values[known], return_counts=True)
    distinct, position = np.unique(values[known], return_inverse=True)
    return distinct, np.bincount(position, party.counted(fact.name)[known])


def _cuts(values: Floats, counts: NDArray[Any], most: int) -> tuple[float, ...]:
    """At most `most` - 1 rising cuts among rising distinct values: a value as common as a whole
    bin has one of its own, and the others share the rest of the bins evenly."""
    if len(values) <= 1:
        return ()
    if len(values) <= most:
        return tuple(float(cut_value) for cut_value in values[1:])
    common = counts >= counts.sum() / most
    less_common = np.where(common, 0, counts)
    bins = min(max(most - int(common.sum()), 1), max(int(less_common.sum()) // LEAST_ROWS, 1))
    rows_before = np.cumsum(less_common) - less_common
    bin_of_value = np.minimum(rows_before * bins // max(int(less_common.sum()), 1), bins - 1)
    starts = np.flatnonzero(
        (np.diff(bin_of_value) > 0) | (common[1:] != common[:-1]) | (common[1:] & common[:-1])
    )
    return tuple(float(cut_value) for cut_value in values[starts + 1])
