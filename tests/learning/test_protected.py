"""Proxies for protected attributes are found where they are, and only there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.learning.evidence.protected import MOST_LEVELS, STAND_IN_AUC, proxies
from riskseg.learning.frame import TrainingFrame

ROWS = 4_000
FEATURES = (
    Fact("debit", Kind.BOOLEAN),
    Fact("usage", Kind.NUMBER, nullable=True),
    Fact("street", Kind.TEXT, nullable=True),
    Fact("noise", Kind.NUMBER),
)


def frame_of(attribute: Fact, values: Any, **columns: Any) -> TrainingFrame:
    random = np.random.default_rng(5)
    rows = pd.DataFrame(
        {
            "debit": (random.random(ROWS) < 0.5).astype(float),
            "usage": random.normal(size=ROWS),
            "street": random.choice(list("abcdefgh"), ROWS).astype(object),
            "noise": random.normal(size=ROWS),
        }
        | columns
    )
    rows[attribute.name] = values
    rows.loc[::50, "street"] = None
    return TrainingFrame(
        rows=rows,
        features=FEATURES,
        label=np.zeros(ROWS, dtype=np.int8),
        account=np.arange(ROWS),
        group=np.array([f"P{n // 2}" for n in range(ROWS)], dtype=object),
        as_of=np.full(ROWS, np.datetime64("NaT", "D")),
        held_out=np.zeros(ROWS, dtype=bool),
        weight=np.ones(ROWS),
        attributes=(attribute,),
    )


FRAIL = Fact("is_frail", Kind.BOOLEAN, nullable=True, protected=True)


def test_what_no_feature_tells_stands_in_for_nothing() -> None:
    frail = (np.random.default_rng(1).random(ROWS) < 0.2).astype(float)
    (reported,) = proxies(frame_of(FRAIL, frail), FEATURES, seed=7)
    assert reported.attribute == "is_frail" and reported.level is None
    assert reported.auc[0] == pytest.approx(0.5, abs=0.04)
    assert not reported.stands_in and not reported.in_model


def test_a_stand_in_is_reported_with_its_features() -> None:
    """Numbers and text together: neither of them alone would tell as much."""
    frail = (np.random.default_rng(1).random(ROWS) < 0.2).astype(float)
    random = np.random.default_rng(2)
    usage = random.normal(size=ROWS) + 1.5 * frail
    street = np.where((frail == 1) & (random.random(ROWS) < 0.6), "h", "a").astype(object)
    frame = frame_of(FRAIL, frail, usage=usage, street=street)
    (reported,) = proxies(frame, FEATURES, seed=7)
    assert reported.auc[0] > 0.85 > STAND_IN_AUC and reported.stands_in
    assert reported.auc[1] < reported.auc[0] < reported.auc[2]
    assert set(reported.through[:2]) == {"usage", "street"}
    assert reported == proxies(frame, FEATURES, seed=7)[0]


def test_parties_are_not_recognised_by_their_own_rows() -> None:
    """A feature that is a party's fingerprint tells nothing of other parties."""
    party = np.arange(ROWS) // 2
    frail = (np.random.default_rng(3).random(ROWS) < 0.3).astype(float)[party]
    mark = np.random.default_rng(4).normal(size=ROWS)[party]
    (reported,) = proxies(frame_of(FRAIL, frail, usage=mark), FEATURES, seed=7)
    assert reported.auc[1] < 0.5 < reported.auc[2]


def test_the_attribute_itself_tells_nothing_of_itself() -> None:
    fact = Fact("debit", Kind.BOOLEAN, protected=True)
    frame = frame_of(fact, (np.arange(ROWS) % 2).astype(float))
    (reported,) = proxies(frame, (fact, *FEATURES[1:]), seed=7)
    assert reported.in_model and "debit" not in reported.through
    assert reported.auc[0] == pytest.approx(0.5, abs=0.05)


def test_levels_of_text_are_reported_one_by_one() -> None:
    random = np.random.default_rng(6)
    values = random.choice([f"faith {n}" for n in range(8)], ROWS).astype(object)
    values[random.random(ROWS) < 0.1] = None
    usage = (values == "faith 3") * 3.0 + random.normal(size=ROWS)
    faith = Fact("faith", Kind.TEXT, nullable=True, protected=True)
    reported = proxies(frame_of(faith, values, usage=usage), FEATURES, seed=7)
    assert len(reported) == MOST_LEVELS
    assert {one.rows for one in reported} == {int(pd.Series(values).notna().sum())}
    frame = frame_of(faith, np.where(values == "faith 3", "yes", "no"), usage=usage)
    (one,) = proxies(frame, FEATURES, seed=7)
    assert one.level == "yes" and one.stands_in


def test_numbers_are_reported_by_quarter() -> None:
    age = np.random.default_rng(7).integers(18, 90, ROWS).astype(float)
    fact = Fact("age", Kind.INTEGER, protected=True)
    reported = proxies(frame_of(fact, age, usage=age / 10), FEATURES, seed=7)
    assert len(reported) == 4
    assert all(one.stands_in and one.through[0] == "usage" for one in reported)


def test_too_few_rows_say_nothing() -> None:
    (reported,) = proxies(frame_of(FRAIL, (np.arange(ROWS) < 20).astype(float)), FEATURES, seed=7)
    assert reported.auc is None and reported.through == () and not reported.stands_in
    plain = Fact("is_frail", Kind.BOOLEAN)
    assert proxies(frame_of(plain, np.zeros(ROWS)), FEATURES, seed=7) == []
