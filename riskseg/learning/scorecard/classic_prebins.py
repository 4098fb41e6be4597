"""The pre-bins of a classic scorecard: the narrowest bins, between which bins are cut, and how many
rows, bad outcomes and parties each holds. Learned from the rows of one fit alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from riskseg.domain.facts import Fact, Kind
from riskseg.learning.levels import levels_by_risk
from riskseg.learning.parties import Parties
from riskseg.learning.scorecard.additive_fit import line_block
from riskseg.learning.scorecard.additive_pairs import beyond_chance
from riskseg.learning.scorecard.binning import prebin_cuts, refuses, shaped_blocks
from riskseg.learning.scorecard.controls import Controls
from riskseg.learning.scorecard.edits import Edit, around, hand_bins
from riskseg.learning.scorecard.optimal import optimal_bins
from riskseg.learning.scorecard.tables import Bins

if TYPE_CHECKING:
    import pandas as pd

    from riskseg.learning.frame import Floats, Labels, Mask

    Places = NDArray[np.int64]


@dataclass(frozen=True)
class ClassicRows:
    rows: pd.DataFrame
    label: Labels
    weight: Floats
    features: tuple[Fact, ...]
    controls: Controls
    later: Mask | None
    party: Parties | None

    def only(self, some: slice) -> ClassicRows:
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
class PreBinned:
    """A feature in pre-bins. `places` is the pre-bin of every row, seen or not; the other arrays
    have one entry a pre-bin and are of the rows seen: `counts` and `bads` effective rows, `held`
    parties. `idle` says that it tells no more of parties than chance would. `given` are the cuts
    where they are not to be searched for, `note` says why there are none. `ordinary` are the
    pre-bins along the value that are no code. `halves` are (rows, bad ones), effective too, in the
    first and in the second half of the window. `direction` is that of :meth:`Controls.direction`;
    `refused` says that the data refuse the declared one, and `blocks` are where the search for
    cuts may cut: all of that is the same for every setting that is tried."""

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
    direction: int | None
    refused: bool
    blocks: Places


@dataclass(frozen=True)
class PreBins:
    """The rows seen by one fit. `scale` turns weights into effective rows."""

    seen: Mask
    scale: float
    columns: tuple[PreBinned, ...]


def second_half(snapshots: NDArray[np.datetime64] | None) -> Mask | None:
    """Marks the rows of the second half of the window; None where there is one date at most."""
    if snapshots is None:
        return None
    snapshot_days = np.asarray(snapshots).astype("datetime64[D]")
    known_days = snapshot_days[~np.isnat(snapshot_days)]
    if not len(known_days) or known_days.min() == known_days.max():
        return None
    return np.asarray(snapshot_days > known_days.min() + (known_days.max() - known_days.min()) // 2)


def pre_bin(data: ClassicRows, seen: Mask) -> PreBins:
    """Pre-bins and their counts, from the rows seen alone."""
    label, weight = data.label[seen], data.weight[seen]
    bad = label == 1
    # A sample of n rows with weights w tells as much as (sum w)² / sum w² rows without (Kish,
    # *Survey Sampling*, 1965); of the two outcomes, the rarer decides how much both tell.
    each = [
        outcome_weight.sum() ** 2 / (outcome_weight**2).sum()
        for outcome_weight in (weight[bad], weight[~bad])
    ]
    rate = float(weight[bad].sum() / weight.sum())
    scale = 1 / (rate * (1 - rate) * (1 / each[0] + 1 / each[1])) / float(weight.sum())
    is_later = data.later[seen] if data.later is not None else None
    party = data.party.where(seen) if data.party is not None else None
    prebinned = []
    for fact in data.features:
        edit = data.controls.edits.get(fact.name)
        if edit is not None and edit.drop:
            continue
        feature_values = data.rows[fact.name]
        by_hand = hand_bins(edit, fact.name)
        bins_given: Bins | str | None = by_hand
        if data.controls.optimal and by_hand is None:
            bins_given = optimal_bins(
                feature_values[seen], label, weight, fact, data.controls, party
            )
        whole_bins = bins_given if isinstance(bins_given, Bins) else None
        fine, specials = _fine_bins(
            feature_values[seen], label, weight, fact, edit, whole_bins, party
        )
        prebin_of_any = fine.bin_indexes(feature_values)
        prebin_of_row, size = prebin_of_any[seen], fine.count

        def sums(
            of: Floats, where: Mask | None = None, at: Places = prebin_of_row, n: int = size
        ) -> Floats:
            at, of = (at, of) if where is None else (at[where], of[where])
            return np.bincount(at, weights=of, minlength=n).astype(np.float64)

        rows_counted: Floats = np.ones(len(prebin_of_row))
        effective_share, idle = 1.0, False
        if party is not None:
            rows_counted = party.counted(fact.name)
            error: Floats = weight * (
                label - _rates(sums(weight), sums(weight * label))[prebin_of_row]
            )
            effect = party.design_effect(error, fact.name)
            effective_share = 1 / effect
            # As levels come in order of risk already, neighbours are no more alike than others.
            ordered_count = 0 if fine.levels else len(fine.cuts) + 1
            idle = not beyond_chance(
                line_block(ordered_count, size - ordered_count),
                sums(weight * (label - rate)),
                sums(weight) * rate * (1 - rate),
                effect,
            )
        effective_rows, effective_bads = (
            np.full(len(prebin_of_row), effective_share),
            np.asarray(label * effective_share, dtype=np.float64),
        )
        along = np.arange(len(fine.cuts) + 1)
        coded = np.searchsorted(fine.cuts, specials, side="right")
        ordinary = along[~np.isin(along, coded)]
        counts = sums(weight) * scale * effective_share
        bads = sums(weight * label) * scale * effective_share
        held_by_bin = sums(rows_counted)
        occurs = ordinary[held_by_bin[ordinary] > 0]
        along_counts, along_bads = counts[occurs], bads[occurs]
        direction = data.controls.direction(fact, along_counts, along_bads)
        searched = whole_bins is None and len(occurs) > 0
        declared = 0 if fact.kind.is_textual or not searched else fact.direction
        prebinned.append(
            PreBinned(
                fact,
                fine,
                by_hand is not None,
                None if whole_bins is None else frozenset(whole_bins.cuts),
                bins_given if isinstance(bins_given, str) else "",
                prebin_of_any,
                idle,
                ordinary,
                counts,
                bads,
                held_by_bin,
                ()
                if is_later is None
                else tuple(
                    (sums(effective_rows, outcome_weight), sums(effective_bads, outcome_weight))
                    for outcome_weight in (~is_later, is_later)
                ),
                direction,
                bool(declared) and refuses(along_counts, along_bads, declared),
                shaped_blocks(along_counts, along_bads, direction) if searched else occurs,
            )
        )
    return PreBins(seen, scale, tuple(prebinned))


def _rates(counts: Floats, bads: Floats) -> Floats:
    """The rate of bad outcomes about each pre-bin: over a tenth of all rows, so that a few
    parties do not make it their own."""
    tenth = np.minimum((np.cumsum(counts) - counts) * 10 // counts.sum(), 9).astype(np.int64)
    rows_of_tenth = np.maximum(np.bincount(tenth, counts), 1e-9)
    rates: Floats = (np.bincount(tenth, bads) / rows_of_tenth)[tenth]
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
        return Bins(
            fact.name, tuple(float(level_number) for level_number in range(1, len(levels))), levels
        ), ()
    specials = (
        tuple(float(special_value) for special_value in edit.specials) if edit is not None else ()
    )
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    numbers = numbers[~np.isnan(numbers)]
    if given is not None:
        cuts = set(given.cuts)
    else:
        cuts = set(map(float, prebin_cuts(numbers[~np.isin(numbers, specials)])))
    if specials:
        cuts |= set(around(specials, whole=fact.kind is Kind.INTEGER))
    return Bins(fact.name, tuple(sorted(cuts)), None), specials
