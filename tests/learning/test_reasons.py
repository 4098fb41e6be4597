from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskseg.domain.facts import Fact, Kind, glossed, worded
from riskseg.learning.artefact import Model
from riskseg.learning.evidence.model import Effect, EffectPoint
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.reasons import Ordinary, Reasons


def family(model: Model, name: str) -> list[str]:
    """The features of the family a feature belongs to."""
    own = {fact.name: fact.family or fact.name for fact in model.facts}
    return [other for other, its in own.items() if its == own[name]]


@pytest.fixture
def reported(model: Model, frame: TrainingFrame) -> Reasons:
    return model.reasons(frame.rows)


def test_a_reason_moves_the_probability_as_it_says(
    model: Model, frame: TrainingFrame, reported: Reasons
) -> None:
    """With the features behind it at ordinary values the margin moves the other way."""
    rows = frame.rows
    here, probability = model.scorer.margin(rows), model.predict(rows)
    tested = 0
    for column in range(reported.places.shape[1]):
        for place, fact in enumerate(reported.facts):
            chosen = np.flatnonzero(reported.places[:, column] == place)
            if not len(chosen):
                continue
            usual = rows.iloc[chosen].copy()
            adverse = column < reported.places.shape[1] - 1
            for name in family(model, fact.name):
                usual[name] = (model.ordinary.safer if adverse else model.ordinary.riskier)[name]
            sign = 1 if adverse else -1
            assert (sign * (here[chosen] - model.scorer.margin(usual)) > 0).all()
            assert (sign * (probability[chosen] - model.predict(usual)) >= 0).all()
            tested += len(chosen)
    assert tested > len(rows)


def test_the_strongest_come_first_and_a_family_once(model: Model, reported: Reasons) -> None:
    adverse = reported.contributions[:, :-1]
    there = reported.places[:, :-1] >= 0
    falls = adverse[:, 1:] <= adverse[:, :-1]
    assert falls[there[:, 1:]].all() and there[:, 0].mean() > 0.5
    assert (adverse[there] > 0).all()
    assert (reported.contributions[:, -1][reported.places[:, -1] >= 0] < 0).all()
    for row in range(200):
        families = [family(model, reason.feature)[0] for reason in reported.of(row)]
        assert len(set(families[:-1])) == len(families[:-1])


def test_a_row_has_the_same_reasons_alone_and_among_others(
    model: Model, frame: TrainingFrame, reported: Reasons
) -> None:
    texts = reported.texts().to_pylist()
    for row in range(0, 60, 7):
        alone = model.reasons(frame.rows.iloc[[row]])
        assert alone.texts().to_pylist() == [texts[row]]
        assert alone.of(0) == reported.of(row)


def test_the_words_hold_the_accounts_own_value(reported: Reasons, frame: TrainingFrame) -> None:
    texts = reported.texts().to_pylist()
    for row in range(100):
        for reason in reported.of(row):
            value = frame.rows[reason.feature].iloc[row]
            assert reason.value == value or (reason.value is None and pd.isna(value))
            assert reason.words in texts[row]
        has_favourable = reported.places[row, -1] >= 0
        assert ("in favour: " in texts[row]) == has_favourable


def test_no_rows_have_no_reasons(model: Model, frame: TrainingFrame) -> None:
    assert model.reasons(frame.rows.head(0)).texts().to_pylist() == []


VALUES: list[tuple[Kind, str, Any, str]] = [
    (Kind.INTEGER, "{value} {bill was|bills were} late", 1.0, "1 bill was late"),
    (Kind.INTEGER, "{value} {bill was|bills were} late", 3.0, "3 bills were late"),
    (Kind.INTEGER, "{value} {bill was|bills were} late", np.nan, "x is not known"),
    (Kind.DECIMAL, "{value} is overdue", 31.2, "31.20 is overdue"),
    (Kind.DECIMAL, "{value} is overdue", -0.05, "-0.05 is overdue"),
    (Kind.DECIMAL, "{value} is overdue", -0.001, "0 is overdue"),
    (Kind.DECIMAL, "{value} is overdue", 1234567.0, "1234567 is overdue"),
    (Kind.BOOLEAN, "direct debit: {value}", 1.0, "direct debit: yes"),
    (Kind.BOOLEAN, "direct debit: {value}", 0.0, "direct debit: no"),
    (Kind.TEXT, "tariff {value}", "night", "tariff night"),
    (Kind.TEXT, "tariff {value}", None, "x is not known"),
    (Kind.NUMBER, "", 2.5, "x is 2.50"),
    (Kind.NUMBER, "there is a hold", 2.5, "there is a hold"),
]


@pytest.mark.parametrize(("kind", "words", "value", "shown"), VALUES)
def test_words(kind: Kind, words: str, value: Any, shown: str) -> None:
    batch = pd.DataFrame({"x": pd.Series([value], dtype=object if kind is Kind.TEXT else float)})
    facts = (Fact("x", kind, words=words),)
    reasons = Reasons(facts, batch, np.array([[0, -1]], dtype=np.int16), np.array([[1.0, 0.0]]))
    assert reasons.of(0)[0].words == shown
    assert reasons.texts().to_pylist() == [shown]


def test_a_share_is_shown_in_percent() -> None:
    batch = pd.DataFrame({"x": [0.254]})
    facts = (Fact("x", Kind.DECIMAL, words="{value} is paid", unit="share"),)
    reasons = Reasons(facts, batch, np.array([[0, -1]], dtype=np.int16), np.array([[1.0, 0.0]]))
    assert reasons.texts().to_pylist() == ["25% is paid"]


def test_worded() -> None:
    words = "{value} {bill was|bills were} late, {it|they} {is|are} open"
    assert worded(words, one=True) == "{value} bill was late, it is open"
    assert glossed(words) == "… bills were late, they are open"


def test_ordinary_values_are_the_nearest_to_the_average_risk() -> None:
    def point(value: Any, margin: float, share: float) -> EffectPoint:
        return EffectPoint(value=value, margin=margin, share=share)

    late = [point(0.0, -1.0, 0.4), point(1.0, -0.2, 0.3), point(2.0, 1.0, 0.2), point(None, 2, 0.1)]
    flat = [point("a", 0.0, 1.0)]
    found = Ordinary.of([Effect(feature="late", points=late), Effect(feature="flat", points=flat)])
    assert found.safer == {"late": 1.0, "flat": "a"}
    assert found.riskier == {"late": 2.0, "flat": "a"}
