"""Tables of points: the model that every form of scorecard makes.

The tables are the model. An account's score is the base plus the points of one bin of every
table, added as whole hundredths: what a person adds up from the printed tables is the score, to
the last digit. High scores are good.

Scaling: Siddiqi, *Intelligent Credit Scoring* (2nd ed., 2017), chapter 7.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from riskseg.learning.canonical import fixed
from riskseg.learning.coded import CodedByValue

if TYPE_CHECKING:
    import pandas as pd

    from riskseg.learning.frame import Floats

Form = Literal["classic", "additive"]
CardForm = Literal["classic", "additive", "imported"]

POINTS_TO_DOUBLE_ODDS = 20
SCORE_AT = 600
ODDS_AT = 50  # good to bad
FACTOR = POINTS_TO_DOUBLE_ODDS / math.log(2)
OFFSET = SCORE_AT - FACTOR * math.log(ODDS_AT)
# No points, base or score of a scale is further from 0: sums of hundredths fit in 64 bits.
LARGEST_NUMBER = 10**9
# Odds, and points that double them, lie between this and its inverse.
LEAST_RATIO = 1e-6


@dataclass(frozen=True)
class Scale:
    """What scores mean: `score` stands for odds of `odds` good to 1 bad, and so many points more
    double them."""

    score: float = SCORE_AT
    odds: float = ODDS_AT
    to_double: float = POINTS_TO_DOUBLE_ODDS

    @property
    def factor(self) -> float:
        return self.to_double / math.log(2)

    @property
    def offset(self) -> float:
        """The score at even odds."""
        return self.score - self.factor * math.log(self.odds)

    @property
    def is_usable(self) -> bool:
        """Whether every score stands for a probability that can be worked out."""
        ratios = (self.odds, self.to_double)
        return abs(self.score) <= LARGEST_NUMBER and all(
            LEAST_RATIO <= ratio <= 1 / LEAST_RATIO for ratio in ratios
        )


LEARNED = Scale()


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

    def bin_indexes(self, values: pd.Series) -> NDArray[np.int64]:
        """The bin of every row."""
        if self.levels is None:
            column_numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
            bin_index = np.searchsorted(self.cuts, column_numbers, side="right")
        else:
            from riskseg.learning.levels import level_codes  # it needs pandas, a spec does not

            column_numbers = level_codes(values, self.levels)
            bin_index = np.searchsorted(self.cuts, column_numbers, side="right")
            bin_index[column_numbers < 0] = self.count - 2
        bin_index[np.isnan(column_numbers)] = self.count - 1
        return bin_index

    def described(self) -> list[dict[str, Any]]:
        """What each bin holds, for people: from (included) and to (not included), or levels."""
        edges = (-math.inf, *self.cuts, math.inf)
        bins_shown: list[dict[str, Any]] = []
        for low, high in pairwise(edges):
            if self.levels is None:
                bins_shown.append(
                    {
                        "from": None if math.isinf(low) else low,
                        "to": None if math.isinf(high) else high,
                    }
                )
            else:
                levels_held = [
                    level
                    for level_code, level in enumerate(self.levels)
                    if low <= level_code < high
                ]
                bins_shown.append({"levels": levels_held})
        if self.levels is not None:
            bins_shown.append({"other": True})
        return [*bins_shown, {"missing": True}]

    @property
    def kind(self) -> str:
        return "number" if self.levels is None else "levels"

    @classmethod
    def from_described(cls, name: str, kind: str, bins: Sequence[Mapping[str, Any]]) -> Bins:
        """The bins that :meth:`described` gave."""
        if kind == "number":
            return cls(
                name,
                tuple(
                    float(bin_json["from"]) for bin_json in bins if bin_json.get("from") is not None
                ),
                None,
            )
        level_groups = [tuple(bin_json["levels"]) for bin_json in bins if "levels" in bin_json]
        sizes = [len(group) for group in level_groups]
        starts = tuple(
            float(sum(sizes[: group_count + 1])) for group_count in range(len(sizes) - 1)
        )
        return cls(name, starts, tuple(level for group in level_groups for level in group))


@dataclass(frozen=True)
class Table:
    """The points of one feature, in hundredths, one entry a bin. `woe` are the weights of
    evidence they were made from; None where the points were learned directly. Of a card made
    elsewhere the counts may all be 0 and the bad ones None: they are not known."""

    bins: Bins
    counts: tuple[int, ...]
    bads: tuple[int, ...] | None
    points: tuple[int, ...]
    woe: tuple[float, ...] | None = None

    @property
    def average(self) -> int:
        """Points of the average account of the training window, in hundredths."""
        return _average(self.points, self.counts)

    def of(self, batch: pd.DataFrame) -> NDArray[np.int64]:
        """The points of every row, in hundredths."""
        return np.asarray(self.points, dtype=np.int64)[self.bins.bin_indexes(batch[self.bins.name])]


@dataclass(frozen=True)
class PairTable:
    """The points that two features have together, beyond what each has alone: in hundredths, one
    entry for each bin of the first with each bin of the second, the second's changing fastest."""

    first: Bins
    second: Bins
    counts: tuple[int, ...]
    bads: tuple[int, ...]
    points: tuple[int, ...]

    @property
    def average(self) -> int:
        """Points of the average account of the training window, in hundredths."""
        return _average(self.points, self.counts)

    def of(self, batch: pd.DataFrame) -> NDArray[np.int64]:
        """The points of every row, in hundredths."""
        places = self.first.bin_indexes(batch[self.first.name]) * self.second.count
        places += self.second.bin_indexes(batch[self.second.name])
        return np.asarray(self.points, dtype=np.int64)[places]


