"""The rows that trees are grown on, laid out for each fold and for all rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from riskseg.domain.facts import Fact
from riskseg.learning.parallel import side_by_side
from riskseg.learning.parties import Parties, rows_as_one
from riskseg.learning.trees.columns import Column, columns_of, matrix_of
from riskseg.learning.trees.directions import refused
from riskseg.learning.trees.null_importance import uninformative
from riskseg.learning.trees.tuning import Part, dataset

if TYPE_CHECKING:
    import lightgbm as lgb
    import pandas as pd
    from numpy.typing import NDArray

    from riskseg.learning.frame import Floats, Folds, Labels, Mask

# Parameters are searched for, and features looked at, on no more rows than this.
SEARCHED_ROWS = 20_000


@dataclass(frozen=True)
class TrainingFold:
    """A fold ready to learn, and its directions less those its training rows refuse."""

    part: Part
    freed: tuple[int, ...]

    def held_to(self, freed: bool) -> Part:
        return replace(self.part, directions=self.freed) if freed else self.part


@dataclass(frozen=True)
class AllRows:
    """All rows, ready to be learned from."""

    columns: tuple[Column, ...]
    data: lgb.Dataset
    directions: tuple[int, ...]
    notes: tuple[str, ...]
    as_one: float


@dataclass(frozen=True)
class TrainingRows:
    """What is learned from, and how it is laid out for one fold or for all rows (`None`)."""

    rows: pd.DataFrame
    label: Labels
    weight: Floats
    features: Sequence[Fact]
    folds: Folds
    party: Parties | None
    seed: int
    threads: int

    @property
    def fold_numbers(self) -> list[int]:
        return [int(fold) for fold in np.unique(self.folds)]

    def sample(self) -> NDArray[np.intp]:
        """Positions of the rows to search on, in their order."""
        count = len(self.label)
        if count <= SEARCHED_ROWS:
            return np.arange(count)
        random = np.random.default_rng(self.seed)
        return np.sort(random.choice(count, SEARCHED_ROWS, replace=False))

    def where(self, chosen: NDArray[np.intp]) -> TrainingRows:
        return replace(
            self,
            rows=self.rows.iloc[chosen],
            label=self.label[chosen],
            weight=self.weight[chosen],
            folds=self.folds[chosen],
            party=None if self.party is None else self.party.where(chosen),
        )

    def learned(self, fold: int | None) -> tuple[pd.DataFrame, Labels, Floats, Parties | None]:
        """(rows, label, weight, party) to learn from when this fold is held."""
        if fold is None:
            return self.rows, self.label, self.weight, self.party
        seen = self.folds != fold
        party = None if self.party is None else self.party.where(seen)
        return self.rows[seen], self.label[seen], self.weight[seen], party

    def prepare(
        self, fold: int | None, features: Sequence[Fact]
    ) -> tuple[tuple[Column, ...], Floats, tuple[int, ...]]:
        """(columns, what is learned from as numbers, the declared directions)."""
        rows, label, weight, party = self.learned(fold)
        columns = columns_of(rows, label, weight, features, party)
        # Text is in order of risk already, as the learner's own doing: no direction to keep.
        declared_directions = tuple(
            0 if fact.kind.is_textual else fact.direction for fact in features
        )
        return columns, matrix_of(rows, columns), declared_directions

    def training_folds(
        self, folds: Sequence[int], left_out: Sequence[Mapping[str, str]] | None = None
    ) -> list[TrainingFold]:
        def training_fold(index: int) -> TrainingFold:
            left_out_features = left_out[index] if left_out else {}
            features = [fact for fact in self.features if fact.name not in left_out_features]
            fold_columns, matrix, declared = self.prepare(folds[index], features)
            _, label, weight, party = self.learned(folds[index])
            held_out: Mask = self.folds == folds[index]
            fold_part = Part(
                held_out,
                dataset(matrix, label, weight),
                matrix_of(self.rows[held_out], fold_columns),
                self.label[held_out],
                self.weight[held_out],
                declared,
                rows_as_one(party, label, weight),
            )
            column_names = [column.name for column in fold_columns]
            return TrainingFold(
                fold_part, refused(matrix, label, weight, declared, party, column_names)
            )

        return side_by_side(training_fold, range(len(folds)), self.threads)

    def uninformative_features(self, fold: int | None) -> dict[str, str]:
        """Why each feature that says no more than chance is left out, by the rows learned from."""
        columns, matrix, _ = self.prepare(fold, self.features)
        _, label, weight, parties = self.learned(fold)
        return uninformative(
            matrix,
            label,
            weight,
            [column.name for column in columns],
            seed=self.seed,
            party=parties,
            levels=[column.levels is not None for column in columns],
        )

    def whole(self, dropped: Mapping[str, str], directions_freed: bool) -> AllRows:
        """All rows, without the features dropped; the data may let go of declared directions."""
        features = [fact for fact in self.features if fact.name not in dropped]
        all_columns, matrix, declared = self.prepare(None, features)
        column_names = [column.name for column in all_columns]
        directions = declared
        if directions_freed:
            directions = refused(
                matrix, self.label, self.weight, declared, self.party, column_names
            )
        refused_notes = tuple(
            f"the data refuse the direction of {directed_feature}"
            for directed_feature, before, after in zip(
                column_names, declared, directions, strict=True
            )
            if before != after
        )
        whole_data = dataset(matrix, self.label, self.weight)
        as_one = rows_as_one(self.party, self.label, self.weight)
        return AllRows(all_columns, whole_data, directions, refused_notes, as_one)
