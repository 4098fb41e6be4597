"""How much memory a bucket takes at most, and how many rows a bucket has at most."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow.csv as pc
import pytest

from riskseg.pipeline.buckets import Bucket, bucket, bucket_ledger
from riskseg.pipeline.deciding_from_ledger import Deciding
from riskseg.pipeline.decisions import prepare
from riskseg.pipeline.on_spark import ROWS_A_BUCKET, least_buckets, most_memory_mb, packed, unpacked
from riskseg.pipeline.open_journal import read_journal
from riskseg.pipeline.session import begin, open_checked, scratch_engine
from riskseg.pipeline.stages import Progress
from riskseg.pipeline.strategy_in_force import strategy_in_force
from riskseg.pipeline.work_on_buckets import decide_bucket
from riskseg.synthetic import generate
from tests.support import portfolio as p
from tests.support import spark as installed


@pytest.mark.parametrize(
    ("slots", "rows", "expected"),
    [(2, 0, 4), (2, 4 * ROWS_A_BUCKET, 4), (2, 4 * ROWS_A_BUCKET + 1, 5), (64, 10**8, 128)],
)
def test_there_are_as_many_buckets_as_rows_and_slots_need(
    slots: int, rows: int, expected: int
) -> None:
    assert least_buckets(slots, rows) == expected


def peak_mb(work: bytes, piece: bytes) -> float:
    """The memory that this process needs at most to decide a bucket, beyond what it has."""
    from pyspark import cloudpickle

    decide: Callable[[Bucket], object] = cloudpickle.loads(work)
    # What the process that started this one has held counts no more.
    Path("/proc/self/clear_refs").write_text("5")
    before = memory_kb("VmRSS")
    packed(decide(unpacked(piece)))
    return (memory_kb("VmHWM") - before) / 1024


def memory_kb(name: str) -> int:
    status = Path("/proc/self/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith(f"{name}:")]
    return int(line.split()[1])


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux says what is needed")
@pytest.mark.parametrize("accounts", [2_000, 12_000])
def test_a_bucket_stays_under_the_memory_that_is_stated(
    trained: Path, copy_of: Callable[[Path], Path], accounts: int
) -> None:
    """All accounts in one bucket, with their reasons and what replay needs: the most there is."""
    installed.required()
    from pyspark import cloudpickle

    root = copy_of(trained)
    for name, table in generate(accounts, 22, 7, until=p.UNTIL).tables().items():
        if name in p.TABLES:
            pc.write_csv(table, root / "data" / f"{name}.csv")
    workspace = open_checked(root)
    with scratch_engine(workspace) as engine, read_journal(workspace) as journal:
        session = begin(workspace, engine)
        force = strategy_in_force(session, p.AS_OF, journal, draft=False, progress=Progress())
        decider = prepare(session, force.strategy, p.AS_OF, journal, reasons="all")
        in_common = bucket_ledger(session)
        piece = packed(bucket(engine, in_common.tables, 1, accounts))
        decide = partial(decide_bucket, Deciding(decider, keep=True), in_common)
        work = cloudpickle.dumps(decide)  # type: ignore[no-untyped-call]
    rows = sum(session.ledger.rows.values())
    assert rows > 30 * accounts
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        peak = pool.apply(partial(peak_mb, work, piece))
    print(f"{rows:,} rows: {peak:.0f} MB of {most_memory_mb(rows)}")
    assert peak < most_memory_mb(rows)
