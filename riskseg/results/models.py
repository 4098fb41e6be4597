"""What models give: trained, shown, compared, recalibrated, exported, taken from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa
from pydantic import Field

from riskseg.domain.columns import values_meant
from riskseg.domain.facts import glossed
from riskseg.domain.words import counted
from riskseg.results.base import Result, Rows, Scalar, Single, cell, records
from riskseg.results.interval import Interval
from riskseg.results.model_evidence import ProtectedLevel, Verdict
from riskseg.results.part import Part
from riskseg.results.scorecard import BinnedFeature, FeaturePair


class Metrics(Part):
    """How good probabilities are, as measured on known outcomes."""

    auc: float
    gini: float
    ks: float
    brier: float
    log_loss: float
    expected_calibration_error: float
    calibration_slope: float | None
    calibration_intercept: float | None
    lift_by_decile: tuple[float, ...]


class Headline(Part):
    """The metrics of one learner on the hold-out; null where there were no outcomes."""

    auc: float | None
    gini: float | None
    ks: float | None
    brier: float | None
    log_loss: float | None
    expected_calibration_error: float | None


class MetricsByRows(Part):
    """The metrics of what ships, by the rows they were measured on."""

    hold_out: Metrics | None
    out_of_fold: Metrics | None


class RowCounts(Part):
    """How many rows there were, of what outcomes, and when they were observed."""

    rows: int
    bad: int
    parties: int
    stands_for: float
    """The rows by weight, where outcomes are sampled."""
    bads_stand_for: float | None = None
    """The bad outcomes by weight, where they are sampled."""
    from_: str | None = Field(alias="from")
    until: str | None


class ModelFeature(Part):
    """A feature of a model: its gain in trees, or the points it can give in a scorecard."""

    feature: str
    words: str
    direction: int
    """1 where more is riskier, -1 where less is, 0 where nothing is declared."""
    labels: Mapping[str, str]
    special_values: tuple[float, ...]
    gain: float | None = None
    least: float | None = None
    most: float | None = None
    bins: tuple[Mapping[str, Any], ...] | None = None

    @property
    def meaning(self) -> str:
        """What it is, in words, with what its values mean."""
        return glossed(self.words) + values_meant(self.model_dump())


class ModelSummary(Result):
    """What a version is and how good it is; its rows are the features, the strongest first."""

    name: str
    version: str
    question: str
    """What the spec asks, in its own words."""
    predicts: str
    """What it predicts, in words of riskseg's."""
    parent: str | None
    """The version that it was recalibrated from."""
    imported: Mapping[str, Any] | None
    """Where it was made, if elsewhere."""
    learner: str
    form: str | None
    calibration: str
    why: str
    """Why this learner ships."""
    notes: tuple[str, ...]
    known_by: str | None
    """The day by which what it learned from was known, with `train --as-of`."""
    training: RowCounts
    hold_out: RowCounts
    learners: Mapping[str, Headline]
    metrics: MetricsByRows
    intervals: Mapping[str, Interval | None]
    features: tuple[ModelFeature, ...]
    dropped: Mapping[str, str]
    """The features that were left out, and why."""
    protected: tuple[ProtectedLevel, ...]
    verdict: Verdict
    champion: bool
    champion_version: str | None

    def to_arrow(self) -> pa.Table:
        """The features: feature, words, direction."""
        columns = {"feature": pa.string(), "words": pa.string(), "direction": pa.int64()}
        return records(columns, self.features)

    def _title(self) -> str:
        auc = self.metrics.hold_out and self.metrics.hold_out.auc
        title_lines = [f"{self.name} {self.version}: {self.question or self.predicts}"]
        title_lines.append(f"{self.learner}, AUC {cell(auc)} on the hold-out.")
        verdict = self.verdict
        title_lines += filter(None, [verdict.ranking, verdict.calibration, verdict.certainty])
        title_lines.append("It is the champion." if self.champion else "It is not the champion.")
        return "\n".join(title_lines)


class TrainedModel(Part):
    """One model, trained."""

    name: str
    version: str
    champion: bool
    """Whether this version is the champion now."""
    summary: ModelSummary
    champion_version: str | None
    """The version that is the champion, if any."""


class Training(Rows[TrainedModel]):
    """The versions that were trained, a row for each model."""

    def to_arrow(self) -> pa.Table:
        """model, version, learner, auc (on the hold-out), champion, champion_version."""
        columns = {"model": pa.string(), "version": pa.string(), "learner": pa.string()}
        columns |= {"auc": pa.float64(), "champion": pa.bool_(), "champion_version": pa.string()}
        return records(
            columns,
            (
                {
                    "model": trained.name,
                    "version": trained.version,
                    "learner": trained.summary.learner,
                    "auc": held and held.auc,
                    "champion": trained.champion,
                    "champion_version": trained.champion_version,
                }
                for trained in self
                for held in (trained.summary.metrics.hold_out,)
            ),
        )

    def _title(self) -> str:
        return f"{counted(len(self), 'model')} trained."


