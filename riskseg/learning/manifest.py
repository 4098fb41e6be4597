"""manifest.json: what a version is, what it learned from and how good it was found to be.

The models here are the file: training writes them, and everything else reads their attributes. A
part that was never given is not written, so that what one riskseg wrote another reads: parts that
an earlier one did not write have a default value here.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from riskseg.domain.facts import Fact, Kind
from riskseg.learning.spec import (
    EVENTS,
    HELD_SHARE,
    Fairness,
    FeatureChoice,
    HoldOut,
    LearnerName,
    ModelName,
    ModelSpec,
    Observe,
    Target,
)
from riskseg.learning.stored import Count, Share, Sign, Stored

FORMAT = 2
FILE = "manifest.json"


def _date(value: Any) -> Any:
    """A date as JSON has it, as a date. Raises ValueError."""
    return date.fromisoformat(value) if isinstance(value, str) else value


DateText = Annotated[date, BeforeValidator(_date)]
# The kinds of a fact that can be learned from: a date is not one.
Learnable = Literal["boolean", "integer", "decimal", "number", "text", "level"]
# A metric, or [estimate, lower end, upper end]; None where it cannot be worked out.
Metric = float | list[float] | None


class Counts(Stored):
    """Rows, bad outcomes and parties; how many accounts the rows stand for, and those with a bad
    outcome (None: one each); the first and the last as-of date, None where the accounts have
    none."""

    rows: Count
    bad: Count
    stands_for: Share
    bads_stand_for: Share | None = None
    parties: Count
    from_: DateText | None = Field(alias="from")
    until: DateText | None

    @model_validator(mode="after")
    def _add_up(self) -> Self:
        if self.bad > self.rows or (self.rows and not self.stands_for):
            raise ValueError("rows, bad and stands_for contradict each other")
        return self

    @property
    def all_bads(self) -> float:
        """How many bad outcomes there were in the population that the rows stand for."""
        return self.bad if self.bads_stand_for is None else self.bads_stand_for


class RecordedFact(Stored):
    """A feature or attribute as it was when the model learned; see :class:`Fact`."""

    name: str
    kind: Learnable
    words: str
    unit: str
    direction: Sign
    family: str
    protected: bool
    labels: dict[str, str] = Field(default_factory=dict)
    special_values: list[float] = Field(default_factory=list)
    phrases: dict[str, str] = Field(default_factory=dict)
    risky_side: Sign = 0
    hurts_beyond: float | None = None

    @classmethod
    def of(cls, fact: Fact) -> RecordedFact:
        return cls.model_validate(
            {
                "name": fact.name,
                "kind": fact.kind.value,
                "words": fact.words,
                "unit": fact.unit,
                "direction": fact.direction,
                "family": fact.family,
                "protected": fact.protected,
                "labels": dict(fact.labels),
                "special_values": list(fact.special_values),
                "phrases": dict(fact.phrases),
                "risky_side": fact.risky_side,
                "hurts_beyond": fact.hurts_beyond,
            }
        )

    def fact(self) -> Fact:
        return Fact(
            name=self.name,
            kind=Kind(self.kind),
            words=self.words,
            unit=self.unit,
            direction=self.direction,
            family=self.family,
            protected=self.protected,
            labels=tuple(self.labels.items()),
            special_values=tuple(self.special_values),
            phrases=tuple(self.phrases.items()),
            risky_side=self.risky_side,
            hurts_beyond=self.hurts_beyond,
        )

    @property
    def is_textual(self) -> bool:
        return Kind(self.kind).is_textual


class RecordedObserve(Stored):
    """When accounts were looked at, in days."""

    every: Annotated[int, Field(ge=1)]
    for_: Annotated[int, Field(ge=1, alias="for")]
    history: Annotated[int, Field(ge=1)]
    at: Literal["issue"] | DateText | None


class RecordedHoldOut(Stored):
    last: Annotated[int, Field(ge=1)] | None
    share: Annotated[float, Field(gt=0, lt=1)] | None


class RecordedSpec(Stored):
    """The spec that was trained by. The settings of its learners stand beside these parts; see
    :meth:`settings`."""

    model_config = ConfigDict(extra="allow")

    name: ModelName
    question: str
    target: Target
    observe: RecordedObserve
    hold_out: RecordedHoldOut | None = None
    features: FeatureChoice
    fairness: Fairness
    seed: Count

    @model_validator(mode="after")
    def _of_one_target(self) -> Self:
        event = self.target.event
        if (event is None) == (self.target.column is None) or event not in (None, *EVENTS):
            raise ValueError("the target is neither a known event nor a column")
        return self

    def settings(self, learner: str) -> dict[str, Any]:
        """What it says of how a learner learns; empty where an earlier riskseg had no such key."""
        settings: dict[str, Any] = (self.model_extra or {}).get(learner) or {}
        return settings

    @property
    def asked(self) -> ModelSpec:
        """The parts that say what was asked of whom, and what was held out, as a spec."""
        last, share = (self.hold_out.last, self.hold_out.share) if self.hold_out else (None, None)
        return ModelSpec.model_construct(
            name=self.name,
            target=self.target,
            observe=Observe.model_construct(at=self.observe.at),
            hold_out=HoldOut.model_construct(last=last, share=share) if self.hold_out else None,
            features=self.features,
        )


class GainInAuc(Stored):
    auc: float
    low: float
    high: float


class ShareOfLogLoss(Stored):
    share: float
    low: float
    high: float


class Champion(Stored):
    """Which learner ships and why, with what the other learner gains in AUC and the share of log
    loss that it saves."""

    learner: str
    why: str
    gain: GainInAuc | None = None
    log_loss_saved: ShareOfLogLoss | None = None


class RecordedMetrics(Stored):
    """Metrics by name on the training rows out of fold, and on the hold-out."""

    out_of_fold: dict[str, Metric] | None
    hold_out: dict[str, Metric] | None


class Attempt(Stored):
    """Something a learner tried, its mean log loss over the folds, and whether it was chosen."""

    model_config = ConfigDict(extra="allow")

    what: str
    log_loss: float
    chosen: bool


class Tried(Stored):
    """What a learner tried, and the calibrations that were compared."""

    settings: list[Attempt]
    calibrations: list[Attempt]


class ImportedFrom(Stored):
    """The file of a card made elsewhere, and its hash."""

    file: str
    sha256: str


class RecalibratedBy(Stored):
    """The line on the log-odds that made a version of its parent, and the day of the first rows it
    was fitted to (empty: all)."""

    slope: float
    intercept: float
    since: str


class Manifest(Stored):
    """manifest.json"""

    format: int
    name: ModelName
    spec: RecordedSpec
    learner: LearnerName
    form: str | None
    imported: ImportedFrom | None = None
    champion: Champion
    population: str | None
    features: Annotated[list[RecordedFact], Field(min_length=1)]
    attributes: list[RecordedFact] = Field(default_factory=list)
    dropped: dict[str, str]
    notes: list[str]
    tried: dict[str, Tried] = Field(default_factory=dict)
    training: Counts
    hold_out: Counts
    refit: Counts | None = None
    metrics: dict[str, RecordedMetrics]
    fingerprints: dict[str, str]
    libraries: dict[str, str] = Field(default_factory=dict)
    known_by: DateText | None = None
    recalibrated: RecalibratedBy | None = None
    parent: str | None
    files: dict[str, str]

    @model_validator(mode="after")
    def _has_metrics(self) -> Self:
        if self.learner not in self.metrics:
            raise ValueError("the learner that ships has no metrics")
        return self

    @property
    def shipped_metrics(self) -> RecordedMetrics:
        """The metrics of the learner that ships."""
        return self.metrics[self.learner]

    # What it learned from: a version is judged, and recalibrated, by other rows alone.

    @property
    def learned_nothing(self) -> bool:
        """Whether no outcome of this workspace made it: it was imported."""
        return not self.training.rows

    @property
    def learned_from(self) -> Counts:
        """All rows that what ships learned from."""
        return self.refit or self.training

    @property
    def last_label_known_on(self) -> date | None:
        """The day on which the last outcome that it learned from was known; None where its
        accounts have no dates."""
        if self.learned_from.until is None:
            return None
        return self.learned_from.until + timedelta(days=self.spec.asked.label_days)

    @property
    def first_unseen(self) -> date | None:
        """The first day whose rows are new to it, whoever they are of: a full label after the last
        day that it learned from. None where days say nothing of that."""
        learned = self.learned_from
        # A column of accounts looked at once is the same outcome on whatever day it is looked at.
        once = self.spec.target.column is not None and learned.from_ == learned.until
        if learned.until is None or once:
            return None
        return learned.until + timedelta(days=max(1, self.spec.asked.label_days))

    @property
    def held_share(self) -> float | None:
        """The share of parties that it knows on no day; None where it knows them all."""
        spec = self.spec.asked
        if self.refit is not None or spec.hold_out_days is not None:
            return None
        return spec.hold_out_share or HELD_SHARE
