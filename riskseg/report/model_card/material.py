"""The data that a card is made of, in the order in which the templates show them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from riskseg.domain.columns import values_meant
from riskseg.domain.facts import glossed
from riskseg.learning import words
from riskseg.learning.canonical import canonical
from riskseg.learning.evidence.checks import features_read as read_by_model
from riskseg.learning.evidence.estimates import Estimate, estimate
from riskseg.learning.evidence.limits import Limit, limits
from riskseg.learning.evidence.model import Cohort, Evidence, FeatureShift, Monotonicity
from riskseg.learning.evidence.verdict import mean_predicted, verdict
from riskseg.learning.learners import learner_named
from riskseg.learning.manifest import Attempt, Manifest, RecordedFact
from riskseg.learning.reference import Reference, Spread
from riskseg.report.model_card.charts_of_features import reach
from riskseg.results.interval import Interval
from riskseg.results.model_evidence import Verdict


class Choice(NamedTuple):
    """Something that was tried: the folds and rows it was judged on, and how."""

    what: str
    judged_on: str
    log_loss: float
    chosen: bool


@dataclass(frozen=True)
class Material:
    """One model: the artefact's manifest, evidence, table of points (if it is a scorecard) and
    reference."""

    manifest: Manifest
    evidence: Evidence
    scorecard: Mapping[str, Any] | None
    reference: Reference

    @property
    def learner(self) -> str:
        return self.manifest.learner

    @property
    def learners(self) -> list[str]:
        """The learner that ships, then the others."""
        others = sorted(
            learner_name for learner_name in self.manifest.metrics if learner_name != self.learner
        )
        return [self.learner, *others]

    @cached_property
    def verdict(self) -> Verdict:
        return verdict(self.manifest, self.evidence)

    @property
    def limits(self) -> list[Limit]:
        return limits(self.manifest, self.evidence)

    @property
    def auc(self) -> Estimate | None:
        return estimate(self.manifest, self.evidence, "auc")

    @property
    def ks(self) -> Estimate | None:
        return estimate(self.manifest, self.evidence, "ks")

    @property
    def intervals(self) -> dict[str, Interval | None]:
        """The intervals of what ships on the hold-out; the Gini's follows from the AUC's."""
        intervals = dict(self.evidence.intervals)
        if self.auc and self.auc.interval:
            intervals["gini"] = Interval(
                *(2 * interval_end - 1 for interval_end in self.auc.interval)
            )
        return intervals

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
        return self.manifest.imported is not None and not self.manifest.hold_out.rows

    @property
    def form(self) -> str:
        """The learner that ships, and the form of a scorecard."""
        form = self.manifest.form
        return words.learner(self.learner) + (f" ({form})" if form else "")

    @property
    def why(self) -> str:
        """Why the learner is the champion, in sentences."""
        return words.sentence(self.manifest.champion.why or "The spec says so")

    # The data and what was made of them

    @property
    def dropped(self) -> dict[str, str]:
        """Why each feature that was left out was left out."""
        return {**((self.scorecard or {}).get("dropped") or {}), **self.manifest.dropped}

    @property
    def left_out(self) -> list[tuple[str, list[str]]]:
        """The features that were left out by the reason why, the commonest reason first."""
        by_reason: dict[str, list[str]] = {}
        for left_out_feature, why in sorted(self.dropped.items()):
            by_reason.setdefault(why, []).append(left_out_feature)
        return sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0]))

    @property
    def tried(self) -> list[tuple[str, list[Choice]]]:
        """What each learner tried, the one that ships first, in the order in which it chose."""
        learners_in_order = sorted(
            self.manifest.tried.items(), key=lambda learner_tried: learner_tried[0] != self.learner
        )
        return [
            (
                f"{words.learner(learner_name)}: {kind_of_attempt}",
                [_choice(attempt) for attempt in attempts],
            )
            for learner_name, tried in learners_in_order
            for kind_of_attempt, attempts in (
                ("settings", tried.settings),
                ("calibrations", tried.calibrations),
            )
            if attempts
        ]

    def calibrations(self, *, chosen: bool) -> list[str]:
        """The calibrations of what ships that were chosen, or those that were not."""
        tried = self.manifest.tried.get(self.learner)
        attempts = tried.calibrations if tried else []
        return [a.what.removesuffix(" calibration") for a in attempts if a.chosen is chosen]

    @property
    def spec_text(self) -> str:
        """The spec as it could be written in its file; what is not set is left out."""
        return "\n".join(_yaml(self.manifest.spec.as_json()))

    # Features

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The kind of each feature."""
        return {fact.name: fact.kind for fact in self.manifest.features}

    @property
    def features_read(self) -> list[str]:
        return read_by_model(self.manifest, self.evidence)

    @cached_property
    def reach(self) -> dict[str, float]:
        """How far each feature that was measured moves the log-odds."""
        return {effect.feature: reach(effect) for effect in self.evidence.effects}

    @property
    def offered(self) -> list[RecordedFact]:
        """The features that the learner was offered, the strongest first."""
        strength = self.reach
        return sorted(self.manifest.features, key=lambda f: (-strength.get(f.name, -1.0), f.name))

    @property
    def monotone(self) -> list[Monotonicity]:
        """The features with a declared direction, the one that turns furthest first."""
        return sorted(self.evidence.monotone, key=lambda m: (-abs(m.worst), m.feature))

    @property
    def shifts(self) -> list[FeatureShift]:
        """How far features moved, the one that moved most first."""
        return sorted(self.evidence.stability.features, key=lambda f: (-f.psi, f.feature, f.part))

    @property
    def points(self) -> list[Mapping[str, Any]]:
        """A scorecard's features, the one with the widest range of points first."""

        def width(row: Mapping[str, Any]) -> float:
            bin_points = [float(bin_["points"]) for bin_ in row["bins"]]
            return max(bin_points) - min(bin_points)

        features = (self.scorecard or {}).get("features", ())
        return sorted(features, key=lambda row: (-width(row), row["feature"]))

    @property
    def summands(self) -> str:
        """What the score of a learner without points is a sum of."""
        return learner_named(self.learner).sum_of

    @property
    def cohorts(self) -> dict[str, list[Cohort]]:
        """The groups that were compared by attribute."""
        by_attribute: dict[str, list[Cohort]] = {}
        for cohort in self.evidence.cohorts:
            by_attribute.setdefault(cohort.attribute, []).append(cohort)
        return by_attribute


