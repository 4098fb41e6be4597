"""Which learner ships: the preferred one, unless another is better beyond doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from riskseg.learning.evidence.metrics import auc, auc_gain
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.spec import LearnerName, ModelSpec

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats


@dataclass(frozen=True)
class Choice:
    """The champion and why. `gain` is (AUC gained by the other, low, high), if there is one."""

    learner: LearnerName
    why: str
    gain: tuple[float, float, float] | None = None


def choose(
    spec: ModelSpec, training: TrainingFrame, margins: Mapping[LearnerName, Floats]
) -> Choice:
    """Chooses by margins of rows the learners did not see, never by the hold-out."""
    preferred, needed = spec.preferred, spec.champion.unless_auc_gain
    others = [name for name in margins if name != preferred]
    if not others:
        return Choice(preferred, "the only learner in the spec")
    label, weight = training.label, training.weight
    other = max(others, key=lambda name: auc(label, margins[name], weight))
    gain = auc_gain(
        label, margins[preferred], margins[other], training.group, seed=spec.seed, weight=weight
    )
    told = (
        f"{other} gains {gain[0]:.4f} AUC over {preferred}, between {gain[1]:.4f} and {gain[2]:.4f}"
    )
    if gain[1] > needed:
        return Choice(other, f"{told}: all of it above {needed:g}", gain)
    return Choice(preferred, f"{told}: not all of it above {needed:g}", gain)
