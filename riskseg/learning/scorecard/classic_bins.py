"""The bins of a classic scorecard and their weights of evidence, joined from pre-bins.

Formulae: Siddiqi, *Intelligent Credit Scoring* (2nd ed., 2017), chapter 6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from riskseg.learning.scorecard.binning import LEAST_ROWS, best_starts, unstable
from riskseg.learning.scorecard.classic_prebins import ClassicRows, PreBinned
from riskseg.learning.scorecard.edits import Edit
from riskseg.learning.scorecard.tables import Bins

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats
    from riskseg.learning.scorecard.classic_prebins import Places

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


@dataclass(frozen=True)
class Weighed:
    """A feature with its bins: `groups` gives the bin of evidence of every pre-bin."""

    column: PreBinned
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


def weigh(data: ClassicRows, column: PreBinned, setting: Setting) -> Weighed | str:
    """A feature's bins and their weights of evidence, or why it has none."""
    fact, ordinary = column.fact, column.ordinary
    controls = data.controls
    counts, bads, held_rows = (
        prebin_part[ordinary] for prebin_part in (column.counts, column.bads, column.held)
    )
    occurs = np.flatnonzero(held_rows)
    direction = column.direction
    bin_notes = [f"{fact.name}: {column.note}; these bins are riskseg's"] if column.note else []
    if column.given is None and len(occurs):
        if column.refused:
            return f"the data refuse the direction {'+' if fact.direction > 0 else '-'}"
        least_share = controls.share(fact.name)
        least_share = setting.least_share if least_share is None else least_share
        least_rows = max(float(LEAST_ROWS), least_share * float(column.held.sum()))
        found_starts = best_starts(
            counts[occurs],
            bads[occurs],
            held_rows[occurs],
            column.blocks,
            penalty=setting.penalty,
            least=least_rows,
        )
        starts = [0, *(int(occurs[bin_start]) for bin_start in found_starts[1:])]
        starts = _without(starts, column, controls.edits.get(fact.name))
        starts = _stable(starts, column, bin_notes)
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
                bin_notes.append(
                    f"{fact.name}: the cuts by hand do not keep to the direction "
                    f"{'+' if direction > 0 else '-'}"
                )
            break
        starts = starts[: wrong[0] + 1] + starts[wrong[0] + 2 :]
    return Weighed(column, groups, woe, information, by_chance, free, tuple(bin_notes))


def _given(column: PreBinned) -> list[int]:
    """The starts of bins that are given: a code in the midst of one does not part it."""
    given_cuts, cuts, along = column.given or (), column.fine.cuts, column.ordinary
    return [
        0,
        *(
            cut_number
            for cut_number in range(1, len(along))
            if any(
                cuts[cell_number] in given_cuts
                for cell_number in range(along[cut_number - 1], along[cut_number])
            )
        ),
    ]


def _without(starts: list[int], column: PreBinned, edit: Edit | None) -> list[int]:
    """The starts less the one nearest to each cut that is not wanted."""
    for unwanted in edit.without if edit is not None else ():
        if len(starts) > 1:
            cuts = [column.fine.cuts[column.ordinary[start] - 1] for start in starts[1:]]
            nearest = min(range(len(cuts)), key=lambda cut_index: abs(cuts[cut_index] - unwanted))
            del starts[nearest + 1]
    return starts


