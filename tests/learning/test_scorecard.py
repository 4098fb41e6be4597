from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.learning.artefact import Model
from riskseg.learning.binning import split_points
from riskseg.learning.canonical import canonical
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.metrics import auc
from riskseg.learning.scorecard import FACTOR, OFFSET, Scorecard, fit_scorecard


@pytest.fixture(scope="module")
def card(frame: TrainingFrame) -> Scorecard:
    return fit_scorecard(frame.rows, frame.label, frame.features)


def points_by_hand(told: dict[str, Any], row: Any) -> Decimal:
    """The score a person adds up from the printed table."""
    score = Decimal(told["base"])
    for feature in told["features"]:
        value = row[feature["feature"]]
        for held in feature["bins"]:
            if value is None or value != value:
                inside = "missing" in held
            elif "levels" in held:
                inside = value in held["levels"]
            elif "from" in held:
                inside = (held["from"] is None or value >= held["from"]) and (
                    held["to"] is None or value < held["to"]
                )
            else:
                inside = "other" in held
            if inside:
                score += Decimal(held["points"])
                break
    return score


def test_a_score_is_the_sum_of_the_printed_points(card: Scorecard, frame: TrainingFrame) -> None:
    told = json.loads(canonical(card.as_json()))
    assert len(told["features"]) >= 4
    scores = card.scores(frame.rows)
    records = frame.rows.to_dict("records")
    assert [points_by_hand(told, row) for row in records] == [Decimal(int(s)) / 100 for s in scores]
    assert len(set(scores.tolist())) > 50


def test_it_comes_back_from_its_text(card: Scorecard, frame: TrainingFrame) -> None:
    again = Scorecard.from_json(json.loads(canonical(card.as_json())))
    assert again == card
    assert canonical(again.as_json()) == canonical(card.as_json())


def test_the_scale(card: Scorecard) -> None:
    assert pytest.approx(600) == OFFSET + FACTOR * np.log(50)
    assert pytest.approx(620) == OFFSET + FACTOR * np.log(100)
    nothing = pd.DataFrame({name: [np.nan] for name in card.features})
    assert card.margin(nothing)[0] == pytest.approx(
        (OFFSET - card.scores(nothing)[0] / 100) / FACTOR
    )


def test_points_follow_the_declared_direction(card: Scorecard, frame: TrainingFrame) -> None:
    directed = {fact.name: fact.direction for fact in frame.features if fact.direction}
    seen = 0
    for row in card.rows:
        if row.bins.name in directed:
            along = np.array(row.points[: len(row.bins.cuts) + 1]) * directed[row.bins.name]
            assert (np.diff(along) < 0).all(), row.bins.name
            seen += 1
    assert seen >= 3


def test_counts_are_of_all_rows(card: Scorecard, frame: TrainingFrame) -> None:
    for row in card.rows:
        assert sum(row.counts) == len(frame)
        assert sum(row.bads) == frame.label.sum()


def test_what_training_never_saw_counts_as_average(card: Scorecard, frame: TrainingFrame) -> None:
    debit = next(row for row in card.rows if row.bins.name == "has_debit")
    assert debit.counts[-1] == 0 and debit.points[-1] == 0
    batch = frame.rows.head(3).copy()
    batch["has_debit"] = np.nan
    batch["tariff"] = "brand new"
    tariff = next(row for row in card.rows if row.bins.name == "tariff")
    assert (tariff.bins.places(batch["tariff"]) == tariff.bins.count - 2).all()
    told = json.loads(canonical(card.as_json()))
    assert [points_by_hand(told, row) for row in batch.to_dict("records")] == [
        Decimal(int(s)) / 100 for s in card.scores(batch)
    ]


def test_a_feature_that_says_nothing_is_dropped(frame: TrainingFrame) -> None:
    random = np.random.default_rng(0)
    coin = Fact("coin", Kind.INTEGER)
    rows = frame.rows.assign(coin=(random.random(len(frame)) < 0.5).astype(float))
    card = fit_scorecard(rows, frame.label, (*frame.features, coin))
    assert "chance" in card.dropped["coin"]


def test_a_feature_whose_sign_turns_is_dropped() -> None:
    # y follows a; b is a copy of a with noise and -y in it, so that beside a it turns over.
    random = np.random.default_rng(1)
    a = random.normal(size=4000)
    label = (random.random(4000) < 1 / (1 + np.exp(-2 * a))).astype(np.int8)
    b = a - 0.8 * (label - 0.5) + random.normal(0, 0.1, 4000)
    facts = (Fact("a", Kind.NUMBER, direction=1), Fact("b", Kind.NUMBER, direction=1))
    card = fit_scorecard(pd.DataFrame({"a": a, "b": b}), label, facts)
    assert card.features == ("a",)
    assert "sign" in card.dropped["b"]


def test_without_any_signal_everyone_has_the_base_score() -> None:
    random = np.random.default_rng(2)
    rows = pd.DataFrame({"coin": (random.random(500) < 0.5).astype(float)})
    label = (np.arange(500) % 5 == 0).astype(np.int8)
    card = fit_scorecard(rows, label, (Fact("coin", Kind.INTEGER),))
    assert card.features == ()
    assert card.margin(rows) == pytest.approx(np.log(0.25), abs=0.001)


@pytest.mark.parametrize("direction", [1, -1, 0])
def test_split_points_rise_and_nulls_do_not_matter(direction: int) -> None:
    random = np.random.default_rng(3)
    values = random.normal(size=3000)
    label = (random.random(3000) < 1 / (1 + np.exp(-(direction or 1) * values))).astype(np.int8)
    cuts = split_points(values, label, direction)
    assert len(cuts) >= 2 and list(cuts) == sorted(set(cuts)) and set(cuts) <= set(values)
    holed = np.r_[values, np.full(100, np.nan)]
    assert split_points(holed, np.r_[label, np.ones(100, np.int8)], direction) == cuts


def test_a_direction_the_data_contradict_leaves_one_bin() -> None:
    random = np.random.default_rng(4)
    values = random.normal(size=3000)
    label = (random.random(3000) < 1 / (1 + np.exp(-values))).astype(np.int8)
    assert split_points(values, label, -1) == ()


def test_binning_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    values = np.arange(600.0)
    split_points(values, (values > 300).astype(np.int8), 0)
    assert capfd.readouterr() == ("", "")


def test_probability_comes_from_the_score(scorecard: Model, frame: TrainingFrame) -> None:
    assert isinstance(scorecard.scorer, Scorecard)
    scores = scorecard.scorer.scores(frame.rows)
    probability = scorecard.predict(frame.rows)
    order = np.argsort(scores)
    assert (np.diff(probability[order]) <= 0).all()
    assert auc(frame.label, probability) > 0.7
