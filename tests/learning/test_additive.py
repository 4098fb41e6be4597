"""The additive scorecard: what it finds, the directions it keeps, and that its tables are it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskseg.domain.facts import Fact, Kind
from riskseg.learning.evidence.metrics import auc
from riskseg.learning.scorecard import additive, additive_fit, additive_tables
from riskseg.learning.scorecard.additive import fit_additive
from riskseg.learning.scorecard.additive_pairs import Side, alone, in_direction, pooled
from riskseg.learning.scorecard.additive_tables import TableLearner
from riskseg.learning.scorecard.tables import Scorecard

FACTS = (
    Fact("late", Kind.INTEGER, direction=1),
    Fact("tenure", Kind.NUMBER, nullable=True, direction=-1),
    Fact("use", Kind.NUMBER),
    Fact("tariff", Kind.TEXT, nullable=True),
    Fact("noise", Kind.NUMBER),
)


def portfolio(rows: int, seed: int = 5, joint: float = 0.0) -> tuple[pd.DataFrame, Any]:
    """A curve in `use`, a line in the others, and `joint` times a product of two features."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "late": random.poisson(0.8, rows).astype(float),
            "tenure": random.gamma(2.0, 20.0, rows).round(0),
            "use": random.normal(size=rows).round(3),
            "tariff": random.choice(
                ["flat", "night", "prepay", "odd"], rows, p=[0.6, 0.3, 0.095, 0.005]
            ),
            "noise": random.normal(size=rows),
        }
    ).astype({"tariff": object})
    table.loc[random.random(rows) < 0.05, ["tenure"]] = np.nan
    odds = (
        -1.5
        + 0.6 * table.late
        - 0.02 * table.tenure.fillna(10)
        + np.cos(2 * table.use)
        + 0.9 * (table.tariff == "prepay")
        + joint * table.use * (table.late - 0.8)
    )
    label = (random.random(rows) < 1 / (1 + np.exp(-odds.to_numpy()))).astype(np.int8)
    return table, label


def learn(
    table: pd.DataFrame, label: Any, facts: tuple[Fact, ...] = FACTS, **more: Any
) -> tuple[Scorecard, Any, list[dict[str, Any]]]:
    folds = np.empty(len(label), dtype=np.int8)
    # The same share of bad outcomes in each fold: else the intercepts alone rank the folds.
    folds[np.lexsort((np.random.default_rng(0).random(len(label)), label))] = np.arange(
        len(label)
    ) % more.pop("parts", 2)
    weight = more.pop("weight", np.ones(len(label)))
    return fit_additive(table, label, weight, facts, folds, **more)


@pytest.fixture(scope="module")
def rows() -> tuple[pd.DataFrame, Any]:
    return portfolio(5000, joint=0.8)


@pytest.fixture(scope="module")
def found(rows: tuple[pd.DataFrame, Any]) -> tuple[Scorecard, Any, list[dict[str, Any]]]:
    return learn(*rows)


def test_the_pair_that_matters_is_found_and_pays(
    found: tuple[Scorecard, Any, list[dict[str, Any]]],
) -> None:
    card, _, tried = found
    assert [(p.first.name, p.second.name) for p in card.pairs] == [("late", "use")]
    alone_, with_pairs = tried
    assert with_pairs["chosen"] and not alone_["chosen"]
    assert with_pairs["log_loss"] < alone_["log_loss"] - 0.005


def test_without_a_joint_effect_no_pair_is_found() -> None:
    card, _, _ = learn(*portfolio(5000))
    assert card.pairs == ()


def test_with_few_bad_outcomes_there_are_no_pairs_and_the_card_says_so() -> None:
    table, label = portfolio(900, joint=0.8)
    card, _, tried = learn(table, label)
    assert card.pairs == () and "fewer than 500 bad outcomes" in card.notes[0]
    assert [one["chosen"] for one in tried] == [True]


