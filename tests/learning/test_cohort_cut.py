"""A cohort's cut takes those whose probability is at the cut, not only those above it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskseg.domain.facts import Fact, Kind
from riskseg.learning.evidence.cohorts import cohorts
from riskseg.learning.frame import TrainingFrame

REGION = Fact("region", Kind.TEXT)


def test_a_probability_at_the_cut_is_taken() -> None:
    probability = np.tile([0.1, 0.25, 0.25, 0.4], 10)
    rows = len(probability)
    held = TrainingFrame(
        pd.DataFrame({"region": ["north"] * rows}, dtype=object),
        (REGION,),
        np.tile([0, 1, 0, 1], 10).astype(np.int8),
        np.arange(rows),
        np.arange(rows).astype(object),
        np.full(rows, np.datetime64("2024-05-01")),
        np.ones(rows, dtype=np.bool_),
        np.ones(rows),
    )
    (north,) = cohorts(held, probability, [REGION], 0.25)
    assert north.above_cut[0] == 0.75
    assert north.bad_above_cut[0] == 1.0
    assert north.good_above_cut[0] == 0.5
