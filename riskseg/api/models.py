"""The trained versions of a workspace's models."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from riskseg import run as use_cases
from riskseg.api.arguments import (
    Day,
    Place,
    day_or_none,
    moment,
    one_line,
    path_or_none,
    person,
    progress,
)
from riskseg.results.model_comparison import Comparison
from riskseg.results.models import (
    ImportedCard,
    ModelBins,
    ModelCard,
    ModelExport,
    ModelSummary,
    ModelVersions,
    Promotion,
    Recalibration,
    Registration,
)


class Models:
    """The trained versions of a workspace's models. Where a version may be left out, it is the
    champion; one that is named may be named by its beginning."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __repr__(self) -> str:
        return f'riskseg.open("{self._root}").models'

    def list(self) -> ModelVersions:
        """Every trained version, the latest first."""
        return use_cases.models.versions(self._root)

    def show(self, model: str, version: str | None = None) -> ModelSummary:
        """What a version is and how good it is."""
        return use_cases.models.show(self._root, model, version)

    def bins(
        self, model: str, version: str | None = None, *, feature: str | None = None
    ) -> ModelBins:
        """A scorecard's bins with their evidence and points, or the effects of trees; of all
        features, or of the one that is named."""
        return use_cases.bins.bins(self._root, model, version, feature=feature)

    def card(self, model: str, out: Place, version: str | None = None) -> ModelCard:
        """Write the evidence on a version as one page of HTML."""
        return use_cases.models.card(self._root, model, version, Path(out))

    def export(
        self,
        model: str,
        to: Literal["sql", "onnx", "points.csv"],
        version: str | None = None,
        *,
        out: Place | None = None,
        dialect: str = "duckdb",
    ) -> ModelExport:
        """Write a version as SQL, ONNX or a table of points, checked against riskseg."""
        return use_cases.export.export(
            self._root, model, version, to, path_or_none(out), dialect=dialect
        )

    def compare(self, first: str, second: str, *, cut: float | None = None) -> Comparison:
        """Two versions on accounts that neither learned from. Each is MODEL (its champion) or
        MODEL@VERSION; `cut` is the probability from which an account is treated."""
        return use_cases.compare.compare(self._root, first, second, cut=cut, progress=progress())

    def promote(
        self,
        model: str,
        version: str,
        *,
        by: str | None = None,
        reason: str = "",
        at: datetime | None = None,
    ) -> Promotion:
        """Make a version the champion. `by` is you if left out."""
        return use_cases.models.promote(
            self._root, model, version, at=moment(at), by=person(by), reason=one_line(reason)
        )

    def recalibrate(
        self,
        model: str,
        version: str | None = None,
        *,
        since: Day | None = None,
        slope: bool = False,
        accept_feeds: bool = False,
        at: datetime | None = None,
    ) -> Recalibration:
        """Keep a new version, its probabilities moved to how accounts observed since a day came
        out: since its hold-out if that is left out. With `slope` the slope is moved too.
        `accept_feeds` is as in `assign`."""
        return use_cases.recalibrate.recalibrate(
            self._root,
            model,
            version,
            since=day_or_none(since, self._root),
            slope=slope,
            accept_feeds=accept_feeds,
            at=moment(at),
            progress=progress(),
        )

    def register(
        self,
        folder: Place,
        *,
        promote: bool = False,
        by: str | None = None,
        reason: str = "",
        at: datetime | None = None,
    ) -> Registration:
        """Take a version that was trained in another workspace: its folder, with its manifest."""
        return use_cases.register.register(
            self._root,
            Path(folder),
            promote=promote,
            at=moment(at),
            by=person(by),
            reason=one_line(reason),
        )

    def import_card(
        self,
        file: Place,
        model: str,
        *,
        pdo: float | None = None,
        points_at_odds: tuple[float, float] | None = None,
        factor: float | None = None,
        offset: float | None = None,
        base: float | None = None,
        intercept: float | None = None,
        higher_is: Literal["better", "riskier"] | None = None,
        target: str | None = None,
        question: str = "",
        reference_as_of: Day | None = None,
        promote: bool = False,
        by: str = "import",
        reason: str = "",
        at: datetime | None = None,
    ) -> ImportedCard:
        """Take a scorecard that was made elsewhere, from a CSV file: feature, bins, points.

        `pdo` points double the odds, and `points_at_odds=(600, 50)` is the score at odds of good to
        bad; or score = offset + factor·ln(odds). `base` are the points everyone begins with,
        `intercept` the log-odds of a table of weights of evidence. `target` is late, default or
        column:NAME, where there is no spec. Raises ValueError for options that do not go together.
        """
        return use_cases.import_card.import_card(
            self._root,
            Path(file),
            model,
            use_cases.import_card.meaning_of_points(
                pdo=pdo,
                points_at_odds=points_at_odds,
                factor=factor,
                offset=offset,
                base=base,
                intercept=intercept,
                riskier=None if higher_is is None else higher_is == "riskier",
            ),
            target=target,
            question=one_line(question),
            reference_as_of=day_or_none(reference_as_of, self._root),
            promote=promote,
            at=moment(at),
            by=person(by),
            reason=one_line(reason),
            progress=progress(),
        )
