"""Boosted trees as they are kept: LightGBM's own text, and how accounts become its input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from riskseg.learning.trees.columns import Column, matrix_of
from riskseg.learning.trees.lookup import Lookup
from riskseg.learning.trees.shap import Explainer
from riskseg.learning.trees.text import Trees, read_trees

if TYPE_CHECKING:
    import lightgbm as lgb
    import pandas as pd

    from riskseg.learning.frame import Coded, Floats

# Rows up to which walking through the trees takes less than making the tables of a lookup does.
_FEW = 10_000


@dataclass(frozen=True)
class Boosted:
    """Trees as LightGBM's own text, and how a batch becomes their input.

    `dropped` says why a feature on offer was left out; `notes` are for the model's record.
    """

    columns: tuple[Column, ...]
    text: str
    dropped: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def directions(self) -> dict[str, int]:
        """The direction each feature's trees are held to: 0 where none was declared, or where
        the data refused it."""
        return {column.name: column.direction for column in self.columns}

    @cached_property
    def _booster(self) -> lgb.Booster:
        import lightgbm as lgb

        return lgb.Booster(model_str=self.text)

    @cached_property
    def _read(self) -> Trees:
        return _trees_of(self.text)

    @cached_property
    def _lookup(self) -> Lookup | None:
        return Lookup.of(self._read)

    @property
    def trees(self) -> int:
        return len(self._read.trees)

    def margin(self, batch: pd.DataFrame, threads: int = 1) -> Floats:
        """Log-odds of the bad outcome, to the bit as LightGBM gives them. Few rows are walked
        through the trees, and many looked up; trees too large for that are LightGBM's to walk."""
        matrix = matrix_of(batch, self.columns)
        if len(batch) <= _FEW:
            return self._read.margin(matrix)
        if self._lookup is not None:
            return self._lookup.margin(matrix, threads)
        return np.asarray(self._booster.predict(matrix, num_threads=threads, raw_score=True))

    def contributions(self, batch: pd.DataFrame, threads: int = 1) -> Floats:
        """Exact SHAP values in log-odds, (rows, features): positive raises the risk.

        See :mod:`riskseg.learning.trees.shap`; LightGBM's `pred_contrib` to about 1e-13.
        """
        return self._explainer.values(matrix_of(batch, self.columns), threads)

    def coded(self, batch: pd.DataFrame) -> Coded:
        return self._explainer.coded(matrix_of(batch, self.columns))

    def coded_margin(self, coded: Coded) -> Floats:
        """The margin, to about 1e-12, by the tables of the SHAP values."""
        return self._explainer.coded_margin(coded)

    @property
    def _explainer(self) -> Explainer:
        return _explainer_of(self.text)

    def as_json(self) -> dict[str, Any]:
        return {
            "trees": self.trees,
            "columns": [
                {
                    "feature": column.name,
                    "levels": None if column.levels is None else list(column.levels),
                    "fill": column.fill,
                    "gain": column.gain,
                    "direction": column.direction,
                    **(
                        {"special_values": list(column.special_values)}
                        if column.special_values
                        else {}
                    ),
                }
                for column in self.columns
            ],
            "dropped": dict(self.dropped),
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any], text: str) -> Boosted:
        tree_columns = (
            Column(
                column["feature"],
                None if column["levels"] is None else tuple(column["levels"]),
                column["fill"],
                column["gain"],
                column.get("direction", 0),
                tuple(column.get("special_values", ())),
            )
            for column in document["columns"]
        )
        dropped, notes = document.get("dropped", {}), document.get("notes", ())
        return cls(tuple(tree_columns), text, dict(dropped), tuple(notes))


# Both are made once in a process, which may load a version twice: for a run's decision, and for
# today's.


@lru_cache(maxsize=8)
def _trees_of(text: str) -> Trees:
    return read_trees(text)


@lru_cache(maxsize=8)
def _explainer_of(text: str) -> Explainer:
    return Explainer.of(_trees_of(text))
