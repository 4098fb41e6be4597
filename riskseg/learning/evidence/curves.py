"""The curves of a model card: plain lists of points, at most a hundred and one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riskseg.learning.canonical import fixed
from riskseg.learning.evidence.metrics import GROUPS, Ranked, sums_by
from riskseg.learning.evidence.model import (
    Distribution,
    Gain,
    KsCurve,
    KsPoint,
    RocPoint,
)
from riskseg.learning.evidence.uncertainty import wilson
from riskseg.results.model_evidence import CalibrationGroup

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats, Labels

MOST_POINTS = 101
PARTS = 20


def roc(ranked: Ranked) -> list[RocPoint]:
    """(share of goods, share of bads) at or above each of some probabilities, from (0, 0) to
    (1, 1): points of the curve itself, evenly along it."""
    goods = np.r_[0.0, np.cumsum(ranked.good[::-1])] / ranked.good.sum()
    bads = np.r_[0.0, np.cumsum(ranked.bad[::-1])] / ranked.bad.sum()
    if len(goods) > MOST_POINTS:
        along = (goods + bads) / 2
        points_along = np.linspace(0, 1, MOST_POINTS)
        goods, bads = np.interp(points_along, along, goods), np.interp(points_along, along, bads)
    return [
        RocPoint(fixed(good_share), fixed(bad_share))
        for good_share, bad_share in zip(goods, bads, strict=True)
    ]


def ks_curve(ranked: Ranked) -> KsCurve:
    """The widest gap between the two outcomes' distributions, where it is, and the distributions:
    (probability, share of goods, share of bads) at or below it."""
    goods = np.cumsum(ranked.good) / ranked.good.sum()
    bads = np.cumsum(ranked.bad) / ranked.bad.sum()
    widest = int(np.abs(goods - bads).argmax())
    shown_points = np.arange(len(goods))
    if len(shown_points) > MOST_POINTS:
        along = (goods + bads) / 2
        shown_points = np.searchsorted(along, np.linspace(0, along[-1], MOST_POINTS - 2))
        shown_points = np.unique(
            np.r_[0, shown_points, widest, len(goods) - 1].clip(0, len(goods) - 1)
        )
    return KsCurve(
        value=fixed(abs(goods[widest] - bads[widest])),
        at=fixed(ranked.score[widest]),
        curve=[
            KsPoint(
                fixed(ranked.score[point_index]),
                fixed(goods[point_index]),
                fixed(bads[point_index]),
            )
            for point_index in shown_points
        ],
    )


def calibration_groups(
    label: Labels, probability: Floats, weight: Floats, party: NDArray[Any]
) -> list[CalibrationGroup]:
    """Ten groups of equal weight from the lowest probability; rows that tie stay together, so
    that there may be fewer groups. `low` and `high` are the probabilities at a group's ends."""
    ranked = Ranked.of(label, probability, weight)
    middle = (np.cumsum(ranked.total) - ranked.total / 2) / ranked.total.sum()
    group = np.minimum((middle * GROUPS).astype(np.int64), GROUPS - 1)
    group = group[np.searchsorted(ranked.score, probability)]
    probability_groups = []
    for group_number in np.unique(group):
        in_group = group == group_number
        group_probability, group_weight, group_label = (
            probability[in_group],
            weight[in_group],
            label[in_group],
        )
        probability_groups.append(
            CalibrationGroup(
                low=fixed(group_probability.min()),
                high=fixed(group_probability.max()),
                mean=fixed(np.average(group_probability, weights=group_weight)),
                rate=wilson(group_label, group_weight, party[in_group]),
                rows=int(in_group.sum()),
                bad=fixed((group_weight * group_label).sum()),
            )
        )
    return probability_groups


def gains(ranked: Ranked) -> list[Gain]:
    """The share of all bad outcomes among the riskiest tenth, two tenths and so on."""
    caught = np.cumsum(ranked.parts(ranked.bad)[::-1]) / ranked.bad.sum()
    shares = np.arange(1, GROUPS + 1) / GROUPS
    return [
        Gain(share=fixed(share), caught=fixed(part), lift=fixed(part / share))
        for share, part in zip(shares, caught, strict=True)
    ]


def distribution(label: Labels, probability: Floats, weight: Floats) -> Distribution:
    """The shares of good and of bad outcomes in twenty equally wide groups of probability; a
    group holds its lower edge."""
    group = np.minimum((probability * PARTS + 1e-9).astype(np.int64), PARTS - 1)
    good, bad = (sums_by(group, weight * (label == outcome), PARTS) for outcome in (0, 1))
    return Distribution(
        edges=[fixed(edge / PARTS) for edge in range(PARTS + 1)],
        good=[fixed(part / good.sum()) for part in good],
        bad=[fixed(part / bad.sum()) for part in bad],
    )
