"""The evidence on a model, evidence.json, as it is written and read.

An estimate with its interval is a list [estimate, lower end, upper end] at 95% in the file.
Floats have six decimals. Parts that an earlier riskseg did not write have default values.
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from riskseg.learning.stored import Count, Fitted, Share, Sign, Stored
from riskseg.results.interval import Interval
from riskseg.results.model_evidence import CalibrationGroup, ProtectedLevel

Level = str | bool | float | None


class RocPoint(NamedTuple):
    """The shares of goods and of bads at or above a probability."""

    goods: float
    bads: float


class KsPoint(NamedTuple):
    """The shares of goods and of bads at or below a probability."""

    probability: float
    goods: float
    bads: float


class KsCurve(Stored):
    """Both outcomes' distributions of the probability; `at` is where their gap is widest."""

    value: float
    at: float
    curve: list[KsPoint] = Field(default_factory=list)


class PartyMetrics(Stored):
    """Metrics of the hold-out's rows of some parties."""

    rows: Count
    bad: Count
    auc: float
    log_loss: float
    expected_calibration_error: float
    calibration_slope: float
    calibration_intercept: float


class KnownAndNew(Stored):
    """Metrics by whether the party was learned from; None where outcomes are too few."""

    known: PartyMetrics | None = None
    new: PartyMetrics | None = None


class Gain(Stored):
    """The share of all bad outcomes `caught` by the riskiest `share` of rows."""

    share: float
    caught: float
    lift: float


class Distribution(Stored):
    """Shares of good and of bad outcomes between the edges of probability."""

    edges: list[float]
    good: list[float]
    bad: list[float]


class Judged(Stored):
    """Some rows: bad outcomes (weighted), AUC (None where outcomes are too few), mean probability
    and bad rate."""

    rows: Count
    bad: float
    auc: Interval | None
    mean: float
    rate: Interval


class Month(Judged):
    """How the model did in one calendar month."""

    from_: Annotated[str, Field(alias="from")]
    until: str
    part: Literal["training", "hold_out"]
    psi: float
    by_chance: float | None = None


class Cohort(Judged):
    """How the model does for one level of an attribute, and whom the cut takes."""

    attribute: str
    level: Level
    expected_calibration_error: float | None = None
    above_cut: Interval | None = None
    cut: float | None = None
    bad_above_cut: Interval | None = None
    good_above_cut: Interval | None = None


class Shift(Stored):
    """A population stability index, and what chance alone gives on average."""

    psi: float
    by_chance: float | None = None


class FeatureShift(Shift):
    """The shift of a feature: into the hold-out, or between the halves of training."""

    feature: str
    part: str
    change: Literal["new", "gone"] | None = None


class Stability(Stored):
    probability: Shift | None = None
    features: list[FeatureShift] = Field(default_factory=list)


class EffectPoint(Stored):
    """The mean log-odds at a value, less those of the sample; `share` is of rows nearest to it."""

    value: Level
    margin: Fitted
    share: Share


class Effect(Stored):
    """What a model makes of one feature."""

    feature: str
    words: str = ""
    kind: Literal["number", "boolean", "text"] = "number"
    direction: Sign = 0
    points: Annotated[list[EffectPoint], Field(min_length=1)]


class Monotonicity(Stored):
    """In how many steps a feature moves the log-odds against its declared direction, and how far
    at most."""

    feature: str
    direction: Sign
    violations: Count
    tried: Count = 0
    worst: float
    constrained: bool


class LearningStep(Stored):
    """The AUC on the hold-out of what is learned from a share of the training parties."""

    share: float
    rows: Count
    bad: Count
    auc: Interval | None


class Evidence(Stored):
    """All of evidence.json. It is about the champion on the hold-out, unless a part says
    otherwise."""

    format: Literal[1] = 1
    learner: str = ""
    intervals: dict[str, Interval | None]
    roc: list[RocPoint] = Field(default_factory=list)
    ks: KsCurve | None = None
    calibration: list[CalibrationGroup] = Field(default_factory=list)
    parties: KnownAndNew = KnownAndNew()
    gains: list[Gain] = Field(default_factory=list)
    distribution: Distribution | None = None
    by_snapshot: list[Month] = Field(default_factory=list)
    stability: Stability
    effects: list[Effect]
    monotone: list[Monotonicity]
    cohorts: list[Cohort] = Field(default_factory=list)
    protected: list[ProtectedLevel]
    learning_curve: list[LearningStep] = Field(default_factory=list)

    @classmethod
    def of_no_outcomes(cls, effects: list[Effect]) -> Evidence:
        """The evidence on a model that no outcome has judged."""
        return cls(
            format=1,
            learner="scorecard",
            intervals={},
            roc=[],
            ks=None,
            calibration=[],
            gains=[],
            distribution=None,
            by_snapshot=[],
            stability=Stability(),
            effects=effects,
            monotone=[],
            cohorts=[],
            protected=[],
            learning_curve=[],
        )
