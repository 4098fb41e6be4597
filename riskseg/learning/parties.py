"""Rows of the same party: how much evidence several of them are, and how to shuffle them.

Rows of one party are alike in their outcomes and, mostly, in their values, so that they tell less
than as many rows of different parties. How much less is the design effect of survey sampling
(Kish, *Survey Sampling*, 1965), for an effect of a feature by Moulton, *Random group effects and
the precision of regression estimates* (1986): 1 + (alikeness of the values in a party) times
(design effect of the outcomes - 1). With one row per party it is 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskseg.domain.facts import Fact

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from riskseg.learning.frame import Codes, Floats, Labels, Mask

# Rows that are enough to see how alike values are.
ENOUGH_ROWS = 20_000
# A level with fewer parties says more about chance than about risk; nor does a bin hold fewer.
LEAST_PARTIES = 25
# Features alike as much as this in all rows of a party do not move.
NEVER_MOVES = 0.99
NO_MORE_THAN_CHANCE = "on its own it predicts no better than chance, counted by party"
ADDS_NOTHING = "it adds nothing beyond chance to what the other features predict"


@dataclass(frozen=True)
class Parties:
    """The party of each row, numbered from 0, and how alike each feature is within a party: 1
    where it is the same in all of its rows, 0 where its rows are as different as those of others.

    `accounts` says the same of accounts, where a party has several: what is the same in all rows of
    an account is one observation of it, however much the accounts of a party differ.
    """

    codes: Codes
    alike: Mapping[str, float]
    accounts: Parties | None = None

    @classmethod
    def of(
        cls,
        group: NDArray[Any],
        rows: pd.DataFrame,
        features: Sequence[Fact],
        account: NDArray[Any] | None = None,
    ) -> Parties | None:
        """None where every row is a party of its own."""
        party_numbers, parties = pd.factorize(group)
        if len(parties) == len(party_numbers):
            return None
        codes = party_numbers.astype(np.int64)
        some = codes % (-(-len(codes) // ENOUGH_ROWS)) == 0
        accounts = None
        if account is not None and len(pd.unique(account)) > len(parties):
            accounts = cls.of(account, rows, features)
        return cls(
            codes,
            {
                fact.name: alikeness(rows.loc[some, fact.name], fact, codes[some])
                for fact in features
            },
            accounts,
        )

    def where(self, chosen: Any) -> Parties:
        """Those of the rows chosen by a mask, a slice or positions."""
        accounts = None if self.accounts is None else self.accounts.where(chosen)
        return replace(self, codes=self.codes[chosen], accounts=accounts)

    def moves(self, name: str) -> bool:
        """Whether a feature moves within parties, or accounts, at all, as an attribute of theirs
        does not."""
        moves = self.alike[name] < NEVER_MOVES
        return moves and (self.accounts is None or self.accounts.moves(name))

    def counted(self, name: str) -> Floats:
        """How many parties each row counts for: all rows of a party together for one where the
        feature is the same in them, each for one where it differs freely."""
        rows_of_party = np.bincount(self.codes)[self.codes]
        counted = np.asarray(
            1.0 / (1.0 + self.alike[name] * (rows_of_party - 1.0)), dtype=np.float64
        )
        if self.accounts is None:
            return counted
        return np.minimum(counted, self.accounts.counted(name))

    def times_chance(self, name: str, later: Mask) -> float:
        """How many times as far as of independent rows the shares of a feature's values go by
        chance, between the rows marked and the others."""
        both_sides = [is_side for is_side in (later, ~later) if is_side.any()]
        inverse_rows = sum(1.0 / int(is_side.sum()) for is_side in both_sides)
        counted = (float(np.sum(self.where(is_side).counted(name))) for is_side in both_sides)
        return sum(1.0 / parties for parties in counted) / inverse_rows if inverse_rows else 1.0

    def design_effects(self, error: Floats, features: Sequence[tuple[str, ...]]) -> list[float]:
        """How many times the variance of each effect, of one feature or of several together, is
        that of as many independent rows; `error` is what is left of each row's outcome, times its
        weight."""
        of_outcomes = self._whole(error)
        effects = [
            1.0 + math.prod(self.alike[name] for name in names) * (of_outcomes - 1.0)
            for names in features
        ]
        if self.accounts is None:
            return effects
        return list(map(max, effects, self.accounts.design_effects(error, features)))

    def design_effect(self, error: Floats, name: str) -> float:
        """As :meth:`design_effects`, of one feature."""
        return self.design_effects(error, [(name,)])[0]

    def rows_as_one(self, label: Labels, weight: Floats) -> float:
        """How many rows tell as much of the rate of bad outcomes as one independent row."""
        return self._whole(weight * (label - float(np.average(label, weights=weight))))

    def _whole(self, error: Floats) -> float:
        """The design effect of what is the same in all rows of a party."""
        sums = np.bincount(self.codes, error)
        square = float(error @ error)
        return max(float(sums @ sums) / square, 1.0) if square else 1.0


def rows_as_one(party: Parties | None, label: Labels, weight: Floats) -> float:
    """As :meth:`Parties.rows_as_one`; 1 where every row is a party of its own."""
    return 1.0 if party is None else party.rows_as_one(label, weight)


def counted_outcomes(group: NDArray[Any], label: Labels, weight: Floats) -> tuple[int, int]:
    """(bad, good) outcomes: as many of different parties as tell as much of the bad rate."""
    bad, good = int(label.sum()), int(len(label) - label.sum())
    codes, parties = pd.factorize(group)
    if len(parties) == len(codes):
        return bad, good
    as_one = Parties(codes.astype(np.int64), {}).rows_as_one(label, weight)
    return round(bad / as_one), round(good / as_one)


def alikeness(values: pd.Series, fact: Fact, codes: Codes) -> float:
    """The intraclass correlation of a feature within parties: of the ranks of a number, nulls
    below all, and of the levels of a text. Every row counts alike, however large its party."""
    rows_of_party = np.bincount(codes)
    several = (rows_of_party > 1)[codes]
    codes, values = codes[several], values[several]
    if not len(codes):
        return 0.0
    others_share = 1.0 / (rows_of_party[codes] - 1.0)
    if fact.kind.is_textual:
        levels, _ = pd.factorize(values, use_na_sentinel=False)
        level_count = int(levels.max()) + 1
        _, group_of_row, rows_in_group = np.unique(
            codes * level_count + levels, return_inverse=True, return_counts=True
        )
        agreement = float(((rows_in_group[group_of_row] - 1.0) * others_share).mean())
        chance = float(((np.bincount(levels) / len(levels)) ** 2).sum())
        return _between(agreement - chance, 1.0 - chance)
    value_numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    ranks = pd.Series(np.where(np.isnan(value_numbers), -np.inf, value_numbers)).rank().to_numpy()
    ranks = ranks - ranks.mean()
    ranks_of_others = np.bincount(codes, ranks)[codes] - ranks
    return _between(
        float((ranks * ranks_of_others * others_share).sum()), float((ranks * ranks).sum())
    )


def _between(part: float, whole: float) -> float:
    return min(max(part / whole, 0.0), 1.0) if whole > 0 else 0.0


def shuffled(codes: Codes | None, count: int, random: Generator) -> NDArray[Any]:
    """For each row one to take its values from: those of a party are from one other party, in their
    order, and begin anew where that has fewer."""
    if codes is None:
        return random.permutation(count)
    order = np.argsort(codes, kind="stable")
    rows_of_party = np.bincount(codes)
    parties = np.flatnonzero(rows_of_party)
    first_row = np.cumsum(rows_of_party) - rows_of_party
    source = np.zeros(len(rows_of_party), dtype=np.int64)
    source[parties] = random.permutation(parties)
    nth = np.empty(count, dtype=np.int64)
    nth[order] = np.arange(count) - first_row[codes[order]]
    source_party = source[codes]
    return np.asarray(order[first_row[source_party] + nth % rows_of_party[source_party]])
