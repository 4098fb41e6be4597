"""A version whose probabilities are moved to how recent accounts came out. Only the calibration
changes: what ranks the accounts, and why, stays what was validated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from riskseg.domain.problems import problem
from riskseg.learning.artefact import Model
from riskseg.learning.calibration import fit_shift
from riskseg.learning.canonical import canonical
from riskseg.learning.evidence.gathered import evidence
from riskseg.learning.evidence.metrics import all_metrics
from riskseg.learning.evidence.model import Evidence
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.learned_from import unseen
from riskseg.learning.manifest import Counts, RecalibratedBy, RecordedMetrics
from riskseg.learning.parties import counted_outcomes
from riskseg.learning.spec import AuthoredSpec
from riskseg.learning.split import folds_by_party
from riskseg.learning.train import FOLDS, Trained, counts, fingerprint, hashes, sealed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from riskseg.learning.frame import Floats

LEAST_OF_EACH = 30


@dataclass(frozen=True)
class Recalibration:
    """The new version's files, and the line on the log-odds that makes it. `before` and `after`
    are metrics on the recent rows, `after` by lines fitted to other parties."""

    trained: Trained
    slope: float
    intercept: float
    rows: int
    bad: int
    first: date | None
    last: date | None
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def recalibrated(
    model: Model,
    frame: TrainingFrame,
    authored: AuthoredSpec,
    *,
    since: date | None,
    slope: bool,
    threads: int,
) -> Recalibration:
    """Fits a line on the model's log-odds to the rows since a day (of any day, if none is given)
    that the model did not learn from.

    The evidence is that of these rows, with probabilities by lines fitted to other parties.
    Raises ProblemsError: RS402 where they are too few, or ranked no better than by chance; RS409.
    """
    frame = frame.ordered()
    if since is not None:
        frame = frame.where(frame.as_of >= np.datetime64(since))
    is_new = unseen(model.manifest, frame)
    known_count, frame = int((~is_new).sum()), frame.where(is_new)
    _check_enough(model, frame, authored, since, known_count)
    probability_before = model.predict(frame.rows, threads)
    shift_line = fit_shift(probability_before, frame.label, frame.weight, slope=slope)
    if shift_line[0] <= 0:
        raise problem(
            "RS402",
            f"The model ranks these {len(frame)} accounts no better than chance: a slope would "
            "make every probability the same.",
            file=authored.file,
            hint="Train the model again, or move the intercept alone.",
        )
    probability_after = _cross_fitted(
        model, frame, probability_before, authored.spec.seed, slope=slope, threads=threads
    )
    metrics = {
        metrics_of: all_metrics(frame.label, probability, frame.weight)
        for metrics_of, probability in (
            ("before", probability_before),
            ("after", probability_after),
        )
    }
    version_files = model.learned_by.files(model.scorer)
    calibration = model.calibration.shifted(*shift_line)
    version_files["calibration.json"] = canonical({model.learner: calibration.as_json()})
    version_files["reference.json"] = canonical(model.reference.as_json())
    recent_evidence = _evidence(model, frame, authored, probability_after, threads)
    version_files["evidence.json"] = canonical(recent_evidence.as_json())
    recent = counts(frame)
    version_notes = [
        *_known_before(model, recent, known_count),
        *_short_of_a_cycle(authored, recent),
    ]
    manifest = model.manifest.model_copy(
        update={
            "parent": model.version,
            "recalibrated": RecalibratedBy(
                slope=shift_line[0], intercept=shift_line[1], since=str(since or "")
            ),
            "hold_out": recent,
            "metrics": {
                model.learner: RecordedMetrics(
                    out_of_fold=model.manifest.shipped_metrics.out_of_fold,
                    hold_out=metrics["after"],
                )
            },
            "fingerprints": {**model.manifest.fingerprints, "recent": fingerprint(frame)},
            "notes": [
                *model.manifest.notes,
                f"Recalibrated from version {model.version}: the hold-out's figures are of the "
                "recent accounts it was recalibrated to, each by a line fitted to other parties.",
                *version_notes,
            ],
            "files": hashes(version_files),
        }
    )
    return Recalibration(
        trained=sealed(manifest, version_files),
        slope=shift_line[0],
        intercept=shift_line[1],
        rows=recent.rows,
        bad=recent.bad,
        first=recent.from_,
        last=recent.until,
        notes=tuple(version_notes),
        **metrics,
    )


def _cross_fitted(
    model: Model, frame: TrainingFrame, before: Floats, seed: int, *, slope: bool, threads: int
) -> Floats:
    """Each row's probability by a line that was fitted to other parties. `before` are the
    probabilities that the model gives."""
    margin = model.scorer.margin(frame.rows, threads)
    folds = folds_by_party(frame.group, FOLDS, seed)
    probability_after = np.zeros(len(frame))
    for fold in np.unique(folds):
        other_folds, own_fold = folds != fold, folds == fold
        shift_line = fit_shift(
            before[other_folds], frame.label[other_folds], frame.weight[other_folds], slope=slope
        )
        probability_after[own_fold] = model.calibration.shifted(*shift_line).probability(
            margin[own_fold]
        )
    return probability_after


def _evidence(
    model: Model, frame: TrainingFrame, authored: AuthoredSpec, after: Floats, threads: int
) -> Evidence:
    """The evidence of the recent rows. What the model does is as it was; how the recent rows differ
    from themselves says nothing."""
    measured = evidence(
        authored.spec,
        model.learned_by,
        model.scorer,
        model.facts,
        frame,
        after,
        frame,
        after,
        fitted=after,
        threads=threads,
    )
    return measured.model_copy(
        update={
            "effects": model.evidence.effects,
            "monotone": model.evidence.monotone,
            "stability": model.evidence.stability,
            "by_snapshot": [month for month in measured.by_snapshot if month.part == "hold_out"],
        }
    )


def _check_enough(
    model: Model, frame: TrainingFrame, authored: AuthoredSpec, since: date | None, known: int
) -> None:
    """RS402 where too few rows are left, and what would give more."""
    bad = int(frame.label.sum())
    counted = counted_outcomes(frame.group, frame.label, frame.weight)
    if min(counted) >= LEAST_OF_EACH:
        return
    first = model.manifest.first_unseen
    by_share = model.manifest.held_share is not None
    if first is not None and since is not None and (by_share or since > first):
        earliest = "" if by_share else f", from {first} on"
        hint = f"Give an earlier day with --since{earliest}, or wait for more outcomes."
    elif first is not None:
        hint = f"Wait for more outcomes of what was observed from {first} on."
    elif model.manifest.refit is not None:
        hint = (
            "With `refit: true` it learned from all accounts: train without it, and recalibrate "
            "that version."
        )
    elif since is not None:
        hint = "The accounts have no dates: leave --since out."
    else:
        hint = "Bring the outcomes of more accounts."
    since_when = f" observed since {since}" if since else ""
    alike = "" if counted[0] == bad else f", worth as much as {counted[0]} independent ones"
    apart = f" beside the {known} that it learned from" if known else ""
    raise problem(
        "RS402",
        f"{len(frame)} accounts{since_when} have known outcomes{apart}, {bad} of them bad{alike}; "
        f"the least is {LEAST_OF_EACH} of each outcome.",
        file=authored.file,
        hint=hint,
    )


def _known_before(model: Model, recent: Counts, known: int) -> list[str]:
    """Notes on rows that would have made, or make, the version look better than it is."""
    notes_on_rows = []
    if known:
        notes_on_rows.append(f"Left out: {known:,} accounts that the version had learned from.")
    first_recent, last_held_out = recent.from_, model.manifest.hold_out.until
    if model.manifest.parent and (
        first_recent is None or last_held_out is None or first_recent <= last_held_out
    ):
        notes_on_rows.append("It had been recalibrated to some of these accounts before.")
    return notes_on_rows


def _short_of_a_cycle(authored: AuthoredSpec, recent: Counts) -> list[str]:
    """A note where the recent rows are of fewer days than lie between two looks at an account: what
    is owed depends on the day of the billing cycle, and they are of some of its days alone."""
    spec = authored.spec
    if not spec.repeats or spec.observe.at is not None:
        return []
    if recent.from_ is None or recent.until is None:
        return []
    days = (recent.until - recent.from_).days + 1
    if days >= spec.observe.every:
        return []
    return [
        f"The recent accounts were observed on {days} days, and a cycle has {spec.observe.every}: "
        "the level is that of these days of the billing cycle. Give an earlier day with --since."
    ]
