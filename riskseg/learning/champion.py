"""Which learner ships: the preferred one, unless another is better by more than a margin, and
significantly so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from riskseg.learning.evidence.compare import differences
from riskseg.learning.evidence.metrics import expected_calibration_error, log_loss
from riskseg.learning.evidence.uncertainty import Interval
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.spec import LearnerName, ModelSpec

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats


@dataclass(frozen=True)
class Choice:
    """The champion and why. `gain` is (AUC gained by the other, low, high), if there is one, and
    `saved` the share of the preferred learner's log loss that the other saves, likewise."""

    learner: LearnerName
    why: str
    gain: Interval | None = None
    saved: Interval | None = None


def choose(
    spec: ModelSpec, training: TrainingFrame, probabilities: Mapping[LearnerName, Floats]
) -> Choice:
    """Chooses by calibrated probabilities of rows the learners did not see, never by the hold-out.

    Another learner ships where the AUC it gains or the log loss it saves exceeds its margin, with
    an interval over parties that excludes zero, and the other measure is not significantly worse.
    """
    preferred, rule = spec.preferred, spec.champion
    label, weight = training.label, training.weight
    others = [name for name in probabilities if name != preferred]
    if not others:
        return Choice(preferred, "the only learner in the spec")
    other = min(others, key=lambda name: log_loss(label, probabilities[name], weight))
    ours, theirs = probabilities[preferred], probabilities[other]
    found = differences(label, weight, training.group, ours, theirs, spec.seed)
    assert found["auc"] is not None and found["log_loss"] is not None
    gain = _interval(found["auc"])
    loss = log_loss(label, ours, weight)
    less, low, high = found["log_loss"]
    saved = (-less / loss, -high / loss, -low / loss)
    better = _exceeds(gain, rule.unless_auc_gain) or _exceeds(saved, rule.unless_log_loss_gain)
    worse = gain[2] < 0 or saved[2] < 0
    errors = [expected_calibration_error(label, one, weight) for one in (ours, theirs)]
    why = (
        f"{other} gains {gain[0]:.4f} AUC over {preferred} (95% interval {gain[1]:.4f} to "
        f"{gain[2]:.4f}; margin {rule.unless_auc_gain:g}) and saves {saved[0]:.2%} of its log loss "
        f"({saved[1]:.2%} to {saved[2]:.2%}; margin {rule.unless_log_loss_gain:.1%}); the "
        f"calibration error is {errors[1]:.4f} against {errors[0]:.4f}"
    )
    return Choice(other if better and not worse else preferred, why, gain, saved)


def _exceeds(gain: Interval, margin: float) -> bool:
    """Whether a gain is above the margin, and its interval above zero."""
    return gain[0] > margin and gain[1] > 0


def _interval(ends: list[float]) -> Interval:
    estimate, low, high = ends
    return estimate, low, high
