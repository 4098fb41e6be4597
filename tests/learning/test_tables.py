from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskseg.learning.artefact import Model
from riskseg.learning.canonical import canonical
from riskseg.learning.evidence.metrics import auc
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.scorecard.classic import fit_classic
from riskseg.learning.scorecard.tables import FACTOR, OFFSET, Bins, PairTable, Scorecard
from riskseg.learning.split import folds_by_party


@pytest.fixture(scope="module")
def card(frame: TrainingFrame) -> Scorecard:
    folds = folds_by_party(frame.group, 2, 1)
    return fit_classic(frame.rows, frame.label, np.ones(len(frame)), frame.features, folds)[0]


@pytest.fixture(scope="module")
def paired(card: Scorecard) -> Scorecard:
    """The same with a two-way table."""
    first = Bins("late_bills_6m", (2.0,), None)
    second = Bins("tariff", (1.0,), ("flat", "prepay"))
    cells = first.count * second.count
    pair = PairTable(first, second, (5,) * cells, (1,) * cells, tuple(range(-7, cells - 7)))
    return Scorecard("additive", card.base, card.tables, (pair,), {}, ("a note",))


def holds(held: dict[str, Any], value: Any) -> bool:
    if value is None or value != value:
        return "missing" in held
    if "levels" in held:
        return value in held["levels"]
    if "from" in held:
        low, high = held["from"], held["to"]
        return (low is None or value >= low) and (high is None or value < high)
    return "other" in held


def points_by_hand(reported: dict[str, Any], row: Any) -> Decimal:
    """The score a person adds up from the printed tables."""

    def place(bins: list[dict[str, Any]], value: Any) -> int:
        return next(n for n, held in enumerate(bins) if holds(held, value))

    score = Decimal(reported["base"])
    for table in reported["features"]:
        score += Decimal(table["bins"][place(table["bins"], row[table["feature"]])]["points"])
    for pair in reported["pairs"]:
        one, two = (
            place(bins, row[name])
            for bins, name in zip(pair["bins"], pair["features"], strict=True)
        )
        score += Decimal(pair["points"][one][two])
    return score


@pytest.mark.parametrize("which", ["card", "paired"])
def test_a_score_is_the_sum_of_the_printed_points(
    which: str, request: pytest.FixtureRequest, frame: TrainingFrame
) -> None:
    model: Scorecard = request.getfixturevalue(which)
    reported = json.loads(canonical(model.as_json()))
    assert len(reported["features"]) >= 4
    scores = model.scores(frame.rows)
    records = frame.rows.to_dict("records")
    assert [points_by_hand(reported, row) for row in records] == [
        Decimal(int(s)) / 100 for s in scores
    ]
    assert len(set(scores.tolist())) > 50


@pytest.mark.parametrize("which", ["card", "paired"])
def test_it_comes_back_from_its_text(which: str, request: pytest.FixtureRequest) -> None:
    model: Scorecard = request.getfixturevalue(which)
    again = Scorecard.from_json(json.loads(canonical(model.as_json())))
    assert again == model
    assert canonical(again.as_json()) == canonical(model.as_json())


def test_the_scale(card: Scorecard) -> None:
    assert pytest.approx(600) == OFFSET + FACTOR * np.log(50)
    assert pytest.approx(620) == OFFSET + FACTOR * np.log(100)
    nothing = pd.DataFrame({name: [np.nan] for name in card.features})
    assert card.margin(nothing)[0] == pytest.approx(
        (OFFSET - card.scores(nothing)[0] / 100) / FACTOR
    )


def test_what_training_never_saw_counts_as_average(card: Scorecard, frame: TrainingFrame) -> None:
    debit = next(table for table in card.tables if table.bins.name == "has_debit")
    assert debit.counts[-1] == 0 and debit.points[-1] == 0
    batch = frame.rows.head(3).copy()
    batch["has_debit"] = np.nan
    batch["tariff"] = "brand new"
    tariff = next(table for table in card.tables if table.bins.name == "tariff")
    assert (tariff.bins.bin_indexes(batch["tariff"]) == tariff.bins.count - 2).all()
    reported = json.loads(canonical(card.as_json()))
    assert [points_by_hand(reported, row) for row in batch.to_dict("records")] == [
        Decimal(int(s)) / 100 for s in card.scores(batch)
    ]


@pytest.mark.parametrize("which", ["card", "paired"])
def test_contributions_add_up_to_what_the_score_lost(
    which: str, request: pytest.FixtureRequest, frame: TrainingFrame
) -> None:
    model: Scorecard = request.getfixturevalue(which)
    lost = model.contributions(frame.rows).sum(axis=1)
    average = model.base + sum(t.average for t in (*model.tables, *model.pairs))
    assert lost * 100 == pytest.approx(average - model.scores(frame.rows))


def test_probability_comes_from_the_score(scorecard: Model, frame: TrainingFrame) -> None:
    assert isinstance(scorecard.scorer, Scorecard)
    scores = scorecard.scorer.scores(frame.rows)
    probability = scorecard.predict(frame.rows)
    order = np.argsort(scores)
    assert (np.diff(probability[order]) <= 0).all()
    assert auc(frame.label, probability) > 0.7
