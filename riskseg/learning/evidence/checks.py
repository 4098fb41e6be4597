"""The checks of a model: questions about its evidence, each with an answer.

Every threshold here is a convention for reading, not a rule of the model. The card says so. The
sentences that sum them up are in `verdict`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol, TypeVar

from riskseg.learning import words
from riskseg.learning.evidence.estimates import dated, estimate
from riskseg.learning.evidence.model import (
    Cohort,
    Evidence,
    Shift,
)
from riskseg.learning.manifest import Manifest
from riskseg.learning.words import figure, known, listed, percent
from riskseg.results.interval import Interval
from riskseg.results.model_evidence import ModelCheck, ProtectedLevel

FEW_BADS_HELD = 200  # fewer, and the AUC's interval is wider than about 0.08
FEW_BADS_A_FEATURE = 10  # Harrell's rule of thumb for events per variable
SUSPICIOUS_AUC = 0.95
BARELY = 0.55  # an AUC below it is barely better than chance
PSI_SHIFT, PSI_LARGE = 0.10, 0.25
# A PSI of ten groups is more than three times its mean once in 700 by chance.
TIMES_CHANCE = 3.0
# Features that predict a protected attribute better than this are proxies for it: of two people,
# one of each kind, they pick the right one three times in four.
STAND_IN_AUC = 0.75
FOUR_FIFTHS = 0.8


def checks(manifest: Manifest, evidence: Evidence) -> list[ModelCheck]:
    """Everything the card can check by its numbers, in the order a validator asks."""
    answers = [
        _ranks(manifest, evidence),
        _holds_up(manifest, evidence),
        _calibrated(manifest, evidence),
        _groups(evidence),
        _by_month(manifest, evidence),
        _stable(evidence),
        _monotone(evidence),
        _protected(manifest, evidence),
        _fair(evidence),
        _enough(manifest),
    ]
    return [check for check in answers if check is not None]


class Predicted(Protocol):
    """Rows with a mean prediction and an observed rate."""

    @property
    def mean(self) -> float: ...
    @property
    def rate(self) -> Interval: ...


P = TypeVar("P", bound=Predicted)


def misses(groups: Sequence[P]) -> list[P]:
    """Groups whose observed rate's interval does not hold the mean prediction."""
    return [group for group in groups if not group.rate.holds(group.mean)]


def beyond_chance(missed: Sequence[Predicted], of: int) -> bool:
    """Whether so many misses, or one so wide, are more than 95% intervals miss by chance.

    The number by the binomial's tail, below one in twenty; the width by twice the interval's
    own half, which is about four standard errors.
    """
    tail_probability = sum(
        math.comb(of, miss_count) * 0.05**miss_count * 0.95 ** (of - miss_count)
        for miss_count in range(len(missed), of + 1)
    )
    if missed and tail_probability < 0.05:
        return True
    for missed_row in missed:
        rate, low, high = missed_row.rate
        half = high - rate if missed_row.mean > rate else rate - low
        if abs(missed_row.mean - rate) > 2 * half:
            return True
    return False


def _holds(topic: str, found: str) -> ModelCheck:
    return ModelCheck(topic=topic, status="holds", found=found)


def _watch(topic: str, found: str, act: str) -> ModelCheck:
    return ModelCheck(topic=topic, status="watch", found=found, act=act)


def _unknown(topic: str, found: str, act: str = "") -> ModelCheck:
    return ModelCheck(topic=topic, status="unknown", found=found, act=act)


def _ranks(manifest: Manifest, evidence: Evidence) -> ModelCheck:
    topic = "It ranks better than chance"
    auc = estimate(manifest, evidence, "auc")
    if not auc:
        return _unknown(topic, "The AUC was not measured.")
    message = f"AUC {auc} on the hold-out"
    if auc.value >= SUSPICIOUS_AUC:
        return _watch(
            topic,
            f"{message}: higher than outcomes of this kind usually allow.",
            "Look for a feature that is known only after the outcome.",
        )
    if auc.interval and auc.interval.low <= 0.5:
        return _watch(
            topic,
            f"{message}: the interval holds 0.5, which is chance.",
            "Do not rely on its ranking.",
        )
    message = f"{message}; 0.5 is chance."
    return _holds(topic, message) if auc.interval else _unknown(topic, message)


