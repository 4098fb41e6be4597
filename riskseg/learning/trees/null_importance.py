"""Features that add no information to the trees beyond chance.

Kursa and Rudnicki, *Feature selection with the Boruta package* (2010): each feature's gain
against that of its own values shuffled, learned side by side. (Shuffled labels are no fair
measure: with nothing else to learn, trees gain more from chance than beside real features.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from riskseg.learning.parties import ADDS_NOTHING, Parties, rows_as_one, shuffled
from riskseg.learning.scorecard.additive_fit import line_block
from riskseg.learning.scorecard.additive_pairs import beyond_chance
from riskseg.learning.trees.directions import GROUPS
from riskseg.learning.trees.tuning import Candidate, dataset, grow

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats, Labels

ROWS = 20_000
SHUFFLES = 4
TREES = 40
# Small trees, that chance cannot fill.
LEARNER = Candidate(6, 3, 50, 5.0, rate=0.1)


def uninformative(
    matrix: Floats,
    label: Labels,
    weight: Floats,
    names: Sequence[str],
    *,
    seed: int,
    party: Parties | None = None,
    levels: Sequence[bool] | None = None,
) -> dict[str, str]:
    """Why each feature without information tells nothing; never all of the features.

    A feature's mean gain must exceed the most its own shuffled values have in a few shuffles.
    At most 20,000 rows are looked at. Shuffled, the values of a `party` go to another together.
    Columns that `levels` marks hold levels in order of risk, which they are put in for each shuffle
    anew: an order learned from outcomes tells something of them by itself.
    """
    random = np.random.default_rng(seed)
    if len(label) > ROWS:
        sampled = np.sort(random.choice(len(label), ROWS, replace=False))
        matrix, label, weight = matrix[sampled], label[sampled], weight[sampled]
        party = None if party is None else party.where(sampled)
    count = len(names)
    is_text = levels or [False] * count
    as_one = rows_as_one(party, label, weight)
    gains = []
    for _ in range(SHUFFLES):
        permuted = matrix[shuffled(None if party is None else party.codes, len(label), random)]
        for index in np.flatnonzero(is_text):
            permuted[:, index] = _ordered_anew(permuted[:, index], label, weight)
        lightgbm_data = dataset(np.column_stack([matrix, permuted]), label, weight)
        booster = grow(lightgbm_data, LEARNER, [0] * (2 * count), TREES, seed, as_one=as_one)
        gains.append(booster.feature_importance(importance_type="gain"))
    mean_gain = np.mean(gains, axis=0)[:count]
    chance = np.max(gains, axis=0)[count:]
    if party is not None:
        # Every fifth feature that means nothing gains more than the most of four shuffles, and one
        # that is the same in all rows of a party then weighs much: where it tells nothing alone,
        # it must gain twice as much as the most.
        alone = [
            _informative_alone(matrix[:, index], label, weight, party, feature, text)
            for index, (feature, text) in enumerate(zip(names, is_text, strict=True))
        ]
        chance = np.where(alone, chance, 2 * chance)
    reason_by_feature = {
        feature: f"{ADDS_NOTHING}: gain {gain:.4g}, and up to {shuffled_gain:.4g} when shuffled"
        for feature, gain, shuffled_gain in zip(names, mean_gain, chance, strict=True)
        if gain <= shuffled_gain
    }
    if len(reason_by_feature) == count:
        del reason_by_feature[names[int(np.argmax(mean_gain - chance))]]
    return reason_by_feature


def _informative_alone(
    values: Floats, label: Labels, weight: Floats, party: Parties, name: str, text: bool
) -> bool:
    """Whether bad rates differ between levels, or groups of equal count and nulls, by more than
    chance between parties."""
    not_null = ~np.isnan(values)
    if text:
        group_of_row = np.where(not_null, values, -1).astype(np.int64) + 1
        block = line_block(0, int(group_of_row.max()) + 1)
    else:
        edges = np.unique(np.quantile(values[not_null], np.linspace(0, 1, GROUPS + 1)[1:-1]))
        group_of_row = np.where(
            not_null, np.searchsorted(edges, values, side="left"), len(edges) + 1
        )
        block = line_block(len(edges) + 1, 1)
    rows_by_group, bads_by_group = (
        np.bincount(group_of_row, row_weight, block.cells).astype(np.float64)
        for row_weight in (weight, weight * label)
    )
    rate = float(bads_by_group.sum() / rows_by_group.sum())
    error = weight * (label - (bads_by_group / np.maximum(rows_by_group, 1e-12))[group_of_row])
    return beyond_chance(
        block,
        bads_by_group - rate * rows_by_group,
        rate * (1 - rate) * rows_by_group,
        party.design_effects(error, [(name,)])[0],
    )


def _ordered_anew(level_codes: Floats, label: Labels, weight: Floats) -> Floats:
    """Levels given by their place in some order, by their place in the order of risk."""
    not_null = ~np.isnan(level_codes)
    level = level_codes[not_null].astype(np.int64)
    if not len(level):
        return level_codes
    rows_of_level = np.maximum(np.bincount(level, weight[not_null]), 1e-9)
    rates = np.bincount(level, (weight * label)[not_null]) / rows_of_level
    risk_order = np.full(len(level_codes), np.nan)
    risk_order[not_null] = np.argsort(np.argsort(rates, kind="stable"), kind="stable")[level]
    return risk_order
