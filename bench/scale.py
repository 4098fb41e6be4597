"""How `riskseg assign` grows with the number of accounts: from scratch, and the day after.

    python bench/scale.py [--accounts 1000000 10000000] [--dir DIR] [--day-after] [--floor]
        [--features]

The data are those of bench/pipeline.py: 24 monthly bills an account and the payments to them, under
the starter strategy. Each line is a process of its own.

- `from scratch`: nothing is kept; the sources are read, checked and staged.
- `staged`: the sources are as they were, and the staged ledger is kept.
- `day after`: 3% of the accounts paid again, in a further file; all sources are staged anew.
- `explain`: one account, from the staged ledger.
- `worklist`: what is due of the same day, from the facts that `assign` kept.
- `diff, first` and `diff, again`: who moves where a cut of a band is another. The first works out
  the probabilities that the second reads.
- `floor`: the leanest known way to the same features and probabilities.
- `features by …`: the floor's features alone, by the floor itself, polars and pandas, each written
  to a file. Those of polars and pandas are first compared with the floor's, account by account.

The ratios are to the floor, or to the floor's features, by seconds of the processor.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
from pipeline import AS_OF, HERE, make_data, make_workspace, run

# Of a hundred accounts, so many paid again on the last day.
PAID_AGAIN = 3
RULES = "rules/household-utility"


def pay_again(data: Path) -> None:
    """A further file of payments."""
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            copy (
                select account_id, date '{AS_OF}' as paid_on, 1.00::decimal(18, 2) as amount
                from '{data}/accounts.parquet'
                where hash(account_id) % 100 < {PAID_AGAIN}
                order by account_id
            ) to '{data}/payments-more.parquet'
            """
        )


def with_both_files(workspace: Path, data: Path) -> None:
    """Let the source of payments read the further file too."""
    toml = workspace / "riskseg.toml"
    file = f"{data}/payments.parquet"
    toml.write_text(toml.read_text().replace(f'"{file}"', f'"{data}/payments*.parquet"'))


@dataclass(frozen=True)
class Size:
    """Where the data and the workspace of one number of accounts are."""

    accounts: int
    root: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    def file(self, name: str) -> str:
        return str(self.root / "out" / name)

    def report(self, what: str, command: list[str], floor: float | None = None) -> float:
        """Print a line of the table; seconds of the processor."""
        clock, memory, processor = run(command)
        ratio = "" if floor is None else f"{processor / floor:.2f}"
        print(
            f"| {self.accounts:,} | {what} | {clock:.1f} | {processor:.1f} | {ratio} | "
            f"{1e6 * clock / self.accounts:.0f} | {memory:.2f} |",
            flush=True,
        )
        return processor


def features(size: Size) -> None:
    """The same features by the floor, polars and pandas."""
    floor: float | None = None
    for name, script in (("floor", "floor"), ("polars", "in_polars"), ("pandas", "in_pandas")):
        out = size.file(f"features-{name}.parquet")
        command = [sys.executable, str(HERE / f"{script}.py"), str(size.data), AS_OF, out]
        if name != "floor":
            run(command)
            run([sys.executable, str(HERE / "same_features.py"), str(size.data), AS_OF, out])
        processor = size.report(f"features by {name}", command, floor)
        floor = floor or processor


def with_another_cut(size: Size) -> str:
    """A copy of the strategy, in which the lowest band of risk ends earlier."""
    changed = size.root / "changed"
    shutil.copytree(size.root / "workspace" / RULES, changed, dirs_exist_ok=True)
    head = changed / "strategy.yaml"
    text = head.read_text()
    if "low: 0.05" not in text:
        raise ValueError("the starter's lowest band is cut elsewhere")
    head.write_text(text.replace("low: 0.05", "low: 0.04"))
    return str(changed)


def decisions(size: Size, models: list[str], *, day_after: bool, with_floor: bool) -> None:
    """What riskseg takes, beside the floor."""
    floor: float | None = None
    if with_floor:
        command = [sys.executable, str(HERE / "floor.py"), str(size.data), AS_OF]
        floor = size.report("floor", [*command, size.file("floor.parquet"), *models])
    workspace = size.root / "workspace"
    riskseg = [sys.executable, "-m", "riskseg", "-w", str(workspace)]
    assign = [*riskseg, "assign", "--as-of", AS_OF, "--out", size.file("decisions.parquet")]
    shutil.rmtree(workspace / ".riskseg/staged", ignore_errors=True)
    size.report("from scratch", assign, floor)
    size.report("staged", assign, floor)
    size.report("explain", [*riskseg, "explain", "A00000007", "--as-of", AS_OF])
    size.report("worklist", [*riskseg, "worklist", "--as-of", AS_OF, "--out", size.file("due.csv")])
    diff = [*riskseg, "strategy", "diff", str(workspace / RULES), with_another_cut(size)]
    for which in ("first", "again"):
        size.report(f"diff, {which}", [*diff, "--as-of", AS_OF])
    if day_after:
        pay_again(size.data)
        with_both_files(workspace, size.data)
        size.report("day after", assign)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--dir", type=Path, default=Path("bench-data"))
    parser.add_argument("--day-after", action="store_true")
    parser.add_argument("--floor", action="store_true")
    parser.add_argument("--features", action="store_true")
    given = parser.parse_args()
    print("| accounts | what | clock s | processor s | × floor | microseconds an account | GiB |")
    print("|--:|---|--:|--:|--:|--:|--:|")
    for accounts in given.accounts:
        size = Size(accounts, (given.dir / str(accounts)).resolve())
        (size.data / "payments-more.parquet").unlink(missing_ok=True)
        make_data(size.data, accounts)
        models = make_workspace(size.root / "workspace", size.data)
        (size.root / "out").mkdir(exist_ok=True)
        decisions(size, models, day_after=given.day_after, with_floor=given.floor)
        if given.features:
            features(size)


if __name__ == "__main__":
    main()
