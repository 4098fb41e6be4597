"""What a model is trained on: one row an account and as-of date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riskseg.domain.facts import Fact

if TYPE_CHECKING:
    import pandas as pd

    Floats = NDArray[np.float64]
    Labels = NDArray[np.int8]
    Mask = NDArray[np.bool_]
    Folds = NDArray[np.int8]
    Codes = NDArray[np.int64]
    # Rows as a model codes them: an array for each of its features, with an entry a row.
    Coded = Sequence[NDArray[Any]]


# A column of rows that is no feature: how many days ago the account's last bill was issued.
CYCLE_DAY = "#SINCE BILL"


@dataclass(frozen=True)
class TrainingFrame:
    """Rows, what they mean and how they came out; every array has one entry a row.

    `rows` holds numbers as float64 with NaN for null, and text as objects with None for null;
    columns other than those of `features` and `attributes` are ignored. `label` is 1 where the
    outcome is the bad one. `account` and `group` (the party) are ids, `as_of` are dates; account
    and as-of date together are unique. `held_out` marks the rows kept for validation. `weight` is
    how many rows of the population a row stands for: more than 1 where it was sampled.
    `attributes` are not learned from: a model is judged by their levels, or protects them.
    """

    rows: pd.DataFrame
    features: tuple[Fact, ...]
    label: Labels
    account: NDArray[Any]
    group: NDArray[Any]
    as_of: NDArray[np.datetime64]
    held_out: Mask
    weight: Floats
    attributes: tuple[Fact, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(fact.name for fact in self.features)

    def __len__(self) -> int:
        return len(self.label)

    def ordered(self) -> TrainingFrame:
        """The same rows by party, account and date: learning must not depend on their order."""
        order = np.lexsort((self.as_of, self.account.astype(str), self.group.astype(str)))
        return self.where(order)

    def where(self, chosen: NDArray[Any]) -> TrainingFrame:
        """The rows chosen by a mask or by positions."""
        return replace(
            self,
            rows=self.rows.iloc[chosen].reset_index(drop=True),
            label=self.label[chosen],
            account=self.account[chosen],
            group=self.group[chosen],
            as_of=self.as_of[chosen],
            held_out=self.held_out[chosen],
            weight=self.weight[chosen],
        )
