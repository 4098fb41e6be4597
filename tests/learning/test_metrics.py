from __future__ import annotations

import math

import numpy as np
import pytest

from riskseg.learning.calibration import fit_sigmoid
from riskseg.learning.champion import choose
from riskseg.learning.metrics import (
    all_metrics,
    auc,
    auc_gain,
    brier,
    calibration_line,
    expected_calibration_error,
    ks,
    lift,
    log_loss,
)
from riskseg.learning.spec import ModelSpec


def test_auc_by_hand() -> None:
    label = np.array([0, 0, 1, 1], dtype=np.int8)
    assert auc(label, np.array([0.1, 0.4, 0.35, 0.8])) == 0.75
    assert auc(label, np.array([0.5, 0.5, 0.5, 0.5])) == 0.5
    assert auc(label, np.array([0.1, 0.5, 0.5, 0.9])) == 0.875
    assert auc(label, np.array([4.0, 3.0, 2.0, 1.0])) == 0.0


def test_ks_by_hand() -> None:
    # Up to 0.35: half of the bads, half of the goods; up to 0.4: half and all.
    label = np.array([0, 0, 1, 1], dtype=np.int8)
    assert ks(label, np.array([0.1, 0.4, 0.35, 0.8])) == 0.5
    assert ks(label, np.array([0.3, 0.3, 0.3, 0.3])) == 0.0


def test_brier_and_log_loss_by_hand() -> None:
    label, p = np.array([1, 0], dtype=np.int8), np.array([0.8, 0.4])
    assert brier(label, p) == pytest.approx((0.04 + 0.16) / 2)
    assert log_loss(label, p) == pytest.approx(-(math.log(0.8) + math.log(0.6)) / 2)
    assert log_loss(label, np.array([0.0, 0.0])) == pytest.approx(-math.log(1e-6) / 2, rel=1e-5)


def test_ece_by_hand() -> None:
    # Ten groups of two: nine say 0.5 and have one bad of two; the last says 0.9 and has none.
    label = np.array([0, 1] * 9 + [0, 0], dtype=np.int8)
    p = np.array([0.5] * 18 + [0.9, 0.9])
    assert expected_calibration_error(label, p) == pytest.approx(0.9 * 2 / 20)


def test_lift_by_hand() -> None:
    label = np.array([1, 1] + [1, 0] + [0, 0] * 8, dtype=np.int8)
    p = np.linspace(0.9, 0.1, 20)
    assert lift(label, p)[:3] == pytest.approx([1 / 0.15, 0.5 / 0.15, 0.0])


def test_calibration_line_finds_what_was_done_to_it() -> None:
    random = np.random.default_rng(5)
    margin = random.normal(-1, 1.2, 60_000)
    label = (random.random(60_000) < 1 / (1 + np.exp(-margin))).astype(np.int8)
    slope, intercept = calibration_line(label, 1 / (1 + np.exp(-margin)))
    assert slope == pytest.approx(1, abs=0.03) and intercept == pytest.approx(0, abs=0.03)
    bold, _ = calibration_line(label, 1 / (1 + np.exp(-2 * margin)))
    assert bold == pytest.approx(0.5, abs=0.02)
    _, low = calibration_line(label, 1 / (1 + np.exp(-(margin - 0.7))))
    assert low == pytest.approx(0.7, abs=0.03)


def test_sigmoid_undoes_a_line_and_never_turns_the_order() -> None:
    random = np.random.default_rng(6)
    margin = random.normal(-1, 1, 40_000)
    label = (random.random(40_000) < 1 / (1 + np.exp(-margin))).astype(np.int8)
    told = fit_sigmoid(2 * margin + 1, label)
    assert told.slope == pytest.approx(0.5, abs=0.02)
    assert told.intercept == pytest.approx(-0.5, abs=0.04)
    flat = fit_sigmoid(-margin, label)
    assert flat.slope == 0
    assert flat.probability(margin)[0] == pytest.approx(label.mean(), abs=1e-6)


def scores(gain: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(11)
    label = (random.random(3000) < 0.3).astype(np.int8)
    base = label + random.normal(0, 1.5, 3000)
    better = base * (1 - gain) + gain * (label + random.normal(0, 0.3, 3000))
    return label, base, better, np.arange(3000) // 2


def test_the_interval_of_a_gain() -> None:
    label, base, better, party = scores(0.3)
    gain, low, high = auc_gain(label, base, better, party, seed=1)
    assert low < gain < high and low > 0.01
    assert gain == pytest.approx(auc(label, better) - auc(label, base))
    assert auc_gain(label, base, better, party, seed=1) == (gain, low, high)
    nothing = auc_gain(label, base, base, party, seed=1)
    assert nothing == (0.0, 0.0, 0.0)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Scores whose true gain is known: normal, so that the AUC is a normal distribution's."""

    def truth(distance: float) -> float:
        return 0.5 * (1 + math.erf(distance / 2))

    covered = 0
    for trial in range(60):
        random = np.random.default_rng(trial)
        label = (random.random(400) < 0.4).astype(np.int8)
        base, better = label * 0.8 + random.normal(size=400), label * 1.2 + random.normal(size=400)
        _, low, high = auc_gain(label, base, better, np.arange(400), seed=trial, draws=100)
        covered += low <= truth(1.2) - truth(0.8) <= high
    assert 50 <= covered <= 60


def test_parties_widen_the_interval() -> None:
    label, base, better, _ = scores(0.3)
    alone = auc_gain(label, base, better, np.arange(3000), seed=1)
    many = [np.repeat(a, 10) for a in (label[:300], base[:300], better[:300], np.arange(300))]
    _, low, high = auc_gain(many[0], many[1], many[2], many[3], seed=1)
    assert high - low > 1.5 * (alone[2] - alone[1])


@pytest.mark.parametrize(
    ("gain", "needed", "prefer", "chosen"),
    [
        (0.3, 0.01, "scorecard", "lightgbm"),
        (0.3, 0.4, "scorecard", "scorecard"),
        (0.001, 0.01, "scorecard", "scorecard"),
        (0.3, 0.01, "lightgbm", "lightgbm"),
    ],
)
def test_the_champion(gain: float, needed: float, prefer: str, chosen: str) -> None:
    label, base, better, party = scores(gain)
    rule = {"prefer": prefer, "unless_auc_gain": needed}
    spec = ModelSpec.model_validate({"name": "m", "target": {"column": "x"}, "champion": rule})
    choice = choose(spec, label, {"scorecard": base, "lightgbm": better}, party)
    assert choice.learner == chosen
    assert "AUC" in choice.why


def test_all_metrics_agree() -> None:
    label, base, _, _ = scores(0.3)
    p = 1 / (1 + np.exp(-base))
    told = all_metrics(label, p)
    assert told["gini"] == pytest.approx(2 * told["auc"] - 1, abs=2e-6)
    assert len(told["lift_by_decile"]) == 10
