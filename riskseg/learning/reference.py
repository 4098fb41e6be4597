"""What the training window looked like, and how a later batch differs from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from riskseg.domain.facts import Fact
from riskseg.learning.canonical import fixed
from riskseg.learning.evidence.stability import DRIFT, Groups, psi_of, significant
from riskseg.learning.frame import CYCLE_DAY
from riskseg.learning.stored import Count, Share, Stored

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats

MOST_SEEN = 1_000
# Rows of one batch that are enough to see a shift by.
ENOUGH_ROWS = 100_000
NO_REFERENCE = (
    "the model was imported without accounts to compare with: drift is not measured "
    "(`models import --reference-as-of` gives it some)"
)


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
    def _of_groups(self) -> Self:
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
            for name, spread in spreads.items():
                sizes = [len(row) for row in self.cycle.shares.get(name, ())]
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
    values = {"": pd.Series(probability), **{fact.name: rows[fact.name] for fact in features}}
    facts = {"": None, **{fact.name: fact for fact in features}}
    spreads = {name: _spread(column, facts[name], weight) for name, column in values.items()}
    days = rows.get(CYCLE_DAY)
    return Reference(
        rows=len(rows),
        probability=spreads.pop(""),
        features=spreads,
        cycle=None if days is None else _cycle(days, values, facts, weight),
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
        counts = np.bincount(
            part_of_row * groups.count + groups.places(column),
            weights=weight,
            minlength=parts_of_cycle.count * groups.count,
        ).reshape(parts_of_cycle.count, groups.count)
        rows_of_part = np.maximum(counts.sum(axis=1, keepdims=True), 1e-9)
        shares[name] = [[fixed(share) for share in row] for row in counts / rows_of_part]
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
    counts = np.bincount(groups.places(values), weights=weight, minlength=groups.count)
    *known, missing = (fixed(count / weight.sum()) for count in counts)
    if groups.cuts is not None:
        cuts = [float(cut) for cut in groups.cuts]
        return Spread(cuts=cuts, shares=known, missing=missing)
    levels = sorted(values.dropna().astype(str).unique())
    return Spread(
        levels=dict(zip(groups.levels, known[:-1], strict=True)),
        other=known[-1],
        missing=missing,
        seen=levels if len(levels) <= MOST_SEEN else None,
    )


@dataclass(frozen=True)
class Drift:
    """How `rows` that were scored differ from training, in plain sentences: none of `differences`
    where all is as it was. `largest` is the largest PSI among what is not told as different,
    `by_chance` whether only chance in so few rows makes it so large."""

    rows: int
    features: int
    differences: tuple[str, ...]
    largest: float
    by_chance: bool

    @property
    def summary(self) -> str:
        """One line for a batch that is as training was; empty where there is anything to say."""
        if self.differences or not self.rows:
            return ""
        features = "1 feature" if self.features == 1 else f"{self.features} features"
        chance = ", within chance for so few accounts" if self.by_chance else ""
        return (
            f"{features} and the probability are as in training (largest PSI "
            f"{self.largest:.2f}{chance})"
        )


class Watch:
    """Counts what batches hold of `features`, as they are scored, and says how that differs from
    training.

    What an account owes depends on how long ago it was billed, and a batch is often all of one
    day while training was spread over the billing cycle. So a batch is compared with what training
    would have looked like at the points of the cycle at which the batch's accounts are.
    """

    def __init__(self, reference: Reference, features: Sequence[str]) -> None:
        self._trained = reference.rows
        spreads_of_features = {name: reference.features.get(name) for name in features}
        spreads = {"": reference.probability, **spreads_of_features}
        # A card made elsewhere may say of some features how they were spread, or of none.
        self._spreads = {name: spread for name, spread in spreads.items() if spread is not None}
        self._groups = {name: _groups(spread) for name, spread in self._spreads.items()}
        self._rows = 0
        cycle = reference.cycle
        self._cycle = cycle
        self._parts = None if cycle is None else Groups(np.asarray(cycle.cuts), (), True)
        part_count = 1 if self._parts is None else self._parts.count
        # Rows by part of the cycle and group; a last part is of rows that say no day at all.
        self._counts = {
            name: np.zeros((part_count + 1, groups.count), dtype=np.int64)
            for name, groups in self._groups.items()
        }
        self._nulls = dict.fromkeys((name for name in self._spreads if name), 0)
        self._seen = {
            name: frozenset(spread.seen)
            for name, spread in self._spreads.items()
            if spread.seen is not None
        }
        self._strange = dict.fromkeys(self._seen, 0)

    def see(
        self, batch: pd.DataFrame, probability: Floats, cycle_day: pd.Series | None = None
    ) -> None:
        """Takes note of a batch, its probabilities, and the days since each account's last
        bill."""
        self._rows += len(batch)
        stride = -(-len(batch) // ENOUGH_ROWS) or 1
        part_of_row = self._part(cycle_day, len(batch))[::stride]
        for name, groups in self._groups.items():
            values = batch[name] if name else pd.Series(probability)
            if name:
                self._nulls[name] += int(values.isna().sum())
            if name in self._seen:
                codes, levels = pd.factorize(values)
                strange = [str(level) not in self._seen[name] for level in levels]
                self._strange[name] += int(np.array([*strange, False])[codes].sum())
            cells = part_of_row * groups.count + groups.places(values.iloc[::stride])
            counts = self._counts[name]
            counts += np.bincount(cells, minlength=counts.size).reshape(counts.shape)

    def _part(self, cycle_day: pd.Series | None, rows: int) -> NDArray[np.int64]:
        """The part of the cycle of each row."""
        last = 1 if self._parts is None else self._parts.count
        if self._parts is None or cycle_day is None or cycle_day.isna().all():
            return np.full(rows, last)
        return self._parts.places(cycle_day).astype(np.int64)

    def drift(self) -> Drift:
        """How all that was seen differs from training."""
        if not self._spreads:
            return Drift(self._rows, 0, (NO_REFERENCE,), 0.0, False)
        differences: list[str] = []
        largest, beyond = 0.0, False
        for name, spread in self._spreads.items():
            feature_name = name or "the probability"
            if self._strange.get(name):
                share = _share(self._strange[name], self._rows)
                differences.append(f"{feature_name} has a level that training never saw in {share}")
            if name and self._rows and self._nulls[name] == self._rows and spread.missing < 1:
                known = f"{100 * (1 - spread.missing):.3g}%"
                differences.append(
                    f"{feature_name} is gone: it is unknown for all {self._rows:,} accounts; in "
                    f"training it was known for {known}"
                )
                continue
            if name and self._nulls[name] and not spread.missing:
                share = _share(self._nulls[name], self._rows)
                differences.append(
                    f"{feature_name} is unknown for {share}; in training it was always known"
                )
            psi, by_chance = self._psi(name)
            if significant(psi, by_chance):
                differences.append(f"{feature_name} is distributed differently than in training "
                                   f"(PSI {psi:.2f})")  # fmt: skip
            elif psi > largest:
                largest, beyond = psi, psi > DRIFT
        return Drift(self._rows, len(self._nulls), tuple(differences), fixed(largest), beyond)

    def _psi(self, name: str) -> tuple[float, float]:
        """(PSI against training at the same points of the cycle, what chance alone gives)."""
        counts = self._counts[name]
        if not counts.sum():
            return 0.0, 0.0
        overall = _shares(self._spreads[name])
        shares = np.tile(overall, (len(counts), 1))
        rows = np.full(len(counts), float(self._trained))
        if self._cycle is not None:
            trained = np.asarray(self._cycle.rows, dtype=np.float64)
            there = np.flatnonzero(trained)
            shares[there] = np.asarray(self._cycle.shares[name])[there]
            rows[there] = trained[there]
        mix = counts.sum(axis=1) / counts.sum()
        expected = mix @ shares
        # Shares of so many rows vary as much as this mix of the parts' shares does.
        many = 1 / float((mix * mix / rows).sum())
        return psi_of(expected * many, counts.sum(axis=0).astype(np.float64))


def _groups(spread: Spread) -> Groups:
    """The groups whose shares a spread tells."""
    if spread.levels is not None:
        return Groups(None, tuple(spread.levels), True)
    return Groups(np.asarray(spread.cuts), (), True)


def _share(rows: int, whole: int) -> str:
    accounts = "1 account" if rows == 1 else f"{rows:,} accounts"
    share = 100 * rows / whole
    return f"{accounts} ({share:{'.2g' if share < 10 else '.0f'}}%)"


def _shares(spread: Spread) -> Floats:
    """The shares of a spread's groups, in their order."""
    known = spread.shares if spread.levels is None else [*spread.levels.values(), spread.other]
    return np.asarray([*known, spread.missing], dtype=np.float64)