@dataclass(frozen=True)
class Scorecard(CodedByValue):
    """Tables of points. `dropped` says why a feature is in none of them, `notes` what a reader of
    the tables should know of how they came to be."""

    form: CardForm
    base: int  # hundredths
    tables: tuple[Table, ...]
    pairs: tuple[PairTable, ...]
    dropped: Mapping[str, str]
    notes: tuple[str, ...] = ()
    scale: Scale = LEARNED

    @property
    def features(self) -> tuple[str, ...]:
        names = [table.bins.name for table in self.tables]
        for pair in self.pairs:
            names += [pair.first.name, pair.second.name]
        return tuple(dict.fromkeys(names))

    def scores(self, batch: pd.DataFrame) -> NDArray[np.int64]:
        """Each row's score in hundredths of a point."""
        score_total = np.full(len(batch), self.base, dtype=np.int64)
        all_tables: tuple[Table | PairTable, ...] = (*self.tables, *self.pairs)
        for table in all_tables:
            score_total += table.of(batch)
        return score_total

    def margin(self, batch: pd.DataFrame, threads: int = 1) -> Floats:
        """Log-odds of the bad outcome that the score stands for."""
        margin: Floats = (self.scale.offset - self.scores(batch) / 100) / self.scale.factor
        return margin

    def contributions(self, batch: pd.DataFrame, threads: int = 1) -> Floats:
        """Points lost against the average account, (rows, features); negative is gained.

        What two features lose together counts half for each: the Shapley value of a sum of two.
        """
        column_of = {card_feature: column for column, card_feature in enumerate(self.features)}
        lost = np.zeros((len(batch), len(column_of)))
        for table in self.tables:
            lost[:, column_of[table.bins.name]] += (table.average - table.of(batch)) / 100
        for pair in self.pairs:
            half = (pair.average - pair.of(batch)) / 200
            lost[:, column_of[pair.first.name]] += half
            lost[:, column_of[pair.second.name]] += half
        return lost

    def as_json(self) -> dict[str, Any]:
        return {
            "form": self.form,
            "scale": {
                "score": self.scale.score,
                "odds_good_to_bad": self.scale.odds,
                "points_to_double_odds": self.scale.to_double,
            },
            "base": decimal(self.base),
            "dropped": dict(self.dropped),
            "notes": list(self.notes),
            "features": [_table_as_json(table) for table in self.tables],
            "pairs": [_pair_as_json(pair) for pair in self.pairs],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Scorecard:
        return cls(
            content["form"],
            _hundredths(content["base"]),
            tuple(_table_from_json(table) for table in content["features"]),
            tuple(_pair_from_json(pair) for pair in content["pairs"]),
            dict(content["dropped"]),
            tuple(content["notes"]),
            Scale(
                content["scale"]["score"],
                content["scale"]["odds_good_to_bad"],
                content["scale"]["points_to_double_odds"],
            ),
        )


def points_for(effect: float) -> int:
    """Hundredths of a point for so much log-odds of the bad outcome."""
    return round(-100 * FACTOR * effect)


def base_for(intercept: float) -> int:
    """The base, in hundredths, for the log-odds of an account whose every table gives 0."""
    return round(100 * (OFFSET - FACTOR * intercept))


def decimal(hundredths: int) -> str:
    """Hundredths as text: -3 is "-0.03"."""
    sign = "-" if hundredths < 0 else ""
    return f"{sign}{abs(hundredths) // 100}.{abs(hundredths) % 100:02d}"


def _hundredths(text: str) -> int:
    return int(text.replace(".", ""))


def _average(points: Sequence[int], counts: Sequence[int]) -> int:
    whole = sum(counts)
    if not whole:  # no account was counted: as if the points were all as common
        counts, whole = (1,) * len(points), len(points)
    return round(sum(p * n for p, n in zip(points, counts, strict=True)) / whole)


def _table_as_json(table: Table) -> dict[str, Any]:
    bins_json = table.bins.described()
    for index, bin_json in enumerate(bins_json):
        bin_rows, bin_bads = table.counts[index], None if table.bads is None else table.bads[index]
        rate = fixed(bin_bads / bin_rows) if bin_rows and bin_bads is not None else None
        bin_json |= {"count": bin_rows, "bad": bin_bads, "bad_rate": rate}
        if table.woe is not None:
            bin_json["woe"] = table.woe[index]
        bin_json["points"] = decimal(table.points[index])
    return {
        "feature": table.bins.name,
        "kind": table.bins.kind,
        "average": decimal(table.average),
        "bins": bins_json,
    }


def _table_from_json(content: Mapping[str, Any]) -> Table:
    bins = content["bins"]
    return Table(
        Bins.from_described(content["feature"], content["kind"], bins),
        tuple(bin_json["count"] for bin_json in bins),
        None
        if any(bin_json["bad"] is None for bin_json in bins)
        else tuple(bin_json["bad"] for bin_json in bins),
        tuple(_hundredths(bin_json["points"]) for bin_json in bins),
        tuple(bin_json["woe"] for bin_json in bins)
        if all("woe" in bin_json for bin_json in bins)
        else None,
    )


def _pair_as_json(pair: PairTable) -> dict[str, Any]:
    def rows(values: Sequence[Any]) -> list[list[Any]]:
        wide = pair.second.count
        return [
            list(values[row_start : row_start + wide]) for row_start in range(0, len(values), wide)
        ]

    return {
        "features": [pair.first.name, pair.second.name],
        "kinds": [pair.first.kind, pair.second.kind],
        "average": decimal(pair.average),
        "bins": [pair.first.described(), pair.second.described()],
        "count": rows(pair.counts),
        "bad": rows(pair.bads),
        "points": rows([decimal(cell_points) for cell_points in pair.points]),
    }


def _pair_from_json(content: Mapping[str, Any]) -> PairTable:
    def flat(rows: Sequence[Sequence[Any]]) -> list[Any]:
        return [cell_value for grid_row in rows for cell_value in grid_row]

    first_bins, second_bins = (
        Bins.from_described(name, kind, bins)
        for name, kind, bins in zip(
            content["features"], content["kinds"], content["bins"], strict=True
        )
    )
    return PairTable(
        first_bins,
        second_bins,
        tuple(flat(content["count"])),
        tuple(flat(content["bad"])),
        tuple(_hundredths(cell_points) for cell_points in flat(content["points"])),
    )
