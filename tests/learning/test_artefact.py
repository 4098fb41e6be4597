from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import ProblemsError
from riskseg.learning.artefact import Model, load
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.reasons import Ordinary, ranked_reasons
from riskseg.learning.scorecard.tables import Scorecard
from riskseg.learning.show import summary
from riskseg.learning.train import Trained
from tests.support.tried import Tried

Keep = Callable[[Trained], Path]


def test_what_ships_is_what_was_validated(
    trained: Trained, frame: TrainingFrame, keep: Keep
) -> None:
    model = load(keep(trained))
    assert (model.name, model.version) == ("late", trained.version)
    assert model.manifest == trained.manifest
    held = frame.where(frame.held_out)
    assert (model.manifest.shipped_metrics.hold_out or {})["brier"] == pytest.approx(
        ((model.predict(held.rows) - held.label) ** 2).mean(), abs=1e-6
    )


def test_a_probability_depends_on_its_row_alone(model: Model, frame: TrainingFrame) -> None:
    whole = model.predict(frame.rows, threads=1)
    assert (np.round(whole, 6) == whole).all() and 0 < whole.min() < whole.max() < 1
    assert (model.predict(frame.rows, threads=2) == whole).all()
    order = np.random.default_rng(0).permutation(len(frame))
    assert (model.predict(frame.rows.iloc[order]) == whole[order]).all()
    for size in (1, 7, 333):
        parts = [model.predict(frame.rows.iloc[n : n + size]) for n in range(0, 1000, size)]
        assert (np.concatenate(parts)[:1000] == whole[:1000]).all()
    assert model.predict(frame.rows.head(0)).shape == (0,)


def test_new_nulls_and_levels_have_a_probability(model: Model, frame: TrainingFrame) -> None:
    nothing = pd.DataFrame({name: [None] for name in frame.names})
    strange = frame.rows.head(5).assign(tariff="brand new", late_bills_6m=1e12)
    for batch in (nothing, strange):
        reported = model.predict(batch)
        assert ((reported > 0) & (reported < 1)).all()
        assert len(model.reasons(batch).texts()) == len(batch)


@pytest.mark.parametrize(
    "file",
    [
        "scorecard.json",
        "calibration.json",
        "booster.txt",
        "reference.json",
        "evidence.json",
        "manifest.json",
    ],
)
def test_a_changed_file_is_refused_by_name(trained: Trained, keep: Keep, file: str) -> None:
    folder = keep(trained)
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content + b" ")
    with pytest.raises(ProblemsError) as error:
        load(folder, shown="models/late/v")
    (problem,) = error.value.problems
    assert (problem.code, problem.file) == ("RS406", f"models/late/v/{file}")


def test_every_missing_file_is_named(trained: Trained, keep: Keep) -> None:
    folder = keep(trained)
    (folder / "scorecard.json").unlink()
    (folder / "calibration.json").unlink()
    with pytest.raises(ProblemsError) as error:
        load(folder)
    assert [p.code for p in error.value.problems] == ["RS406", "RS406"]


def test_no_model(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError) as error:
        load(tmp_path)
    assert error.value.problems[0].code == "RS401"


def test_missing_columns_are_all_named(model: Model, frame: TrainingFrame) -> None:
    with pytest.raises(ProblemsError) as error:
        model.predict(frame.rows.drop(columns=["tariff", "balance"]))
    (problem,) = error.value.problems
    assert problem.code == "RS409"
    assert "tariff" in problem.what and "balance" in problem.what


def by_family(model: Model, batch: pd.DataFrame) -> list[dict[str, float]]:
    """Each row's contributions, those of a family added together."""
    rows: list[dict[str, float]] = []
    for parts in model.scorer.contributions(batch):
        row: dict[str, float] = {}
        for fact, part in zip(model.facts, parts, strict=True):
            family = fact.family or fact.name
            row[family] = row.get(family, 0.0) + float(part)
        rows.append(row)
    return rows


