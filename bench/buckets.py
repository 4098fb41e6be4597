"""What a bucket of accounts costs where it is made, on the network, and where it is decided.

    python bench/buckets.py WORKSPACE [--as-of 2026-06-30] [--buckets 4]

For a workspace such as that of `riskseg demo --accounts 100000`. Seconds are those of the processor
of one process; bytes are those that go to an executor of Spark and come back, compressed.
"""

from __future__ import annotations

import argparse
import time
from datetime import date
from pathlib import Path

from riskseg.pipeline.buckets import bucket, bucket_ledger
from riskseg.pipeline.decisions import prepare
from riskseg.pipeline.on_spark import packed, unpacked
from riskseg.pipeline.open_journal import read_journal
from riskseg.pipeline.session import begin, open_checked, scratch_engine
from riskseg.pipeline.stages import Progress
from riskseg.pipeline.strategy_in_force import strategy_in_force
from riskseg.pipeline.work_on_buckets import Deciding, decide_bucket


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--as-of", type=date.fromisoformat, default=date(2026, 6, 30))
    parser.add_argument("--buckets", type=int, default=4)
    given = parser.parse_args()
    workspace, day, count = open_checked(given.workspace), given.as_of, given.buckets
    made = decided = 0.0
    sent = returned = 0
    with scratch_engine(workspace) as engine, read_journal(workspace) as journal:
        session = begin(workspace, engine)
        force = strategy_in_force(session, day, journal, draft=False, progress=Progress())
        decider = prepare(session, force.strategy, day, journal)
        deciding, accounts = (
            Deciding(decider, bucket_ledger(session), True),
            session.ledger.accounts,
        )
        for number in range(count):
            first, last = accounts * number // count + 1, accounts * (number + 1) // count
            begun = time.process_time()
            piece = packed(bucket(engine, deciding.ledger.tables, first, last))
            made += time.process_time() - begun
            begun = time.process_time()
            result = packed(decide_bucket(deciding, unpacked(piece)))
            decided += time.process_time() - begun
            sent, returned = sent + len(piece), returned + len(result)
    print(
        f"{accounts:,} accounts in {count} buckets: made in {made:.1f} s, decided in "
        f"{decided:.1f} s; {sent / 1e6:.0f} MB sent, {returned / 1e6:.0f} MB returned"
    )


if __name__ == "__main__":
    main()
