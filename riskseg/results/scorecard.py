"""The bins of a scorecard as results show them. Nothing that learns, and no Arrow, is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from riskseg.results.part import Part

# Where a feature is riskier along its value; `turns` where that changes.
Risk = Literal["more", "less", "turns", "flat", "levels"]


class ScorecardBin(Part):
    """One bin of a scorecard's feature, in training. What an imported card does not say is null."""

    holds: Mapping[str, Any]
    """`from`, `to` or `levels`, or `other` or `missing`; of a code, `code` too."""
    accounts: int | None
    share: float | None
    bad: int | None
    bad_rate: float | None
    woe: float | None
    """The weight of evidence: ln(share of goods / share of bads)."""
    iv: float | None
    """Its part of the information value."""
    points: float


class BinnedFeature(Part):
    """One feature of a scorecard; `auc` and `gini` are those of its points alone, in training."""

    feature: str
    risk: Risk
    """Which values are riskier; `turns` where that changes."""
    iv: float | None
    auc: float | None
    gini: float | None
    missing: float | None
    least: float
    most: float
    bins: tuple[ScorecardBin, ...]


class FeaturePair(Part):
    """Two features that have points together."""

    features: tuple[str, str]
    cells: int
    least: float
    most: float
