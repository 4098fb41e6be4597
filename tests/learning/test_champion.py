"""The preferred learner ships unless another is significantly better by more than the margin."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from riskseg.learning import champion
from riskseg.learning.spec import LearnerName, ModelSpec
from riskseg.results.interval import Interval
from riskseg.results.model_comparison import MetricDifferences

ROWS = 40
NOTHING = (0.0, -0.001, 0.001)
NEITHER = "and neither figure is above its margin with an interval above 0"
WORSE = "and LightGBM is worse by one of the two figures beyond chance"


def spec(**rule: Any) -> ModelSpec:
    return ModelSpec.model_validate({"name": "m", "target": {"column": "x"}, "champion": rule})


@pytest.mark.parametrize(
    ("auc", "log_loss", "chosen", "because"),
    [
        # above the margin, and above zero
        ((0.006, 0.001, 0.011), NOTHING, "lightgbm", "but the AUC it gains is above its margin"),
        ((0.006, -0.001, 0.013), NOTHING, "scorecard", NEITHER),  # it may be nothing
        ((0.006, 0.0, 0.012), NOTHING, "scorecard", NEITHER),  # the end is at zero, not above it
        ((0.004, 0.003, 0.005), NOTHING, "scorecard", NEITHER),  # significant, and too little
        # the log loss alone is enough
        (NOTHING, (-0.01, -0.02, -0.001), "lightgbm", "but the log loss it saves is above its"),
        # the margin is for the gain itself: its interval need not be above it, but above zero
        (NOTHING, (-0.003, -0.02, -0.0001), "lightgbm", "and the whole interval is above zero"),
        (NOTHING, (-0.01, -0.02, 0.001), "scorecard", NEITHER),
        (
            (0.006, 0.001, 0.011),
            (-0.01, -0.02, -0.001),
            "lightgbm",
            "the AUC it gains and the log loss it saves are above their margins",
        ),
        ((0.006, 0.001, 0.011), (0.01, 0.001, 0.02), "scorecard", WORSE),  # worse probabilities
        ((-0.01, -0.02, -0.001), (-0.01, -0.02, -0.001), "scorecard", WORSE),  # worse order
    ],
)
def test_what_ships(
    monkeypatch: pytest.MonkeyPatch,
    auc: tuple[float, float, float],
    log_loss: tuple[float, float, float],
    chosen: str,
    because: str,
) -> None:
    """`log_loss` is the other learner's less the preferred one's: negative is better."""
    found = MetricDifferences(
        auc=Interval(*auc), brier=Interval(0.0, 0.0, 0.0), log_loss=Interval(*log_loss)
    )
    monkeypatch.setattr(champion, "differences", lambda *_: found)
    label = np.arange(ROWS) % 2
    training: Any = SimpleNamespace(label=label, weight=np.ones(ROWS), group=np.arange(ROWS))
    probabilities: Any = {"scorecard": np.full(ROWS, 0.5), "lightgbm": np.full(ROWS, 0.5)}
    choice = champion.choose(spec(prefer="scorecard"), training, probabilities)
    assert choice.learner == chosen
    assert choice.gain == auc and choice.saved is not None
    gains = f"LightGBM gains {auc[0]:.4f} AUC over the scorecard"
    assert choice.why.startswith(f"In the folds inside the training window {gains}")
    assert "The scorecard is preferred, " in choice.why and because in choice.why
    assert choice.why.endswith(".")


@pytest.mark.parametrize(
    ("better", "rule", "chosen"),
    [
        (1.5, {}, "lightgbm"),
        (1.5, {"unless_auc_gain": 0.4, "unless_log_loss_gain": 0.4}, "scorecard"),
        (1.0, {}, "scorecard"),
        (0.5, {}, "scorecard"),
        (1.5, {"prefer": "lightgbm"}, "lightgbm"),
    ],
)
def test_probabilities_of_a_known_quality(better: float, rule: dict[str, Any], chosen: str) -> None:
    """Log-odds of which the learners see a share each: 1 for the scorecard, `better` for trees."""
    random = np.random.default_rng(1)
    seen, more = random.normal(size=(2, 6000))
    truth = seen + more
    label = (random.random(6000) < 1 / (1 + np.exp(-truth))).astype(np.int8)
    other = seen + (better - 1) * more if better > 1 else better * seen
    training: Any = SimpleNamespace(label=label, weight=np.ones(6000), group=np.arange(6000) // 2)
    odds = {"scorecard": seen, "lightgbm": other}
    probabilities: Any = {name: 1 / (1 + np.exp(-margin)) for name, margin in odds.items()}
    choice = champion.choose(spec(**{"prefer": "scorecard", **rule}), training, probabilities)
    assert choice.learner == chosen


@pytest.mark.parametrize(
    ("learners", "left", "why"),
    [
        (("scorecard",), "scorecard", "that was trained."),
        (("scorecard", "lightgbm"), "scorecard", "that is left with a feature."),
        (("scorecard", "lightgbm"), "lightgbm", "that is left with a feature."),
    ],
)
def test_one_learner_needs_no_comparison(
    learners: tuple[str, ...], left: LearnerName, why: str
) -> None:
    training: Any = SimpleNamespace(label=np.arange(4) % 2, weight=np.ones(4), group=np.arange(4))
    asked = spec(prefer="scorecard").model_copy(update={"learners": learners})
    choice = champion.choose(asked, training, {left: np.full(4, 0.5)})
    assert (choice.learner, choice.gain, choice.saved) == (left, None, None)
    assert choice.why == f"It is the only learner {why}"
