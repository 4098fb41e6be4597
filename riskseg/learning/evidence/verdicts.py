"""What the numbers of a model say: checks with an answer.

Every threshold here is a convention for reading, not a rule of the model. The card says so. What
is made of them in sentences is in `verdict`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from riskseg.learning import words
from riskseg.learning.evidence.model import (
    Cohort,
    Evidence,
    ProtectedAttribute,
    Shift,
)
from riskseg.learning.manifest import Counts, Manifest
from riskseg.learning.words import figure, known, listed, percent
from riskseg.results.interval import Interval

Status = Literal["holds", "watch", "unknown"]

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


@dataclass(frozen=True)
class Check:
    """A question with an answer; `act` is what to do about it where it does not hold."""

    topic: str
    status: Status
    found: str
    act: str = ""


@dataclass(frozen=True)
class Estimate:
    """A metric, with its interval where there is one."""

    value: float
    interval: Interval | None = None

    def __str__(self) -> str:
        return self.shown()

    def shown(self, digits: int = 3) -> str:
        """The estimate and its interval at so many decimals."""
        return words.interval(self.interval or self.value, digits)


def estimate(manifest: Manifest, evidence: Evidence, name: str) -> Estimate | None:
    """A metric on the hold-out with its interval, or alone where there is no interval."""
    interval = evidence.intervals.get(name)
    if interval:
        return Estimate(interval.value, interval)
    alone = (manifest.shipped_metrics.hold_out or {}).get(name)
    return Estimate(alone) if known(alone) else None


def dated(manifest: Manifest) -> bool:
    """Whether the rows were observed on dates."""
    return manifest.training.from_ is not None


def out_of_time(manifest: Manifest) -> bool:
    """Whether the hold-out lies after the training window."""
    start, end = manifest.hold_out.from_, manifest.training.until
    return start is not None and end is not None and start > end


def row_weights(counts: Counts) -> tuple[float, float]:
    """How many outcomes of the population each row with a good one stands for, and each with a
    bad one."""
    goods = counts.rows - counts.bad
    good = (counts.stands_for - counts.all_bads) / goods if goods else 1.0
    return good, counts.all_bads / counts.bad if counts.bad else 1.0


def bad_rate(counts: Counts) -> float:
    """The share of bad outcomes in the population that the rows stand for."""
    return counts.all_bads / max(counts.stands_for, 1.0)


def sampled(manifest: Manifest) -> str | None:
    """How the outcomes were sampled, in words; None where all were used."""
    weights = zip(("good", "bad"), row_weights(manifest.training), strict=True)
    shares = [f"one {name} in {weight:,.3g}" for name, weight in weights if weight > 1.005]
    return f"{' and '.join(shares)} was kept" if shares else None


def checks(manifest: Manifest, evidence: Evidence) -> list[Check]:
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
    tail = sum(math.comb(of, k) * 0.05**k * 0.95 ** (of - k) for k in range(len(missed), of + 1))
    if missed and tail < 0.05:
        return True
    for row in missed:
        rate, low, high = row.rate
        half = high - rate if row.mean > rate else rate - low
        if abs(row.mean - rate) > 2 * half:
            return True
    return False


def _ranks(manifest: Manifest, evidence: Evidence) -> Check:
    topic = "It ranks better than chance"
    auc = estimate(manifest, evidence, "auc")
    if not auc:
        return Check(topic, "unknown", "The AUC was not measured.")
    message = f"AUC {auc} on the hold-out"
    if auc.value >= SUSPICIOUS_AUC:
        return Check(
            topic,
            "watch",
            f"{message}: higher than outcomes of this kind usually allow.",
            "Look for a feature that is known only after the outcome.",
        )
    if auc.interval and auc.interval.low <= 0.5:
        return Check(
            topic,
            "watch",
            f"{message}: the interval holds 0.5, which is chance.",
            "Do not rely on its ranking.",
        )
    return Check(topic, "holds" if auc.interval else "unknown", f"{message}; 0.5 is chance.")


def _holds_up(manifest: Manifest, evidence: Evidence) -> Check | None:
    topic = "It is as good on rows it never saw"
    folds = (manifest.shipped_metrics.out_of_fold or {}).get("auc")
    auc = estimate(manifest, evidence, "auc")
    if not known(folds) or not auc or not auc.interval:
        return None
    message = f"AUC {figure(folds)} out of fold in training, {auc} on the hold-out"
    if folds > auc.interval.high:
        return Check(
            topic,
            "watch",
            f"{message}: it lost ground beyond chance.",
            "Expect the hold-out's figure, and look for what changed in between.",
        )
    more = "; those rows were easier to tell apart" if folds < auc.interval.low else ""
    return Check(topic, "holds", f"{message}{more}.")


def _calibrated(manifest: Manifest, evidence: Evidence) -> Check:
    topic = "Its probabilities are right on average and in spread"
    slope = estimate(manifest, evidence, "calibration_slope")
    level = estimate(manifest, evidence, "calibration_intercept")
    if not slope or not level or not slope.interval or not level.interval:
        return Check(topic, "unknown", "There are no intervals for calibration.")
    message = f"slope {slope.shown(2)}, ideal 1; intercept {level.shown(2)}, ideal 0"
    wrong = []
    if not slope.interval.holds(1):
        wrong.append("too bold" if slope.value < 1 else "too timid")
    if not level.interval.holds(0):
        wrong.append("too low on average" if level.value > 0 else "too high on average")
    if wrong:
        return Check(
            topic,
            "watch",
            f"Probabilities are {' and '.join(wrong)}: {message}.",
            "Recalibrate before cuts are set on the probability itself.",
        )
    return Check(topic, "holds", f"{message[0].upper()}{message[1:]}.")


def _groups(evidence: Evidence) -> Check | None:
    groups = evidence.calibration
    if not groups:
        return None
    topic = "Predicted and observed agree along the whole range"
    off = misses(groups)
    agree = f"{len(groups) - len(off)} of {len(groups)} groups agree within their interval"
    if beyond_chance(off, len(groups)):
        worst = max(off, key=lambda g: abs(g.mean - g.rate.value))
        return Check(
            topic,
            "watch",
            f"{agree}; the widest miss predicts {percent(worst.mean)} where "
            f"{percent(worst.rate.value)} was observed.",
            "Recalibrate, or read it by group.",
        )
    return Check(topic, "holds", f"{agree}{', no more than chance misses' if off else ''}.")


def _by_month(manifest: Manifest, evidence: Evidence) -> Check:
    topic = "It is as good in every held-out month"
    months = [m for m in evidence.by_snapshot if m.part == "hold_out"]
    if not months:
        why = "The accounts carry no dates." if not dated(manifest) else "No months were compared."
        return Check(topic, "unknown", why)
    off = misses(months)
    missed = beyond_chance(off, len(months))
    auc = estimate(manifest, evidence, "auc")
    fell = [m for m in months if m.auc and auc and m.auc.high < auc.value]
    if fell or missed:
        parts = []
        if fell:
            weak = listed([words.month(m.from_) for m in fell])
            parts.append(f"the ranking was weaker in {weak}")
        if missed:
            names = listed([words.month(m.from_) for m in off])
            parts.append(f"predictions missed the observed rate's interval in {names}")
        message = "; ".join(parts)
        return Check(
            topic,
            "watch",
            f"{message[0].upper()}{message[1:]}.",
            "Watch these two figures month by month.",
        )
    return Check(topic, "holds", _agreement(len(months) - len(off), len(months), "month"))


def _stable(evidence: Evidence) -> Check:
    topic = "Scores and features are distributed as in training"
    whole, features = evidence.stability.probability, evidence.stability.features
    if whole is None:
        return Check(topic, "unknown", "The PSI was not measured.")
    moved: dict[str, float] = {}
    changed = {f.feature: f"{f.feature} is {f.change}" for f in features if f.change}
    for f in features:
        if f.feature not in changed and _shifted(f):
            moved[f.feature] = max(moved.get(f.feature, 0.0), f.psi)
    said = f"PSI of the probability {figure(whole.psi)}"
    said += f" (chance gives {figure(whole.by_chance)})" if whole.by_chance is not None else ""
    parts = [said] if _shifted(whole) else []
    if moved:
        ranked = sorted(moved.items(), key=lambda item: (-item[1], item[0]))
        parts.append(f"PSI of {listed([f'{name} {figure(psi, 2)}' for name, psi in ranked])}")
    parts += [listed(list(changed.values()))] if changed else []
    if parts:
        return Check(
            topic,
            "watch",
            f"{'; '.join(parts)}.",
            "Ask what changed in the data or the business before relying on the level.",
        )
    return Check(topic, "holds", f"{said}; no feature moved beyond 0.10 and beyond chance.")


def _shifted(shift: Shift) -> bool:
    """Whether a PSI is above the customary bound, and above what chance can make it."""
    return shift.psi > max(PSI_SHIFT, TIMES_CHANCE * (shift.by_chance or 0.0))


def _monotone(evidence: Evidence) -> Check | None:
    rows = evidence.monotone
    if not rows:
        return None
    topic = "Risk moves only in the declared directions"
    broken = [m for m in rows if m.violations]
    if broken:
        worst = max(broken, key=lambda m: abs(m.worst))
        names = listed([m.feature for m in broken])
        return Check(
            topic,
            "watch",
            f"Measured on the fitted model, {names} "
            f"{'turns' if len(broken) == 1 else 'turn'} against the declared direction, by "
            f"{figure(abs(worst.worst))} log-odds at most.",
            "Constrain it, or explain it to those who will be asked.",
        )
    return Check(
        topic,
        "holds",
        f"Measured on the fitted model for {words.plural(len(rows), 'feature')}: none turns.",
    )


def _protected(manifest: Manifest, evidence: Evidence) -> Check:
    topic = "It does not use protected attributes, nor proxies for them"
    rows = evidence.protected
    inside = list(dict.fromkeys(p.attribute for p in rows if p.in_model))
    reads = features_read(manifest, evidence)
    inside += [
        fact.name
        for fact in manifest.features
        if fact.protected and fact.name in reads and fact.name not in inside
    ]
    through = [
        f"{attribute(p)} (AUC {figure(p.auc.value, 2)})"
        for p in rows
        if not p.in_model and p.auc and p.auc.value > STAND_IN_AUC
    ]
    if inside:
        return Check(
            topic,
            "watch",
            f"The model reads {listed(inside)}, marked as protected.",
            "Ship it only where the law lets the attribute be used, and record why.",
        )
    if through:
        return Check(
            topic,
            "watch",
            f"The model's features together tell {listed(through)}.",
            "Read the comparison of groups, and decide whether the proxies may stay.",
        )
    if not rows:
        return Check(
            topic,
            "unknown",
            "No attribute is marked as protected, so none was tested.",
            "Mark protected attributes in the catalogue or the account file.",
        )
    return Check(
        topic,
        "holds",
        f"{words.plural(len(rows), 'attribute')} tested; none is told with an AUC "
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


def attribute(protected: ProtectedAttribute) -> str:
    """A protected attribute, and the level of it that was to be predicted."""
    level = protected.level
    return protected.attribute if level is None else f"{protected.attribute} {words.value(level)}"


def _fair(evidence: Evidence) -> Check:
    topic = "It treats groups alike"
    rows = evidence.cohorts
    if not rows:
        return Check(
            topic, "unknown", "No groups were compared.", "Name attributes to compare groups by."
        )
    off = misses(rows)
    far = []
    for attribute in dict.fromkeys(c.attribute for c in rows):
        above = [c.above_cut for c in rows if c.attribute == attribute and c.above_cut]
        # By the ends of the intervals nearest to each other: small groups differ by chance.
        least = min((1 - low for _, low, _ in above), default=1.0)
        most = max((1 - high for _, _, high in above), default=0.0)
        if least < FOUR_FIFTHS * most:
            far.append(attribute)
    parts = []
    if beyond_chance(off, len(rows)):
        names = listed([f"{c.attribute} “{level_of(c)}”" for c in off])
        parts.append(f"predicted and observed rates differ in {names}")
    if far:
        parts.append(
            f"by {listed(far)}, the group least often below the cut is below it less than four "
            "fifths as often as the group most often below it"
        )
    if parts:
        message = "; ".join(parts)
        return Check(
            topic,
            "watch",
            f"{message[0].upper()}{message[1:]}.",
            "Decide whether the difference is in the risk or in the model.",
        )
    return Check(topic, "holds", _agreement(len(rows) - len(off), len(rows), "group"))


def _agreement(agree: int, of: int, what: str) -> str:
    whole = "the" if of == 1 else "all" if agree == of else f"{agree} of"
    many = what if of == 1 else f"{of} {what}s"
    chance = "" if agree == of else "; chance alone misses as many"
    return f"In {whole} {many} the predicted rate lies within the observed rate's interval{chance}."


def level_of(cohort: Cohort) -> str:
    """The level of an attribute that a group is of, in words."""
    return "unknown" if cohort.level is None else words.value(cohort.level)


def _enough(manifest: Manifest) -> Check:
    topic = "There were bad outcomes enough to learn and to judge"
    training, held = manifest.training, manifest.hold_out
    if not training.rows:
        judged = f"{words.count(held.bad)} bad judge it" if held.rows else "none judges it"
        return Check(topic, "unknown", f"It was made elsewhere; of the outcomes here {judged}.")
    each = training.bad / len(manifest.features)
    message = (
        f"{words.count(training.bad)} bad in training ({each:,.0f} a feature), "
        f"{words.count(held.bad)} in the hold-out"
    )
    if held.bad < FEW_BADS_HELD or each < FEW_BADS_A_FEATURE:
        return Check(
            topic,
            "watch",
            f"{message}.",
            "Read every figure by its interval; train anew as outcomes come in.",
        )
    return Check(topic, "holds", f"{message}.")


def strength_in_words(auc: float) -> str:
    """The customary reading of an AUC."""
    for least, strength in (
        (0.9, "very strongly"),
        (0.8, "strongly"),
        (0.7, "usefully"),
        (0.6, "modestly"),
        (BARELY, "weakly"),
    ):
        if auc >= least:
            return strength
    return "barely better than chance"
