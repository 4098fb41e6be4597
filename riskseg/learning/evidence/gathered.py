"""Collects all evidence on how good a model is and what it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riskseg.domain.facts import Fact
from riskseg.learning.canonical import fixed
from riskseg.learning.evidence.cohorts import cohorts
from riskseg.learning.evidence.curves import calibration_groups, distribution, gains, ks_curve, roc
from riskseg.learning.evidence.effects import effects, monotone
from riskseg.learning.evidence.metrics import Ranked, all_metrics
from riskseg.learning.evidence.model import Evidence, KnownAndNew, LearningStep, PartyMetrics
from riskseg.learning.evidence.protected import proxies
from riskseg.learning.evidence.stability import by_snapshot, stability
from riskseg.learning.evidence.uncertainty import auc_interval, intervals
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.parties import counted_outcomes
from riskseg.learning.split import folds_by_party

if TYPE_CHECKING:
    import pandas as pd

    from riskseg.learning.frame import Floats, Labels, Mask
    from riskseg.learning.learner import AnyLearner, FittedModel
    from riskseg.learning.spec import ModelSpec

# Shares of the parties a learning curve learns from, in twentieths; and the least of each outcome.
TWENTIETHS = (2, 5, 10, 15, 20)
LEAST_OF_EACH = 30
# The metrics of parties that are known, and of those that are new.
SHOWN = (
    "auc",
    "log_loss",
    "expected_calibration_error",
    "calibration_slope",
    "calibration_intercept",
)

# Learns from chosen training rows; margins for the hold-out.
Refit = Callable[["Mask"], "Floats"]


def evidence(
    spec: ModelSpec,
    learner: AnyLearner,
    model: FittedModel,
    features: Sequence[Fact],
    training: TrainingFrame,
    within: Floats,
    held: TrainingFrame,
    beyond: Floats,
    *,
    fitted: Floats,
    threads: int,
    refit: Refit | None = None,
) -> Evidence:
    """`within` are the training rows' out-of-fold probabilities, `beyond` those of the hold-out,
    and `fitted` those of the training rows by the very function that gave `beyond`.

    `refit` is given where a learning curve is asked for.
    """

    def margin(rows: pd.DataFrame) -> Floats:
        return model.margin(rows, threads)

    used = [fact for fact in features if fact.name in model.features]
    cut = spec.fairness.cut
    if cut is None:
        cut = float(np.average(training.label, weights=training.weight))
    outcome = (held.label, beyond, held.weight)
    ranked = Ranked.of(*outcome)
    return Evidence(
        format=1,
        learner=learner.name,
        intervals={**intervals(*outcome, held.group, spec.seed)},
        roc=roc(ranked),
        ks=ks_curve(ranked),
        calibration=calibration_groups(*outcome, held.group),
        parties=known_and_new(training, held, beyond),
        gains=gains(ranked),
        distribution=distribution(*outcome),
        by_snapshot=by_snapshot(training, within, held, beyond, fitted),
        stability=stability(used, training, fitted, held, beyond),
        effects=effects(margin, held.rows, held.weight, used),
        monotone=monotone(margin, training.rows, used, learner.directions(model, used)),
        cohorts=cohorts(held, beyond, held.attributes, cut),
        protected=proxies(training, used, seed=spec.seed),
        learning_curve=[] if refit is None else learning_curve(training, held, refit, spec.seed),
    )


def known_and_new(training: TrainingFrame, held: TrainingFrame, probability: Floats) -> KnownAndNew:
    """The metrics of the hold-out's rows whose party was learned from, and of the others': a model
    may be right about those it knows and wrong about those it does not. None where one of the two
    has too few outcomes of a kind, counted by party."""
    is_known_party = np.isin(held.group.astype(str), np.unique(training.group.astype(str)))
    return KnownAndNew(
        known=_party_metrics(held.label, held.weight, held.group, probability, is_known_party),
        new=_party_metrics(held.label, held.weight, held.group, probability, ~is_known_party),
    )


def _party_metrics(
    label: Labels, weight: Floats, party: NDArray[Any], probability: Floats, rows: Mask
) -> PartyMetrics | None:
    label, weight = label[rows], weight[rows]
    if min(counted_outcomes(party[rows], label, weight)) < LEAST_OF_EACH:
        return None
    metrics = all_metrics(label, probability[rows], weight)
    return PartyMetrics(
        rows=len(label),
        bad=int(label.sum()),
        **{metric_shown: metrics[metric_shown] for metric_shown in SHOWN},
    )


def learning_curve(
    training: TrainingFrame, held: TrainingFrame, refit: Refit, seed: int
) -> list[LearningStep]:
    """AUC on the hold-out of what is learned from a tenth, a quarter and so on of the training
    parties; each share holds the one before it. Shares with too few outcomes are left out."""
    twentieth_of_party = folds_by_party(training.group, TWENTIETHS[-1], seed + 1)
    steps = []
    for twentieths in TWENTIETHS:
        is_learned_from: Mask = twentieth_of_party < twentieths
        bad = int(training.label[is_learned_from].sum())
        if min(bad, int(is_learned_from.sum()) - bad) < LEAST_OF_EACH:
            continue
        area = auc_interval(held.label, refit(is_learned_from), held.weight, held.group)
        steps.append(
            LearningStep(
                share=fixed(twentieths / TWENTIETHS[-1]),
                rows=int(is_learned_from.sum()),
                bad=bad,
                auc=area,
            )
        )
    return steps
