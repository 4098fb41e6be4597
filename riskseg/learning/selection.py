"""Which features may be learned from, and why each of the others may not.

Hardly anything here looks at outcomes, so it may look at all of the training window: what depends
on them (no information, a sign that turns) each learner judges for itself, inside its folds. Only
of a feature that drifts is it asked whether it helps later nevertheless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.learning.evidence.stability import change, later_half
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.identifiers import identifiers
from riskseg.learning.parties import Parties
from riskseg.learning.psi import Groups, significant
from riskseg.learning.screen import DATED_SOURCES
from riskseg.learning.spec import AuthoredSpec

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats

# Two features whose ranks agree this closely are one.
SAME_RANKS = 0.995
ENOUGH_ROWS = 50_000
CHANGES = {
    "new": "is new: always null in the earlier half of the training window",
    "gone": "is gone: always null in the later half of the training window",
}


def usable(
    authored: AuthoredSpec, frame: TrainingFrame, problems: Problems, threads: int = 1
) -> tuple[tuple[Fact, ...], dict[str, str], list[str]]:
    """(features to learn from, why each of the others is not one, notes for the model's record).

    Names in the spec are checked where the workspace's facts are known (`run.models.check_spec`):
    one that is excluded need not be among the features here. Adds RS407 if none is left.
    """
    choice = authored.spec.features
    dropped = _unfit(authored, frame)
    candidates = [fact for fact in frame.features if fact.name not in dropped]
    training = frame.where(~frame.held_out)
    selection_notes: list[str] = []
    for judge in (_identifying, _drifting, _doubles):
        judged = judge(training, [fact for fact in candidates if fact.name not in choice.keep])
        if judge is _drifting and judged:
            judged = _not_worth_it(training, candidates, judged, selection_notes, threads)
        dropped |= judged
        candidates = [fact for fact in candidates if fact.name not in judged]
    if not candidates:
        hint = "Exclude fewer, or list static features that were known at the time."
        no_feature_left(authored, dropped, hint, problems)
    return tuple(candidates), dropped, selection_notes


def no_feature_left(
    authored: AuthoredSpec, dropped: Mapping[str, str], hint: str, problems: Problems
) -> None:
    """Add RS407, with why each feature was dropped."""
    drop_reasons = "; ".join(
        f"{dropped_feature}: {why}" for dropped_feature, why in sorted(dropped.items())
    )
    problems.add(
        "RS407",
        f"No feature is left to learn from ({drop_reasons or 'there are none'}).",
        file=authored.file,
        line=authored.line("features"),
        hint=hint,
    )


def _not_worth_it(
    training: TrainingFrame,
    features: Sequence[Fact],
    drifting: dict[str, str],
    notes: list[str],
    threads: int,
) -> dict[str, str]:
    """The drifting features less those that help in the later half; a note for each of these."""
    from riskseg.learning.worth_of_drift import worth_their_drift

    later = later_half(training)
    assert later is not None
    steady = [fact for fact in features if fact.name not in drifting]
    drifting_features = [fact for fact in features if fact.name in drifting]
    gains = worth_their_drift(training, later, steady, drifting_features, threads)
    notes += [
        f"{feature} {drifting[feature]}. It is kept since it gains {auc_gain:.3f} AUC in the later "
        "half."
        for feature, auc_gain in gains.items()
    ]
    return {feature: reason for feature, reason in drifting.items() if feature not in gains}


def _unfit(authored: AuthoredSpec, frame: TrainingFrame) -> dict[str, str]:
    choice = authored.spec.features
    training = frame.rows.loc[~frame.held_out]
    dropped: dict[str, str] = {}
    for fact in frame.features:
        different = training[fact.name].nunique(dropna=True)
        if fact.name in choice.exclude:
            dropped[fact.name] = "excluded by the spec"
        elif _protected(authored, fact) and fact.name not in (*choice.keep, *choice.static):
            dropped[fact.name] = "protected: learned from only where the spec keeps it"
        elif fact.static and fact.name not in choice.static:
            dropped[fact.name] = "known only as of today"
        elif fact.kind is Kind.DATE:
            dropped[fact.name] = "a date"
        elif different == 0:
            dropped[fact.name] = "always null"
        elif different == 1 and not training[fact.name].isna().any():
            dropped[fact.name] = "always the same"
    return dropped


def _protected(authored: AuthoredSpec, fact: Fact) -> bool:
    return fact.protected or fact.name in authored.spec.fairness.protected


def _identifying(training: TrainingFrame, features: Sequence[Fact]) -> dict[str, str]:
    """Row numbers and identifiers among what came with the accounts, undated: what is worked out
    from dated facts is neither."""
    undated = [fact for fact in features if fact.source not in DATED_SOURCES]
    return identifiers(training, undated)


def _drifting(training: TrainingFrame, features: Sequence[Fact]) -> dict[str, str]:
    """Features spread otherwise in the later half of the training window than in the earlier."""
    later = later_half(training)
    if later is None:
        return {}
    drifting: dict[str, str] = {}
    parties = Parties.of(training.group, training.rows, features, training.account)
    for fact in features:
        feature_values, weight = training.rows[fact.name], training.weight
        feature_groups = Groups.of(feature_values[~later], fact, weight[~later])
        shift = feature_groups.psi(
            feature_values[~later], feature_values[later], weight[~later], weight[later]
        )
        times = parties.times_chance(fact.name, later) if parties is not None else 1.0
        if significant(shift[0], times * shift[1]):
            drifting[fact.name] = CHANGES.get(
                change(feature_values[~later], feature_values[later]).get("change", ""),
                f"drifts: PSI {shift[0]:.2f} between the halves of the training window",
            )
    return drifting


def _doubles(training: TrainingFrame, features: Sequence[Fact]) -> dict[str, str]:
    """Features whose ranks are those of an earlier one; the one with fewer nulls stays."""
    stride = -(-len(training) // ENOUGH_ROWS) or 1
    sampled_rows = training.rows.iloc[::stride]
    numeric = sorted(
        (fact for fact in features if not fact.kind.is_textual),
        key=lambda fact: int(
            sampled_rows[fact.name].isna().sum()
        ),  # stable: then the catalogue's order
    )
    if len(numeric) < 2:
        return {}
    ranks = np.column_stack([_ranks(sampled_rows[fact.name]) for fact in numeric])
    agree = np.abs(ranks.T @ ranks)
    doubles: dict[str, str] = {}
    for column, fact in enumerate(numeric):
        for earlier_column in range(column):
            twin = numeric[earlier_column].name
            if twin not in doubles and agree[column, earlier_column] > SAME_RANKS:
                doubles[fact.name] = (
                    f"repeats {twin} (rank correlation {agree[column, earlier_column]:.3f})"
                )
                break
    return doubles


def _ranks(values: pd.Series) -> Floats:
    """Ranks of unit length about 0, nulls below all numbers."""
    feature_numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    ranks = (
        pd.Series(np.where(np.isnan(feature_numbers), -np.inf, feature_numbers)).rank().to_numpy()
    )
    ranks = ranks - ranks.mean()
    length = float(np.sqrt((ranks * ranks).sum()))
    unit_ranks: Floats = ranks / length if length else ranks
    return unit_ranks