def test_declared_pairs_are_had_whatever_they_gain(rows: tuple[pd.DataFrame, Any]) -> None:
    card, _, tried = learn(*rows, pairs=(("tariff", "use"), ("noise", "late")))
    assert [(p.first.name, p.second.name) for p in card.pairs] == [
        ("tariff", "use"),
        ("noise", "late"),
    ]
    assert tried == [{"what": tried[0]["what"], "log_loss": tried[0]["log_loss"], "chosen": True}]
    assert learn(*rows, pairs=())[0].pairs == ()


def test_margins_of_unseen_rows_are_honest_and_calibrated(
    rows: tuple[pd.DataFrame, Any], found: tuple[Scorecard, Any, list[dict[str, Any]]]
) -> None:
    _, label = rows
    card, outside, _ = found
    fresh, outcome = portfolio(5000, seed=6, joint=0.8)
    assert abs(auc(outcome, card.margin(fresh)) - auc(label, outside)) < 0.02
    assert abs(1 / (1 + np.exp(-outside)) - label.mean()).mean() > 0.1
    assert (1 / (1 + np.exp(-outside))).mean() == pytest.approx(label.mean(), abs=0.005)


@pytest.mark.parametrize("rows", [900, 4000])
def test_of_shuffled_outcomes_nothing_is_learned(rows: int) -> None:
    table, label = portfolio(rows, joint=0.8)
    areas = []
    for seed in range(3):
        shuffled = np.random.default_rng(seed).permutation(label)
        areas.append(auc(shuffled, learn(table, shuffled)[1]))
    assert abs(np.mean(areas) - 0.5) < 1.5 / np.sqrt(rows)


@pytest.mark.parametrize("pairs", [None, (("late", "use"), ("late", "tenure"), ("use", "tenure"))])
def test_the_margin_never_moves_against_a_declared_direction(
    rows: tuple[pd.DataFrame, Any], pairs: Any
) -> None:
    table, label = rows
    # `late` is declared the wrong way round: nothing may be learned from it but its absence.
    facts = (Fact("late", Kind.INTEGER, direction=-1), *FACTS[1:])
    for chosen in (FACTS, facts):
        card, _, _ = learn(table, label, chosen, pairs=pairs)
        some = table.sample(60, random_state=1)
        for fact in chosen:
            if not fact.direction:
                continue
            values = np.sort(table[fact.name].dropna().unique())[::2]
            margins = np.stack([card.margin(some.assign(**{fact.name: v})) for v in values])
            assert (fact.direction * np.diff(margins, axis=0) >= 0).all(), fact.name


def test_points_are_centred_and_nobody_s_bins_say_nothing(
    found: tuple[Scorecard, Any, list[dict[str, Any]]], rows: tuple[pd.DataFrame, Any]
) -> None:
    card, _, _ = found
    for table in (*card.tables, *card.pairs):
        assert abs(table.average) <= 2
        assert sum(table.counts) == 5000
        assert abs(sum(table.bads) - rows[1].sum()) == 0
    use = next(table for table in card.tables if table.bins.name == "use")
    assert use.counts[-1] == 0 and use.points[-1] == 0  # no nulls in training
    tariff = next(table for table in card.tables if table.bins.name == "tariff")
    assert tariff.counts[-2] > 0 and tariff.counts[-1] == 0 and tariff.points[-1] == 0
    assert set(tariff.bins.levels or ()) == {"flat", "night", "prepay"}  # "odd" is too rare


def test_the_tables_survive_json_and_the_order_of_threads(
    rows: tuple[pd.DataFrame, Any], found: tuple[Scorecard, Any, list[dict[str, Any]]]
) -> None:
    card, outside, tried = found
    assert Scorecard.from_json(card.as_json()) == card
    again = learn(*rows, threads=2, seed=9)
    assert again[0] == card and (again[1] == outside).all() and again[2] == tried