def _holds_up(manifest: Manifest, evidence: Evidence) -> ModelCheck | None:
    topic = "It is as good on rows it never saw"
    folds = (manifest.shipped_metrics.out_of_fold or {}).get("auc")
    auc = estimate(manifest, evidence, "auc")
    if not known(folds) or not auc or not auc.interval:
        return None
    message = f"AUC {figure(folds)} out of fold in training, {auc} on the hold-out"
    if folds > auc.interval.high:
        return _watch(
            topic,
            f"{message}: it lost ground beyond chance.",
            "Expect the hold-out's figure, and look for what changed in between.",
        )
    easier_text = "; those rows were easier to distinguish" if folds < auc.interval.low else ""
    return _holds(topic, f"{message}{easier_text}.")


def _calibrated(manifest: Manifest, evidence: Evidence) -> ModelCheck:
    topic = "Its probabilities are right on average and in spread"
    slope = estimate(manifest, evidence, "calibration_slope")
    level_estimate = estimate(manifest, evidence, "calibration_intercept")
    if not slope or not level_estimate or not slope.interval or not level_estimate.interval:
        return _unknown(topic, "There are no intervals for calibration.")
    message = f"slope {slope.shown(2)}, ideal 1; intercept {level_estimate.shown(2)}, ideal 0"
    wrong = []
    if not slope.interval.holds(1):
        wrong.append("too bold" if slope.value < 1 else "too timid")
    if not level_estimate.interval.holds(0):
        wrong.append("too low on average" if level_estimate.value > 0 else "too high on average")
    if wrong:
        return _watch(
            topic,
            f"Probabilities are {' and '.join(wrong)}: {message}.",
            "Recalibrate before cuts are set on the probability itself.",
        )
    return _holds(topic, f"{message[0].upper()}{message[1:]}.")


def _groups(evidence: Evidence) -> ModelCheck | None:
    groups = evidence.calibration
    if not groups:
        return None
    topic = "Predicted and observed agree along the whole range"
    off = misses(groups)
    agree = f"{len(groups) - len(off)} of {len(groups)} groups agree within their interval"
    if beyond_chance(off, len(groups)):
        worst = max(off, key=lambda missed_group: abs(missed_group.mean - missed_group.rate.value))
        return _watch(
            topic,
            f"{agree}; the widest miss predicts {percent(worst.mean)} where "
            f"{percent(worst.rate.value)} was observed.",
            "Recalibrate, or read it by group.",
        )
    return _holds(topic, f"{agree}{', no more than chance misses' if off else ''}.")


def _by_month(manifest: Manifest, evidence: Evidence) -> ModelCheck:
    topic = "It is as good in every held-out month"
    months = [month for month in evidence.by_snapshot if month.part == "hold_out"]
    if not months:
        no_months = (
            "The accounts carry no dates." if not dated(manifest) else "No months were compared."
        )
        return _unknown(topic, no_months)
    off = misses(months)
    missed = beyond_chance(off, len(months))
    auc = estimate(manifest, evidence, "auc")
    fell = [month for month in months if month.auc and auc and month.auc.high < auc.value]
    if fell or missed:
        month_faults = []
        if fell:
            weak = listed([words.month(month.from_) for month in fell])
            month_faults.append(f"the ranking was weaker in {weak}")
        if missed:
            missed_months = listed([words.month(month.from_) for month in off])
            month_faults.append(
                f"predictions missed the observed rate's interval in {missed_months}"
            )
        message = "; ".join(month_faults)
        return _watch(
            topic,
            f"{message[0].upper()}{message[1:]}.",
            "Watch these two figures month by month.",
        )
    return _holds(topic, _agreement(len(months) - len(off), len(months), "month"))


