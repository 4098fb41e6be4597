"""The scorecard: weights of evidence, a logistic regression on them, and a table of points.

The table is the model. An account's score is the base plus the points of one bin of every
feature, added as whole hundredths: what a person adds up from the printed table is the score,
to the last digit. High scores are good.

Formulae: Siddiqi, *Intelligent Credit Scoring* (2nd ed., 2017), chapters 6 and 7.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from riskseg.domain.facts import Fact
from riskseg.learning.binning import split_points
from riskseg.learning.canonical import fixed
from riskseg.learning.levels import level_codes, levels_by_risk

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from riskseg.learning.frame import Floats, Labels

POINTS_TO_DOUBLE_ODDS = 20
SCORE_AT = 600
ODDS_AT = 50  # good to bad
FACTOR = POINTS_TO_DOUBLE_ODDS / math.log(2)
OFFSET = SCORE_AT - FACTOR * math.log(ODDS_AT)

# Every bin is counted as if it also held this many average accounts: a bin of a few rows does
# not claim certainty, and an empty one says nothing (its weight of evidence is 0).
AVERAGE_ACCOUNTS = 10.0
# Standard deviations by which a feature's information value must exceed what chance gives. The
# customary fixed 0.02 throws away what large samples do know, and keeps noise in small ones.
ABOVE_CHANCE = 3.0

# Rows on which the sign of a coefficient shows as well as on all of them.
ENOUGH_FOR_SIGNS = 30_000


@dataclass(frozen=True)
class Bins:
    """How a feature's values fall into bins: 0 to `count` - 1 along the value or the levels in
    order of risk, then one for levels with no place in that order (text only), then nulls."""

    name: str
    cuts: tuple[float, ...]
    levels: tuple[str, ...] | None  # None: a number

    @property
    def count(self) -> int:
        return len(self.cuts) + (2 if self.levels is None else 3)

    def places(self, values: pd.Series) -> NDArray[np.int64]:
        """The bin of every row."""
        import numpy as np

        if self.levels is None:
            numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
            places = np.searchsorted(self.cuts, numbers, side="right")
        else:
            numbers = level_codes(values, self.levels)
            places = np.searchsorted(self.cuts, numbers, side="right")
            places[numbers < 0] = self.count - 2
        places[np.isnan(numbers)] = self.count - 1
        return places

    def described(self) -> list[dict[str, Any]]:
        """What each bin holds, for people: from (included) and to (not included), or levels."""
        edges = (-math.inf, *self.cuts, math.inf)
        shown: list[dict[str, Any]] = []
        for low, high in pairwise(edges):
            if self.levels is None:
                shown.append(
                    {
                        "from": None if math.isinf(low) else low,
                        "to": None if math.isinf(high) else high,
                    }
                )
            else:
                held = [level for code, level in enumerate(self.levels) if low <= code < high]
                shown.append({"levels": held})
        if self.levels is not None:
            shown.append({"other": True})
        return [*shown, {"missing": True}]


@dataclass(frozen=True)
class Row:
    """A feature in the table: points in hundredths, one entry a bin."""

    bins: Bins
    counts: tuple[int, ...]
    bads: tuple[int, ...]
    woe: tuple[float, ...]
    points: tuple[int, ...]

    @property
    def average(self) -> int:
        """Points of the average account of the training window, in hundredths."""
        return round(
            sum(p * n for p, n in zip(self.points, self.counts, strict=True)) / sum(self.counts)
        )


@dataclass(frozen=True)
class Scorecard:
    """A table of points. `dropped` says why a feature is not in it."""

    base: int  # hundredths
    rows: tuple[Row, ...]
    dropped: Mapping[str, str]

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(row.bins.name for row in self.rows)

    def scores(self, batch: pd.DataFrame) -> NDArray[np.int64]:
        """Each row's score in hundredths of a point."""
        import numpy as np

        total = np.full(len(batch), self.base, dtype=np.int64)
        for row in self.rows:
            total += np.asarray(row.points)[row.bins.places(batch[row.bins.name])]
        return total

    def margin(self, batch: pd.DataFrame, threads: int = 1) -> Floats:
        """Log-odds of the bad outcome that the score stands for."""
        margin: Floats = (OFFSET - self.scores(batch) / 100) / FACTOR
        return margin

    def contributions(self, batch: pd.DataFrame, threads: int = 1) -> Floats:
        """Points lost against the average account, (rows, features); negative is gained."""
        import numpy as np

        lost = np.zeros((len(batch), len(self.rows)))
        for column, row in enumerate(self.rows):
            points = np.asarray(row.points)[row.bins.places(batch[row.bins.name])]
            lost[:, column] = (row.average - points) / 100
        return lost

    def as_json(self) -> dict[str, Any]:
        return {
            "scale": {
                "score": SCORE_AT,
                "odds_good_to_bad": ODDS_AT,
                "points_to_double_odds": POINTS_TO_DOUBLE_ODDS,
            },
            "base": _decimal(self.base),
            "dropped": dict(self.dropped),
            "features": [_row_as_json(row) for row in self.rows],
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Scorecard:
        return cls(
            _hundredths(told["base"]),
            tuple(_row_from_json(row) for row in told["features"]),
            dict(told["dropped"]),
        )


def fit_scorecard(rows: pd.DataFrame, label: Labels, features: Sequence[Fact]) -> Scorecard:
    """Learns a scorecard. `label` is 1 for the bad outcome; both outcomes must occur."""
    import numpy as np

    dropped: dict[str, str] = {}
    fitted: list[tuple[Bins, _Evidence, NDArray[np.int64]]] = []
    for fact in features:
        bins = _bins(rows[fact.name], label, fact)
        places = bins.places(rows[fact.name])
        evidence = _evidence(places, label, bins.count)
        if evidence.information <= evidence.by_chance:
            dropped[fact.name] = (
                f"information value {evidence.information:.4f}: no more than chance"
            )
        else:
            fitted.append((bins, evidence, places))
    woe = np.column_stack([e.woe[places] for _, e, places in fitted] or [np.zeros((len(label), 0))])
    kept, coefficients, intercept = _regress(woe, label)
    for column, (bins, _, _) in enumerate(fitted):
        if column not in kept:
            dropped[bins.name] = "its sign turns beside the other features"
    table = [
        Row(
            fitted[column][0],
            fitted[column][1].counts,
            fitted[column][1].bads,
            tuple(float(w) for w in fitted[column][1].woe),
            tuple(round(-100 * FACTOR * coefficient * w) for w in fitted[column][1].woe),
        )
        for column, coefficient in zip(kept, coefficients, strict=True)
    ]
    return Scorecard(round(100 * (OFFSET - FACTOR * intercept)), tuple(table), dropped)


@dataclass(frozen=True)
class _Evidence:
    counts: tuple[int, ...]
    bads: tuple[int, ...]
    woe: Floats
    information: float
    by_chance: float


def _evidence(places: NDArray[np.int64], label: Labels, count: int) -> _Evidence:
    """Weight of evidence ln(share of goods / share of bads) of each bin, and their information
    value, both with the average accounts of :data:`AVERAGE_ACCOUNTS` added to the bin.

    Where outcomes do not depend on the bin, information times goods times bads over all rows is
    close to chi-squared with one degree of freedom fewer than bins (mean df, variance 2 df):
    `by_chance` is what that leaves possible.
    """
    import numpy as np

    counts = np.bincount(places, minlength=count)
    bads = np.bincount(places, weights=label, minlength=count)
    rate = label.mean()
    bad = (bads + AVERAGE_ACCOUNTS * rate) / (rate * len(label))
    good = (counts - bads + AVERAGE_ACCOUNTS * (1 - rate)) / ((1 - rate) * len(label))
    woe = np.round(np.log(good / bad), 6) + 0.0
    held = counts > 0
    information = float(((good - bad) * woe)[held].sum())
    free = max(int(held.sum()) - 1, 0)
    possible = free + ABOVE_CHANCE * math.sqrt(2 * free)
    by_chance = possible / float(rate * (1 - rate) * len(label))
    return _Evidence(tuple(map(int, counts)), tuple(map(int, bads)), woe, information, by_chance)


def _bins(values: pd.Series, label: Labels, fact: Fact) -> Bins:
    """Bins whose share of bad outcomes follows the declared direction, on all rows."""
    import numpy as np

    if fact.kind.is_textual:
        levels = levels_by_risk(values, label)
        codes = level_codes(values, levels)
        ranked = np.where(codes < 0, np.nan, codes)
        bins = Bins(fact.name, split_points(ranked, label, 1), levels)
        direction = 1
    else:
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        bins = Bins(fact.name, split_points(numbers, label, fact.direction), None)
        direction = fact.direction
    # The cuts may come from a sample, and the average accounts weigh most on small bins: either
    # can turn the order of two neighbours. Neighbours in the wrong order become one bin.
    while direction and bins.cuts:
        woe = _evidence(bins.places(values), label, bins.count).woe[: len(bins.cuts) + 1]
        wrong = np.flatnonzero(direction * np.diff(woe) >= 0)
        if not len(wrong):
            break
        bins = Bins(fact.name, bins.cuts[: wrong[0]] + bins.cuts[wrong[0] + 1 :], bins.levels)
    return bins


def _regress(woe: Floats, label: Labels) -> tuple[list[int], list[float], float]:
    """(columns kept, their coefficients, intercept) for the log-odds of the bad outcome.

    A higher weight of evidence is a better risk, so coefficients must be negative. The most
    wrong column goes and the rest is fitted again, until none is wrong: first on rows enough to
    tell, then on all of them.
    """
    stride = -(-len(label) // ENOUGH_FOR_SIGNS)
    kept = list(range(woe.shape[1]))
    if stride > 1:
        kept, _, _ = _without_wrong_signs(woe[::stride], label[::stride], kept)
    return _without_wrong_signs(woe, label, kept)


def _without_wrong_signs(
    woe: Floats, label: Labels, kept: list[int]
) -> tuple[list[int], list[float], float]:
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    kept = list(kept)
    while kept:
        with threadpool_limits(1):  # the order of additions, and so the bytes, stay the same
            model = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-8)
            model.fit(woe[:, kept], label)
        coefficients = np.round(model.coef_[0], 6)
        if (coefficients < 0).all():
            return kept, [float(c) for c in coefficients], round(float(model.intercept_[0]), 6)
        kept.pop(int(coefficients.argmax()))
    rate = float(label.mean())
    return [], [], round(math.log(rate / (1 - rate)), 6)


def _row_as_json(row: Row) -> dict[str, Any]:
    shown = row.bins.described()
    for index, told in enumerate(shown):
        count, bad = row.counts[index], row.bads[index]
        told |= {"count": count, "bad": bad, "bad_rate": fixed(bad / count) if count else None}
        told |= {"woe": row.woe[index], "points": _decimal(row.points[index])}
    kind = "number" if row.bins.levels is None else "levels"
    return {"feature": row.bins.name, "kind": kind, "average": _decimal(row.average), "bins": shown}


def _row_from_json(told: Mapping[str, Any]) -> Row:
    bins = told["bins"]
    if told["kind"] == "number":
        cuts = tuple(float(b["from"]) for b in bins if b.get("from") is not None)
        placed = Bins(told["feature"], cuts, None)
    else:
        groups = [tuple(b["levels"]) for b in bins if "levels" in b]
        levels = tuple(level for group in groups for level in group)
        sizes = [len(group) for group in groups]
        starts = tuple(float(sum(sizes[: n + 1])) for n in range(len(sizes) - 1))
        placed = Bins(told["feature"], starts, levels)
    return Row(
        placed,
        tuple(b["count"] for b in bins),
        tuple(b["bad"] for b in bins),
        tuple(b["woe"] for b in bins),
        tuple(_hundredths(b["points"]) for b in bins),
    )


def _decimal(hundredths: int) -> str:
    sign = "-" if hundredths < 0 else ""
    return f"{sign}{abs(hundredths) // 100}.{abs(hundredths) % 100:02d}"


def _hundredths(decimal: str) -> int:
    return int(decimal.replace(".", ""))
