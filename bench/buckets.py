"""What a bucket of accounts costs where it is made, on the network, and where it is decided.

    python bench/buckets.py WORKSPACE [--as-of 2026-06-30] [--buckets 4] [--small 64] [--json]

It removes the staged ledger that the workspace has kept, to measure how long it takes to make.

For a workspace such as that of `riskseg demo --accounts 100000`. Seconds are those of the processor
of one process; bytes are those that go to an executor of Spark and come back, compressed. The
memory is the peak of a process that decides one bucket, beyond what it holds before it has the
bucket. `--small` buckets tell what a bucket costs before its first account.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from pyspark import cloudpickle

from riskseg.engine import Engine
from riskseg.pipeline.buckets import Bucket, BucketLedger, bucket, bucket_ledger
from riskseg.pipeline.deciding_from_ledger import DecidedRange, Deciding
from riskseg.pipeline.decisions import prepare
from riskseg.pipeline.on_spark import packed, unpacked
from riskseg.pipeline.open_journal import read_journal
from riskseg.pipeline.session import begin, open_checked, scratch_engine
from riskseg.pipeline.stages import Progress
from riskseg.pipeline.strategy_in_force import strategy_in_force
from riskseg.pipeline.work_on_buckets import decide_bucket
from riskseg.store import sinks


@dataclass(frozen=True)
class Opened:
    """A ledger in an engine, what decides its buckets and what they have in common, how many rows
    the sources have, and the seconds of the processor that it took to load."""

    engine: Engine
    decide: Callable[[Bucket], DecidedRange]
    in_common: BucketLedger
    rows: int
    seconds: float


@contextmanager
def opened(root: Path, day: date) -> Iterator[Opened]:
    """The ledger of a workspace, in an engine."""
    workspace, begun = open_checked(root), time.process_time()
    with scratch_engine(workspace) as engine, read_journal(workspace) as journal:
        session = begin(workspace, engine)
        loaded = time.process_time() - begun
        force = strategy_in_force(session, day, journal, draft=False, progress=Progress())
        decider = prepare(session, force.strategy, day, journal)
        rows = sum(session.ledger.rows.values())
        in_common = bucket_ledger(session)
        decide = partial(decide_bucket, Deciding(decider, keep=True), in_common)
        yield Opened(engine, decide, in_common, rows, loaded)


def pieces(ledger: Opened, count: int) -> Iterator[bytes]:
    """The accounts in so many buckets, as they go over the network."""
    in_common = ledger.in_common
    accounts = in_common.ledger.accounts
    for number in range(count):
        first, last = accounts * number // count + 1, accounts * (number + 1) // count
        yield packed(bucket(ledger.engine, in_common.tables, first, last))


def costs(ledger: Opened, count: int) -> dict[str, float]:
    """What so many buckets cost in all."""
    made = decided = written = 0.0
    sent = returned = 0
    left = pieces(ledger, count)
    tables = []
    while True:
        begun = time.process_time()
        piece = next(left, None)
        made += time.process_time() - begun
        if piece is None:
            break
        begun = time.process_time()
        result = packed(ledger.decide(unpacked(piece)))
        decided += time.process_time() - begun
        sent, returned = sent + len(piece), returned + len(result)
        begun = time.process_time()
        tables.append(unpacked(result).decisions)
        written += time.process_time() - begun
    with TemporaryDirectory() as folder:
        begun = time.process_time()
        batches = (batch for table in tables for batch in table.to_batches())
        sinks.write(f"{folder}/decisions.parquet", tables[0].schema, batches, token="bench")
        written += time.process_time() - begun
    return {
        "made_s": made,
        "decided_s": decided,
        "written_s": written,
        "sent_mb": sent / 1e6,
        "back_mb": returned / 1e6,
    }


def peak_mb(work: bytes, piece: bytes) -> float:
    """The memory that this process needs at most to decide a bucket, beyond what it has."""
    decide: Callable[[Bucket], object] = cloudpickle.loads(work)
    # What the process that started this one has held counts no more.
    Path("/proc/self/clear_refs").write_text("5")
    before = _memory_kb("VmRSS")
    packed(decide(unpacked(piece)))
    return (_memory_kb("VmHWM") - before) / 1024


def _memory_kb(name: str) -> int:
    """What Linux says of the memory of this process: of now, or the most so far."""
    [line] = [
        line
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith(f"{name}:")
    ]
    return int(line.split()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--as-of", type=date.fromisoformat, default=date(2026, 6, 30))
    parser.add_argument("--buckets", type=int, default=4)
    parser.add_argument("--small", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    shutil.rmtree(asked.workspace / ".riskseg" / "staged", ignore_errors=True)
    with opened(asked.workspace, asked.as_of) as anew:
        staged = anew.seconds
    with opened(asked.workspace, asked.as_of) as ledger:
        figures = {"accounts": ledger.in_common.ledger.accounts, "rows": ledger.rows}
        figures |= {"staged_s": staged, "kept_s": ledger.seconds}
        figures |= {"buckets": asked.buckets, **costs(ledger, asked.buckets)}
        small = costs(ledger, asked.small)["decided_s"] if asked.small else 0.0
        more = asked.small - asked.buckets
        figures["bucket_s"] = max(0.0, (small - figures["decided_s"]) / more) if small else 0.0
        work = cloudpickle.dumps(ledger.decide)  # type: ignore[no-untyped-call]
        first = next(pieces(ledger, asked.buckets))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        figures["peak_mb"] = pool.apply(peak_mb, (work, first))
    figures = {name: round(figure, 3) for name, figure in figures.items()}
    if asked.json:
        print(json.dumps(figures))
        return
    for name, figure in figures.items():
        print(f"{name:24} {figure:,}")


if __name__ == "__main__":
    main()