def test_reasons_are_those_of_the_scorer(model: Model, frame: TrainingFrame) -> None:
    batch = frame.rows.head(200)
    family = {fact.name: fact.family or fact.name for fact in model.facts}
    found = model.reasons(batch, top=3)
    complete = 0
    for row, parts in enumerate(by_family(model, batch)):
        *adverse, last = (r.contribution for r in found.of(row))
        for reason in found.of(row):
            assert parts[family[reason.feature]] == pytest.approx(reason.contribution, abs=3e-6)
        expected = sorted((part for part in parts.values() if part > 1e-6), reverse=True)[:3]
        complete += [*adverse, *([last] if last > 0 else [])] == pytest.approx(expected, abs=3e-6)
    # What does not hurt, or hardly matters, is not named; often they are the strongest still.
    assert complete > 80


def test_a_scorecards_reason_is_the_points_lost(scorecard: Model, frame: TrainingFrame) -> None:
    assert isinstance(scorecard.scorer, Scorecard)
    batch = frame.rows.head(200)
    average = scorecard.scorer.base + sum(table.average for table in scorecard.scorer.tables)
    lost = (average - scorecard.scorer.scores(batch)) / 100
    reported = [sum(row.values()) for row in by_family(scorecard, batch)]
    assert reported == pytest.approx(lost.tolist(), abs=1e-9)


def test_reasons_in_words() -> None:
    facts = (
        Fact("late_3m", Kind.INTEGER, words="{value} bills late in 3 months", family="late"),
        Fact("late_6m", Kind.INTEGER, words="{value} bills late in 6 months", family="late"),
        Fact("balance", Kind.DECIMAL, words="balance of {value}"),
        Fact("debit", Kind.BOOLEAN, words="direct debit: {value}"),
        Fact("tariff", Kind.TEXT),
    )
    batch = pd.DataFrame(
        {
            "late_3m": [1.0, 0.0],
            "late_6m": [3.0, 0.0],
            "balance": [31.2, np.nan],
            "debit": [0.0, 1.0],
            "tariff": ["night", None],
        }
    )
    parts = np.array([[0.2, 0.3, 0.4, 0.1, 0.05], [-0.5, 0.4, 0.3, -0.1, 0.3]])

    def margin(rows: pd.DataFrame) -> np.ndarray:
        """Falls when any family is at its typical value but the tariff, and the late bills'."""
        usual = [(rows[name] == value) & rows[name].notna() for name, value in typical.items()]
        return -sum(float(weight) * np.asarray(u) for weight, u in zip(weights, usual, strict=True))

    typical = {"late_3m": 0.5, "late_6m": 0.5, "balance": 20.0, "debit": 0.5, "tariff": "flat"}
    weights = [1, 1, 1, 1, 0]
    found = ranked_reasons(
        batch, parts, facts, Ordinary(typical, typical), Tried(facts, margin), top=4
    )
    first, second = found.texts().to_pylist()
    # A tariff at its typical value moves nothing, so it is no reason.
    assert first == "3 bills late in 6 months; balance of 31.20; direct debit: no"
    assert found.of(0)[0].contribution == 0.5 and found.of(0)[0].value == 3
    # What lowers the risk is no adverse reason; here nothing that lowers it stands its test.
    assert second == "balance is not known"
    assert found.of(1)[0].value is None


def test_the_summary(trained: Trained, keep: Keep) -> None:
    reported = summary(load(keep(trained)))
    assert (
        reported["learner"] == trained.manifest.learner and reported["version"] == trained.version
    )
    assert set(reported["learners"]) == {"scorecard", "lightgbm"}
    assert (
        reported["learners"]["scorecard"]["auc"]
        == trained.manifest.metrics["scorecard"].hold_out["auc"]
    )
    strengths = [feature["most"] - feature["least"] for feature in reported["features"]]
    assert strengths == sorted(strengths, reverse=True)
    assert reported["features"][0]["words"] and reported["features"][0]["bins"]
    assert "AUC" in reported["why"]


def test_the_summary_of_trees(boosted: Model) -> None:
    shown = summary(boosted)
    assert shown["features"][0]["feature"].startswith("late_bills")
    assert shown["features"][0]["gain"] > shown["features"][-1]["gain"]
