"""Whether a feature that drifts helps to predict a later time nevertheless.

A model that leans on a feature whose distribution moves may not hold. Whether it holds can be
asked of the training window alone: trees learn from its earlier half, with the feature and without
it, and are judged on its later half.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from riskseg.domain.facts import Fact
from riskseg.learning.evidence.uncertainty import auc_difference
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.parallel import side_by_side
from riskseg.learning.parties import Parties, rows_as_one
from riskseg.learning.trees.columns import columns_of, matrix_of
from riskseg.learning.trees.tuning import Candidate, dataset, grow

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats, Mask

# Rows of one half that are enough to judge by.
ENOUGH_ROWS = 15_000
TREES = 40
LEARNER = Candidate(8, 4, 50, 5.0, rate=0.1)
# AUC of the later half below which a gain is not worth a drift.
LEAST_GAIN = 0.005


def worth_their_drift(
    training: TrainingFrame,
    later: Mask,
    steady: Sequence[Fact],
    drifting: Sequence[Fact],
    threads: int = 1,
) -> dict[str, float]:
    """The AUC that each drifting feature gains in the later half beside the steady ones, where it
    gains significantly and more than 0.005. Trees are grown with a fixed seed."""
    halves = []
    for half in (~later, later):
        half_rows = np.flatnonzero(half)
        halves.append(training.where(half_rows[:: -(-len(half_rows) // ENOUGH_ROWS) or 1]))
    earlier, after = halves
    if any(len(np.unique(half.label)) < 2 for half in halves):
        return {}
    base, *with_drifting = side_by_side(
        lambda more: _predicted(earlier, after, [*steady, *more]),
        [[], *([fact] for fact in drifting)],
        threads,
    )
    worth = {}
    for fact, predicted in zip(drifting, with_drifting, strict=True):
        gains = auc_difference(after.label, base, predicted, after.weight, after.group)
        if gains is not None and gains[0] > LEAST_GAIN and gains[1] > 0:
            worth[fact.name] = gains[0]
    return worth


def _predicted(earlier: TrainingFrame, after: TrainingFrame, features: Sequence[Fact]) -> Floats:
    """Log-odds of the later rows by trees that learned from the earlier ones."""
    if not features:
        return np.zeros(len(after))
    party = Parties.of(earlier.group, earlier.rows, ())
    tree_columns = columns_of(earlier.rows, earlier.label, earlier.weight, features, party)
    earlier_data = dataset(matrix_of(earlier.rows, tree_columns), earlier.label, earlier.weight)
    directions = [0 if fact.kind.is_textual else fact.direction for fact in features]
    as_one = rows_as_one(party, earlier.label, earlier.weight)
    booster = grow(earlier_data, LEARNER, directions, TREES, seed=1, as_one=as_one)
    return np.asarray(
        booster.predict(matrix_of(after.rows, tree_columns), raw_score=True, num_threads=1)
    )
