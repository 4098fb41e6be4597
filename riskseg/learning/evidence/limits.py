"""The limits of what is known of a model, worked out from its data and its target."""

from __future__ import annotations

from dataclasses import dataclass

from riskseg.learning import words
from riskseg.learning.evidence.checks import FEW_BADS_A_FEATURE, FEW_BADS_HELD, level_of
from riskseg.learning.evidence.estimates import bad_rate, dated, estimate, out_of_time, sampled
from riskseg.learning.evidence.model import Evidence
from riskseg.learning.manifest import Manifest
from riskseg.learning.words import figure, listed, percent

FEW_BADS_IN_A_GROUP = 30
SHORT_HOLD_OUT = 56  # days; two billing months


@dataclass(frozen=True)
class Limit:
    """Something the reader must know before relying on the model."""

    title: str
    says: str


def limits(manifest: Manifest, evidence: Evidence) -> list[Limit]:
    """What the reader must know, worked out from the data and the target."""
    collected: list[Limit] = []
    if manifest.imported:
        collected.append(
            Limit(
                "It was made elsewhere",
                "What it learned from and how it was validated is not kept here. `models compare` "
                "and `models recalibrate` judge it on accounts whose outcomes are known.",
            )
        )
    if manifest.training.rows:
        collected += _limits_of_counts(manifest, evidence)
    collected += _limits_of_dates(manifest)
    collected += _limits_of_label(manifest)
    collected += _limits_of_groups(evidence)
    how = sampled(manifest)
    if how:
        collected.append(
            Limit(
                "Outcomes were sampled",
                f"To save time {how}, and each that was kept counts for those that were not. "
                "Rates and probabilities are those of the whole population; intervals are "
                "wider than all rows would give.",
            )
        )
    static = manifest.spec.features.static
    if static:
        collected.append(
            Limit(
                "Features known only as of today",
                f"The spec lets in {listed(static)}. Such a value may have been written after the "
                "outcome and carry it back; the hold-out cannot show this.",
            )
        )
    if manifest.population is None:
        collected.append(
            Limit(
                "No population was named",
                "The model was learned from every account the target allows; accounts of "
                "another kind are scored as if they were like these.",
            )
        )
    collected.append(
        Limit(
            "A forecast, not an effect",
            "The outcomes happened under the treatment of their time: an account that was "
            "called may have paid because it was called. The probability says what to expect if "
            "treatment stays as it was, not what an action would change.",
        )
    )
    return collected


def _limits_of_counts(manifest: Manifest, evidence: Evidence) -> list[Limit]:
    collected = []
    training, held = manifest.training, manifest.hold_out
    auc = estimate(manifest, evidence, "auc")
    if held.bad < FEW_BADS_HELD:
        wide = (
            f", so the AUC may lie anywhere from {figure(auc.interval.low)} to "
            f"{figure(auc.interval.high)}"
            if auc and auc.interval
            else ""
        )
        collected.append(
            Limit(
                "Few bad outcomes to judge by",
                f"The hold-out holds {words.count(held.bad)} bad outcomes{wide}. Under about "
                f"{FEW_BADS_HELD}, differences between models of a few hundredths may well "
                "be chance.",
            )
        )
    if training.bad < FEW_BADS_A_FEATURE * len(manifest.features):
        collected.append(
            Limit(
                "Few bad outcomes to learn from",
                f"{words.count(training.bad)} bad outcomes for "
                f"{words.plural(len(manifest.features), 'feature')}: under ten a feature, "
                "what is learned of single features is uncertain.",
            )
        )
    rate, now = bad_rate(training), bad_rate(held)
    months = {snapshot_month.part for snapshot_month in evidence.by_snapshot}
    if rate and now and not 0.75 <= now / rate <= 1 / 0.75 and months:
        collected.append(
            Limit(
                "The bad rate has moved",
                f"{percent(rate)} of training rows were bad, {percent(now)} of the hold-out. A "
                "level that moves once may move again: watch predicted against observed.",
            )
        )
    return collected


def _limits_of_dates(manifest: Manifest) -> list[Limit]:
    if not dated(manifest):
        return [
            Limit(
                "No dates",
                "The accounts carry no dates, so the hold-out is a random share of them and not "
                "a later time. Random hold-outs flatter: expect somewhat less on next year's "
                "accounts.",
            )
        ]
    if not out_of_time(manifest):
        return [
            Limit(
                "The hold-out is not later than the training window",
                "It is a share of the parties at the same dates. It shows how the model does on "
                "other accounts, not at another time.",
            )
        ]
    first_day, last_day = manifest.hold_out.from_, manifest.hold_out.until
    assert first_day is not None and last_day is not None
    day_count = (last_day - first_day).days + 1
    if day_count < SHORT_HOLD_OUT:
        return [
            Limit(
                "A short hold-out",
                f"It spans {words.plural(day_count, 'day')}, from {words.date(first_day)} to "
                f"{words.date(last_day)}. One season cannot show how the model does in "
                "another.",
            )
        ]
    return []


def _limits_of_label(manifest: Manifest) -> list[Limit]:
    target = manifest.spec.target
    if target.event == "late" and manifest.spec.observe.at == "issue":
        return [
            Limit(
                "Whose outcome it is",
                "The outcome of a row is that of the bill issued that day, and of no other. A bill "
                "that falls due after the horizon has none and is not in the data.",
            )
        ]
    if target.column is not None:
        return [
            Limit(
                "The outcome is a column of the file",
                f"“{target.column}” is taken as it stands. Nothing shows when it was "
                "recorded, for which time, or whether other columns were written after it.",
            )
        ]
    if target.event == "late":
        return [
            Limit(
                "Who has an outcome",
                "An account with no bill falling due in the horizon has no outcome and is not in "
                "the data; it was not counted as good.",
            )
        ]
    return [
        Limit(
            "What counts as default",
            f"Default is {target.dpd} days past due, or written off, within the horizon. Accounts "
            "already there are left out, and small residues do not count. A later default is not "
            "this model's business.",
        )
    ]


def _limits_of_groups(evidence: Evidence) -> list[Limit]:
    small = [
        cohort for cohort in evidence.cohorts if not cohort.auc or cohort.bad < FEW_BADS_IN_A_GROUP
    ]
    if not small:
        return []
    named = listed(
        [
            f"{cohort.attribute} “{level_of(cohort)}” ({words.count(cohort.bad)} bad)"
            for cohort in small
        ],
        8,
    )
    return [
        Limit(
            "Groups too small to judge",
            f"{named}: under {FEW_BADS_IN_A_GROUP} bad outcomes. Absence of a difference there "
            "is not evidence of fairness.",
        )
    ]