def _stable(evidence: Evidence) -> ModelCheck:
    topic = "Scores and features are distributed as in training"
    whole_shift, features = evidence.stability.probability, evidence.stability.features
    if whole_shift is None:
        return _unknown(topic, "The PSI was not measured.")
    psi_by_feature: dict[str, float] = {}
    changes = {
        feature_shift.feature: f"{feature_shift.feature} is {feature_shift.change}"
        for feature_shift in features
        if feature_shift.change
    }
    for feature_shift in features:
        if feature_shift.feature not in changes and _shifted(feature_shift):
            psi_by_feature[feature_shift.feature] = max(
                psi_by_feature.get(feature_shift.feature, 0.0), feature_shift.psi
            )
    whole_text = f"PSI of the probability {figure(whole_shift.psi)}"
    whole_text += (
        f" (chance gives {figure(whole_shift.by_chance)})"
        if whole_shift.by_chance is not None
        else ""
    )
    shift_texts = [whole_text] if _shifted(whole_shift) else []
    if psi_by_feature:
        most_moved = sorted(
            psi_by_feature.items(),
            key=lambda feature_and_psi: (-feature_and_psi[1], feature_and_psi[0]),
        )
        shift_texts.append(
            f"PSI of {listed([f'{feature} {figure(psi, 2)}' for feature, psi in most_moved])}"
        )
    shift_texts += [listed(list(changes.values()))] if changes else []
    if shift_texts:
        return _watch(
            topic,
            f"{'; '.join(shift_texts)}.",
            "Ask what changed in the data or the business before relying on the level.",
        )
    return _holds(topic, f"{whole_text}; no feature moved beyond 0.10 and beyond chance.")


def _shifted(shift: Shift) -> bool:
    """Whether a PSI is above the customary bound, and above what chance can make it."""
    return shift.psi > max(PSI_SHIFT, TIMES_CHANCE * (shift.by_chance or 0.0))


def _monotone(evidence: Evidence) -> ModelCheck | None:
    tested_features = evidence.monotone
    if not tested_features:
        return None
    topic = "Risk moves only in the declared directions"
    broken = [tested for tested in tested_features if tested.violations]
    if broken:
        worst = max(broken, key=lambda tested: abs(tested.worst))
        turning_names = listed([tested.feature for tested in broken])
        return _watch(
            topic,
            f"Measured on the fitted model, {turning_names} "
            f"{'turns' if len(broken) == 1 else 'turn'} against the declared direction, by "
            f"{figure(abs(worst.worst))} log-odds at most.",
            "Constrain it, or explain it to those who will be asked.",
        )
    return _holds(
        topic,
        f"Measured on the fitted model for {words.plural(len(tested_features), 'feature')}: none "
        "turns.",
    )


def _protected(manifest: Manifest, evidence: Evidence) -> ModelCheck:
    topic = "It does not use protected attributes, nor proxies for them"
    protected_levels = evidence.protected
    attributes_read = list(
        dict.fromkeys(
            predicted_level.attribute
            for predicted_level in protected_levels
            if predicted_level.in_model
        )
    )
    reads = features_read(manifest, evidence)
    attributes_read += [
        fact.name
        for fact in manifest.features
        if fact.protected and fact.name in reads and fact.name not in attributes_read
    ]
    through = [
        f"{attribute(predicted_level)} (AUC {figure(predicted_level.auc.value, 2)})"
        for predicted_level in protected_levels
        if not predicted_level.in_model
        and predicted_level.auc
        and predicted_level.auc.value > STAND_IN_AUC
    ]
    if attributes_read:
        return _watch(
            topic,
            f"The model reads {listed(attributes_read)}, marked as protected.",
            "Ship it only where the law lets the attribute be used, and record why.",
        )
    if through:
        return _watch(
            topic,
            f"The model's features together predict {listed(through)}.",
            "Read the comparison of groups, and decide whether the proxies may stay.",
        )
    if not protected_levels:
        return _unknown(
            topic,
            "No attribute is marked as protected, so none was tested.",
            "Mark protected attributes in the catalogue or the account file.",
        )
    return _holds(
        topic,
        f"{words.plural(len(protected_levels), 'attribute')} tested; none is predicted with an AUC "
        f"above {STAND_IN_AUC:g}.",
    )


