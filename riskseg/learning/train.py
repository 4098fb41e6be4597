"""From a spec and a training frame to the files of a model.

Everything that is chosen (the number of trees, the calibration, the champion) is chosen by
folds of parties inside the training window. The hold-out is read once, to report how good the
result is, and nothing is fitted again afterwards: what was validated is what ships. With
`refit: true` the recipe that was validated is what ships: it is carried out once more on all rows.
"""

from __future__ import annotations

import hashlib
import platform
import threading
from collections import ChainMap
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from importlib.metadata import version
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from riskseg.domain.facts import Fact
from riskseg.domain.problems import Problems
from riskseg.learning.artefact import version_of
from riskseg.learning.canonical import canonical, fixed
from riskseg.learning.champion import Choice, choose
from riskseg.learning.evidence.gathered import evidence
from riskseg.learning.evidence.metrics import all_metrics
from riskseg.learning.fitting import Learned, learn, steps_of
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.learners import registered
from riskseg.learning.manifest import (
    FILE,
    FORMAT,
    Champion,
    Counts,
    GainInAuc,
    Manifest,
    RecordedFact,
    RecordedMetrics,
    RecordedSpec,
    ShareOfLogLoss,
    Tried,
)
from riskseg.learning.parallel import side_by_side
from riskseg.learning.reference import reference
from riskseg.learning.screen import check_leaks, check_outcomes
from riskseg.learning.selection import no_feature_left, usable
from riskseg.learning.spec import AuthoredSpec, LearnerName, ModelSpec
from riskseg.learning.split import folds_by_party

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats, Folds

FOLDS = 5
# Steps of `train` itself that it says it has reached.
OWN_STEPS = 5
LIBRARIES = ("numpy", "pandas", "scikit-learn", "scipy", "lightgbm", "optbinning")

# The share of the learning that is done, and what begins or has ended.
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Trained:
    """A model's files by name, the version they make, and the manifest among them."""

    files: Mapping[str, bytes]
    version: str
    manifest: Manifest


def train(
    authored: AuthoredSpec,
    frame: TrainingFrame,
    *,
    threads: int,
    progress: Progress | None = None,
    known_by: date | None = None,
    noted: Mapping[str, str] = MappingProxyType({}),
) -> Trained:
    """Learns, calibrates, compares and validates. What is `noted` of a feature beforehand becomes
    a note of the model.

    The same spec and rows give the same bytes, in whatever order the rows come and at any
    number of threads. `known_by` is the day on which what is learned from was known, where it is
    not all that is known now. Raises ProblemsError: RS402, RS403, RS404, RS407, RS501.
    """
    spec = authored.spec
    say = _Steps(
        progress, OWN_STEPS + sum(steps_of(spec, learner_name) for learner_name in spec.learners)
    )
    frame = frame.ordered()
    prepared = _prepared(authored, frame, threads, say)
    learned = _learned(prepared, say)
    say("comparing the learners")
    out_of_fold = {
        learner_name: learner_made.calibration.probability(learner_made.out_of_fold)
        for learner_name, learner_made in learned.items()
    }
    choice = choose(spec, prepared.training, out_of_fold)
    say("validating on the hold-out")
    hold_out = {
        learner_name: learner_made.probability(prepared.held, threads)
        for learner_name, learner_made in learned.items()
    }
    metrics = {
        learner_name: RecordedMetrics(
            out_of_fold=all_metrics(
                prepared.training.label, out_of_fold[learner_name], prepared.training.weight
            ),
            hold_out=all_metrics(prepared.held.label, hold_out[learner_name], prepared.held.weight),
        )
        for learner_name in learned
    }
    champion, shipped = learned[choice.learner], dict(learned)
    fitted = champion.probability(prepared.training, threads)
    if spec.refit:
        say("learning once more, from all rows")
        shipped[choice.learner] = _refitted(prepared, choice.learner, frame, say)
    artefact_files = _model_files(prepared, shipped, choice, fitted, frame)
    say("gathering the evidence")
    artefact_files["evidence.json"] = canonical(
        evidence(
            spec,
            champion.learner,
            champion.model,
            prepared.features,
            prepared.training,
            out_of_fold[choice.learner],
            prepared.held,
            hold_out[choice.learner],
            fitted=fitted,
            threads=threads,
            refit=_learn_part(prepared, choice.learner) if spec.evidence.learning_curve else None,
        ).as_json()
    )
    manifest = _manifest(
        prepared, frame, choice, learned, shipped, metrics, artefact_files, noted, known_by
    )
    return sealed(manifest, artefact_files)


@dataclass(frozen=True)
class _Prepared:
    """What all learners learn from: the rows of the training window with their folds, those of the
    hold-out, the features on offer, why each of the others is not one, and notes on them."""

    authored: AuthoredSpec
    training: TrainingFrame
    held: TrainingFrame
    folds: Folds
    features: tuple[Fact, ...]
    dropped: Mapping[str, str]
    notes: Sequence[str]
    threads: int

    @property
    def spec(self) -> ModelSpec:
        return self.authored.spec


