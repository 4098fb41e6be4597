"""Figures of a model with their intervals, and the rates of the population its rows stand for."""

from __future__ import annotations

from dataclasses import dataclass

from riskseg.learning import words
from riskseg.learning.evidence.model import Evidence
from riskseg.learning.manifest import Counts, Manifest
from riskseg.learning.words import known
from riskseg.results.interval import Interval


@dataclass(frozen=True)
class Estimate:
    """A metric, with its interval where there is one."""

    value: float
    interval: Interval | None = None

    def __str__(self) -> str:
        return self.shown()

    def shown(self, digits: int = 3) -> str:
        """The estimate and its interval at so many decimals."""
        return words.interval(self.interval or self.value, digits)


def estimate(manifest: Manifest, evidence: Evidence, name: str) -> Estimate | None:
    """A metric on the hold-out with its interval, or alone where there is no interval."""
    interval = evidence.intervals.get(name)
    if interval:
        return Estimate(interval.value, interval)
    alone = (manifest.shipped_metrics.hold_out or {}).get(name)
    return Estimate(alone) if known(alone) else None


def dated(manifest: Manifest) -> bool:
    """Whether the rows were observed on dates."""
    return manifest.training.from_ is not None


def out_of_time(manifest: Manifest) -> bool:
    """Whether the hold-out lies after the training window."""
    start, end = manifest.hold_out.from_, manifest.training.until
    return start is not None and end is not None and start > end


def row_weights(counts: Counts) -> tuple[float, float]:
    """How many outcomes of the population each row with a good one stands for, and each with a
    bad one."""
    goods = counts.rows - counts.bad
    good = (counts.stands_for - counts.all_bads) / goods if goods else 1.0
    return good, counts.all_bads / counts.bad if counts.bad else 1.0


def bad_rate(counts: Counts) -> float:
    """The share of bad outcomes in the population that the rows stand for."""
    return counts.all_bads / max(counts.stands_for, 1.0)


def sampled(manifest: Manifest) -> str | None:
    """How the outcomes were sampled, in words; None where all were used."""
    weights = zip(("good", "bad"), row_weights(manifest.training), strict=True)
    shares = [
        f"one {outcome_name} in {weight:,.3g}" for outcome_name, weight in weights if weight > 1.005
    ]
    return f"{' and '.join(shares)} was kept" if shares else None
