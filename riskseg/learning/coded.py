"""Rows as their values are, for models that have no quicker way to the margin of changed rows."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from riskseg.learning.frame import Coded, Floats


class CodedByValue:
    """The part of :class:`riskseg.learning.learner.FittedModel` that codes rows: by the values."""

    @property
    @abstractmethod
    def features(self) -> tuple[str, ...]: ...

    @abstractmethod
    def margin(self, batch: pd.DataFrame, threads: int = 1) -> Floats: ...

    def coded(self, batch: pd.DataFrame) -> Coded:
        return [batch[feature].to_numpy() for feature in self.features]

    def coded_margin(self, coded: Coded) -> Floats:
        import pandas as pd

        columns = {
            feature: pd.Series(values, dtype=values.dtype)
            for feature, values in zip(self.features, coded, strict=True)
        }
        return self.margin(pd.DataFrame(columns))
