"""A model to test reasons against, from a margin of data frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from riskseg.domain.facts import Fact
from riskseg.learning.coded import CodedByValue


class Tried(CodedByValue):
    def __init__(self, facts: Sequence[Fact], margin: Callable[[pd.DataFrame], Any]) -> None:
        self._facts, self._margin = facts, margin

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(fact.name for fact in self._facts)

    def margin(self, batch: pd.DataFrame, threads: int = 1) -> np.ndarray:
        return np.asarray(self._margin(batch))
