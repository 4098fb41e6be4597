"""What the files of an artefact must hold, by type and bound.

A version may come from elsewhere, its hashes in order and its contents not. What scoring reads is
checked here, so that a version either works or is refused before anything is worked out with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from riskseg.learning.calibration import CalibrationKind
from riskseg.learning.evidence.model import Evidence
from riskseg.learning.learner import FittedModel
from riskseg.learning.learners import learner_named
from riskseg.learning.spec import (
    EVENTS,
    Fairness,
    FeatureChoice,
    LearnerName,
    ModelName,
    Target,
)
from riskseg.learning.stored import (
    LARGEST,
    Count,
    Day,
    Fitted,
    Share,
    Sign,
    Stored,
    Unreadable,
    parsed,
    shaped,
)


class Counts(Stored):
    rows: Count
    bad: Count
    stands_for: Share
    parties: Count
    from_: Day | None = Field(alias="from")
    until: Day | None

    @model_validator(mode="after")
    def _add_up(self) -> Self:
        if self.bad > self.rows or (self.rows and not self.stands_for):
            raise ValueError("rows, bad and stands_for contradict each other")
        return self


class FactHeld(Stored):
    name: str
    kind: Literal["boolean", "integer", "decimal", "number", "text", "level"]
    words: str
    unit: str
    direction: Sign
    family: str
    protected: bool
    labels: dict[str, str] = Field(default_factory=dict)
    special_values: list[float] = Field(default_factory=list)
    phrases: dict[str, str] = Field(default_factory=dict)
    risky_side: Sign = 0

    @property
    def textual(self) -> bool:
        return self.kind in ("text", "level")


class Observed(Stored):
    every: Annotated[int, Field(ge=1)]
    for_: Annotated[int, Field(ge=1, alias="for")]
    history: Annotated[int, Field(ge=1)]
    at: Literal["issue"] | Day | None


class HeldOut(Stored):
    last: Annotated[int, Field(ge=1)] | None
    share: Annotated[float, Field(gt=0, lt=1)] | None


class SpecHeld(Stored):
    question: str
    target: Target
    observe: Observed
    hold_out: HeldOut | None
    features: FeatureChoice
    fairness: Fairness
    seed: Count

    @model_validator(mode="after")
    def _of_one_target(self) -> Self:
        event = self.target.event
        if (event is None) == (self.target.column is None) or event not in (None, *EVENTS):
            raise ValueError("the target is neither a known event nor a column")
        return self


class Champion(Stored):
    learner: LearnerName
    why: str


class Measured(Stored):
    out_of_fold: dict[str, float | list[float] | None] | None
    hold_out: dict[str, float | list[float] | None] | None


class Manifest(Stored):
    name: ModelName
    spec: SpecHeld
    learner: LearnerName
    form: str | None
    champion: Champion
    population: str | None
    features: Annotated[list[FactHeld], Field(min_length=1)]
    dropped: dict[str, str]
    notes: list[str]
    training: Counts
    hold_out: Counts
    metrics: dict[LearnerName, Measured]
    fingerprints: dict[str, str]
    parent: str | None
    known_by: Day | None = None

    @model_validator(mode="after")
    def _measured(self) -> Self:
        if self.learner not in self.metrics:
            raise ValueError("the learner that ships has no metrics")
        return self


class Line(Stored):
    slope: Annotated[float, Field(ge=0, le=LARGEST)]
    intercept: Fitted


class CalibrationHeld(Stored):
    kind: CalibrationKind = "sigmoid"
    slope: Annotated[float, Field(ge=0, le=LARGEST)] = 1.0
    intercept: Fitted = 0.0
    a: Annotated[float, Field(ge=0, le=LARGEST)] = 1.0
    b: Annotated[float, Field(ge=0, le=LARGEST)] = 1.0
    c: Fitted = 0.0
    points: list[Annotated[list[Fitted], Field(min_length=2, max_length=2)]] = Field(
        default_factory=list
    )
    then: Line | None = None

    @model_validator(mode="after")
    def _never_falls(self) -> Self:
        steps = pairwise(self.points)
        if any(x > next_x or y > next_y for (x, y), (next_x, next_y) in steps):
            raise ValueError("the points of the calibration do not rise")
        if self.kind == "isotonic" and not self.points:
            raise ValueError("the calibration has no points")
        return self


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


def read(manifest: Any, files: Mapping[str, bytes]) -> tuple[FittedModel, Evidence]:
    """The model in the files and its evidence, which are checked: each holds what it must, and
    goes with the others. Raises Unreadable for the first that does not, KeyError for one that is
    not there."""
    checked = shaped(Manifest, manifest, "manifest.json")
    facts = {fact.name: fact for fact in checked.features}
    learner = learner_named(checked.learner)
    fitted: FittedModel = learner.read(files)
    textual_by_feature = learner.textual(fitted)
    for name, textual in textual_by_feature.items():
        if name not in facts or facts[name].textual != textual:
            raise Unreadable(learner.file, f"{name} is not such a feature of the manifest")
    calibrations = parsed(files["calibration.json"], "calibration.json")
    shaped(CalibrationHeld, calibrations[checked.learner], "calibration.json")
    reference = shaped(
        Reference, parsed(files["reference.json"], "reference.json"), "reference.json"
    )
    for name, spread in reference.features.items():
        if textual_by_feature.get(name, spread.levels is not None) != (spread.levels is not None):
            raise Unreadable("reference.json", f"{name} is spread as what it is not")
    evidence = shaped(Evidence, parsed(files["evidence.json"], "evidence.json"), "evidence.json")
    if lacking := sorted(set(textual_by_feature) - {effect.feature for effect in evidence.effects}):
        raise Unreadable("evidence.json", f"nothing says what {lacking[0]} does")
    return fitted, evidence
