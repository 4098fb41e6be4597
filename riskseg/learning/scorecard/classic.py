"""The classic scorecard: weights of evidence, and a logistic regression on them.

Formulae: Siddiqi, *Intelligent Credit Scoring* (2nd ed., 2017), chapter 6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riskseg.domain.facts import Fact
from riskseg.learning.canonical import fixed
from riskseg.learning.parallel import side_by_side
from riskseg.learning.parties import NO_MORE_THAN_CHANCE, Parties
from riskseg.learning.scorecard.classic_bins import (
    Setting,
    Weighed,
    information_by_chance,
    joined_bins,
    weigh,
)
from riskseg.learning.scorecard.classic_prebins import ClassicRows, PreBins, pre_bin, second_half
from riskseg.learning.scorecard.controls import AS_IT_COMES, Controls
from riskseg.learning.scorecard.optimal import LEAST_SHARE, load_optbinning
from riskseg.learning.scorecard.regression import regress
from riskseg.learning.scorecard.tables import Scorecard, Table, base_for, points_for

if TYPE_CHECKING:
    import pandas as pd

    from riskseg.learning.frame import Floats, Folds, Labels

    Places = NDArray[np.int64]

# Rows that are enough to choose a setting by.
ENOUGH_TO_CHOOSE = 50_000
# Of many settings, those that do best on the first folds are judged on the others.
FIRST_FOLDS, SECOND_ROUND = 2, 4
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
    is_later = second_half(snapshots)
    classic_rows = ClassicRows(
        rows, label, weight, controls.directed(features), controls, is_later, party
    )
    every = slice(None, None, -(-len(label) // ENOUGH_TO_CHOOSE) or 1)
    sample = classic_rows if every.step == 1 else classic_rows.only(every)
    folds_there = list(np.unique(folds))
    say("binning finely")
    prebins_by_fold = side_by_side(
        lambda fold: pre_bin(sample, folds[every] != fold), folds_there, threads
    )
    losses: dict[tuple[Setting, int], float] = {}

    def mean(setting: Setting) -> float:
        """Over the folds that the setting was judged on."""
        return float(
            np.mean([loss for (candidate, _), loss in losses.items() if candidate == setting])
        )

    def best_of(settings: Sequence[Setting]) -> Setting:
        if len(settings) > SECOND_ROUND and len(prebins_by_fold) > FIRST_FOLDS:
            reckon(settings, FIRST_FOLDS)
            settings = sorted(settings, key=mean)[:SECOND_ROUND]
        reckon(settings, len(prebins_by_fold))
        # The best, not the coarsest within one standard error of it: on small samples the error
        # is wide, and the coarser bins measured 0.01 of AUC worse.
        return min(settings, key=lambda setting: round(mean(setting), 6))

    def reckon(settings: Sequence[Setting], count: int) -> None:
        to_judge = [
            (candidate, fold_index)
            for candidate in settings
            for fold_index in range(count)
            if (candidate, fold_index) not in losses
        ]
        new_losses = side_by_side(
            lambda piece: _loss(sample, prebins_by_fold[piece[1]], piece[0]), to_judge, threads
        )
        losses.update(zip(to_judge, new_losses, strict=True))

    cutting = _cutting(controls)
    say(f"trying {len(cutting)} {'way' if len(cutting) == 1 else 'ways'} to cut")
    setting = best_of(cutting)
    weighing = [
        replace(setting, above_chance=chance, turned=turned_signs, average=average)
        for chance, average in WEIGHING
    ]
    say(f"trying {len(weighing)} ways to weigh")
    setting = best_of(weighing)
    judged = dict.fromkeys(candidate for candidate, _ in losses)
    attempts = [
        _record(candidate, losses, len(prebins_by_fold), candidate == setting)
        for candidate in judged
    ]
    say("fitting to all folds and rows")

    def card(fold: int | None) -> Scorecard:
        rows_seen = np.ones(len(label), dtype=np.bool_) if fold is None else folds != fold
        prepared = (
            prebins_by_fold[folds_there.index(fold)]
            if fold is not None and sample is classic_rows
            else None
        )
        return _card(classic_rows, prepared or pre_bin(classic_rows, rows_seen), setting)

    *cards, card_of_all_rows = side_by_side(card, [*folds_there, None], threads)
    out_of_fold = np.zeros(len(label))
    for fold, candidate in zip(folds_there, cards, strict=True):
        out_of_fold[folds == fold] = candidate.margin(rows[folds == fold])
    return card_of_all_rows, out_of_fold, attempts


def _cutting(controls: Controls) -> Sequence[Setting]:
    """The ways to cut that the controls leave a choice of."""
    if controls.optimal:  # it cuts by itself
        return (Setting(0.0, controls.min_bin_share or LEAST_SHARE),)
    if controls.min_bin_share is None:
        return CUTTING
    settings = [replace(setting, least_share=controls.min_bin_share) for setting in CUTTING]
    return tuple(dict.fromkeys(settings))


def _record(
    setting: Setting, losses: Mapping[tuple[Setting, int], float], folds: int, chosen: bool
) -> dict[str, Any]:
    losses_of_setting = [loss for (judged, _), loss in losses.items() if judged == setting]
    over = "" if len(losses_of_setting) == folds else f", {len(losses_of_setting)} folds"
    return {
        "what": f"{setting}{over}",
        "log_loss": fixed(sum(losses_of_setting) / len(losses_of_setting)),
        "chosen": chosen,
    }


@dataclass(frozen=True)
class _Fit:
    kept: tuple[Weighed, ...]
    coefficients: tuple[float, ...]
    intercept: float
    dropped: Mapping[str, str]


def _fit(data: ClassicRows, part: PreBins, setting: Setting) -> _Fit:
    dropped = {
        edited_feature: "left out by hand"
        for edited_feature, edit in data.controls.edits.items()
        if edit.drop
    }
    weighed: list[Weighed] = []
    for column in part.columns:
        evidence = weigh(data, column, setting)
        if column.idle and not column.by_hand:
            evidence = NO_MORE_THAN_CHANCE
        if isinstance(evidence, str):
            dropped[column.fact.name] = evidence
        elif evidence.information <= information_by_chance(evidence, setting.above_chance):
            dropped[column.fact.name] = (
                "on its own it predicts no more than chance: information value "
                f"{evidence.information:.4f}"
            )
        else:
            weighed.append(evidence)
    rows_seen = part.seen
    woe = np.column_stack(
        [evidence.fine_woe[evidence.column.places[rows_seen]] for evidence in weighed]
        or [np.zeros((rows_seen.sum(), 0))]
    )
    must = [
        not setting.turned
        or bool(evidence.column.fact.direction and evidence.column.fact.kind.is_numeric)
        for evidence in weighed
    ]
    columns_kept, coefficients, intercept = regress(
        woe, data.label[rows_seen], data.weight[rows_seen] * part.scale, must
    )
    for weighed_index, evidence in enumerate(weighed):
        if weighed_index not in columns_kept:
            dropped[evidence.column.fact.name] = "its sign turns beside the other features"
    return _Fit(
        tuple(weighed[weighed_index] for weighed_index in columns_kept),
        tuple(coefficients),
        intercept,
        dropped,
    )


def _loss(data: ClassicRows, part: PreBins, setting: Setting) -> float:
    """Mean log loss on the rows not seen."""
    fit = _fit(data, part, setting)
    is_held_out = ~part.seen
    margin = np.full(int(is_held_out.sum()), fit.intercept)
    for evidence, coefficient in zip(fit.kept, fit.coefficients, strict=True):
        margin += coefficient * evidence.fine_woe[evidence.column.places[is_held_out]]
    signed = np.where(data.label[is_held_out] == 1, -margin, margin)
    return float(np.average(np.logaddexp(0, signed), weights=data.weight[is_held_out]))


def _card(data: ClassicRows, part: PreBins, setting: Setting) -> Scorecard:
    fit = _fit(data, part, setting)
    label, weight = data.label[part.seen], data.weight[part.seen]
    card_tables = []
    card_notes: list[str] = []
    for evidence, coefficient in zip(fit.kept, fit.coefficients, strict=True):
        bins, woe = joined_bins(evidence)
        bin_of_row = bins.bin_indexes(data.rows[evidence.column.fact.name][part.seen])
        rows_by_bin = np.bincount(bin_of_row, weights=weight, minlength=bins.count)
        bads = np.bincount(bin_of_row, weights=weight * label, minlength=bins.count)
        card_tables.append(
            Table(
                bins,
                tuple(round(float(row_count)) for row_count in rows_by_bin),
                tuple(round(float(row_count)) for row_count in bads),
                tuple(points_for(coefficient * woe_of_bin) for woe_of_bin in woe),
                woe,
            )
        )
        card_notes += evidence.notes
        if coefficient > 0:
            card_notes.append(
                f"{evidence.column.fact.name}: beside the other features its points run against "
                "its weights of evidence"
            )
    return Scorecard(
        "classic", base_for(fit.intercept), tuple(card_tables), (), fit.dropped, tuple(card_notes)
    )
