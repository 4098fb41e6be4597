"""From a spec and a training frame to the files of a model.

Everything that is chosen (the number of trees, the calibration, the champion) is chosen by
folds of parties inside the training window. The hold-out is read once, to report how good the
result is, and nothing is fitted again afterwards: what was validated is what ships.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from riskseg.domain.facts import Fact
from riskseg.domain.problems import Problems
from riskseg.learning.artefact import FORMAT, version_of
from riskseg.learning.boosted import Boosted, fit_boosted
from riskseg.learning.calibration import Calibration, fit_sigmoid
from riskseg.learning.canonical import canonical, fixed
from riskseg.learning.champion import Choice, choose
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.metrics import all_metrics
from riskseg.learning.reference import reference
from riskseg.learning.scorecard import Scorecard, fit_scorecard
from riskseg.learning.screen import check_leaks, check_outcomes, usable
from riskseg.learning.spec import AuthoredSpec, LearnerName
from riskseg.learning.split import folds_by_party

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats, Folds

FOLDS = 5
LIBRARIES = ("numpy", "pandas", "scikit-learn", "lightgbm", "optbinning")

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Trained:
    """A model's files by name, the version they make, and what is in them at a glance."""

    files: Mapping[str, bytes]
    version: str
    learner: LearnerName
    metrics: Mapping[LearnerName, Mapping[str, Any]]


@dataclass(frozen=True)
class _Learned:
    """A learner fitted to the training window; `outside` are its margins for rows unseen."""

    model: Scorecard | Boosted
    outside: Floats
    calibration: Calibration


def train(
    authored: AuthoredSpec,
    frame: TrainingFrame,
    *,
    threads: int,
    progress: Progress | None = None,
) -> Trained:
    """Learns, calibrates, compares and validates.

    The same spec and rows give the same bytes, in whatever order the rows come and at any
    number of threads. Raises ProblemsError: RS402, RS403, RS404, RS407, RS501.
    """
    spec = authored.spec
    say = progress or (lambda _: None)
    frame = frame.ordered()
    problems = Problems()
    check_outcomes(authored, frame, problems)
    features, dropped = usable(authored, frame, problems)
    problems.raise_if_any()

    training, held = frame.where(~frame.held_out), frame.where(frame.held_out)
    folds = folds_by_party(training.group, FOLDS, spec.seed)
    say("looking for features that give the answer away")
    check_leaks(authored, training.rows, training.label, features, folds, problems)
    problems.raise_if_any()

    learned: dict[LearnerName, _Learned] = {}
    for name in spec.learners:
        say(f"learning: {name}")
        learned[name] = _learn(authored, name, training, features, folds, threads)
    say("comparing the learners")
    outside = {name: one.outside for name, one in learned.items()}
    choice = choose(spec, training.label, outside, training.group)
    say("validating on the hold-out")
    metrics: dict[LearnerName, dict[str, Any]] = {
        name: {
            "out_of_fold": all_metrics(training.label, one.calibration.probability(one.outside)),
            "hold_out": all_metrics(
                held.label, one.calibration.probability(one.model.margin(held.rows, threads))
            ),
        }
        for name, one in learned.items()
    }
    files = _artefacts(learned)
    champion = learned[choice.learner]
    files["reference.json"] = canonical(
        reference(
            training.rows,
            features,
            champion.calibration.probability(champion.model.margin(training.rows, threads)),
        )
    )
    manifest = {
        "format": FORMAT,
        "name": spec.name,
        "spec": spec.model_dump(mode="json", by_alias=True),
        "learner": choice.learner,
        "champion": _champion(choice),
        "population": spec.population,
        "features": [_fact(fact) for fact in features],
        "dropped": dropped,
        "training": _counts(training),
        "hold_out": _counts(held),
        "metrics": metrics,
        "fingerprints": {"data": _fingerprint(frame)},
        "libraries": {
            "python": platform.python_version(),
            **{library: version(library) for library in LIBRARIES},
        },
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    files["manifest.json"] = canonical(manifest)
    return Trained(files, version_of(files["manifest.json"]), choice.learner, metrics)


def _learn(
    authored: AuthoredSpec,
    name: LearnerName,
    training: TrainingFrame,
    features: tuple[Fact, ...],
    folds: Folds,
    threads: int,
) -> _Learned:
    import numpy as np

    model: Scorecard | Boosted
    rows, label = training.rows, training.label
    if name == "lightgbm":
        model, outside = fit_boosted(
            rows, label, features, folds, seed=authored.spec.seed, threads=threads
        )
    else:
        model = fit_scorecard(rows, label, features)
        outside = np.zeros(len(label))
        for fold in np.unique(folds):
            seen = folds != fold
            part = fit_scorecard(rows[seen], label[seen], features)
            outside[~seen] = part.margin(rows[~seen])
    sigmoid = authored.spec.calibration == "sigmoid"
    return _Learned(model, outside, fit_sigmoid(outside, label) if sigmoid else Calibration())


def _artefacts(learned: Mapping[LearnerName, _Learned]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for one in learned.values():
        if isinstance(one.model, Boosted):
            files["booster.txt"] = one.model.text.encode()
            files["booster.json"] = canonical(one.model.as_json())
        else:
            files["scorecard.json"] = canonical(one.model.as_json())
    calibrations = {name: one.calibration.as_json() for name, one in learned.items()}
    files["calibration.json"] = canonical(calibrations)
    return files


def _champion(choice: Choice) -> dict[str, Any]:
    gain = None
    if choice.gain is not None:
        gain = dict(zip(("auc", "low", "high"), map(fixed, choice.gain), strict=True))
    return {"learner": choice.learner, "why": choice.why, "gain": gain}


def _fact(fact: Fact) -> dict[str, Any]:
    return {
        "name": fact.name,
        "kind": fact.kind.value,
        "words": fact.words,
        "unit": fact.unit,
        "direction": fact.direction,
        "family": fact.family,
        "protected": fact.protected,
    }


def _counts(frame: TrainingFrame) -> dict[str, Any]:
    import numpy as np

    return {
        "rows": len(frame),
        "bad": int(frame.label.sum()),
        "parties": len(np.unique(frame.group.astype(str))),
        "from": _day(frame.as_of.min()),
        "until": _day(frame.as_of.max()),
    }


def _day(day: Any) -> str | None:
    """A date as text; None for accounts that were observed on no day in particular."""
    import numpy as np

    return None if np.isnat(day) else str(np.datetime64(day, "D"))


def _fingerprint(frame: TrainingFrame) -> str:
    """A hash of everything learned from, values and outcomes."""
    import numpy as np

    digest = hashlib.sha256()
    for fact in frame.features:
        digest.update(fact.name.encode() + b"\0")
        if fact.kind.is_textual:
            told = frame.rows[fact.name].astype(object).where(frame.rows[fact.name].notna(), None)
            digest.update("\0".join(map(repr, told)).encode())
        else:
            numbers = frame.rows[fact.name].to_numpy(dtype=np.float64, na_value=np.nan)
            digest.update(numbers.tobytes())
    for ids in (frame.account, frame.group, frame.as_of.astype("datetime64[D]")):
        digest.update("\0".join(ids.astype(str)).encode() + b"\1")
    digest.update(frame.label.tobytes() + frame.held_out.tobytes())
    return digest.hexdigest()
