"""The files of an artefact, read and held against each other.

A version may come from elsewhere, its hashes in order and its contents not: it either works or is
refused before anything is worked out with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from riskseg.learning.calibration import Calibration, StoredCalibration
from riskseg.learning.evidence.model import Evidence
from riskseg.learning.learner import FittedModel
from riskseg.learning.learners import learner_named
from riskseg.learning.manifest import FILE, Manifest
from riskseg.learning.reference import Reference
from riskseg.learning.stored import Unreadable, parsed, shaped


@dataclass(frozen=True)
class Contents:
    """What the files of an artefact hold."""

    manifest: Manifest
    fitted: FittedModel
    calibration: Calibration
    reference: Reference
    evidence: Evidence


def read(manifest_json: Any, files: Mapping[str, bytes]) -> Contents:
    """The contents of the files, which are checked: each holds what it must, and goes with the
    others. Raises Unreadable for the first that does not, KeyError for one that is not there."""
    manifest = shaped(Manifest, manifest_json, FILE)
    facts = {fact.name: fact for fact in manifest.features}
    learner = learner_named(manifest.learner)
    fitted: FittedModel = learner.read(files)
    textual_by_feature = learner.textual(fitted)
    for stored_feature, textual in textual_by_feature.items():
        if stored_feature not in facts or facts[stored_feature].is_textual != textual:
            raise Unreadable(
                learner.file, f"{stored_feature} is not such a feature of the manifest"
            )
    calibrations = parsed(files["calibration.json"], "calibration.json")
    calibration = shaped(StoredCalibration, calibrations[manifest.learner], "calibration.json")
    reference = shaped(
        Reference, parsed(files["reference.json"], "reference.json"), "reference.json"
    )
    for stored_feature, feature_spread in reference.features.items():
        if textual_by_feature.get(stored_feature, feature_spread.levels is not None) != (
            feature_spread.levels is not None
        ):
            raise Unreadable("reference.json", f"{stored_feature} is spread as what it is not")
    evidence = shaped(Evidence, parsed(files["evidence.json"], "evidence.json"), "evidence.json")
    if without_effect := sorted(
        set(textual_by_feature) - {effect.feature for effect in evidence.effects}
    ):
        raise Unreadable("evidence.json", f"nothing says what {without_effect[0]} does")
    return Contents(manifest, fitted, calibration.calibration(), reference, evidence)
