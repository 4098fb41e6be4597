"""What the question `drift` gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from riskseg.domain.words import counted, first_few
from riskseg.results.insights.answer import Answer
from riskseg.results.part import Part
from riskseg.results.units import Ratio, Share, ShareOrNone


class ScoreDrift(Part):
    """How the probabilities of a day are spread, beside those of training."""

    model: str
    """The probability, by its name in decisions."""
    version: str
    """The version of the model."""
    day: date
    accounts: int
    psi: Ratio
    """The population stability index against training, at the same points of the billing cycle."""
    by_chance: Ratio
    """What chance alone gives on average."""
    differs: bool
    """Whether it is above 0.25 and ten times what chance gives."""


class FeatureDrift(Part):
    """How a feature of a model is spread on the as-of date, beside training."""

    model: str
    feature: str
    csi: Ratio
    """The characteristic stability index: the same as `psi`, of a feature."""
    by_chance: Ratio
    differs: bool
    unknown: Share
    """The share of the scored accounts of which it is unknown."""
    unknown_in_training: Share


class FactKnown(Part):
    """A fact that the strategy or one of its models reads, where it is not always known."""

    fact: str
    read_by: str
    """The strategy, or the names of probabilities."""
    unknown: ShareOrNone
    """The share of all accounts of which it is unknown; null where the workspace lacks it."""
    default_value: str | None
    """What stands for it, of all accounts, where the workspace lacks it."""


class Drifts(Answer):
    """Whether accounts still are as those that the models were trained on."""

    scores: tuple[ScoreDrift, ...]
    features: tuple[FeatureDrift, ...]
    """The largest index first, by model."""
    facts: tuple[FactKnown, ...]
    unmeasured: tuple[str, ...]
    """The probabilities whose models say nothing of their training, or score nobody."""
    other_versions: int
    """Days whose probabilities came from other versions of the models, which are not compared."""

    def words(self) -> str:
        sentences = [_of_model(self, name) for name in dict.fromkeys(s.model for s in self.scores)]
        if self.unmeasured:
            names = ", ".join(self.unmeasured)
            sentences.append(f"Not measured, because there are no accounts to compare: {names}.")
        if not self.scores and not self.unmeasured:
            sentences.append("The strategy uses no model.")
        lacking = [f"{row.fact} ({row.default_value})" for row in self.facts if row.default_value]
        if lacking:
            sentences.append(f"Default values stand for {first_few(lacking)}, of all accounts.")
        half = [row.fact for row in self.facts if row.unknown is not None and row.unknown > 0.5]
        if half:
            sentences.append(f"Unknown of more than half of all accounts: {first_few(half)}.")
        return " ".join(sentences)

    def tables(self) -> Mapping[str, Sequence[Part]]:
        return {
            "Drift of probabilities": self.scores,
            "Drift of features": self.features,
            "Unknown and default values": self.facts,
        }


def _of_model(answer: Drifts, name: str) -> str:
    last = [row for row in answer.scores if row.model == name][-1]
    features = [row for row in answer.features if row.model == name]
    differing = [f"{row.feature} ({row.csi:.2f})" for row in features if row.differs]
    than = "differently than" if last.differs else "as"
    text = (
        f"{name}: probabilities are spread {than} in training (PSI {last.psi:.3f} on {last.day}, "
        f"where chance gives {last.by_chance:.3f})"
    )
    if not features:
        return f"{text}."
    whole = counted(len(features), "feature")
    if not differing:
        return (
            f"{text}; none of its {whole} differs."
            if last.differs
            else (f"{text}, and so are all of its {whole}.")
        )
    return f"{text}; {len(differing)} of its {whole} differ: {first_few(differing)}."
