"""How much memory and time `riskseg train` takes, by the number of snapshots.

    python bench/training.py [--accounts 40000 420000] [--dir DIR]

24 monthly bills an account, observed every 30 days for a year: about 12 snapshots each, so 420,000
accounts are five million. The spec is the starter's late_payment, with the default sample of good
outcomes. Prints the snapshots in the windows, the rows learned from, the peak memory of the
process and its time to that of the smallest size.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from pipeline import make_data, toml

from riskseg.run.init import init


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--accounts", type=int, nargs="*", default=[40_000, 420_000])
    options.add_argument("--dir", type=Path, default=Path("bench-run"))
    given = options.parse_args()
    first = 0.0
    print("| accounts | snapshots | rows learned from | seconds | to the first | peak memory |")
    print("|---|---|---|---|---|---|")
    for accounts in given.accounts:
        data = (given.dir / f"data-{accounts}").absolute()
        make_data(data, accounts)
        workspace = given.dir / f"training-{accounts}"
        if not (workspace / "riskseg.toml").exists():
            init(workspace)
            (workspace / "models/default.yaml").unlink()
        (workspace / "riskseg.toml").write_text(toml(data))
        began = time.perf_counter()
        finished = subprocess.run(
            [sys.executable, "-m", "riskseg", "-w", workspace, "train", "late_payment", "--json"],
            check=True,
            stdout=subprocess.PIPE,
        )
        seconds = time.perf_counter() - began
        first = first or seconds
        summary = json.loads(finished.stdout)[0]["summary"]
        windows = (summary["training"], summary["hold_out"])
        snapshots = sum(w["stands_for"] for w in windows)
        rows = sum(w["rows"] for w in windows)
        # Of all children so far: sizes rise, so the largest is the latest.
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        print(
            f"| {accounts:,} | {snapshots:,.0f} | {rows:,} | {seconds:.0f} "
            f"| {seconds / first:.1f} × | {peak:.1f} GiB |",
            flush=True,
        )


if __name__ == "__main__":
    main()
