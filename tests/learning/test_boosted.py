from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import lightgbm
import numpy as np
import pandas as pd
import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.learning.canonical import canonical
from riskseg.learning.evidence.effects import monotone
from riskseg.learning.evidence.metrics import auc
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.levels import level_codes, levels_by_risk
from riskseg.learning.split import folds_by_party
from riskseg.learning.trees.bag import leaves_of, merged
from riskseg.learning.trees.boosted import Boosted
from riskseg.learning.trees.boosted_fit import fit_boosted
from riskseg.learning.trees.directions import refused
from riskseg.learning.trees.null_importance import uninformative
from riskseg.learning.trees.tuning import CANDIDATES, MOST_LEAVES

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats, Labels

    Fitted = tuple[Boosted, Floats, list[dict[str, Any]]]


def fit(frame: TrainingFrame, label: Labels | None = None, threads: int = 1) -> Fitted:
    folds = folds_by_party(frame.group, 3, 7)
    reported = frame.label if label is None else label
    data = (frame.rows, reported, frame.weight, frame.features, folds)
    return fit_boosted(*data, seed=7, threads=threads, say=lambda _: None)


def area(label: Labels, margin: Floats) -> float:
    return auc(label, margin)


@pytest.fixture(scope="module", autouse=True)
def short_search() -> Iterator[None]:
    """The search itself is tested in test_tuning.py; here two candidates are enough."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("riskseg.learning.trees.tuning.CANDIDATES", CANDIDATES[2:4])
        patch.setattr("riskseg.learning.trees.tuning.MOST_TREES", 80)
        yield


@pytest.fixture(scope="module")
def fitted(frame: TrainingFrame) -> Fitted:
    return fit(frame)


@pytest.fixture(scope="module")
def trees(fitted: Fitted) -> Boosted:
    return fitted[0]


def test_it_learns_and_its_outside_margins_are_of_rows_unseen(
    fitted: Fitted, frame: TrainingFrame
) -> None:
    trees, outside, _ = fitted
    assert 0.75 < area(frame.label, outside) < area(frame.label, trees.margin(frame.rows))


def test_shuffled_labels_give_outside_margins_that_tell_nothing(frame: TrainingFrame) -> None:
    label = np.random.default_rng(1).permutation(frame.label)
    _, outside, _ = fit(frame, label)
    bad = int(label.sum())
    error = np.sqrt((len(label) + 1) / (12 * bad * (len(label) - bad)))
    assert abs(area(label, outside) - 0.5) < 3 * error


def test_it_comes_back_from_its_text(trees: Boosted, frame: TrainingFrame) -> None:
    again = Boosted.from_json(json.loads(canonical(trees.as_json())), trees.text)
    assert again == trees
    assert (again.margin(frame.rows) == trees.margin(frame.rows)).all()


def test_the_record_says_what_was_tried(fitted: Fitted) -> None:
    trees, _, tried = fitted
    assert all(set(one) == {"what", "log_loss", "chosen"} for one in tried)
    assert sum(one["chosen"] for one in tried if "leaves" in one["what"]) == 1
    assert all(0.2 < one["log_loss"] < 0.7 for one in tried)
    assert leaves_of(trees.text) <= MOST_LEAVES
    json.loads(canonical(tried))


def test_threads_and_their_number_leave_no_trace(
    frame: TrainingFrame, fitted: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees, outside, tried = fit(frame, threads=2)
    assert trees.text == fitted[0].text
    assert (trees.as_json(), tried) == (fitted[0].as_json(), fitted[2])
    assert (outside == fitted[1]).all()
    assert "num_threads" not in trees.text


def test_the_declared_direction_holds_everywhere(trees: Boosted, frame: TrainingFrame) -> None:
    """Measured on the fitted model, not taken from the constraint."""
    used = [fact for fact in frame.features if fact.name in trees.features]
    reported = monotone(trees.margin, frame.rows, used, trees.directions)
    assert [one.feature for one in reported if one.direction]
    for one in reported:
        assert (one.violations, one.worst) == (0, 0.0), one
    assert trees.directions["months_on_book"] == -1 and trees.directions["tariff"] == 0


def test_a_direction_the_data_refuse_is_let_go_with_a_note(frame: TrainingFrame) -> None:
    wrong = tuple(
        replace(fact, direction=-1) if fact.name == "late_bills_6m" else fact
        for fact in frame.features
        if fact.name != "late_bills_12m"
    )
    trees, outside, tried = fit(replace(frame, features=wrong))
    assert trees.notes == ("the data refuse the direction of late_bills_6m",)
    assert trees.directions["late_bills_6m"] == 0 and trees.directions["balance"] == 1
    assert area(frame.label, outside) > 0.75
    chosen = [one["what"] for one in tried if one["chosen"]]
    assert "held to the directions that the data do not refuse" in chosen


@pytest.mark.parametrize(("shape", "kept"), [(1, 1), (-1, 0), (0, 1)])
def test_only_strong_evidence_refuses_a_direction(shape: int, kept: int) -> None:
    random = np.random.default_rng(2)
    values = random.normal(size=(4000, 1))
    label = (random.random(4000) < 1 / (1 + np.exp(1 - 0.7 * shape * values[:, 0]))).astype(np.int8)
    assert refused(values, label, np.ones(4000), (1,)) == (kept,)


def test_features_without_information_are_reported_from_those_with() -> None:
    random = np.random.default_rng(5)
    matrix = random.normal(size=(6000, 4))
    label = (random.random(6000) < 1 / (1 + np.exp(-matrix[:, 0] - 0.5 * matrix[:, 2]))).astype(
        np.int8
    )
    weight = np.ones(6000)
    reported = uninformative(matrix, label, weight, ["a", "n", "b", "m"], seed=1)
    assert set(reported) == {"n", "m"}
    assert all(
        why.startswith("it adds nothing beyond chance to what the other features predict: gain")
        for why in reported.values()
    )
    noise = random.permutation(label)
    assert len(uninformative(matrix, noise, weight, ["a", "n", "b", "m"], seed=1)) < 4


def test_what_is_left_out_has_its_reason(trees: Boosted, frame: TrainingFrame) -> None:
    assert {*trees.features, *trees.dropped} == set(frame.names)
    assert not set(trees.features) & set(trees.dropped)
    assert "late_bills_6m" in trees.features


def test_a_weight_counts_as_so_many_rows(frame: TrainingFrame) -> None:
    """Half the goods at weight 2 give the margins of the whole population, not of the sample."""
    random = np.random.default_rng(4)
    kept = (frame.label == 1) | (random.random(len(frame)) < 0.5)
    half = frame.where(kept)
    half = replace(half, weight=np.where(half.label == 1, 1.0, 2.0))
    _, outside, _ = fit(half)
    mean = float(np.average(1 / (1 + np.exp(-outside)), weights=half.weight))
    assert mean == pytest.approx(frame.label.mean(), abs=0.02)


def test_nulls_never_seen_count_as_the_median(trees: Boosted, frame: TrainingFrame) -> None:
    batch = frame.rows.head(50)
    holed = batch.assign(months_on_book=np.nan)
    typical = batch.assign(months_on_book=frame.rows["months_on_book"].median())
    assert (trees.margin(holed) == trees.margin(typical)).all()
    # Nulls that were seen are a value of their own.
    assert {c.name: c.fill is None for c in trees.columns}["balance"]


def test_an_unseen_level_is_as_a_null(trees: Boosted, frame: TrainingFrame) -> None:
    batch = frame.rows.head(50)
    unseen, null = batch.assign(tariff="brand new"), batch.assign(tariff=None)
    assert (trees.margin(unseen) == trees.margin(null)).all()


def test_levels_are_in_order_of_risk_and_rare_ones_have_no_place() -> None:
    values = pd.Series(["b"] * 100 + ["a"] * 100 + ["rare"] * 5 + [None], dtype=object)
    label = np.r_[np.arange(100) % 2, np.arange(100) % 4 == 0, np.ones(6)].astype(np.int8)
    levels = levels_by_risk(values, label)
    assert levels == ("a", "b")
    codes = level_codes(pd.Series(["a", "b", "rare", None, "new"], dtype=object), levels)
    assert codes.tolist()[:3] == [0, 1, -1] and np.isnan(codes[3]) and codes[4] == -1
    weight = np.where(label == 0, np.where(values == "b", 10.0, 1.0), 1.0)
    assert levels_by_risk(values, label, weight) == ("b", "a")


def test_contributions_add_up_to_the_margin(trees: Boosted, frame: TrainingFrame) -> None:
    part = trees.contributions(frame.rows)
    base = trees.margin(frame.rows) - part.sum(axis=1)
    assert part.shape == (len(frame), len(trees.features))
    assert base == pytest.approx(base[0], abs=1e-9)
    assert np.ptp(part) > 0.5


@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_bag_is_one_text_whose_margin_is_the_mean(size: int) -> None:
    random = np.random.default_rng(0)
    matrix = random.normal(size=(600, 4))
    matrix[::7, 1] = np.nan
    label = matrix[:, 0] + random.normal(size=600) > 0
    members = [
        lightgbm.train(
            {"objective": "binary", "num_leaves": 5, "bagging_fraction": 0.8, "bagging_freq": 1}
            | {"seed": seed, "verbosity": -1, "num_threads": 1},
            lightgbm.Dataset(matrix, label),
            12,
        )
        for seed in range(size)
    ]
    text = merged([member.model_to_string() for member in members])
    whole = lightgbm.Booster(model_str=text)
    mean = np.mean([member.predict(matrix, raw_score=True) for member in members], axis=0)
    assert np.abs(whole.predict(matrix, raw_score=True) - mean).max() < 1e-12
    explained = np.mean([member.predict(matrix, pred_contrib=True) for member in members], axis=0)
    assert np.abs(whole.predict(matrix, pred_contrib=True) - explained).max() < 1e-9
    assert whole.num_trees() == 12 * size == len(re.findall(r"^Tree=\d+$", text, re.M))
    assert leaves_of(text) == sum(leaves_of(member.model_to_string()) for member in members)
    splits = np.sum([member.feature_importance() for member in members], axis=0)
    assert (whole.feature_importance() == splits).all()
    counts = dict(re.findall(r"^(Column_\d)=(\d+)$", text, re.M))
    assert {f"Column_{i}": str(count) for i, count in enumerate(splits) if count} == counts
    sizes = [int(reported) for reported in re.search(r"^tree_sizes=(.*)$", text, re.M)[1].split()]
    body = text[text.index("Tree=0\n") : text.index("end of trees")].encode()
    ends = np.cumsum([0, *sizes])
    assert ends[-1] == len(body)
    assert all(body[a:].startswith(f"Tree={i}\n".encode()) for i, a in enumerate(ends[:-1]))


def test_a_feature_of_text_alone_is_enough(frame: TrainingFrame) -> None:
    trees, outside, _ = fit(replace(frame, features=(Fact("tariff", Kind.TEXT, nullable=True),)))
    assert trees.features == ("tariff",)
    assert 0.5 < area(frame.label, outside) < 0.7
