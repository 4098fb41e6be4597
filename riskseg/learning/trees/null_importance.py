"""Features that tell trees no more than chance would.

Kursa and Rudnicki, *Feature selection with the Boruta package* (2010): each feature's gain
against that of its own values shuffled, learned side by side. (Shuffled labels are no fair
measure: with nothing else to learn, trees gain more from chance than beside real features.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from riskseg.learning.trees.tuning import Candidate, dataset, grow

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats, Labels

ROWS = 20_000
SHUFFLES = 4
TREES = 40
# Small trees, that chance cannot fill.
LEARNER = Candidate(6, 3, 50, 5.0, rate=0.1)


def uninformative(
    matrix: Floats, label: Labels, weight: Floats, names: Sequence[str], *, seed: int
) -> dict[str, str]:
    """Why each feature without information tells nothing; never all of the features.

    A feature's mean gain must exceed the most its own shuffled values have in a few shuffles.
    At most 20,000 rows are looked at.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    if len(label) > ROWS:
        chosen = np.sort(random.choice(len(label), ROWS, replace=False))
        matrix, label, weight = matrix[chosen], label[chosen], weight[chosen]
    count = len(names)
    gains = []
    for _ in range(SHUFFLES):
        shuffled = matrix[random.permutation(len(label))]
        data = dataset(np.column_stack([matrix, shuffled]), label, weight)
        booster = grow(data, LEARNER, [0] * (2 * count), TREES, seed)
        gains.append(booster.feature_importance(importance_type="gain"))
    real = np.mean(gains, axis=0)[:count]
    chance = np.max(gains, axis=0)[count:]
    found = {
        name: f"tells no more than chance: gain {told:.4g}, and up to {most:.4g} when shuffled"
        for name, told, most in zip(names, real, chance, strict=True)
        if told <= most
    }
    if len(found) == count:
        del found[names[int(np.argmax(real - chance))]]
    return found