class Promoted(Part):
    """When a version was made the champion, by whom and why."""

    at: datetime
    by: str
    reason: str


class ModelVersion(Part):
    """One trained version. Where its files are not there, `learner` is empty and `auc` null."""

    model: str
    version: str
    learner: str
    champion: bool
    at: datetime
    """When it was trained, or registered."""
    auc: float | None
    """On the hold-out."""
    there: bool = True
    promoted: Promoted | None = None
    """The last time that it was made the champion; null where it never was."""


class ModelVersions(Rows[ModelVersion]):
    """Every trained version, the latest first."""

    def to_arrow(self) -> pa.Table:
        """model, version, learner, champion, at, auc (on the hold-out), there."""
        columns = {"model": pa.string(), "version": pa.string(), "learner": pa.string()}
        columns |= {"champion": pa.bool_(), "at": pa.timestamp("s", "UTC"), "auc": pa.float64()}
        return records(columns | {"there": pa.bool_()}, self)

    def _title(self) -> str:
        return f"{counted(len(self), 'version')}."


class EffectAt(Part):
    """The factor on the odds at a value; null is the effect of a missing one."""

    value: Scalar
    share: float
    """The accounts near it."""
    odds: float


class Effect(Part):
    """What a feature of trees does to the odds of the bad outcome, against the average account."""

    feature: str
    least: float
    most: float
    missing: float
    values: tuple[EffectAt, ...]


class ModelBins(Result):
    """A version's features: the bins and pairs of a scorecard, or the effects of trees."""

    model: str
    version: str
    learner: str
    form: str | None
    base: float | None
    """The points everyone starts from."""
    kinds: Mapping[str, str]
    """The kind of each feature's values."""
    features: tuple[BinnedFeature, ...]
    pairs: tuple[FeaturePair, ...]
    effects: tuple[Effect, ...]

    def to_arrow(self) -> pa.Table:
        """The features with bins, or with effects: feature, least, most, missing."""
        columns = {"feature": pa.string()}
        columns |= dict.fromkeys(("least", "most", "missing"), pa.float64())
        return records(columns, (*self.features, *self.effects))

    def _title(self) -> str:
        unit = "factors on the odds" if self.effects else "points"
        return f"{self.model} {self.version}: {self.learner}, {unit} of each feature."


class Promotion(Single):
    """A version that is the champion now."""

    model: str
    version: str

    def _title(self) -> str:
        return f"{self.model} {self.version} is the champion now."


class Registration(Single):
    """A version from elsewhere that is among this workspace's now, in the folder `place`."""

    model: str
    version: str
    place: str
    champion: bool
    notes: tuple[str, ...]

    def _title(self) -> str:
        champion = "; it is the champion" if self.champion else ""
        line = f"{self.model} {self.version} is in {self.place}{champion}."
        return "\n".join([line, *self.notes])


class ImportedCard(Single):
    """A version made of a scorecard from elsewhere."""

    model: str
    version: str
    champion: bool
    features: int
    spec: str | None
    """The model's spec, where it was written now."""
    accounts: int
    """Accounts that later ones are compared with."""
    notes: tuple[str, ...]

    def _title(self) -> str:
        champion = "; it is the champion" if self.champion else ""
        line = f"{self.model} {self.version}: {counted(self.features, 'feature')}{champion}."
        return "\n".join([line, *self.notes])


class ModelCard(Single):
    """The page of a version's evidence that was written."""

    model: str
    version: str
    place: str

    def _title(self) -> str:
        return f"{self.model} {self.version}: {self.place}"


class ModelExport(Single):
    """A version in a form that other systems run."""

    model: str
    version: str
    place: str
    rows: int | None
    """Made-up accounts that were scored both ways; null where nothing was run."""
    difference: float | None
    """The most by which their probabilities differ."""

    def _title(self) -> str:
        return f"{self.model} {self.version}: {self.place}"


class Recalibration(Result):
    """A new version, its probabilities moved to how recent accounts came out."""

    name: str
    version: str
    parent: str
    champion: bool
    rows: int
    bad: int
    first: str | None
    last: str | None
    slope: float
    intercept: float
    before: Metrics
    """On the recent accounts."""
    after: Metrics
    """The same, by folds of parties that the line was not fitted to."""
    notes: tuple[str, ...] = ()

    def to_arrow(self) -> pa.Table:
        """metric, before, after."""
        columns = {"metric": pa.string(), "before": pa.float64(), "after": pa.float64()}
        names = [name for name in Metrics.model_fields if name != "lift_by_decile"]
        rows = ((name, getattr(self.before, name), getattr(self.after, name)) for name in names)
        return records(columns, (dict(zip(columns, row, strict=True)) for row in rows))

    def _title(self) -> str:
        accounts = counted(self.rows, "account")
        line = f"{self.name} {self.version}, recalibrated from {self.parent} on {accounts}."
        return "\n".join([line, *self.notes])
