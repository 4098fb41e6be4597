"""Checks of a training frame before anything is learned from it: outcomes, leaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from riskseg.domain.facts import Fact
from riskseg.domain.problems import Problems
from riskseg.domain.source_tables import DATED_TABLES
from riskseg.domain.yaml_text import inline
from riskseg.learning.evidence.metrics import auc
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.levels import level_codes, levels_by_risk
from riskseg.learning.parties import counted_outcomes
from riskseg.learning.spec import AuthoredSpec

if TYPE_CHECKING:
    import pandas as pd

    from riskseg.learning.frame import Floats, Folds, Labels

LEAST_ROWS = 200
LEAST_OF_EACH = 30
LEAST_HELD_OF_EACH = 10
# One feature alone that ranks outcomes this well was almost surely written after them.
LEAK_AUC = 0.97
# A leak shows in far fewer rows than there may be.
ENOUGH_ROWS = 50_000


# Ranges of the catalogue whose facts carry their dates.
DATED_SOURCES = (*DATED_TABLES, "account")


def check_outcomes(authored: AuthoredSpec, frame: TrainingFrame, problems: Problems) -> None:
    """RS403 where all outcomes are the same, RS402 where there are too few."""
    line = authored.line("target")
    if len(frame) and frame.label.min() == frame.label.max():
        outcome_name = "bad" if frame.label[0] else "good"
        problems.add(
            "RS403",
            f"All {len(frame)} outcomes are the same ({outcome_name}).",
            file=authored.file,
            line=line,
            hint="Check the target, its horizon and the population.",
        )
        return
    for sample_name, held, rows, least_of_each in (
        ("training", False, LEAST_ROWS, LEAST_OF_EACH),
        ("the hold-out", True, 0, LEAST_HELD_OF_EACH),
    ):
        sample_rows = frame.where(frame.held_out == held)
        bad, good, outcome_name = _counted(sample_rows)
        if len(sample_rows) < rows or min(bad, good) < least_of_each:
            least_text = f"{least_of_each} of each outcome" + (
                f" among {rows} rows" if rows else ""
            )
            problems.add(
                "RS402",
                f"For {sample_name} there are {outcome_name}; the least is {least_text}.",
                file=authored.file,
                line=line,
                hint=_more(authored, held),
            )


def _more(authored: AuthoredSpec, held: bool) -> str:
    """What would give more outcomes: a column is not observed for longer than its file is."""
    other_ways = "widen the population or choose a more frequent target."
    if authored.spec.target.event is not None:
        return f"Observe for longer, {other_ways}"
    if authored.spec.hold_out_days is None:
        return f"Bring more accounts with known outcomes, {other_ways}"
    days = authored.spec.hold_out_days
    return f"Hold out {'more' if held else 'fewer'} days than {days}, {other_ways}"


def _counted(frame: TrainingFrame) -> tuple[int, int, str]:
    """Bad and good outcomes, those of one party for as much as they tell, and a text of both."""
    counted = counted_outcomes(frame.group, frame.label, frame.weight)
    bad = int(frame.label.sum())
    message = f"{len(frame)} rows, {bad} bad and {len(frame) - bad} good"
    if counted != (bad, len(frame) - bad):
        message += (
            f", worth as much as {counted[0]} bad and {counted[1]} good ones of different parties"
        )
    return *counted, message


def check_leaks(
    authored: AuthoredSpec,
    training: TrainingFrame,
    features: tuple[Fact, ...],
    folds: Folds,
    problems: Problems,
) -> None:
    """RS404 for every feature that alone predicts the outcome in rows it was not learned from.

    Features worked out from dated facts as of the snapshot's own date cannot know the outcome,
    however well they predict it (an account 60 days past due will be late again). What came
    with the accounts, undated, can.
    """
    features = tuple(f for f in features if f.source not in DATED_SOURCES)
    stride = -(-len(training) // ENOUGH_ROWS)
    screened_rows, label, folds = (
        training.rows.iloc[::stride],
        training.label[::stride],
        folds[::stride],
    )
    for fact in features:
        alone = auc(label, _alone(screened_rows[fact.name], label, fact, folds))
        if alone > LEAK_AUC:
            problems.add(
                "RS404",
                f'"{fact.name}" alone predicts the outcome (AUC {alone:.3f}): it seems to be known '
                "only after it.",
                file=authored.file,
                line=authored.line("features"),
                hint=f"Add {inline(fact.name)} to `features: {{exclude: […]}}`.",
            )


def _alone(values: pd.Series, label: Labels, fact: Fact, folds: Folds) -> Floats:
    """Each row's chance of the bad outcome by one small tree on this feature, learned from the
    other folds: a tree sees an order, a turn, a rare value and a null alike."""
    from sklearn.tree import DecisionTreeClassifier

    probability = np.full(len(label), label.mean())
    ordered_numbers = np.empty(0) if fact.kind.is_textual else _ranks(values)
    for fold in np.unique(folds):
        held_out = folds == fold
        if len(np.unique(label[~held_out])) < 2:
            continue
        if fact.kind.is_textual:
            ordered_numbers = level_codes(
                values, levels_by_risk(values[~held_out], label[~held_out])
            )
        tree = DecisionTreeClassifier(max_leaf_nodes=16, min_samples_leaf=5, random_state=0)
        tree.fit(ordered_numbers[~held_out, None], label[~held_out])
        probability[held_out] = tree.predict_proba(ordered_numbers[held_out, None])[:, 1]
    return probability


def _ranks(values: pd.Series) -> Floats:
    """The order of numbers, NaN as NaN: a tree's own arithmetic has no room for 1e39."""
    ranks: Floats = values.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    is_known = ~np.isnan(ranks)
    ranks[is_known] = np.unique(ranks[is_known], return_inverse=True)[1]
    return ranks
