"""A calibration finds the likeliest map of its kind, and never turns or loses the order."""

from __future__ import annotations

import numpy as np
import pytest

from riskseg.learning.calibration import (
    KINDS,
    MOST_POINTS,
    Calibration,
    StoredCalibration,
    choose_calibration,
    fit_calibration,
    fit_shift,
    fit_sigmoid,
    logistic_line,
)
from riskseg.learning.evidence.metrics import auc, log_loss


def drawn(rows: int = 20_000, seed: int = 1, level: float = -1.5) -> tuple[np.ndarray, np.ndarray]:
    """(log-odds, outcomes that follow them)."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(level, 1.3, rows)
    return truth, (rng.random(rows) < 1 / (1 + np.exp(-truth))).astype(np.int8)


def folds_of(rows: int) -> np.ndarray:
    return (np.arange(rows) % 5).astype(np.int8)


@pytest.mark.parametrize(
    ("share", "floor", "shift"),
    [(0.9, -12, 0), (0.95, -8, 0), (0.98, -10, 0), (0.97, -6, 1), (0.8, -9, -1)],
)
def test_a_heap_of_safe_accounts_does_not_throw_the_line_off(
    share: float, floor: float, shift: float
) -> None:
    """Most accounts heaped far below the few that go bad once sent Newton's steps away for good,
    and every probability came out 0 or 1."""
    rng = np.random.default_rng(1)
    risky = rng.random(40_000) > share
    margin = np.where(risky, rng.normal(0, 1.5, 40_000), rng.normal(floor, 0.7, 40_000))
    label = (rng.random(40_000) < 1 / (1 + np.exp(-(margin + shift)))).astype(np.int8)
    slope, intercept = logistic_line(margin, label)
    assert slope == pytest.approx(1.0, abs=0.06)
    assert intercept == pytest.approx(shift, abs=0.08)
    for kind in ("sigmoid", "beta", "isotonic"):
        probability = fit_calibration(kind, margin, label).probability(margin)
        assert probability.mean() == pytest.approx(label.mean(), rel=0.01)


def test_sigmoid_undoes_a_line_and_never_turns_the_order() -> None:
    truth, label = drawn(40_000, level=-1.0)
    reported = fit_sigmoid(2 * truth + 1, label)
    assert reported.slope == pytest.approx(0.5, abs=0.02)
    assert reported.intercept == pytest.approx(-0.5, abs=0.04)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_margin_that_says_the_opposite_gives_every_row_the_mean(kind: str) -> None:
    truth, label = drawn()
    reported = fit_calibration(kind, -truth, label)  # type: ignore[arg-type]
    probability = reported.probability(-truth)
    assert np.ptp(probability) < 0.01
    assert probability.mean() == pytest.approx(label.mean(), abs=1e-4)


def test_beta_finds_its_own_three_numbers() -> None:
    """Outcomes drawn from a beta map with a = 0.5, b = 1.6, c = 0.3."""
    rng = np.random.default_rng(2)
    margin = rng.normal(0, 2, 60_000)
    truth = 0.3 - 0.5 * np.logaddexp(0, -margin) + 1.6 * np.logaddexp(0, margin)
    label = (rng.random(60_000) < 1 / (1 + np.exp(-truth))).astype(np.int8)
    reported = fit_calibration("beta", margin, label)
    assert (reported.a, reported.b, reported.c) == pytest.approx((0.5, 1.6, 0.3), abs=0.12)
    assert reported.log_odds(margin) == pytest.approx(np.clip(truth, -30, 30), abs=0.6)


def test_beta_with_an_end_that_falls_keeps_the_other_and_the_order() -> None:
    """Above 0 the outcome no longer rises with the margin: b would be below 0."""
    rng = np.random.default_rng(3)
    margin = rng.normal(0, 2, 40_000)
    truth = np.minimum(margin, 0) - 0.3 * np.maximum(margin, 0)
    label = (rng.random(40_000) < 1 / (1 + np.exp(-truth))).astype(np.int8)
    reported = fit_calibration("beta", margin, label)
    assert reported.a > 0.5 and reported.b == 0
    assert (np.diff(reported.probability(np.sort(margin))) >= 0).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", [-5.0, -1.5, 1.0])
def test_order_is_kept(kind: str, level: float) -> None:
    truth, label = drawn(level=level)
    bent = np.sign(truth) * np.abs(truth) ** 1.4
    probability = fit_calibration(kind, bent, label).probability(bent)  # type: ignore[arg-type]
    order = np.argsort(bent)
    assert (np.diff(probability[order]) >= 0).all()
    assert auc(label, probability) == pytest.approx(auc(label, truth), abs=0.001)


def test_isotonic_has_few_points_and_no_certainty() -> None:
    truth, label = drawn(3_000, level=-4.0)
    reported = fit_calibration("isotonic", truth, label)
    assert 2 < len(reported.points) <= MOST_POINTS
    far = reported.probability(np.array([-50.0, 50.0]))
    assert 0 < far[0] < label.mean() < far[1] < 1
    many = fit_calibration("isotonic", *drawn(60_000))
    assert len(many.points) <= MOST_POINTS
    for at, to in zip(*(np.diff(axis) for axis in zip(*many.points, strict=True)), strict=True):
        assert at > 0 and to >= 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_weight_of_three_is_three_rows(kind: str) -> None:
    truth, label = drawn(2_000)
    times = np.random.default_rng(4).integers(1, 4, len(label))
    once = fit_calibration(kind, truth, label, times.astype(float))  # type: ignore[arg-type]
    each = fit_calibration(kind, np.repeat(truth, times), np.repeat(label, times))  # type: ignore[arg-type]
    grid = np.linspace(-4, 2, 50)
    # An isotonic map also asks how many rows there were.
    near = 0.05 if kind == "isotonic" else 1e-5
    assert once.probability(grid) == pytest.approx(each.probability(grid), abs=near)


@pytest.mark.parametrize("kind", ["sigmoid", "beta", "isotonic"])
def test_sampled_goods_give_the_rates_of_the_whole(kind: str) -> None:
    truth, label = drawn(60_000, level=-3.0)
    kept = (label == 1) | (np.random.default_rng(5).random(len(label)) < 0.1)
    weight = np.where(label == 1, 1.0, 10.0)[kept]
    reported = fit_calibration(kind, truth[kept], label[kept], weight)  # type: ignore[arg-type]
    assert reported.probability(truth).mean() == pytest.approx(label.mean(), rel=0.03)


BENDS = {
    "none": lambda truth: truth,
    "sigmoid": lambda truth: 2 * truth + 1,
    "isotonic": lambda truth: 2 * np.sign(truth + 1.5) * np.abs(truth + 1.5) ** 3,
}


@pytest.mark.parametrize("kind", BENDS)
def test_the_simplest_kind_that_is_as_good_as_the_best(kind: str) -> None:
    truth, label = drawn()
    margin = BENDS[kind](truth)
    reported, tried = choose_calibration(margin, label, np.ones(len(label)), folds_of(len(label)))
    assert reported.kind == kind
    assert [one["what"].split()[0] for one in tried] == list(KINDS)
    assert [one["chosen"] for one in tried] == [one == kind for one in KINDS]
    best = min(one["log_loss"] for one in tried)
    assert log_loss(label, reported.probability(margin)) <= best + 0.002


def test_nothing_is_learned_from_noise() -> None:
    rng = np.random.default_rng(6)
    label = (rng.random(5_000) < 0.2).astype(np.int8)
    reported, _ = choose_calibration(
        rng.normal(size=5_000), label, np.ones(5_000), folds_of(5_000), ("sigmoid", "isotonic")
    )
    assert reported.kind == "sigmoid" and reported.slope < 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_through_json_and_back(kind: str) -> None:
    truth, label = drawn(3_000)
    reported = fit_calibration(kind, 2 * truth, label).shifted(0.9, 0.1)  # type: ignore[arg-type]
    back = StoredCalibration.model_validate(reported.as_json()).calibration()
    assert back == reported
    assert back.as_json()["kind"] == kind and back.then == (0.9, 0.1)


def test_the_older_form_is_a_sigmoid() -> None:
    reported = StoredCalibration.model_validate({"slope": 0.5, "intercept": -1.0}).calibration()
    assert reported == Calibration("sigmoid", slope=0.5, intercept=-1.0)
    assert reported.probability(np.array([2.0])) == pytest.approx([0.5])


@pytest.mark.parametrize("slope", [True, False])
def test_a_shift_makes_later_rows_right_and_can_follow_another(slope: bool) -> None:
    truth, label = drawn(40_000)
    reported = Calibration("sigmoid", slope=1.0 if not slope else 0.6, intercept=0.8)
    line = fit_shift(reported.probability(truth), label, slope=slope)
    corrected = reported.shifted(*line)
    assert line[0] == pytest.approx(1 / 0.6 if slope else 1.0, rel=0.04)
    assert corrected.probability(truth).mean() == pytest.approx(label.mean(), abs=1e-5)
    twice = corrected.shifted(0.5, 1.0)
    assert twice.log_odds(truth) == pytest.approx(0.5 * corrected.log_odds(truth) + 1.0, abs=1e-6)
    with pytest.raises(ValueError, match="order"):
        reported.shifted(-0.1, 0.0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", [0, 1, 10])
def test_hardly_any_outcomes_are_no_error(kind: str, bad: int) -> None:
    label = np.r_[np.ones(bad), np.zeros(10 - bad)].astype(np.int8)
    reported = fit_calibration(kind, np.linspace(1, -1, 10), label)  # type: ignore[arg-type]
    assert np.isfinite(reported.probability(np.array([-9.0, 0.0, 9.0]))).all()
