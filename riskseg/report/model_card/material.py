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
from riskseg.learning.manifest import Counts, Manifest
from riskseg.learning.reference import Reference

Told = Mapping[str, Any]

# With more features than this, tables of bins and small charts are folded away.
OPEN_FEATURES = 12


@dataclass(frozen=True)
class Material:
    """One model: the artefact's manifest, evidence, table of points (if it is a scorecard) and
    reference."""

    manifest: Manifest
    evidence: Evidence
    scorecard: Told | None
    reference: Reference

    @property
    def learner(self) -> str:
        return self.manifest.learner

    @property
    def training(self) -> Counts:
        return self.manifest.training

    @property
    def held(self) -> Counts:
        return self.manifest.hold_out

    @cached_property
    def checks(self) -> list[verdicts.Check]:
        return verdicts.checks(self.manifest, self.evidence)

    @property
    def auc(self) -> verdicts.Estimate | None:
        return verdicts.estimate(self.manifest, self.evidence, "auc")

    @property
    def version(self) -> str:
        """As :func:`riskseg.learning.artefact.version_of` has it: the manifest names all else."""
        return hashlib.sha256(canonical(self.manifest.as_json())).hexdigest()[:12]

    @property
    def mean_predicted(self) -> float | None:
        """The mean probability of the hold-out's rows."""
        return mean_predicted(self.manifest, self.evidence)

    @property
    def unjudged(self) -> bool:
        """Whether it was made elsewhere, and no outcome here has judged it."""
        return self.manifest.imported is not None and not self.held.rows

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The kind of each feature."""
        return {fact.name: fact.kind for fact in self.manifest.features}

    @property
    def form(self) -> str:
        """The learner that ships, and the form of a scorecard."""
        form = self.manifest.form
        return words.learner(self.learner) + (f" ({form})" if form else "")

    @property
    def why(self) -> str:
        """Why the learner is the champion, in sentences."""
        return words.sentence(self.manifest.champion.why or "The spec says so")


def days(value: Any) -> str:
    """A duration as a spec's file has it."""
    return f"{value} day{'' if value == 1 else 's'}" if isinstance(value, int) else str(value)
