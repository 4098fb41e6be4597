"""How `riskseg assign` grows with the number of accounts: from scratch, and the day after.

    python bench/scale.py [--accounts 1000000 10000000] [--dir DIR] [--day-after] [--floor]

The data are those of bench/pipeline.py: 24 monthly bills an account and the payments to them, under
the starter strategy. Each line is a process of its own.

- `from scratch`: nothing is kept; the sources are read, checked and staged.
- `staged`: the sources are as they were, and the staged ledger is kept.
- `day after`: 3% of the accounts paid again, in a further file; all sources are staged anew.
- `explain`: one account, from the staged ledger.
- `floor`: the leanest known way to the same features and probabilities.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import duckdb
from pipeline import AS_OF, HERE, make_data, make_workspace, run

# Of a hundred accounts, so many paid again on the last day.
PAID_AGAIN = 3


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--dir", type=Path, default=Path("bench-data"))
    parser.add_argument("--day-after", action="store_true")
    parser.add_argument("--floor", action="store_true")
    given = parser.parse_args()
    print("| accounts | what | clock s | processor s | microseconds an account | peak GiB |")
    print("|--:|---|--:|--:|--:|--:|")
    for accounts in given.accounts:
        root = (given.dir / str(accounts)).resolve()
        data, workspace, out = root / "data", root / "workspace", root / "out"
        (data / "payments-more.parquet").unlink(missing_ok=True)
        make_data(data, accounts)
        models = make_workspace(workspace, data)
        out.mkdir(exist_ok=True)

        def report(what: str, command: list[str], accounts: int = accounts) -> None:
            clock, memory, processor = run(command)
            print(
                f"| {accounts:,} | {what} | {clock:.1f} | {processor:.1f} | "
                f"{1e6 * clock / accounts:.0f} | {memory:.2f} |",
                flush=True,
            )

        riskseg = [sys.executable, "-m", "riskseg", "-w", str(workspace)]
        decisions = str(out / "decisions.parquet")
        assign = [*riskseg, "assign", "--as-of", AS_OF, "--out", decisions]
        shutil.rmtree(workspace / ".riskseg/staged", ignore_errors=True)
        report("from scratch", assign)
        report("staged", assign)
        report("explain", [*riskseg, "explain", "A00000007", "--as-of", AS_OF])
        if given.day_after:
            pay_again(data)
            with_both_files(workspace, data)
            report("day after", assign)
        if given.floor:
            floor = [sys.executable, str(HERE / "floor.py"), str(data), AS_OF]
            report("floor", [*floor, str(out / "floor.parquet"), *models])


if __name__ == "__main__":
    main()
