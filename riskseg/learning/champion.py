"""Which learner ships: the preferred one, unless another is better by more than a margin, and
significantly so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from riskseg.learning import words
from riskseg.learning.evidence.compare import differences
from riskseg.learning.evidence.metrics import expected_calibration_error, log_loss
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.spec import LearnerName, ModelSpec
from riskseg.results.interval import Interval

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
    A learner of the spec that is not among them was left without a feature.

    Another learner ships where the AUC it gains or the log loss it saves exceeds its margin, with
    an interval over parties that excludes zero, and the other measure is not significantly worse.
    """
    preferred, rule = spec.preferred, spec.champion
    label, weight = training.label, training.weight
    if len(probabilities) == 1:
        [only] = probabilities
        if len(spec.learners) == 1:
            return Choice(only, "It is the only learner that was trained.")
        return Choice(only, "It is the only learner that is left with a feature.")
    other_names = [learner_name for learner_name in probabilities if learner_name != preferred]
    best_other = min(
        other_names, key=lambda learner_name: log_loss(label, probabilities[learner_name], weight)
    )
    preferred_probability, other_probability = probabilities[preferred], probabilities[best_other]
    difference = differences(
        label, weight, training.group, preferred_probability, other_probability, spec.seed
    )
    assert difference.auc is not None
    gain = difference.auc
    loss = log_loss(label, preferred_probability, weight)
    loss_less, low, high = difference.log_loss
    saved = Interval(-loss_less / loss, -high / loss, -low / loss)
    better = {
        "the AUC it gains": _exceeds(gain, rule.unless_auc_gain),
        "the log loss it saves": _exceeds(saved, rule.unless_log_loss_gain),
    }
    worse = gain[2] < 0 or saved[2] < 0
    errors = [
        expected_calibration_error(label, probability, weight)
        for probability in (preferred_probability, other_probability)
    ]
    preferred_name, other_name = words.the_learner(preferred), words.the_learner(best_other)
    reason_text = words.sentence(_reason(preferred_name, other_name, better, worse=worse))
    explanation = (
        f"In the folds inside the training window {other_name} gains {gain[0]:.4f} AUC over "
        f"{preferred_name} (95% interval {gain[1]:.4f} to {gain[2]:.4f}; margin "
        f"{rule.unless_auc_gain:g}) and saves {saved[0]:.2%} of its log loss ({saved[1]:.2%} to "
        f"{saved[2]:.2%}; margin {rule.unless_log_loss_gain:.1%}); the calibration error there is "
        f"{errors[1]:.4f} against {errors[0]:.4f}. {reason_text}"
    )
    return Choice(
        best_other if any(better.values()) and not worse else preferred, explanation, gain, saved
    )


def _reason(us: str, them: str, better: Mapping[str, bool], *, worse: bool) -> str:
    """What follows from the figures, and by which part of the rule."""
    by = [measure for measure, is_met in better.items() if is_met]
    if not by:
        return f"{us} is preferred, and neither figure is above its margin with an interval above 0"
    if worse:
        return f"{us} is preferred, and {them} is worse by one of the two figures beyond chance"
    above = "is above its margin" if len(by) == 1 else "are above their margins"
    return (
        f"{us} is preferred, but {' and '.join(by)} {above}, and the whole interval is above zero"
    )


def _exceeds(gain: Interval, margin: float) -> bool:
    """Whether a gain is above the margin, and its interval above zero."""
    return gain.value > margin and gain.low > 0