def _choice(attempt: Attempt) -> Choice:
    """A choice's record, which names folds and rows where they are not all: "16 leaves, 2 folds
    (on 20,000 rows)"."""
    choice_text = attempt.what
    some_rows = re.search(r" \(on ([\d,]+ rows)\)$", choice_text)
    choice_text = choice_text[: some_rows.start()] if some_rows else choice_text
    some_folds = re.search(r", (\d+ folds)$", choice_text)
    choice_text = choice_text[: some_folds.start()] if some_folds else choice_text
    folds = some_folds[1] if some_folds else "all folds"
    rows_text = some_rows[1] if some_rows else "all rows"
    return Choice(choice_text, f"{folds}, {rows_text}", attempt.log_loss, attempt.chosen)


def _yaml(spec: Mapping[str, Any], indent: str = "") -> Iterable[str]:
    """The lines of a spec, or of a part of one."""
    for key, value in spec.items():
        if isinstance(value, Mapping):
            nested_lines = list(_yaml(value, indent + "  "))
            if nested_lines:
                yield from (f"{indent}{key}:", *nested_lines)
        elif value is not None and value not in ("", []):
            yield f"{indent}{key}: {_scalar(key, value)}"


def _scalar(key: str, value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_scalar("", item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and key in ("every", "for", "history", "last"):
        return days(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def days(several: int) -> str:
    """A duration as a spec's file has it."""
    return f"{several} day{'' if several == 1 else 's'}"


def points(value: str | float) -> str:
    """Points of a scorecard, with two decimals; never "-0.00"."""
    return f"{float(value) + 0.0:.2f}"


def meaning(fact: RecordedFact) -> str:
    """What a feature is, in words, with what its values mean."""
    return glossed(fact.words) + values_meant(fact.as_json())


def usual_values(seen: Spread | None, kind: str) -> str:
    """Where the training rows lay: the middle 80% of a number, the commonest levels of text."""
    if seen is None:
        return words.ABSENT
    if seen.levels is not None:
        common = sorted(
            seen.levels.items(), key=lambda level_share: (-level_share[1], level_share[0])
        )[:3]
        return (
            ", ".join(f"{level} {words.percent(share, 0)}" for level, share in common)
            or words.ABSENT
        )
    cuts = seen.cuts
    if not cuts:
        return words.ABSENT
    if kind == "boolean":
        return f"yes {words.percent(seen.shares[-1], 0)}" if len(cuts) > 1 else words.ABSENT
    low, high = words.value(cuts[0]), words.value(cuts[-1])
    return low if low == high else f"{low} to {high}"
