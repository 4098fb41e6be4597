"""The learners by name: one door to learning with each, to its files and back from them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from riskseg.domain.facts import Fact
from riskseg.learning.calibration import Calibration, choose_calibration, fit_calibration
from riskseg.learning.canonical import canonical
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.parties import Parties
from riskseg.learning.scorecard.controls import Controls
from riskseg.learning.scorecard.tables import Scorecard
from riskseg.learning.spec import LearnerName, ModelSpec
from riskseg.learning.trees.boosted import Boosted, fit_boosted

if TYPE_CHECKING:
    import pandas as pd

    from riskseg.learning.frame import Floats, Folds

# With fewer bad outcomes than this shapes learned freely are mostly chance: the weights of
# evidence of a few wide bins are the simpler form, and do no worse.
FEW_BADS = 300


class Scorer(Protocol):
    """What evidence asks of a model. Batches are data frames as in :class:`TrainingFrame`."""

    @property
    def features(self) -> tuple[str, ...]: ...

    def margin(self, batch: pd.DataFrame, threads: int = 1) -> Floats:
        """Log-odds of the bad outcome of each row."""
        ...


@dataclass(frozen=True)
class Learned:
    """A learner fitted to the training window. `outside` are its margins for rows unseen; `tried`
    is what was tried on the way, for the record; `notes` are for whoever reads the model."""

    model: Scorecard | Boosted
    outside: Floats
    calibration: Calibration
    tried: Mapping[str, Any]
    notes: tuple[str, ...]


def steps_of(spec: ModelSpec, name: LearnerName) -> int:
    """About how many steps a learner says it has reached."""
    if name == "lightgbm":
        return 5 if spec.lightgbm.search == "full" else 2
    return 6 if spec.scorecard.chosen_form == "additive" else 4


def learn(
    spec: ModelSpec,
    name: LearnerName,
    training: TrainingFrame,
    features: tuple[Fact, ...],
    folds: Folds,
    threads: int,
    say: Callable[[str], None],
) -> Learned:
    """Learns with one learner, and calibrates it on the margins of rows it did not see."""
    data = (training.rows, training.label, training.weight, features, folds)
    common: dict[str, Any] = {"seed": spec.seed, "threads": threads, "say": say}
    common["party"] = Parties.of(training.group, training.rows, features, training.account)
    notes: tuple[str, ...] = ()
    model: Scorecard | Boosted
    if name == "lightgbm":
        model, outside, tried = fit_boosted(
            *data, searching=spec.lightgbm.search == "full", **common
        )
    elif _form_for(spec, training) == "additive":
        from riskseg.learning.scorecard.additive import fit_additive

        card = spec.scorecard
        model, outside, tried = fit_additive(
            *data,
            pairs=card.pairs,
            most_pairs=card.most_pairs,
            controls=Controls.of(card),
            **common,
        )
    else:
        from riskseg.learning.scorecard.classic import fit_classic

        model, outside, tried = fit_classic(
            *data,
            controls=Controls.of(spec.scorecard).with_codes(features),
            turned_signs=spec.scorecard.turned_signs,
            snapshots=training.as_of,
            **common,
        )
        if spec.scorecard.chosen_form == "additive":
            notes = (
                f"The scorecard is classic, not additive: {int(training.label.sum())} bad outcomes "
                f"are fewer than the {FEW_BADS} that free shapes take.",
            )
    notes = (*model.notes, *notes)
    outcome = (training.label, training.weight)
    if spec.calibration == "auto":
        calibration, calibrations = choose_calibration(outside, *outcome, folds, threads=threads)
    else:
        calibration = fit_calibration(spec.calibration, outside, *outcome)
        calibrations = []
    return Learned(
        model, outside, calibration, {"settings": tried, "calibrations": calibrations}, notes
    )


def _form_for(spec: ModelSpec, training: TrainingFrame) -> str:
    """The scorecard's form: the spec's, but the simpler one where bad outcomes are few."""
    return spec.scorecard.chosen_form if int(training.label.sum()) >= FEW_BADS else "classic"


def files_of(model: Scorecard | Boosted) -> dict[str, bytes]:
    """The learner's own files, text all of them."""
    if isinstance(model, Boosted):
        return {
            "booster.txt": model.text.encode(),
            "booster.json": canonical(model.as_json()),
        }
    return {"scorecard.json": canonical(model.as_json())}


def from_files(name: str, files: Mapping[str, bytes]) -> Scorecard | Boosted:
    """The model that :func:`files_of` wrote."""
    if name == "lightgbm":
        return Boosted.from_json(json.loads(files["booster.json"]), files["booster.txt"].decode())
    return Scorecard.from_json(json.loads(files["scorecard.json"]))
