"""What the training window looked like, and how a later batch differs from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from riskseg.domain.facts import Fact
from riskseg.learning.canonical import fixed
from riskseg.learning.frame import CYCLE_DAY
from riskseg.learning.psi import Groups
from riskseg.learning.stored import Count, Share, Stored

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats

MOST_SEEN = 1_000
# Rows of one batch that are enough to see a shift by.
ENOUGH_ROWS = 100_000


class Spread(Stored):
    """How a number is spread between `cuts`, or a text over its `levels`: shares of all rows."""

    cuts: list[float] | None = None
    shares: list[Share] = Field(default_factory=list)
    levels: dict[str, Share] | None = None
    other: Share = 0.0
    missing: Share
    seen: list[str] | None = None

    @property
    def groups(self) -> int:
        return len(self.shares) + 1 if self.levels is None else len(self.levels) + 2

    @model_validator(mode="after")
    def _ofgroups_of(self) -> Self:
        if (self.cuts is None) == (self.levels is None):
            raise ValueError("a spread is either of a number or of levels")
        if self.cuts is not None:
            rising = all(low < high for low, high in pairwise(self.cuts))
            if not rising or len(self.shares) != len(self.cuts) + 1:
                raise ValueError("a spread has not one share for each group")
        return self


class Cycle(Stored):
    """The spreads of each part of the billing cycle; `""` is the probability."""

    cuts: list[float]
    rows: list[Count]
    shares: dict[str, list[list[Share]]]


class Reference(Stored):
    """reference.json: what the training window looked like; see :func:`reference`."""

    rows: Count
    probability: Spread | None
    features: dict[str, Spread]
    cycle: Cycle | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        spreads = dict(self.features)
        if self.probability is not None:
            spreads[""] = self.probability
        if spreads and not self.rows:
            raise ValueError("shares of no rows")
        if self.cycle is not None:
            part_count = len(self.cycle.cuts) + 2
            for spread_name, spread in spreads.items():
                sizes = [len(row) for row in self.cycle.shares.get(spread_name, ())]
                if len(self.cycle.rows) != part_count or sizes != [spread.groups] * part_count:
                    raise ValueError("the parts of the billing cycle do not fit the shares")
        return self


def reference(
    rows: pd.DataFrame, features: Sequence[Fact], probability: Floats, weight: Floats
) -> Reference:
    """Shares of the population between the deciles of each feature and of the champion's
    probability.

    A number: `cuts` (a group holds its lower cut and not its upper) and `shares`, one more than
    cuts. Text: the share of each of the commonest levels; the rest is `other`. `missing` is the
    share of nulls among all; the other shares are of all too. `seen` are all levels, or null if
    there are too many to keep.

    `cycle` says the same of each part of the billing cycle, by the days since the last bill: the
    `cuts` between the parts (those without a bill are the last part), the `rows` in each, and by
    feature (`""` is the probability) the shares in each. Null where the rows do not say it.
    """
    column_by_name = {
        "": pd.Series(probability),
        **{fact.name: rows[fact.name] for fact in features},
    }
    facts = {"": None, **{fact.name: fact for fact in features}}
    spreads = {
        column_name: _spread(column, facts[column_name], weight)
        for column_name, column in column_by_name.items()
    }
    day_of_cycle = rows.get(CYCLE_DAY)
    return Reference(
        rows=len(rows),
        probability=spreads.pop(""),
        features=spreads,
        cycle=None if day_of_cycle is None else _cycle(day_of_cycle, column_by_name, facts, weight),
    )


def _cycle(
    days: pd.Series,
    values: Mapping[str, pd.Series],
    facts: Mapping[str, Fact | None],
    weight: Floats,
) -> Cycle:
    parts_of_cycle = Groups.of(days, None, weight)
    part_of_row = parts_of_cycle.places(days)
    assert parts_of_cycle.cuts is not None
    shares = {}
    for name, column in values.items():
        groups = Groups.of(column, facts[name], weight)
        counts_by_part = np.bincount(
            part_of_row * groups.count + groups.places(column),
            weights=weight,
            minlength=parts_of_cycle.count * groups.count,
        ).reshape(parts_of_cycle.count, groups.count)
        rows_of_part = np.maximum(counts_by_part.sum(axis=1, keepdims=True), 1e-9)
        shares[name] = [[fixed(share) for share in row] for row in counts_by_part / rows_of_part]
    return Cycle(
        cuts=[float(cut) for cut in parts_of_cycle.cuts],
        rows=[
            int(row_count) for row_count in np.bincount(part_of_row, minlength=parts_of_cycle.count)
        ],
        shares=shares,
    )


def _spread(values: pd.Series, fact: Fact | None, weight: Floats) -> Spread:
    """How some values are spread; `fact` None: a number that is never null."""
    groups = Groups.of(values, fact, weight)
    rows_by_group = np.bincount(groups.places(values), weights=weight, minlength=groups.count)
    *known_shares, missing = (fixed(group_rows / weight.sum()) for group_rows in rows_by_group)
    if groups.cuts is not None:
        cuts = [float(cut) for cut in groups.cuts]
        return Spread(cuts=cuts, shares=known_shares, missing=missing)
    levels = sorted(values.dropna().astype(str).unique())
    return Spread(
        levels=dict(zip(groups.levels, known_shares[:-1], strict=True)),
        other=known_shares[-1],
        missing=missing,
        seen=levels if len(levels) <= MOST_SEEN else None,
    )


def groups_of(spread: Spread) -> Groups:
    """The groups whose shares a spread has."""
    if spread.levels is not None:
        return Groups(None, tuple(spread.levels), True)
    return Groups(np.asarray(spread.cuts), (), True)


def shares_of(spread: Spread) -> Floats:
    """The shares of a spread's groups, in their order."""
    known = spread.shares if spread.levels is None else [*spread.levels.values(), spread.other]
    return np.asarray([*known, spread.missing], dtype=np.float64)