def _prepared(
    authored: AuthoredSpec, frame: TrainingFrame, threads: int, say: Callable[[str], None]
) -> _Prepared:
    """Checks the frame, and divides it. Raises every Problem that is known before learning."""
    problems = Problems()
    check_outcomes(authored, frame, problems)
    problems.raise_if_any()
    features, dropped, notes = usable(authored, frame, problems, threads)
    check_features(authored, frame.features, problems, dropped=dropped)
    problems.raise_if_any()
    training, held = frame.where(~frame.held_out), frame.where(frame.held_out)
    folds = folds_by_party(training.group, FOLDS, authored.spec.seed)
    say("looking for features that give the answer away")
    check_leaks(authored, training, features, folds, problems)
    problems.raise_if_any()
    return _Prepared(authored, training, held, folds, features, dropped, notes, threads)


def _learned(data: _Prepared, say: Callable[[str], None]) -> dict[LearnerName, Learned]:
    """What each learner of the spec made of the training window, if it was left with a feature."""
    spec = data.spec
    say(f"learning: {', '.join(spec.learners)}")

    def learned_by(name: LearnerName) -> Learned:
        return learn(
            spec,
            name,
            data.training,
            data.features,
            data.folds,
            data.threads,
            partial(_say_by, say, name),
        )

    # Each has stretches that keep one core busy: side by side they fill the others.
    learned = side_by_side(learned_by, spec.learners, data.threads)
    by_name = dict(zip(spec.learners, learned, strict=True))
    return _with_features(data.authored, by_name, data.dropped)


def _refitted(
    data: _Prepared, name: LearnerName, frame: TrainingFrame, say: Callable[[str], None]
) -> Learned:
    """The recipe that was validated, carried out once more on all rows."""
    folds = folds_by_party(frame.group, FOLDS, data.spec.seed)
    refitted = learn(
        data.spec, name, frame, data.features, folds, data.threads, partial(_say_by, say, "refit")
    )
    return _with_features(data.authored, {name: refitted}, data.dropped)[name]


def _model_files(
    data: _Prepared,
    shipped: Mapping[LearnerName, Learned],
    choice: Choice,
    fitted: Floats,
    frame: TrainingFrame,
) -> dict[str, bytes]:
    """The learners' own files, the calibrations, and how the rows were spread that what ships
    learned from. `fitted` are the champion's probabilities of the training window."""
    file_contents: dict[str, bytes] = {}
    for learned in shipped.values():
        file_contents |= learned.learner.files(learned.model)
    file_contents["calibration.json"] = canonical(
        {
            shipped_learner: learned.calibration.as_json()
            for shipped_learner, learned in shipped.items()
        }
    )
    source, probability = data.training, fitted
    if data.spec.refit:
        source = frame
        probability = shipped[choice.learner].probability(frame, data.threads)
    file_contents["reference.json"] = canonical(
        reference(source.rows, data.features, probability, source.weight).as_json()
    )
    return file_contents


def _manifest(
    data: _Prepared,
    frame: TrainingFrame,
    choice: Choice,
    learned: Mapping[LearnerName, Learned],
    shipped: Mapping[LearnerName, Learned],
    metrics: Mapping[LearnerName, RecordedMetrics],
    files: Mapping[str, bytes],
    noted: Mapping[str, str],
    known_by: date | None,
) -> Manifest:
    spec, ships = data.spec, shipped[choice.learner]
    return Manifest(
        format=FORMAT,
        name=spec.name,
        spec=RecordedSpec.model_validate(spec.as_json()),
        learner=choice.learner,
        form=ships.learner.form(ships.model),
        champion=_champion(choice),
        population=spec.population,
        features=[RecordedFact.of(fact) for fact in data.features],
        attributes=[RecordedFact.of(fact) for fact in frame.attributes],
        dropped=dict(data.dropped),
        notes=[
            *data.notes,
            *(noted[fact.name] for fact in data.features if fact.name in noted),
            *(note for model in shipped.values() for note in model.notes),
            *_note_of_refit(spec, frame),
        ],
        tried={
            learner_name: Tried.model_validate(model.tried)
            for learner_name, model in learned.items()
        },
        training=counts(data.training),
        hold_out=counts(data.held),
        refit=counts(frame) if spec.refit else None,
        metrics=dict(metrics),
        fingerprints={"data": fingerprint(frame)},
        libraries={
            "python": platform.python_version(),
            **{library: version(library) for library in LIBRARIES},
        },
        known_by=known_by,
        parent=None,
        files=hashes(files),
    )


