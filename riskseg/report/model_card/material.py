"""The data that a card is made of, and the few figures that several of its parts need."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from riskseg.learning import words
from riskseg.learning.canonical import canonical
from riskseg.learning.evidence import verdicts
from riskseg.learning.evidence.model import Evidence
from riskseg.learning.evidence.verdict import mean_predicted

Told = Mapping[str, Any]

# With more features than this, tables of bins and small charts are folded away.
OPEN_FEATURES = 12


@dataclass(frozen=True)
class Material:
    """One model: the artefact's manifest, evidence, table of points (if it is a scorecard) and
    reference."""

    manifest: Told
    evidence: Evidence
    scorecard: Told | None
    reference: Told

    @property
    def spec(self) -> Told:
        found: Told = self.manifest["spec"]
        return found

    @property
    def learner(self) -> str:
        return str(self.manifest["learner"])

    @property
    def training(self) -> Told:
        return verdicts.part(self.manifest, "training")

    @property
    def held(self) -> Told:
        return verdicts.part(self.manifest, "hold_out")

    @cached_property
    def checks(self) -> list[verdicts.Check]:
        return verdicts.checks(self.manifest, self.evidence)

    @property
    def auc(self) -> verdicts.Estimate | None:
        return verdicts.estimate(self.manifest, self.evidence, "auc")

    @property
    def version(self) -> str:
        """As :func:`riskseg.learning.artefact.version_of` has it: the manifest names all else."""
        return hashlib.sha256(canonical(dict(self.manifest))).hexdigest()[:12]

    @property
    def parent(self) -> str | None:
        """The version that this one is a recalibration of."""
        found = self.manifest.get("parent")
        return str(found) if found else None

    @property
    def mean_predicted(self) -> float | None:
        """The mean probability of the hold-out's rows."""
        return mean_predicted(self.manifest, self.evidence)

    @property
    def recalibrated(self) -> Told | None:
        """The line that the parent's probabilities were moved by, if they were."""
        found: Told | None = self.manifest.get("recalibrated")
        return found

    @property
    def unjudged(self) -> bool:
        """Whether it was made elsewhere, and no outcome here has judged it."""
        return bool(self.manifest.get("imported")) and not self.held["rows"]

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The kind of each feature."""
        return {f["name"]: f["kind"] for f in self.manifest["features"]}

    @property
    def form(self) -> str:
        """The learner that ships, and the form of a scorecard."""
        form = self.manifest.get("form")
        return words.learner(self.learner) + (f" ({form})" if form else "")

    @property
    def why(self) -> str:
        """Why the learner is the champion, in sentences."""
        why = (self.manifest.get("champion") or {}).get("why")
        return words.sentence(str(why or "The spec says so"))


def days(value: Any) -> str:
    """A duration as a spec's file has it."""
    return f"{value} day{'' if value == 1 else 's'}" if isinstance(value, int) else str(value)
