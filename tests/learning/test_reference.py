from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.learning.artefact import Model
from riskseg.learning.drift import Drift, Measured, Watch
from riskseg.learning.frame import CYCLE_DAY, TrainingFrame
from riskseg.learning.reference import reference


def reported(model: Model, rows: pd.DataFrame, parts: int = 1) -> list[str]:
    """What a model's watch tells of rows seen in so many parts."""
    watch = model.watch()
    for part in np.array_split(np.arange(len(rows)), parts):
        batch = rows.iloc[part]
        watch.see(batch, model.predict(batch))
    return list(watch.drift().differences)


def test_rows_like_those_of_training_are_no_news(model: Model, frame: TrainingFrame) -> None:
    rows = frame.rows[~frame.held_out]
    assert reported(model, rows) == []
    assert reported(model, frame.rows[frame.held_out], parts=3) == []


def test_parts_make_no_difference(model: Model, frame: TrainingFrame) -> None:
    rows = frame.rows.assign(balance=frame.rows.balance + 300, tariff="brand new")
    assert reported(model, rows) == reported(model, rows, parts=7) != []


def test_no_rows_tell_nothing(model: Model, frame: TrainingFrame) -> None:
    assert reported(model, frame.rows.head(0)) == []
    assert model.watch().drift().differences == ()


def test_figures_are_those_that_the_sentences_tell(model: Model, frame: TrainingFrame) -> None:
    rows = frame.rows.assign(months_on_book=frame.rows.months_on_book + 60)
    rows.loc[rows.index[:6], "tariff"] = None
    watch = model.watch()
    watch.see(rows, model.predict(rows))
    measured = {one.feature: one for one in watch.measured()}
    assert measured.keys() == {"", *model.features}
    differing = [name or "the probability" for name, one in measured.items() if one.differs]
    sentences = watch.drift().differences
    assert "months_on_book" in differing
    assert differing == [s.split(" is distributed")[0] for s in sentences if "PSI" in s]
    assert f"(PSI {measured['months_on_book'].psi:.2f})" in "".join(sentences)
    assert measured["tariff"].unknown == pytest.approx(rows.tariff.isna().mean())
    narrow = model.watch(["tariff"])
    narrow.see(rows, model.predict(rows))
    assert [one.feature for one in narrow.measured()] == ["", "tariff"]
    assert model.watch().measured() == ()


CHANGES = [
    ("months_on_book", np.nan, "months_on_book is unknown for 1 account (0.042%)"),
    ("tariff", "brand new", "tariff has a level that training never saw in 1 account (0.042%)"),
]


@pytest.mark.parametrize(("column", "value", "said"), CHANGES)
def test_one_strange_row_is_reported(
    model: Model, frame: TrainingFrame, column: str, value: object, said: str
) -> None:
    rows = frame.rows.copy()
    rows.loc[rows.index[0], column] = value
    assert any(one.startswith(said) for one in reported(model, rows))


def test_a_drift_is_reported_with_its_size(model: Model, frame: TrainingFrame) -> None:
    rows = frame.rows.assign(months_on_book=frame.rows.months_on_book + 60)
    assert any(
        one.startswith("months_on_book is distributed differently") for one in reported(model, rows)
    )


def test_weights_give_the_shares_of_the_population(frame: TrainingFrame) -> None:
    """Half of the rows standing for two each look like all rows with those doubled."""
    rows, features = frame.rows, frame.features
    double = np.arange(len(rows)) % 2 == 0
    weighted = reference(rows, features, np.linspace(0, 1, len(rows)), np.where(double, 2.0, 1.0))
    twice = np.r_[np.arange(len(rows)), np.flatnonzero(double)]
    whole = reference(
        rows.iloc[twice], features, np.linspace(0, 1, len(rows))[twice], np.ones(len(twice))
    )
    assert weighted.features == whole.features
    assert weighted.probability == whole.probability


# What accounts owe falls in the course of a cycle of 30 days, from 30 to nothing.
OWED = Fact("owed", Kind.NUMBER)


def on_days(days: np.ndarray, dearer: float = 0.0) -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(len(days))
    owed = 30 - days + random.normal(0, 4, len(days)) + dearer
    rows = pd.DataFrame({"owed": owed, CYCLE_DAY: days.astype(float)})
    return rows, 1 / (1 + np.exp(-owed / 10))


def drift_on(days: np.ndarray, dearer: float = 0.0, *, cycle: bool = True) -> Drift:
    """Of a batch on these days of the cycle, where training was spread over all of it."""
    rows, probability = on_days(np.arange(3000) % 30)
    trained = reference(rows, [OWED], probability, np.ones(len(rows)))
    watch = Watch(trained, ["owed"])
    rows, probability = on_days(days, dearer)
    for part in np.array_split(np.arange(len(rows)), 3):
        batch = rows.iloc[part].reset_index(drop=True)
        watch.see(batch, probability[part], batch[CYCLE_DAY] if cycle else None)
    return watch.drift()


DAYS = {
    "right after the bill run": np.ones(500, dtype=int),
    "right before the next": np.full(500, 28),
    "on two days": np.r_[np.full(300, 3), np.full(200, 20)],
    "all over the cycle": np.arange(600) % 30,
}


@pytest.mark.parametrize("days", DAYS.values(), ids=DAYS.keys())
def test_a_batch_is_compared_with_the_same_point_of_the_cycle(days: np.ndarray) -> None:
    found = drift_on(days)
    assert found.differences == ()
    assert found.summary.startswith("1 feature and the probability are as in training (largest")
    assert any("owed is distributed" in one for one in drift_on(days, dearer=20).differences)


def test_without_the_day_of_the_cycle_all_of_training_is_what_it_is_compared_with() -> None:
    for name, days in DAYS.items():
        found = drift_on(days, cycle=False).differences
        assert bool(found) == (not name.startswith("all over")), name


def test_a_column_that_is_gone_is_reported_as_that(model: Model, frame: TrainingFrame) -> None:
    for column in model.features:
        rows = frame.rows.copy()
        rows[column] = None if rows[column].dtype == object else np.nan
        of_it = [one for one in reported(model, rows) if one.startswith(f"{column} ")]
        assert len(of_it) == 1 and of_it[0].startswith(f"{column} is gone: "), of_it


def test_one_line_when_all_is_well(model: Model, frame: TrainingFrame) -> None:
    watch = model.watch()
    assert watch.drift().summary == ""
    rows = frame.rows[frame.held_out]
    watch.see(rows, model.predict(rows))
    count = len(model.features)
    assert watch.drift().summary.startswith(f"{count} features and the probability are as in")


@pytest.mark.parametrize("parts", [1, 2, 7])
def test_figures_of_many_accounts_are_the_same_in_any_batches(
    parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riskseg.learning.drift.ENOUGH_ROWS", 100)
    rows, probability = on_days(np.arange(3000) % 30)
    trained = reference(rows, [OWED], probability, np.ones(len(rows)))

    def figures(parts: int) -> tuple[Measured, ...]:
        watch = Watch(trained, ["owed"], accounts=1_000).anew()
        others = watch.anew()
        for part in np.array_split(np.arange(1_000), parts):
            batch = rows.iloc[part].reset_index(drop=True)
            (watch if part[0] < 500 else others).see(
                batch, probability[part], batch[CYCLE_DAY], part + 1
            )
        watch.include(others)
        return watch.measured()

    assert figures(parts) == figures(3)
    assert figures(parts) != Watch(trained, ["owed"]).measured()
