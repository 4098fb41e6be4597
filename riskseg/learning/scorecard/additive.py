"""The additive scorecard: a table of points for every feature and a few for two features
together, learned at once.

Hastie and Tibshirani, *Generalized Additive Models* (1990), on bins: penalised likelihood, with
the smoothness of each table estimated (see :mod:`riskseg.learning.scorecard.additive_fit`).
Two-way tables as in Lou, Caruana, Gehrke and Hooker, *Accurate intelligible models with pairwise
interactions* (2013). The result is points: what the tables say is what the model does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from riskseg.domain.facts import Fact
from riskseg.learning.canonical import fixed
from riskseg.learning.parallel import side_by_side
from riskseg.learning.parties import Parties
from riskseg.learning.scorecard.additive_bins import Setting
from riskseg.learning.scorecard.additive_tables import Pairs, TableLearner
from riskseg.learning.scorecard.controls import AS_IT_COMES, Controls
from riskseg.learning.scorecard.tables import Scorecard, base_for

if TYPE_CHECKING:
    import pandas as pd

    from riskseg.learning.frame import Floats, Folds, Labels

# With fewer bad outcomes than this, pairs cannot be distinguished from chance, and each table
# borrows its smoothness from the others.
FEW_BADS = 500

MANY = Setting(bins=32, pair_bins=8, borrowed=0.1)
FEW = Setting(bins=8, pair_bins=4, borrowed=20.0)


def fit_additive(
    rows: pd.DataFrame,
    label: Labels,
    weight: Floats,
    features: Sequence[Fact],
    folds: Folds,
    *,
    pairs: Pairs | None = None,
    most_pairs: int = 8,
    party: Parties | None = None,
    controls: Controls = AS_IT_COMES,
    seed: int = 0,
    threads: int = 1,
    say: Callable[[str], None] | None = None,
) -> tuple[Scorecard, Floats, list[dict[str, Any]]]:
    """(the tables, each row's log-odds from tables that did not see its fold, what was tried).

    `pairs` are the two-way tables to have; None has up to `most_pairs` discovered, in each fold
    anew, and kept if the folds' loss falls for them. A feature's declared direction holds in its
    table and in every two-way table that it is in. `party` numbers the party of each row, where one
    has several. Nothing is drawn at random, so `seed` changes nothing; folds are learned side by
    side.
    """
    say = say or (lambda _: None)
    card_notes = []
    by_hand = {fact.name for fact in features if controls.edit(fact.name).drop}
    features = controls.directed(fact for fact in features if fact.name not in by_hand)
    if pairs is not None:
        feature_names = {fact.name for fact in features}
        card_notes += [
            f"no two-way table of {' and '.join(pair)}: not both are learned from"
            for pair in pairs
            if not feature_names.issuperset(pair)
        ]
        pairs = tuple(pair for pair in pairs if feature_names.issuperset(pair))
    few_bads = int(label.sum()) < FEW_BADS
    setting = FEW if few_bads else MANY
    discover = pairs is None and most_pairs > 0 and not few_bads and len(features) > 1
    pair_counts = [0, most_pairs] if discover else [0]
    folds_there = [fold for fold in np.unique(folds) if (folds != fold).any()]

    def cards_by_pair_count(fold: int | None) -> list[Scorecard]:
        """The card with each number of pairs, from the rows outside a fold, or from all."""
        in_training = slice(None) if fold is None else folds != fold
        if not features:
            return [_constant(label[in_training], weight[in_training])] * len(pair_counts)
        party_seen = None if party is None else party.where(in_training)
        learner = TableLearner(
            rows[in_training],
            label[in_training],
            weight[in_training],
            features,
            setting,
            controls,
            party_seen,
        )
        one_way = learner.single() if discover or not pairs else None
        if one_way is not None and party is not None:
            learner, one_way = learner.informative_only(one_way, pairs or ())
        cards_by_count = [learner.card(one_way, pairs, count) for count in pair_counts]
        say(f"additive scorecard: {'all rows' if fold is None else f'fold {int(fold) + 1}'}")
        return cards_by_count

    # All rows first, as they take longest.
    cards_of_all_rows, *cards_by_fold = side_by_side(
        cards_by_pair_count, [None, *folds_there], threads
    )
    outside = {count: np.zeros(len(label)) for count in pair_counts}
    for fold, fold_cards in zip(folds_there, cards_by_fold, strict=True):
        for count, fold_card in zip(pair_counts, fold_cards, strict=True):
            outside[count][folds == fold] = fold_card.margin(rows[folds == fold])
    losses = {count: _log_loss(label, weight, margin) for count, margin in outside.items()}
    best = min(pair_counts, key=lambda count: losses[count])
    attempts = [
        {
            "what": _tables_text(pairs, count),
            "log_loss": fixed(losses[count]),
            "chosen": count == best,
        }
        for count in pair_counts
    ]
    card = cards_of_all_rows[pair_counts.index(best)]
    if few_bads and pairs is None:
        card_notes.append(
            f"no two-way tables: fewer than {FEW_BADS} bad outcomes to learn them from"
        )
    dropped = {**card.dropped, **dict.fromkeys(sorted(by_hand), "left out by hand")}
    return replace(card, notes=tuple(card_notes), dropped=dropped), outside[best], attempts


def _constant(label: Labels, weight: Floats) -> Scorecard:
    """The card that gives everyone the average risk."""
    rate = min(max(float(np.average(label, weights=weight)), 1e-6), 1 - 1e-6)
    return Scorecard("additive", base_for(math.log(rate / (1 - rate))), (), (), {})


def _tables_text(pairs: Pairs | None, count: int) -> str:
    if pairs:
        return f"one-way tables and {len(pairs)} declared two-way tables"
    return f"one-way tables and up to {count} two-way tables" if count else "one-way tables alone"


def _log_loss(label: Labels, weight: Floats, margin: Floats) -> float:
    return float(np.average(np.logaddexp(0.0, margin) - label * margin, weights=weight))