def _with_features(
    authored: AuthoredSpec, learned: Mapping[LearnerName, Learned], dropped: Mapping[str, str]
) -> dict[LearnerName, Learned]:
    """The learners that were left with a feature. Raises RS407 where there is none: everyone
    would have the same probability."""
    learners_left = {
        learner_name: learner_made
        for learner_name, learner_made in learned.items()
        if learner_made.model.features
    }
    if not learners_left:
        problems = Problems()
        hint = "Add columns that have to do with the outcome, or drop fewer by hand."
        whys = [dropped, *(learner_made.model.dropped for learner_made in learned.values())]
        no_feature_left(authored, dict(ChainMap(*map(dict, whys))), hint, problems)
        problems.raise_if_any()
    return learners_left


def _note_of_refit(spec: ModelSpec, frame: TrainingFrame) -> list[str]:
    if not spec.refit:
        return []
    return [
        f"What ships was learned from all {len(frame):,} rows, the hold-out among them. The "
        "figures are those of the same recipe, learned from the training window alone."
    ]


class _Steps:
    """Counts the steps that learning says it has reached, of about so many."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0
        self._counting = threading.Lock()

    def __call__(self, text: str) -> None:
        if self._progress is None:
            return
        with self._counting:  # learners work side by side
            self._progress(min(self._done / self._total, 0.99), text)
            self._done += 1


def _say_by(say: Callable[[str], None], name: str, text: str) -> None:
    say(f"{name}: {text}")


def hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    """The hash of each file, as a manifest names them."""
    return {
        hashed_file: hashlib.sha256(content).hexdigest() for hashed_file, content in files.items()
    }


def sealed(manifest: Manifest, files: Mapping[str, bytes]) -> Trained:
    """The files with the manifest that names the hash of each, and the version that makes."""
    content = canonical(manifest.as_json())
    return Trained({**files, FILE: content}, version_of(content), manifest)


def check_features(
    authored: AuthoredSpec,
    features: Sequence[Fact],
    problems: Problems,
    *,
    dropped: Collection[str] = (),
    others: Collection[str] = (),
) -> None:
    """Add Problems for features that the settings of a learner name; see
    :meth:`Learner.check_features`."""
    for learner in registered():
        settings = authored.spec.settings(learner.name)
        learner.check_features(
            authored, settings, features, problems, dropped=dropped, others=others
        )


def _learn_part(data: _Prepared, name: LearnerName) -> Callable[[Any], Floats]:
    """Learns from chosen rows of the training window alone; margins for the hold-out."""

    def margins(chosen: Any) -> Floats:
        fold_learned = learn(
            data.spec,
            name,
            data.training.where(chosen),
            data.features,
            data.folds[chosen],
            data.threads,
            lambda _: None,
        )
        return fold_learned.model.margin(data.held.rows, data.threads)

    return margins


def _champion(choice: Choice) -> Champion:
    gain, saved = choice.gain, choice.saved
    return Champion(
        learner=choice.learner,
        why=choice.why,
        gain=gain and GainInAuc(auc=fixed(gain[0]), low=fixed(gain[1]), high=fixed(gain[2])),
        log_loss_saved=saved
        and ShareOfLogLoss(share=fixed(saved[0]), low=fixed(saved[1]), high=fixed(saved[2])),
    )


def counts(frame: TrainingFrame) -> Counts:
    """How many rows, bad outcomes and parties, how many accounts they stand for, and when."""
    bads = frame.weight[frame.label == 1]
    return Counts(
        rows=len(frame),
        bad=len(bads),
        stands_for=fixed(frame.weight.sum()),
        bads_stand_for=fixed(bads.sum()) if (bads != 1).any() else None,
        parties=len(np.unique(frame.group.astype(str))),
        from_=_day(frame.as_of.min()),
        until=_day(frame.as_of.max()),
    )


def _day(day: Any) -> date | None:
    """A date; None for accounts that were observed on no day in particular."""
    return None if np.isnat(day) else date.fromisoformat(str(np.datetime64(day, "D")))


def fingerprint(frame: TrainingFrame) -> str:
    """A hash of everything learned from, values and outcomes."""
    digest = hashlib.sha256()
    for fact in frame.features:
        digest.update(fact.name.encode() + b"\0")
        if fact.kind.is_textual:
            feature_values = (
                frame.rows[fact.name].astype(object).where(frame.rows[fact.name].notna(), None)
            )
            digest.update("\0".join(map(repr, feature_values)).encode())
        else:
            feature_numbers = frame.rows[fact.name].to_numpy(dtype=np.float64, na_value=np.nan)
            digest.update(feature_numbers.tobytes())
    for ids in (frame.account, frame.group, frame.as_of.astype("datetime64[D]")):
        digest.update("\0".join(ids.astype(str)).encode() + b"\1")
    digest.update(frame.label.tobytes() + frame.held_out.tobytes() + frame.weight.tobytes())
    return digest.hexdigest()
