"""Whether models learn from the same rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskseg.learning.frame import TrainingFrame


def assert_same(frame: TrainingFrame, other: TrainingFrame) -> None:
    """Fail unless two frames are the same to the bit, and in the same order."""
    pd.testing.assert_frame_equal(frame.rows, other.rows)
    for name in ("account", "group", "as_of", "label", "held_out", "weight"):
        assert np.array_equal(getattr(frame, name), getattr(other, name))
