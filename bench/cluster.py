"""What a run of `assign` takes on a cluster, by calculation from measured figures.

    python bench/buckets.py WORKSPACE --json > measured.json
    python bench/cluster.py [measured.json] [--accounts 100000000] [--cores 64] [--help]

Every assumption is an option. Three ways are calculated: as it is, where the driver reads, checks,
makes buckets and writes; where executors write the decisions; and where they read the sources too.
The second and the third do not exist: they say what would be won.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskseg.pipeline.on_spark import ROWS_A_BUCKET, most_memory_mb

# Of `bench/buckets.py`, for the data of bench/pipeline.py: 100,000 accounts with 24 monthly bills
# and the payments to them, under the starter strategy with its two models.
MEASURED: dict[str, float] = {
    "accounts": 100_000,
    "rows": 4_888_146,
    "staged_s": 2.871,
    "kept_s": 0.06,
    "buckets": 5,
    "made_s": 0.895,
    "decided_s": 11.643,
    "written_s": 0.823,
    "sent_mb": 34.499,
    "back_mb": 18.054,
    "bucket_s": 0.853,
}
MB, GB = 10**6, 10**9
# What a Python with riskseg and its libraries holds before its first bucket, and what Spark's own
# Java holds in an executor that has nothing to do but pass buckets on.
IDLE_MB, JAVA_MB = 350, 1_500


@dataclass(frozen=True)
class Assumed:
    """What is assumed of a cluster and of the work."""

    accounts: int
    cores: int
    driver_cores: float
    gbit: float
    executor_cores: int
    price: float
    speed: float
    kept: bool


@dataclass(frozen=True)
class Work:
    """What a run comes to: seconds of the processor, and bytes."""

    rows: float
    buckets: float
    read_s: float
    made_s: float
    decided_s: float
    written_s: float
    sent: float
    back: float


def work_of(measured: dict[str, float], assumed: Assumed) -> Work:
    """The measured figures, carried over to so many accounts like those."""
    times = assumed.accounts / measured["accounts"]
    rows = measured["rows"] * times
    buckets = max(rows / ROWS_A_BUCKET, 2 * assumed.cores)
    more_buckets = buckets - measured["buckets"] * times
    seconds = {
        name: measured[name] * times / assumed.speed
        for name in ("staged_s", "kept_s", "made_s", "decided_s", "written_s")
    }
    return Work(
        rows=rows,
        buckets=buckets,
        read_s=seconds["kept_s" if assumed.kept else "staged_s"],
        made_s=seconds["made_s"],
        decided_s=seconds["decided_s"] + more_buckets * measured["bucket_s"] / assumed.speed,
        written_s=seconds["written_s"],
        sent=measured["sent_mb"] * MB * times,
        back=measured["back_mb"] * MB * times,
    )


@dataclass(frozen=True)
class Way:
    """Who does what, in seconds of the clock: reading comes first, and the rest goes on side by
    side."""

    name: str
    reading_s: float
    driver_s: float
    executors_s: float
    network_s: float

    @property
    def clock_s(self) -> float:
        return self.reading_s + max(self.driver_s, self.executors_s, self.network_s)

    @property
    def bottleneck(self) -> str:
        longest = max(self.driver_s, self.executors_s, self.network_s)
        if self.reading_s >= longest:
            return "reading, checking and staging the sources"
        if longest == self.driver_s:
            return "what the driver does with buckets and decisions"
        return "the executors" if longest == self.executors_s else "the driver's network"


def ways(work: Work, assumed: Assumed) -> list[Way]:
    """As it is, and what would be done about it."""
    cores, bits = assumed.cores, assumed.gbit * GB / 8
    deciding = work.decided_s / cores
    return [
        Way(
            "as it is",
            work.read_s / assumed.driver_cores,
            work.made_s + work.written_s,
            deciding,
            (work.sent + work.back) / bits,
        ),
        Way(
            "executors write",
            work.read_s / assumed.driver_cores,
            work.made_s,
            (work.decided_s + work.written_s) / cores,
            work.sent / bits,
        ),
        # Rows go from executor to executor twice: by the ids that have to be unique, and by party.
        Way(
            "executors read and write",
            0.0,
            0.0,
            (work.read_s + work.made_s + work.decided_s + work.written_s) / cores,
            2 * work.sent / bits / max(cores / 16, 1),
        ),
    ]


def amount(seconds: float) -> str:
    return f"{seconds:,.0f} s" if seconds < 600 else f"{seconds / 3600:.1f} h"


def table(work: Work, assumed: Assumed) -> list[str]:
    """The calculation as Markdown."""
    task = IDLE_MB + most_memory_mb(round(work.rows / work.buckets))
    executors = -(-assumed.cores // assumed.executor_cores)
    memory = (JAVA_MB + assumed.executor_cores * task) / 1000
    lines = [
        "| part | by calculation |",
        "|---|---|",
        f"| rows of bills, payments and accounts | {work.rows / 1e6:,.0f} million |",
        f"| buckets | {work.buckets:,.0f} of {work.rows / work.buckets:,.0f} rows |",
        f"| to the executors, compressed | {work.sent / GB:,.1f} GB |",
        f"| back to the driver, compressed | {work.back / GB:,.1f} GB |",
        f"| deciding, in all | {work.decided_s / 3600:,.1f} core-hours |",
        f"| executors | {executors:,} with {assumed.executor_cores} cores |",
        f"| memory of a task, with its Python | {task:,} MB |",
        f"| memory of an executor, with its Java | {memory:,.1f} GB |",
        "",
        "| way | reading | driver | executors | network | clock | bottleneck | cost a million |",
        "|---|--:|--:|--:|--:|--:|---|--:|",
    ]
    for way in ways(work, assumed):
        hours = way.clock_s / 3600
        cost = hours * (assumed.cores + assumed.driver_cores) * assumed.price
        figures = (way.reading_s, way.driver_s, way.executors_s, way.network_s, way.clock_s)
        lines.append(
            f"| {way.name} | {' | '.join(map(amount, figures))} | {way.bottleneck} | "
            f"{cost / assumed.accounts * 1e6:.3f} |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    given: list[tuple[str, Any, str]] = [
        ("--accounts", 100_000_000, "accounts, with as many rows each as were measured"),
        ("--cores", 64, "cores of executors, one task each"),
        ("--driver-cores", 2.0, "cores of the driver that are busy while it reads"),
        ("--gbit", 10.0, "gigabits a second between the driver and the executors"),
        ("--executor-cores", 8, "cores of one executor"),
        ("--price", 0.05, "of a core-hour, in any currency"),
        ("--speed", 1.0, "of a core, as a multiple of the one measured"),
    ]
    parser.add_argument("measured", type=Path, nargs="?", help="the JSON of bench/buckets.py")
    for name, default, words in given:
        parser.add_argument(
            name, type=type(default), default=default, help=f"{words} ({default:,})"
        )
    parser.add_argument("--kept", action="store_true", help="the staged ledger is kept")
    asked = parser.parse_args()
    measured = json.loads(asked.measured.read_text()) if asked.measured else MEASURED
    assumed = Assumed(**{name: value for name, value in vars(asked).items() if name != "measured"})
    print("\n".join(table(work_of(measured, assumed), assumed)))


if __name__ == "__main__":
    main()