def _stable(starts: list[int], column: PreBinned, notes: list[str]) -> list[int]:
    """The starts less those of bins that do not hold in both halves of the window's time."""
    feature = column.fact.name
    while column.halves and len(starts) > 1:
        counts, bads = (
            tuple(np.add.reduceat(half[measure][column.ordinary], starts) for half in column.halves)
            for measure in (0, 1)
        )
        counts_of_both = counts[0] + counts[1]
        removed_start, unstable_reason = None, ""
        for half in counts:
            expected = counts_of_both * half.sum() / counts_of_both.sum()
            empty = np.flatnonzero((half < NEARLY_EMPTY) & (expected >= EXPECTED))
            if len(empty):
                bin_index, unstable_reason = (
                    int(empty[0]),
                    "one half of the time has almost no such rows",
                )
                rate = (bads[0] + bads[1]) / counts_of_both
                is_last = bin_index == len(starts) - 1
                nearer_below = bin_index > 0 and (
                    is_last
                    or abs(rate[bin_index] - rate[bin_index - 1])
                    <= abs(rate[bin_index + 1] - rate[bin_index])
                )
                removed_start = bin_index if nearer_below else bin_index + 1
                break
        if removed_start is None:
            with np.errstate(divide="ignore", invalid="ignore"):
                rates = tuple(
                    np.nan_to_num(bads_of_half / counts_of_half)
                    for bads_of_half, counts_of_half in zip(bads, counts, strict=True)
                )
            removed_start = unstable((rates[0], rates[1]), (counts[0], counts[1]))
            unstable_reason = "the order of bad rates turns between the halves of the time"
        if removed_start is None:
            break
        notes.append(
            f"{feature}: {_start(column, starts[removed_start])} is not used as a cut: "
            f"{unstable_reason}"
        )
        starts = starts[:removed_start] + starts[removed_start + 1 :]
    return starts


def _start(column: PreBinned, start: int) -> str:
    """What a bin begins with, in words."""
    index = int(column.ordinary[start])
    levels = column.fine.levels
    return f"{column.fine.cuts[index - 1]:g}" if levels is None else f'"{levels[index]}"'


def _groups(column: PreBinned, starts: Sequence[int]) -> Places:
    """The bin of evidence of every pre-bin: those along the value, then one for each code, then
    other levels, then nulls. A bin with a code in its midst stays one."""
    fine_count = column.fine.count
    group_of_fine = np.full(fine_count, -1, dtype=np.int64)
    begins_bin = np.zeros(len(column.ordinary), dtype=np.int64)
    begins_bin[list(starts)] = 1
    group_of_fine[column.ordinary] = np.cumsum(begins_bin) - 1
    other_prebins = np.flatnonzero(group_of_fine < 0)
    group_of_fine[other_prebins] = len(starts) + np.arange(len(other_prebins))
    return group_of_fine


def _evidence(
    column: PreBinned, groups: Places, average: float
) -> tuple[Floats, float, float, int]:
    """(weight of evidence ln(share of goods / share of bads) of each bin, their information
    value, what chance makes of it, by how many degrees of freedom), with the average accounts
    added to every bin.

    Where outcomes do not depend on the bin, information times goods times bads over all rows is
    close to chi-squared with one degree of freedom fewer than bins: `by_chance` is the
    information that one degree of freedom is worth. Levels put in order of risk before they are
    joined have as many as there are levels.
    """
    rows_by_group = np.bincount(groups, weights=column.counts)
    bads = np.bincount(groups, weights=column.bads)
    row_total = float(rows_by_group.sum())
    rate = float(bads.sum()) / row_total
    bad = (bads + average * rate) / (rate * row_total)
    good = (rows_by_group - bads + average * (1 - rate)) / ((1 - rate) * row_total)
    woe = np.asarray(np.round(np.log(good / bad), 6) + 0.0, dtype=np.float64)
    occurs = rows_by_group > 0
    information = float(((good - bad) * woe)[occurs].sum())
    occur = column.counts > 0 if column.fine.levels and not column.by_hand else occurs
    free = max(int(occur.sum()) - 1, 0)
    return woe, information, free / (rate * (1 - rate) * row_total), free


def information_by_chance(weighed: Weighed, above: float) -> float:
    """The information that chance gives, so many standard deviations above its mean (a
    chi-squared with f degrees of freedom has mean f and variance 2 f)."""
    free = weighed.free
    return weighed.by_chance * (1 + above * math.sqrt(2 / free)) if free else 0.0


def joined_bins(weighed: Weighed) -> tuple[Bins, tuple[float, ...]]:
    """The bins that neighbouring pre-bins of one group make, and their weights of evidence."""
    fine = weighed.column.fine
    along = weighed.groups[: len(fine.cuts) + 1]
    begins = np.flatnonzero(np.diff(along)) + 1
    bins = replace(fine, cuts=tuple(fine.cuts[start - 1] for start in begins))
    woe = np.r_[weighed.woe[along[np.r_[0, begins]]], weighed.woe[weighed.groups[len(along) :]]]
    return bins, tuple(float(w) for w in woe)
