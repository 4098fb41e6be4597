"""What `models compare` gives: two versions on the same accounts."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from riskseg.domain.words import counted
from riskseg.results.base import Result, records
from riskseg.results.interval import Interval
from riskseg.results.model_evidence import CalibrationGroup
from riskseg.results.models import Metrics
from riskseg.results.part import Part


class ComparedModel(Part):
    """One of two versions, on the same rows as the other."""

    name: str
    metrics: Metrics
    intervals: Mapping[str, Interval]
    calibration: tuple[CalibrationGroup, ...]


class MetricDifferences(Part):
    """The metrics of the second version less those of the first."""

    auc: Interval | None
    brier: Interval
    log_loss: Interval


class SwapPart(Part):
    """The rows that both versions treat, one alone, or neither."""

    rows: int
    bad: float
    share: float
    rate: Interval | None


class SwapSet(Part):
    """Whom each version would treat, from its own cut on."""

    both: SwapPart
    only_a: SwapPart
    only_b: SwapPart
    neither: SwapPart
    cut_a: float
    cut_b: float


class MovesBetweenTenths(Part):
    """Who is in another tenth by the second version; tenths go from the lowest probability."""

    tenths: tuple[tuple[float, ...], ...]
    """The share of rows in each tenth by the first version (down) and the second (across)."""
    same_tenth: float
    within_one_tenth: float
    mean_shift: float
    mean_size_of_shift: float
    rank_correlation: float | None


class Comparison(Result):
    """Two versions on accounts that neither learned from; its rows are the metrics."""

    notes: tuple[str, ...]
    names: tuple[str, str]
    rows: int
    bad: float
    models: tuple[ComparedModel, ComparedModel]
    difference: MetricDifferences
    better: int | None
    """Which of the two is better: 0 or 1, by its place in `names`. It is clearly better by one of
    AUC and log-loss, and by neither clearly worse. Null where neither is."""
    verdict: tuple[str, ...]
    """In words: which ranks better, whose probabilities are better, and what to do next."""
    swap: SwapSet
    moves: MovesBetweenTenths

    def to_arrow(self) -> pa.Table:
        """metric, first, second; and the difference with its interval (low, high)."""
        first, second = (model.metrics for model in self.models)
        columns = {"metric": pa.string(), "first": pa.float64(), "second": pa.float64()}
        columns |= dict.fromkeys(("difference", "low", "high"), pa.float64())
        rows = (
            (name, getattr(first, name), getattr(second, name), *(interval or (None,) * 3))
            for name, interval in self.difference
        )
        return records(columns, (dict(zip(columns, row, strict=True)) for row in rows))

    def _title(self) -> str:
        first, second = self.names
        return "\n".join(
            [
                f"{second} beside {first}, on {counted(self.rows, 'row')}.",
                *self.verdict,
                *self.notes,
            ]
        )
