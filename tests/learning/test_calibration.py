"""The calibrating line finds the likeliest fit, whatever the margins look like."""

import numpy as np
import pytest

from riskseg.learning.calibration import fit_sigmoid, logistic_line


@pytest.mark.parametrize(
    ("share", "floor", "shift"),
    [(0.9, -12, 0), (0.95, -8, 0), (0.98, -10, 0), (0.97, -6, 1), (0.8, -9, -1)],
)
def test_a_heap_of_safe_accounts_does_not_throw_the_line_off(
    share: float, floor: float, shift: float
) -> None:
    """Most accounts heaped far below the few that go bad once sent Newton's steps away for good,
    and every probability came out 0 or 1."""
    rng = np.random.default_rng(1)
    risky = rng.random(80_000) > share
    margin = np.where(risky, rng.normal(0, 1.5, 80_000), rng.normal(floor, 0.7, 80_000))
    label = (rng.random(80_000) < 1 / (1 + np.exp(-(margin + shift)))).astype(np.int8)
    slope, intercept = logistic_line(margin, label)
    assert slope == pytest.approx(1.0, abs=0.06)
    assert intercept == pytest.approx(shift, abs=0.08)
    probability = fit_sigmoid(margin, label).probability(margin)
    assert probability.mean() == pytest.approx(label.mean(), rel=0.01)
