"""The portfolio looks like a utility's: the shares the story promises, for several seeds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.synthetic.measure import Shape

SEEDS = (1, 2, 3)
YEAR = 365


@pytest.fixture(params=SEEDS)
def shape(request: pytest.FixtureRequest, shape_of: Callable[[int], Shape]) -> Shape:
    return shape_of(request.param)


def month_ends(shape: Shape) -> list[int]:
    """The last twelve month ends, as days of history."""
    months = np.arange(np.datetime64("2025-05"), np.datetime64("2026-05"))
    ends = months.astype("datetime64[D]") - np.timedelta64(1, "D")
    return [int(day) for day in (ends - np.datetime64(shape.since)).astype(int)]


def test_most_bills_are_paid_in_time(shape: Shape) -> None:
    known, unpaid = shape.unpaid(5)
    assert 0.80 <= 1 - unpaid.sum() / known.sum() <= 0.90


def test_one_live_account_in_six_is_in_arrears_and_it_stays_so(shape: Shape) -> None:
    shares = np.array([shape.arrears_share(day) for day in month_ends(shape)])
    assert ((shares > 0.13) & (shares < 0.19)).all(), shares
    # A drift would be a debt that piles up: the second half-year may differ by season only.
    assert abs(shares[6:].mean() - shares[:6].mean()) < 0.015


def test_the_funnel_thins(shape: Shape) -> None:
    reached = shape.funnel(60, shape.days - 200)
    assert 0.67 < reached["notice"] < 0.82
    assert 0.24 < reached["further"] < 0.36
    assert 0.045 < reached["visit"] < 0.11
    assert 0.017 < reached["last"] < 0.045


def default_label(shape: Shape) -> tuple[int, np.ndarray, np.ndarray]:
    """As of a year before the end: the day, who counts, who reaches 90 days past due."""
    day = shape.days - 1 - YEAR
    already = shape.reaches(90, day - 180, day, by_due=False)
    return (
        day,
        shape.live[:, day] & ~already,
        shape.reaches(90, day, day + YEAR, by_due=False),
    )


def late_label(shape: Shape, back: int = 80) -> tuple[int, np.ndarray, np.ndarray]:
    """As of a day whose label is known: who has a bill due in 60 days, who leaves one unpaid."""
    day = shape.days - 1 - back
    counts = shape.live[:, day] & shape.bill_due(day, day + 60)
    return day, counts, shape.reaches(14, day, day + 60, by_due=True)


def test_few_default_within_a_year(shape: Shape) -> None:
    _, counts, defaults = default_label(shape)
    assert 0.03 <= defaults[counts].mean() <= 0.065


@pytest.mark.parametrize("back", [80, 170, 260])
def test_some_pay_late_within_sixty_days(shape: Shape, back: int) -> None:
    _, counts, late = late_label(shape, back)
    assert 0.12 <= late[counts].mean() <= 0.205


@pytest.mark.parametrize("label", [late_label, default_label])
def test_the_past_tells_of_the_future_but_not_all(
    shape_of: Callable[[int], Shape],
    label: Callable[[Shape], tuple[int, np.ndarray, np.ndarray]],
) -> None:
    rows, outcomes = [], []
    for shape in map(shape_of, SEEDS):
        day, counts, hit = label(shape)
        rows.append(shape.history(day)[counts])
        outcomes.append(hit[counts])
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    y = np.concatenate(outcomes)
    scores = cross_val_predict(model, np.vstack(rows), y, cv=3, method="predict_proba")[:, 1]
    assert 0.75 <= roc_auc_score(y, scores) <= 0.885


def test_a_tenth_is_known_to_be_vulnerable_and_the_flag_tells_part(shape: Shape) -> None:
    known = shape.tables["accounts"]["is_vulnerable"]
    truth = shape.tables["truth"]["truly_vulnerable"].to_numpy()
    flag = np.array([value is True for value in known.to_pylist()])
    assert 0.08 < flag.mean() < 0.12
    assert 0.01 < known.null_count / len(known) < 0.03
    assert 0.55 < flag[truth].mean() < 0.80
    assert 0.005 < flag[~truth].mean() < 0.03


def test_a_few_parties_hold_two_accounts_and_share_who_they_are(shape: Shape) -> None:
    party = np.array(shape.tables["accounts"]["party_id"].to_pylist())
    ability = shape.tables["truth"]["ability"].to_numpy()
    _, first, count = np.unique(party, return_index=True, return_counts=True)
    assert set(count) == {1, 2}
    assert 0.02 < (count == 2).mean() < 0.045
    second = first[count == 2] + 1
    assert (ability[second] == ability[second - 1]).all()


def test_as_many_accounts_come_as_go(shape: Shape) -> None:
    ends = month_ends(shape)
    live = shape.live[:, [0, *ends]].sum(axis=0)
    assert live.min() > 0.96 * live.max()
    assert 0.08 < (shape.opens > 0).mean() < 0.17
