from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from riskseg.learning.artefact import Model
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.reference import reference


def told(model: Model, rows: pd.DataFrame, parts: int = 1) -> list[str]:
    """What a model's watch tells of rows seen in so many parts."""
    watch = model.watch()
    for part in np.array_split(np.arange(len(rows)), parts):
        batch = rows.iloc[part]
        watch.see(batch, model.predict(batch))
    return watch.told()


def test_rows_like_those_of_training_are_no_news(model: Model, frame: TrainingFrame) -> None:
    rows = frame.rows[~frame.held_out]
    assert told(model, rows) == []
    assert told(model, frame.rows[frame.held_out], parts=3) == []


def test_parts_make_no_difference(model: Model, frame: TrainingFrame) -> None:
    rows = frame.rows.assign(balance=frame.rows.balance + 300, tariff="brand new")
    assert told(model, rows) == told(model, rows, parts=7) != []


def test_no_rows_tell_nothing(model: Model, frame: TrainingFrame) -> None:
    assert told(model, frame.rows.head(0)) == []
    assert model.watch().told() == []


CHANGES = [
    ("months_on_book", np.nan, "months_on_book is unknown for 1 account (0.042%)"),
    ("tariff", "brand new", "tariff has a level that training never saw in 1 account (0.042%)"),
]


@pytest.mark.parametrize(("column", "value", "said"), CHANGES)
def test_one_strange_row_is_told(
    model: Model, frame: TrainingFrame, column: str, value: object, said: str
) -> None:
    rows = frame.rows.copy()
    rows.loc[rows.index[0], column] = value
    assert any(one.startswith(said) for one in told(model, rows))


def test_a_drift_is_told_with_its_size(model: Model, frame: TrainingFrame) -> None:
    rows = frame.rows.assign(months_on_book=frame.rows.months_on_book + 60)
    assert any(one.startswith("months_on_book is spread otherwise") for one in told(model, rows))


def test_weights_give_the_shares_of_the_population(frame: TrainingFrame) -> None:
    """Half of the rows standing for two each look like all rows with those doubled."""
    rows, features = frame.rows, frame.features
    double = np.arange(len(rows)) % 2 == 0
    weighted = reference(rows, features, np.linspace(0, 1, len(rows)), np.where(double, 2.0, 1.0))
    twice = np.r_[np.arange(len(rows)), np.flatnonzero(double)]
    whole = reference(
        rows.iloc[twice], features, np.linspace(0, 1, len(rows))[twice], np.ones(len(twice))
    )
    assert weighted["features"] == whole["features"]
    assert weighted["probability"] == whole["probability"]
