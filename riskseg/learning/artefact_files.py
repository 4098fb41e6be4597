"""What the files of an artefact must hold, by type and bound.

A version may come from elsewhere, its hashes in order and its contents not. What scoring reads is
checked here, so that a version either works or is refused before anything is worked out with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

from pydantic import Field, model_validator

from riskseg.learning.calibration import Calibration, StoredCalibration
from riskseg.learning.evidence.model import Evidence
from riskseg.learning.learner import FittedModel
from riskseg.learning.learners import learner_named
from riskseg.learning.manifest import FILE, Manifest
from riskseg.learning.stored import (
    Count,
    Share,
    Stored,
    Unreadable,
    parsed,
    shaped,
)


class Spread(Stored):
    cuts: list[float] | None = None
    shares: list[Share] = Field(default_factory=list)
    levels: dict[str, Share] | None = None
    other: Share = 0.0
    missing: Share
    seen: list[str] | None = None

    @property
    def groups(self) -> int:
        return len(self.shares) + 1 if self.levels is None else len(self.levels) + 2

    @model_validator(mode="after")
    def _of_groups(self) -> Self:
        if (self.cuts is None) == (self.levels is None):
            raise ValueError("a spread is either of a number or of levels")
        if self.cuts is not None:
            rising = all(low < high for low, high in pairwise(self.cuts))
            if not rising or len(self.shares) != len(self.cuts) + 1:
                raise ValueError("a spread has not one share for each group")
        return self


class Cycle(Stored):
    cuts: list[float]
    rows: list[Count]
    shares: dict[str, list[list[Share]]]


class Reference(Stored):
    """reference.json"""

    rows: Count
    probability: Spread | None
    features: dict[str, Spread]
    cycle: Cycle | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        spreads = dict(self.features)
        if self.probability is not None:
            spreads[""] = self.probability
        if spreads and not self.rows:
            raise ValueError("shares of no rows")
        if self.cycle is not None:
            parts = len(self.cycle.cuts) + 2
            for name, spread in spreads.items():
                sizes = [len(row) for row in self.cycle.shares.get(name, ())]
                if len(self.cycle.rows) != parts or sizes != [spread.groups] * parts:
                    raise ValueError("the parts of the billing cycle do not fit the shares")
        return self


@dataclass(frozen=True)
class Contents:
    """What the files of an artefact hold."""

    manifest: Manifest
    fitted: FittedModel
    calibration: Calibration
    evidence: Evidence


def read(manifest_json: Any, files: Mapping[str, bytes]) -> Contents:
    """The contents of the files, which are checked: each holds what it must, and goes with the
    others. Raises Unreadable for the first that does not, KeyError for one that is not there."""
    manifest = shaped(Manifest, manifest_json, FILE)
    facts = {fact.name: fact for fact in manifest.features}
    learner = learner_named(manifest.learner)
    fitted: FittedModel = learner.read(files)
    textual_by_feature = learner.textual(fitted)
    for name, textual in textual_by_feature.items():
        if name not in facts or facts[name].is_textual != textual:
            raise Unreadable(learner.file, f"{name} is not such a feature of the manifest")
    calibrations = parsed(files["calibration.json"], "calibration.json")
    calibration = shaped(StoredCalibration, calibrations[manifest.learner], "calibration.json")
    reference = shaped(
        Reference, parsed(files["reference.json"], "reference.json"), "reference.json"
    )
    for name, spread in reference.features.items():
        if textual_by_feature.get(name, spread.levels is not None) != (spread.levels is not None):
            raise Unreadable("reference.json", f"{name} is spread as what it is not")
    evidence = shaped(Evidence, parsed(files["evidence.json"], "evidence.json"), "evidence.json")
    if lacking := sorted(set(textual_by_feature) - {effect.feature for effect in evidence.effects}):
        raise Unreadable("evidence.json", f"nothing says what {lacking[0]} does")
    return Contents(manifest, fitted, calibration.calibration(), evidence)
