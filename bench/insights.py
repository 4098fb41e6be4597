"""What each question about segments costs, beside the bare query over the same decisions.

    python bench/insights.py [--accounts 100000] [--dir DIR] [--runs N] [--question NAME ...]

The workspace is that of `riskseg demo`, with a run of `assign` kept for the end of each of twelve
months. Each question is asked in a process of its own, and its time is split: reading what was kept
and the sources, making the tables that it needs, and the answer. The first time is that of the
first question of a day: nothing is kept yet but the staged ledger. The others are of a question
whose tables are kept. The bare query counts the accounts and adds up what is overdue by day and
segment, straight from the twelve files. Seconds are those of the processor, the medians of so many
runs, and of one first time; `clock` are those of the clock.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
from pipeline import run

from riskseg.insight.gathering import GATHER
from riskseg.pipeline.asked import Asked, month_ends
from riskseg.pipeline.stages import Progress, Stage
from riskseg.run.assign import assign
from riskseg.run.insight import ANSWER, insight, questions

AS_OF = date(2026, 6, 30)
DAYS = [*month_ends(AS_OF, 11), AS_OF]


def make_workspace(root: Path, accounts: int) -> None:
    """The demo, and a run for the end of each month that has none."""
    if not (root / "riskseg.toml").is_file():
        cli = str(Path(__file__).parents[1] / "cli.py")
        run([sys.executable, cli, "demo", "--accounts", str(accounts), "--dir", str(root)])
    for day in DAYS:
        place = root / f"{day}.parquet"
        if not place.is_file():
            assign(root, day, str(place), at=datetime(2026, 7, 1, tzinfo=UTC), reasons="none")


def ask(root: Path, name: str) -> tuple[float, float, float, float]:
    """Seconds of the processor until everything is gathered, for the tables, for the answer; and
    those of the clock for all."""
    reached: list[tuple[str, float]] = []

    def note(stage: Stage, _done: int, _total: int) -> None:
        reached.append((stage.name, time.process_time()))

    begun, started = time.process_time(), time.perf_counter()
    insight(root, name, Asked(AS_OF), progress=Progress(reached=note))
    ended = time.process_time()
    at = dict(reached)
    names = [stage for stage, _ in reached]
    _, gathered = reached[names.index(GATHER.name) + 1]
    answered = ended - at[ANSWER.name]
    return gathered - begun, at[ANSWER.name] - gathered, answered, time.perf_counter() - started


def bare(root: Path) -> float:
    """Seconds of the query over the decision files."""
    files = [str(root / f"{day}.parquet") for day in DAYS]
    begun = time.process_time()
    with duckdb.connect() as connection:
        connection.execute(
            "select filename, segment, count(*), sum(balance_overdue) "
            "from read_parquet(?, filename = true) group by all order by all",
            [files],
        ).fetchall()
    return time.process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--dir", type=Path, default=Path("bench-data"))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--question", nargs="*", default=[])
    given = parser.parse_args()
    root = (given.dir / f"{given.accounts}-insights").resolve()
    make_workspace(root, given.accounts)
    query = statistics.median(bare(root) for _ in range(max(given.runs, 3)))
    print(f"the bare query: {query:.2f} s")
    print("| question | first time | gather | tables | answer | all | clock | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    staged = root / ".riskseg/staged"
    # Processes of their own: one must not have what another has loaded.
    context = multiprocessing.get_context("spawn")
    for name in given.question or questions():
        with context.Pool(1, maxtasksperchild=1) as pool:
            for kept in staged.glob("*.rows"):
                kept.unlink()
            first = sum(pool.apply(ask, (root, name))[:3])
            times = [pool.apply(ask, (root, name)) for _ in range(given.runs)]
        gather, tables, answer, clock = (
            statistics.median(column) for column in zip(*times, strict=True)
        )
        whole = gather + tables + answer
        print(
            f"| `{name}` | {first:.1f} | {gather:.1f} | {tables:.1f} | {answer:.1f} | "
            f"{whole:.1f} | {clock:.1f} | {whole / query:.0f} |"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