def features_read(manifest: Manifest, evidence: Evidence) -> list[str]:
    """The features that the model reads: of those it was offered, a learner leaves some out."""
    measured = [effect.feature for effect in evidence.effects]
    return measured or [fact.name for fact in manifest.features]


def predicted_by_chance(auc: Interval) -> bool:
    """Whether an AUC on parties that were not learned from is no better than chance. So is one
    clearly below 0.5: what was learned of some parties does not hold for others."""
    return auc.low <= 0.5


def attribute(protected: ProtectedLevel) -> str:
    """A protected attribute, and the level of it that was to be predicted."""
    level = protected.level
    return protected.attribute if level is None else f"{protected.attribute} {words.value(level)}"


def _fair(evidence: Evidence) -> ModelCheck:
    topic = "It treats groups alike"
    compared_groups = evidence.cohorts
    if not compared_groups:
        return _unknown(topic, "No groups were compared.", "Name attributes to compare groups by.")
    off = misses(compared_groups)
    far = []
    for attribute in dict.fromkeys(cohort.attribute for cohort in compared_groups):
        above_cuts = [
            cohort.above_cut
            for cohort in compared_groups
            if cohort.attribute == attribute and cohort.above_cut
        ]
        # By the ends of the intervals nearest to each other: small groups differ by chance.
        least_below = min((1 - low for _, low, _ in above_cuts), default=1.0)
        most_below = max((1 - high for _, _, high in above_cuts), default=0.0)
        if least_below < FOUR_FIFTHS * most_below:
            far.append(attribute)
    unfair_texts = []
    if beyond_chance(off, len(compared_groups)):
        missed_groups = listed([f"{cohort.attribute} “{level_of(cohort)}”" for cohort in off])
        unfair_texts.append(f"predicted and observed rates differ in {missed_groups}")
    if far:
        unfair_texts.append(
            f"by {listed(far)}, the group least often below the cut is below it less than four "
            "fifths as often as the group most often below it"
        )
    if unfair_texts:
        message = "; ".join(unfair_texts)
        return _watch(
            topic,
            f"{message[0].upper()}{message[1:]}.",
            "Decide whether the difference is in the risk or in the model.",
        )
    return _holds(topic, _agreement(len(compared_groups) - len(off), len(compared_groups), "group"))


def _agreement(agree: int, of: int, what: str) -> str:
    whole = "the" if of == 1 else "all" if agree == of else f"{agree} of"
    many = what if of == 1 else f"{of} {what}s"
    chance = "" if agree == of else "; chance alone misses as many"
    return f"In {whole} {many} the predicted rate lies within the observed rate's interval{chance}."


def level_of(cohort: Cohort) -> str:
    """The level of an attribute that a group is of, in words."""
    return "unknown" if cohort.level is None else words.value(cohort.level)


def _enough(manifest: Manifest) -> ModelCheck:
    topic = "There were bad outcomes enough to learn and to judge"
    training, hold_out = manifest.training, manifest.hold_out
    if not training.rows:
        judged = (
            f"{words.count(hold_out.bad)} bad outcomes here judge it"
            if hold_out.rows
            else "no outcome here judges it"
        )
        return _unknown(topic, f"It was made elsewhere; {judged}.")
    bads_a_feature = training.bad / len(manifest.features)
    message = (
        f"{words.count(training.bad)} bad in training ({bads_a_feature:,.0f} a feature), "
        f"{words.count(hold_out.bad)} in the hold-out"
    )
    if hold_out.bad < FEW_BADS_HELD or bads_a_feature < FEW_BADS_A_FEATURE:
        return _watch(
            topic,
            f"{message}.",
            "Read every figure by its interval; train again as outcomes come in.",
        )
    return _holds(topic, f"{message}.")


def strength_in_words(auc: float) -> str:
    """The customary reading of an AUC."""
    for least_auc, strength in (
        (0.9, "very strongly"),
        (0.8, "strongly"),
        (0.7, "usefully"),
        (0.6, "modestly"),
        (BARELY, "weakly"),
    ):
        if auc >= least_auc:
            return strength
    return "barely better than chance"
