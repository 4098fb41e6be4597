"""How accounts that are scored differ from those that a model was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskseg.learning.canonical import fixed
from riskseg.learning.psi import DRIFT, Groups, psi_of, significant
from riskseg.learning.reference import ENOUGH_ROWS, Reference, groups_of, shares_of

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats

NO_REFERENCE = (
    "the model was imported without accounts to compare with: drift is not measured "
    "(`models import --reference-as-of` gives it some)"
)


@dataclass(frozen=True)
class Drift:
    """How `rows` that were scored differ from training, in plain sentences: none of `differences`
    where all is as it was. `largest` is the largest PSI among what is not reported as different,
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


@dataclass(frozen=True)
class Measured:
    """How one feature of the rows that were scored, or their probability (`feature` empty), differs
    from training at the same points of the billing cycle: the PSI, what chance alone gives on
    average, and the shares of rows in which it is unknown, now and in training."""

    feature: str
    psi: float
    by_chance: float
    unknown: float
    unknown_in_training: float

    @property
    def differs(self) -> bool:
        """Whether it is a shift to act on."""
        return significant(self.psi, self.by_chance)


class Watch:
    """Counts what batches hold of `features`, as they are scored, and says how that differs from
    training.

    What an account owes depends on how long ago it was billed, and a batch is often all of one
    day while training was spread over the billing cycle. So a batch is compared with what training
    would have looked like at the points of the cycle at which the batch's accounts are.
    """

    def __init__(
        self, reference: Reference, features: Sequence[str], *, accounts: int | None = None
    ) -> None:
        self._given = reference, features, accounts
        # Of many accounts, those whose number is a multiple of this are counted by their values:
        # the same ones, in whatever batches they come.
        self._one_in = None if accounts is None else -(-accounts // ENOUGH_ROWS) or 1
        self._trained = reference.rows
        spreads_of_features = {name: reference.features.get(name) for name in features}
        spreads = {"": reference.probability, **spreads_of_features}
        # A card made elsewhere may say of some features how they were spread, or of none.
        self._spreads = {name: spread for name, spread in spreads.items() if spread is not None}
        self._groups = {name: groups_of(spread) for name, spread in self._spreads.items()}
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

    def anew(self) -> Watch:
        """A watch of the same that has seen nothing yet."""
        reference, features, accounts = self._given
        return Watch(reference, features, accounts=accounts)

    def see(
        self,
        batch: pd.DataFrame,
        probability: Floats,
        cycle_day: pd.Series | None = None,
        numbers: NDArray[Any] | None = None,
    ) -> None:
        """Takes note of a batch, its probabilities, and the days since each account's last
        bill. `numbers` are those of the accounts, where it is known how many there are in all."""
        self._rows += len(batch)
        counted: Any = slice(None, None, -(-len(batch) // ENOUGH_ROWS) or 1)
        if self._one_in is not None and numbers is not None:
            counted = numbers % self._one_in == 0
        part_of_row = self._part(cycle_day, len(batch))[counted]
        for watched_name, groups in self._groups.items():
            values = batch[watched_name] if watched_name else pd.Series(probability)
            if watched_name:
                self._nulls[watched_name] += int(values.isna().sum())
            if watched_name in self._seen:
                codes, levels = pd.factorize(values)
                strange = [
                    str(strange_level) not in self._seen[watched_name] for strange_level in levels
                ]
                self._strange[watched_name] += int(np.array([*strange, False])[codes].sum())
            cell_of_row = part_of_row * groups.count + groups.places(values.iloc[counted])
            counts_of_feature = self._counts[watched_name]
            counts_of_feature += np.bincount(cell_of_row, minlength=counts_of_feature.size).reshape(
                counts_of_feature.shape
            )

    def include(self, other: Watch) -> None:
        """Take note of what another watch of the same model has seen."""
        self._rows += other._rows
        for name in self._counts:
            self._counts[name] += other._counts[name]
        for name in self._nulls:
            self._nulls[name] += other._nulls[name]
        for name in self._strange:
            self._strange[name] += other._strange[name]

    def _part(self, cycle_day: pd.Series | None, rows: int) -> NDArray[np.int64]:
        """The part of the cycle of each row."""
        last_part = 1 if self._parts is None else self._parts.count
        if self._parts is None or cycle_day is None or cycle_day.isna().all():
            return np.full(rows, last_part)
        return self._parts.places(cycle_day).astype(np.int64)

    def drift(self) -> Drift:
        """How all that was seen differs from training."""
        if not self._spreads:
            return Drift(self._rows, 0, (NO_REFERENCE,), 0.0, False)
        differences: list[str] = []
        largest, beyond = 0.0, False
        for watched_name, spread in self._spreads.items():
            feature_name = watched_name or "the probability"
            if self._strange.get(watched_name):
                share = _share(self._strange[watched_name], self._rows)
                differences.append(f"{feature_name} has a level that training never saw in {share}")
            if (
                watched_name
                and self._rows
                and self._nulls[watched_name] == self._rows
                and spread.missing < 1
            ):
                known_share = f"{100 * (1 - spread.missing):.3g}%"
                differences.append(
                    f"{feature_name} is gone: it is unknown for all {self._rows:,} accounts; in "
                    f"training it was known for {known_share}"
                )
                continue
            if watched_name and self._nulls[watched_name] and not spread.missing:
                share = _share(self._nulls[watched_name], self._rows)
                differences.append(
                    f"{feature_name} is unknown for {share}; in training it was always known"
                )
            psi, by_chance = self._psi(watched_name)
            if significant(psi, by_chance):
                differences.append(f"{feature_name} is distributed differently than in training "
                                   f"(PSI {psi:.2f})")  # fmt: skip
            elif psi > largest:
                largest, beyond = psi, psi > DRIFT
        return Drift(self._rows, len(self._nulls), tuple(differences), fixed(largest), beyond)

    def measured(self) -> tuple[Measured, ...]:
        """The figures that :meth:`drift` puts in words, of the probability and of each feature that
        training says anything of; none where nothing was seen."""
        if not self._rows:
            return ()
        return tuple(
            Measured(
                name,
                *self._psi(name),
                unknown=self._nulls[name] / self._rows if name else 0.0,
                unknown_in_training=spread.missing,
            )
            for name, spread in self._spreads.items()
        )

    def _psi(self, watched_name: str) -> tuple[float, float]:
        """(PSI against training at the same points of the cycle, what chance alone gives)."""
        counts_by_part = self._counts[watched_name]
        if not counts_by_part.sum():
            return 0.0, 0.0
        overall = shares_of(self._spreads[watched_name])
        shares = np.tile(overall, (len(counts_by_part), 1))
        rows_trained = np.full(len(counts_by_part), float(self._trained))
        if self._cycle is not None:
            trained = np.asarray(self._cycle.rows, dtype=np.float64)
            parts_there = np.flatnonzero(trained)
            shares[parts_there] = np.asarray(self._cycle.shares[watched_name])[parts_there]
            rows_trained[parts_there] = trained[parts_there]
        mix = counts_by_part.sum(axis=1) / counts_by_part.sum()
        expected = mix @ shares
        # Shares of so many rows vary as much as this mix of the parts' shares does.
        effective_rows = 1 / float((mix * mix / rows_trained).sum())
        return psi_of(expected * effective_rows, counts_by_part.sum(axis=0).astype(np.float64))


def _share(rows: int, whole: int) -> str:
    accounts = "1 account" if rows == 1 else f"{rows:,} accounts"
    share = 100 * rows / whole
    return f"{accounts} ({share:{'.2g' if share < 10 else '.0f'}}%)"
