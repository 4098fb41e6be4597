"""A line that comes after a calibration may be level, and may not fall."""

from __future__ import annotations

import numpy as np
import pytest

from riskseg.learning.calibration import Calibration


def test_a_level_line_gives_every_row_the_same() -> None:
    level = Calibration().shifted(0.0, -1.0)
    assert level.log_odds(np.array([-2.0, 3.0])).tolist() == [-1.0, -1.0]


def test_a_falling_line_is_refused() -> None:
    with pytest.raises(ValueError, match="would turn the order"):
        Calibration().shifted(-0.1, 0.0)