def test_a_declared_pair_that_cannot_be_is_noted(rows: tuple[pd.DataFrame, Any]) -> None:
    card, _, _ = learn(*rows, facts=FACTS[:2], pairs=(("late", "use"),))
    assert card.pairs == () and card.notes == (
        "no two-way table of late and use: not both are learned from",
    )


def test_whole_hundredths_and_merged_bins_cost_nothing(
    rows: tuple[pd.DataFrame, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    table, label = rows
    learner = TableLearner(table, label, np.ones(len(label)), FACTS[2:], additive.MANY)
    effects = learner.single()
    exact = effects.margin(learner.cells_of_rows)
    assert np.abs(learner.card(effects, (), 0).margin(table) - exact).max() < 0.02
    monkeypatch.setattr(additive_tables, "SAME", 0.0)
    monkeypatch.setattr(additive_tables, "NOTHING", 0.0)
    assert np.abs(learner.card(effects, (), 0).margin(table) - exact).max() < 0.001


def test_smoothness_estimated_on_fewer_rows_is_about_the_same(
    rows: tuple[pd.DataFrame, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    table, label = rows
    whole, _, _ = learn(table, label, pairs=())
    monkeypatch.setattr(additive_fit, "WORTH_WAITING", 5000 * 5**2 / 4)
    part, _, _ = learn(table, label, pairs=())
    assert part != whole
    p, q = (1 / (1 + np.exp(-one.margin(table))) for one in (part, whole))
    assert np.abs(p - q).mean() < 0.02


def test_weights_stand_for_rows_left_out() -> None:
    table, label = portfolio(8000)
    kept = (label == 1) | (np.random.default_rng(1).random(8000) < 0.5)
    weight = np.where(label == 1, 1.0, 2.0)
    card, _, _ = learn(
        table[kept].reset_index(drop=True), label[kept], weight=weight[kept], pairs=()
    )
    whole, _, _ = learn(table, label, pairs=())
    p, q = (1 / (1 + np.exp(-one.margin(table))) for one in (card, whole))
    assert p.mean() == pytest.approx(q.mean(), abs=0.01)
    assert abs(p - q).mean() < 0.03
    assert sum(card.tables[0].counts) == pytest.approx(8000, abs=250)


def test_a_feature_that_says_nothing_is_left_out() -> None:
    table, label = portfolio(3000)
    card, _, _ = learn(table.assign(noise=1.0), label)
    assert "noise" in card.dropped and "noise" not in card.features


values = st.lists(st.floats(-5, 5), min_size=2, max_size=8)


@given(values)
@settings(max_examples=50)
def test_pooling_gives_the_nearest_rising_line(line: list[float]) -> None:
    weights = np.arange(1.0, len(line) + 1)
    reported = pooled(np.array(line), weights)
    assert (np.diff(reported) >= -1e-12).all()
    assert np.average(reported, weights=weights) == pytest.approx(
        np.average(line, weights=weights), abs=1e-9
    )


@given(
    st.integers(0, 10_000),
    st.sampled_from([(1, 0), (0, -1), (1, 1), (-1, 1)]),
    st.integers(2, 6),
    st.integers(2, 6),
)
@settings(max_examples=60, deadline=None)
def test_surfaces_keep_directions_and_so_does_what_is_left_of_them(
    seed: int, directions: tuple[int, int], wide: int, high: int
) -> None:
    random = np.random.default_rng(seed)
    first, second = Side(wide, 1, directions[0]), Side(high, 2, directions[1])
    surface = random.normal(size=(wide + 1, high + 2))
    reported = in_direction(surface, random.random(surface.shape), first, second)
    for side, axis in ((first, 0), (second, 1)):
        if side.direction:
            reported = reported - np.expand_dims(alone(reported, side, axis), 1 - axis)
    if directions[0]:
        assert (directions[0] * np.diff(reported[:wide], axis=0) >= -1e-9).all()
    if directions[1]:
        assert (directions[1] * np.diff(reported[:, :high], axis=1) >= -1e-9).all()
