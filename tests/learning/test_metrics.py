from __future__ import annotations

import math

import numpy as np
import pytest

from riskseg.learning.evidence.metrics import (
    all_metrics,
    auc,
    brier,
    calibration_line,
    expected_calibration_error,
    ks,
    lift,
    log_loss,
)
from riskseg.learning.evidence.uncertainty import (
    auc_difference,
    auc_interval,
    drawn_sums,
    intervals,
    wilson,
    wilson_of,
)


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


def scores(gain: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(11)
    label = (random.random(3000) < 0.3).astype(np.int8)
    base = label + random.normal(0, 1.5, 3000)
    better = base * (1 - gain) + gain * (label + random.normal(0, 0.3, 3000))
    return label, base, better, np.arange(3000) // 2


def test_the_interval_of_a_gain() -> None:
    label, base, better, party = scores(0.3)
    found = auc_difference(label, base, better, np.ones(3000), party)
    assert found is not None
    gain, low, high = found
    assert low < gain < high and low > 0.01
    assert gain == pytest.approx(auc(label, better) - auc(label, base), abs=1e-6)
    assert auc_difference(label, base, base, np.ones(3000), party) == (0.0, 0.0, 0.0)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Scores whose true gain is known: normal, so that the AUC is a normal distribution's."""

    def truth(distance: float) -> float:
        return 0.5 * (1 + math.erf(distance / 2))

    covered = 0
    for trial in range(60):
        random = np.random.default_rng(trial)
        label = (random.random(400) < 0.4).astype(np.int8)
        base, better = label * 0.8 + random.normal(size=400), label * 1.2 + random.normal(size=400)
        found = auc_difference(label, base, better, np.ones(400), np.arange(400))
        assert found is not None
        _, low, high = found
        covered += low <= truth(1.2) - truth(0.8) <= high
    assert 50 <= covered <= 60


def test_parties_widen_the_interval() -> None:
    label, base, better, _ = scores(0.3)
    alone = auc_difference(label, base, better, np.ones(3000), np.arange(3000))
    many = [np.repeat(a, 10) for a in (label[:300], base[:300], better[:300], np.arange(300))]
    wide = auc_difference(many[0], many[1], many[2], np.ones(3000), many[3])
    assert alone is not None and wide is not None
    assert wide[2] - wide[1] > 1.5 * (alone[2] - alone[1])


def test_all_metrics_agree() -> None:
    label, base, _, _ = scores(0.3)
    p = 1 / (1 + np.exp(-base))
    reported = all_metrics(label, p)
    assert reported["gini"] == pytest.approx(2 * reported["auc"] - 1, abs=2e-6)
    assert len(reported["lift_by_decile"]) == 10
    assert sum(reported["lift_by_decile"]) == pytest.approx(10, abs=1e-5)


def risky(rows: int, seed: int = 2, level: float = -1.5) -> tuple[np.ndarray, np.ndarray]:
    """(outcomes, probabilities that are right)."""
    random = np.random.default_rng(seed)
    p = np.round(1 / (1 + np.exp(-random.normal(level, 1.2, rows))), 6)
    return (random.random(rows) < p).astype(np.int8), p


def test_a_weight_of_three_is_three_rows_in_any_order() -> None:
    label, p = risky(3_000)
    p = p.round(2)  # many ties
    random = np.random.default_rng(3)
    times = random.integers(1, 4, len(label))
    once = all_metrics(label, p, times.astype(float))
    rows = random.permutation(np.repeat(np.arange(len(label)), times))
    each = all_metrics(label[rows], p[rows])
    assert once.keys() == each.keys()
    for name, value in once.items():
        assert value == pytest.approx(each[name], abs=3e-6), name


def test_sampled_goods_give_the_metrics_of_the_whole() -> None:
    label, p = risky(60_000, level=-3.0)
    kept = (label == 1) | (np.random.default_rng(4).random(len(label)) < 0.2)
    weight = np.where(label == 1, 1.0, 5.0)
    whole, part = all_metrics(label, p), all_metrics(label[kept], p[kept], weight[kept])
    for name in ("auc", "ks", "brier", "log_loss"):
        assert part[name] == pytest.approx(whole[name], rel=0.04), name
    for name in ("calibration_slope", "calibration_intercept"):
        assert part[name] == pytest.approx(whole[name], abs=0.06), name


def test_the_intervals_hold_the_estimates_and_narrow_with_rows() -> None:
    wide = intervals(*(of := risky(1_000)), np.ones(1_000), np.arange(1_000), seed=1)
    narrow = intervals(*risky(16_000), np.ones(16_000), np.arange(16_000), seed=1)
    reported = all_metrics(*of)
    for name, (estimate, low, high) in wide.items():
        assert low <= estimate <= high, name
        assert estimate == reported[name]
        ratio = (high - low) / (narrow[name][2] - narrow[name][1])
        assert 2.5 < ratio < 6.5, name
    assert wide == intervals(*of, np.ones(1_000), np.arange(1_000), seed=1)


def test_the_intervals_cover_what_is_true_of_the_population() -> None:
    """Sixty samples of one population: right probabilities, so that its slope is 1, its
    intercept and calibration error 0; the rest by a large sample."""
    label, p = risky(400_000, seed=99)
    truth = {name: v for name, v in all_metrics(label, p).items() if name != "lift_by_decile"}
    truth |= {"calibration_slope": 1.0, "calibration_intercept": 0.0}
    truth["expected_calibration_error"] = 0.0
    covered = dict.fromkeys(truth, 0)
    for trial in range(60):
        label, p = risky(800, seed=trial)
        reported = intervals(label, p, np.ones(800), np.arange(800), seed=trial, draws=100)
        for name, (_, low, high) in reported.items():
            covered[name] += low <= truth[name] <= high
    del covered["gini"]
    assert min(covered.values()) >= 51, covered


def test_a_partys_rows_are_one_piece_of_evidence() -> None:
    label, p = risky(400)
    rows = np.repeat(np.arange(400), 9)
    for reported in (
        lambda party: intervals(label[rows], p[rows], np.ones(3600), party, seed=1)["brier"],
        lambda party: auc_interval(label[rows], p[rows], np.ones(3600), party),
        lambda party: wilson(label[rows], None, party),
    ):
        together, apart = reported(rows), reported(np.arange(3600))
        assert together[2] - together[1] == pytest.approx(3 * (apart[2] - apart[1]), rel=0.25)


def test_the_interval_of_an_auc_is_the_bootstraps() -> None:
    label, p = risky(3_000)
    party = np.arange(3_000) // 2
    closed = auc_interval(label, p, np.ones(3_000), party)
    drawn = intervals(label, p, np.ones(3_000), party, seed=1)["auc"]
    assert closed is not None
    assert closed == pytest.approx(drawn, abs=0.006)


def test_an_auc_without_an_error_or_without_an_outcome() -> None:
    label = np.array([0, 0, 0, 1, 1], dtype=np.int8)
    reported = auc_interval(label, np.arange(5.0), np.ones(5), np.arange(5))
    assert (
        reported is not None
        and reported[0] == 1.0
        and 0.2 < reported[1] < 0.99
        and reported[2] == 1.0
    )
    assert auc_interval(label[:3], np.arange(3.0), np.ones(3), np.arange(3)) is None


def test_wilson_by_hand() -> None:
    # 8 of 10: the textbook's 0.490 to 0.943.
    assert wilson_of(0.8, 10) == pytest.approx((0.8, 0.4902, 0.9433), abs=1e-4)
    label = np.array([1] * 8 + [0] * 2, dtype=np.int8)
    assert wilson(label) == wilson_of(0.8, 10)
    assert wilson(label, np.full(10, 7.0)) == wilson_of(0.8, 10)
    none = wilson(np.zeros(10, dtype=np.int8))
    assert none[:2] == (0.0, 0.0) and none[2] == pytest.approx(0.2775, abs=1e-4)


def test_goods_that_stand_for_many_keep_a_rate_as_sure_as_its_bads() -> None:
    """Of 50,000 goods a tenth was kept: what is unsure is still the 100 bads."""
    label = np.r_[np.ones(100), np.zeros(5_000)].astype(np.int8)
    part = wilson(label, np.where(label == 1, 1.0, 10.0))
    whole = wilson(np.r_[np.ones(100), np.zeros(50_000)].astype(np.int8))
    assert part == pytest.approx(whole, rel=0.02)


def test_drawn_sums_are_those_of_drawn_parties() -> None:
    party = np.array(["a", "a", "b", "c", "c", "c"])
    sums = drawn_sums(np.column_stack([np.ones(6), np.arange(6.0)]), party, seed=3, draws=400)
    whole = {(2.0, 1.0), (1.0, 2.0), (3.0, 12.0)}
    possible = {
        (x[0] + y[0] + z[0], x[1] + y[1] + z[1]) for x in whole for y in whole for z in whole
    }
    assert {tuple(one) for one in sums.tolist()} == possible
    assert sums[:, 0].mean() == pytest.approx(6, abs=0.2)
