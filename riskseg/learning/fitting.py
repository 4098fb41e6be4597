"""Learning with one learner, and calibrating it on the margins of rows it did not see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from riskseg.domain.facts import Fact
from riskseg.learning.calibration import Calibration, choose_calibration, fit_calibration
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.learner import AnyLearner, FittedModel, Task
from riskseg.learning.learners import learner_named
from riskseg.learning.parties import Parties
from riskseg.learning.spec import LearnerName, ModelSpec

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats, Folds


@dataclass(frozen=True)
class Learned:
    """A model fitted to the training window, and its calibration. `out_of_fold` are the margins of
    rows unseen; `tried` is what was tried on the way, for the record; `notes` are for whoever
    reads the model."""

    learner: AnyLearner
    model: FittedModel
    out_of_fold: Floats
    calibration: Calibration
    tried: Mapping[str, Any]
    notes: tuple[str, ...]

    def probability(self, frame: TrainingFrame, threads: int) -> Floats:
        """Calibrated probabilities of a frame's rows."""
        return self.calibration.probability(self.model.margin(frame.rows, threads))


def steps_of(spec: ModelSpec, name: LearnerName) -> int:
    """About how many steps a learner says it has reached."""
    return learner_named(name).steps(spec.settings(name))


def learn(
    spec: ModelSpec,
    name: LearnerName,
    training: TrainingFrame,
    features: tuple[Fact, ...],
    folds: Folds,
    threads: int,
    say: Callable[[str], None],
) -> Learned:
    """Learns with one learner, and calibrates what it learned."""
    learner = learner_named(name)
    party = Parties.of(training.group, training.rows, features, training.account)
    task = Task(training, features, folds, party, spec.seed, threads, say)
    fit = learner.fit(spec.settings(name), task)
    outcome = (training.label, training.weight)
    if spec.calibration == "auto":
        calibration, calibrations = choose_calibration(
            fit.out_of_fold, *outcome, folds, threads=threads
        )
    else:
        calibration = fit_calibration(spec.calibration, fit.out_of_fold, *outcome)
        calibrations = []
    return Learned(
        learner,
        fit.model,
        fit.out_of_fold,
        calibration,
        {"settings": list(fit.tried), "calibrations": calibrations},
        (*fit.model.notes, *fit.notes),
    )
