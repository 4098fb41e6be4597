"""What the files of an artefact must hold, by type and bound.

A version may come from elsewhere, its hashes in order and its contents not. What scoring reads is
checked here, so that a version either works or is refused before anything is worked out with it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from riskseg.learning.calibration import CalibrationKind
from riskseg.learning.scorecard.tables import Bins, CardForm, Scale
from riskseg.learning.spec import (
    EVENTS,
    Fairness,
    FeatureChoice,
    LearnerName,
    ModelName,
    Target,
)

S = TypeVar("S", bound="Held")
# Far beyond any figure that was fitted, and near enough to be multiplied.
LARGEST = 1e12


class Unreadable(ValueError):
    """A file that is none of ours: its name, and why."""

    def __init__(self, file: str, why: str) -> None:
        super().__init__(why)
        self.file = file


def parsed(content: bytes, file: str) -> Any:
    """The data of a JSON file, without what is never written: NaN, infinity, numbers beyond 64
    bits."""

    def real(text: str) -> float:
        if not math.isfinite(number := float(text)):
            raise ValueError(f"the number {text[:20]} is not finite")
        return number

    def whole(text: str) -> int:
        if len(text) > 20 or not -(2**63) <= (number := int(text)) < 2**63:
            raise ValueError(f"the number {text[:20]} takes more than 64 bits")
        return number

    try:
        return json.loads(content, parse_float=real, parse_int=whole, parse_constant=real)
    except (ValueError, RecursionError) as error:
        raise Unreadable(file, str(error)) from error


def _day(text: str) -> str:
    date.fromisoformat(text)
    return text


def _points(text: str) -> str:
    if not re.fullmatch(r"-?[0-9]{1,10}\.[0-9]{2}", text):
        raise ValueError("points have two decimals, and at most ten digits before them")
    return text


Day = Annotated[str, AfterValidator(_day)]
Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0)]
Fitted = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
Sign = Literal[-1, 0, 1]
Points = Annotated[str, AfterValidator(_points)]


class Held(BaseModel):
    """Keys that are read; others may stand beside them."""

    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False, extra="ignore")


class Counts(Held):
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


class FactHeld(Held):
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


class Observed(Held):
    every: Annotated[int, Field(ge=1)]
    for_: Annotated[int, Field(ge=1, alias="for")]
    history: Annotated[int, Field(ge=1)]
    at: Literal["issue"] | Day | None


class HeldOut(Held):
    last: Annotated[int, Field(ge=1)] | None
    share: Annotated[float, Field(gt=0, lt=1)] | None


class SpecHeld(Held):
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


class Champion(Held):
    learner: LearnerName
    why: str


class Measured(Held):
    out_of_fold: dict[str, float | list[float] | None] | None
    hold_out: dict[str, float | list[float] | None] | None


class Manifest(Held):
    name: ModelName
    spec: SpecHeld
    learner: LearnerName
    form: CardForm | None
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


class ScaleHeld(Held):
    score: float
    odds_good_to_bad: float
    points_to_double_odds: float

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if not Scale(self.score, self.odds_good_to_bad, self.points_to_double_odds).is_usable:
            raise ValueError("no probability can be worked out by the scale")
        return self


class BinHeld(Held):
    """The values of a bin: the keys that `Bins.described` writes."""

    from_: float | None = Field(default=None, alias="from")
    to: float | None = None
    levels: list[str] | None = None
    other: Literal[True] | None = None
    missing: Literal[True] | None = None


class BinOfTable(BinHeld):
    count: Count
    bad: Count | None
    points: Points
    woe: float | None = None


def _bins(name: str, kind: str, held: list[Any]) -> Bins:
    """The bins, if they follow on each other without a gap. Raises ValueError."""
    told = [one.model_dump(by_alias=True, include=set(BinHeld.model_fields), exclude_unset=True)
            for one in held]  # fmt: skip
    bins = Bins.from_described(name, kind, told)
    rising = all(low < high for low, high in pairwise(bins.cuts)) or kind == "levels"
    levels = bins.levels or ()
    if bins.described() != told or not rising or len(set(levels)) < len(levels):
        raise ValueError(f"the bins of {name} do not follow on each other")
    return bins


Kind = Literal["number", "levels"]


class TableHeld(Held):
    feature: str
    kind: Kind
    bins: list[BinOfTable]

    @model_validator(mode="after")
    def _follow(self) -> Self:
        _bins(self.feature, self.kind, self.bins)
        return self


class PairHeld(Held):
    features: Annotated[list[str], Field(min_length=2, max_length=2)]
    kinds: Annotated[list[Kind], Field(min_length=2, max_length=2)]
    bins: Annotated[list[list[BinHeld]], Field(min_length=2, max_length=2)]
    count: list[list[Count]]
    bad: list[list[Count]]
    points: list[list[Points]]

    @model_validator(mode="after")
    def _of_one_size(self) -> Self:
        first, second = (
            _bins(*side) for side in zip(self.features, self.kinds, self.bins, strict=True)
        )
        for grid in (self.count, self.bad, self.points):
            if [len(row) for row in grid] != [second.count] * first.count:
                raise ValueError("a two-way table has not one entry for each pair of bins")
        return self


class Card(Held):
    """scorecard.json"""

    form: CardForm
    scale: ScaleHeld
    base: Points
    dropped: dict[str, str]
    notes: list[str]
    features: list[TableHeld]
    pairs: list[PairHeld]

    def kinds(self) -> dict[str, bool]:
        """Whether each feature is text. Raises ValueError for one that stands twice."""
        tabled = [(table.feature, table.kind) for table in self.features]
        if len(dict(tabled)) < len(tabled):
            raise ValueError("a feature has two tables")
        paired = [one for pair in self.pairs for one in zip(pair.features, pair.kinds, strict=True)]
        return {name: kind == "levels" for name, kind in [*tabled, *paired]}


class ColumnHeld(Held):
    feature: str
    levels: list[str] | None
    fill: float | None
    gain: float
    direction: Sign = 0
    special_values: list[float] = Field(default_factory=list)


class Trees(Held):
    """booster.json"""

    columns: list[ColumnHeld]
    dropped: dict[str, str] = Field(default_factory=dict)
    notes: list[str] = Field(default_factory=list)

    def kinds(self) -> dict[str, bool]:
        """Whether each feature is text. Raises ValueError for one that stands twice."""
        found = {column.feature: column.levels is not None for column in self.columns}
        if len(found) < len(self.columns):
            raise ValueError("a feature has two columns")
        return found


class Line(Held):
    slope: Annotated[float, Field(ge=0, le=LARGEST)]
    intercept: Fitted


class CalibrationHeld(Held):
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


class Spread(Held):
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


class Cycle(Held):
    cuts: list[float]
    rows: list[Count]
    shares: dict[str, list[list[Share]]]


class Reference(Held):
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


class Point(Held):
    value: str | float | bool | None
    margin: Fitted
    share: Share


class Effect(Held):
    feature: str
    points: Annotated[list[Point], Field(min_length=1)]


class Evidence(Held):
    """evidence.json, as far as accounts are scored and explained by it."""

    intervals: dict[str, list[float] | None]
    effects: list[Effect]
    monotone: list[dict[str, Any]]
    stability: dict[str, Any]
    protected: list[dict[str, Any]]


def check(manifest: Any, files: Mapping[str, bytes]) -> None:
    """Raise Unreadable for the first file that does not hold what it must, or does not go with the
    others; KeyError for one that is not there."""
    told = _shaped(Manifest, manifest, "manifest.json")
    named = {fact.name: fact for fact in told.features}
    file = "booster.json" if told.learner == "lightgbm" else "scorecard.json"
    shape: type[Trees | Card] = Trees if told.learner == "lightgbm" else Card
    model = _shaped(shape, parsed(files[file], file), file)
    try:
        kinds = model.kinds()
    except ValueError as error:
        raise Unreadable(file, str(error)) from error
    for name, textual in kinds.items():
        if name not in named or named[name].textual != textual:
            raise Unreadable(file, f"{name} is not such a feature of the manifest")
    calibrations = parsed(files["calibration.json"], "calibration.json")
    _shaped(CalibrationHeld, calibrations[told.learner], "calibration.json")
    reference = _shaped(
        Reference, parsed(files["reference.json"], "reference.json"), "reference.json"
    )
    for name, spread in reference.features.items():
        if name in kinds and kinds[name] != (spread.levels is not None):
            raise Unreadable("reference.json", f"{name} is spread as what it is not")
    evidence = _shaped(Evidence, parsed(files["evidence.json"], "evidence.json"), "evidence.json")
    if lacking := sorted(set(kinds) - {effect.feature for effect in evidence.effects}):
        raise Unreadable("evidence.json", f"nothing says what {lacking[0]} does")


def _shaped(shape: type[S], data: Any, file: str) -> S:
    try:
        return shape.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        why = first["msg"].removeprefix("Value error, ")
        raise Unreadable(file, f"{place}: {why}" if place else why) from error
