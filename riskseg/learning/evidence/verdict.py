"""The verdict on a model in sentences, for the terminal, for machines and for the card alike."""

from __future__ import annotations

from riskseg.learning import words
from riskseg.learning.evidence.checks import BARELY, checks, strength_in_words
from riskseg.learning.evidence.estimates import bad_rate, estimate, out_of_time, row_weights
from riskseg.learning.evidence.model import Evidence
from riskseg.learning.manifest import Manifest
from riskseg.learning.spec import Target
from riskseg.learning.words import count, percent, plural
from riskseg.results.model_evidence import ModelCheck, Verdict


def verdict(manifest: Manifest, evidence: Evidence) -> Verdict:
    """The verdict by a trained model's manifest and evidence."""
    all_checks = tuple(checks(manifest, evidence))
    return Verdict(
        ranking=ranking(manifest, evidence),
        calibration=calibration(manifest, evidence),
        certainty=certainty(manifest, evidence, all_checks),
        checks=all_checks,
        too_weak=too_weak(manifest, evidence),
    )


def predicted(target: Target) -> str:
    """What a target means, in words."""
    within = f" in the next {plural(target.horizon, 'day')}" if target.horizon else ""
    if target.column is not None:
        positive = target.positive
        which = "" if positive is None else f", where it is {words.value(positive)}"
        return f"The probability of the bad outcome in the column “{target.column}”{which}{within}"
    past_due = plural(target.dpd, "day")
    if target.event == "late":
        return (
            f"The probability that a bill falling due{within} is still unpaid {past_due} after it "
            "was due"
        )
    return (
        f"The probability that an account reaches {past_due} past due, or is written off,{within}"
    )


def too_weak(manifest: Manifest, evidence: Evidence) -> str:
    """Why a model is not made the champion unless somebody says so; empty where it may be.

    It ranks barely better than chance where its AUC on the hold-out is below 0.55, or where the
    AUC's 95% interval reaches down to 0.5, which is chance.
    """
    auc = estimate(manifest, evidence, "auc")
    if not auc:
        return ""
    if auc.value >= BARELY and (auc.interval is None or auc.interval.low > 0.5):
        return ""
    return f"it ranks barely better than chance, with an AUC of {auc}"


def ranking(manifest: Manifest, evidence: Evidence) -> str:
    """How well the model separates bad from good, and how many bad its riskiest tenth holds."""
    auc = estimate(manifest, evidence, "auc")
    if not auc:
        return "Its ranking was not measured."
    ranking_text = (
        f"It ranks {strength_in_words(auc.value)}: of two accounts, one bad and one good, it puts "
        f"the bad one higher {percent(auc.value, 0).rstrip('%')} times in 100."
    )
    if evidence.gains:
        riskiest = evidence.gains[0]
        ranking_text += (
            f" The riskiest {percent(riskiest.share, 0)} hold {percent(riskiest.caught)} "
            f"of all bad outcomes, {riskiest.lift:.1f} times their share."
        )
    return ranking_text


def calibration(manifest: Manifest, evidence: Evidence) -> str:
    """What the model predicted on average, and what came true; empty where it was not measured."""
    mean = mean_predicted(manifest, evidence)
    if mean is None:
        return ""
    came = percent(bad_rate(manifest.hold_out))
    return f"It predicted {percent(mean)} on average, and {came} came true."


def certainty(manifest: Manifest, evidence: Evidence, answers: tuple[ModelCheck, ...]) -> str:
    """What the model was judged on, how far its AUC is certain, and how many checks hold."""
    hold_out, auc = manifest.hold_out, estimate(manifest, evidence, "auc")
    if manifest.imported and not hold_out.rows:
        return (
            f"It was made elsewhere ({manifest.imported.file}), and no outcome here has "
            "judged it. `models compare` and `models recalibrate` do."
        )
    certainty_text = (
        f"Judged on {plural(hold_out.rows, 'row')} with {count(hold_out.bad)} bad outcomes"
    )
    if manifest.recalibrated:
        certainty_text += ", the recent accounts it was recalibrated to"
    elif out_of_time(manifest):
        certainty_text += (
            f", observed from {words.date(hold_out.from_)} to {words.date(hold_out.until)}, after "
            "the training window"
        )
    else:
        certainty_text += ", other parties than those it learned from, but not a later time"
    certainty_text += "."
    if auc and auc.interval:
        interval_text = f"{words.figure(auc.interval.low)} to {words.figure(auc.interval.high)}"
        certainty_text += f" The AUC's 95% interval runs from {interval_text}."
    holds = sum(check.status == "holds" for check in answers)
    return f"{certainty_text} {holds} of {len(answers)} checks hold."


def mean_predicted(manifest: Manifest, evidence: Evidence) -> float | None:
    """The mean probability of the hold-out's rows."""
    good, bad = row_weights(manifest.hold_out)
    weights = [
        bad * calibration_group.bad + good * (calibration_group.rows - calibration_group.bad)
        for calibration_group in evidence.calibration
    ]
    means = sum(
        calibration_group.mean * group_weight
        for calibration_group, group_weight in zip(evidence.calibration, weights, strict=True)
    )
    return means / sum(weights) if sum(weights) else None
