"""`riskseg assign` from end to end, beside the floor and beside pandas, in one run.

    python bench/pipeline.py [--accounts 100000 1000000] [--dir DIR] [--runs N] [--no-pandas]

For each size: 24 monthly bills an account and the payments to them; models (LightGBM alone, so
that the floor's `Booster.predict` has the same work) trained once on the first 20,000 accounts.
The three are run in turn as whole processes; times are medians, memory is the peak of a process.
Before anything is timed, riskseg's features are compared with the floor's, account by account.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import duckdb

from riskseg.domain.relations import fact_column
from riskseg.features.snapshots import as_of_snapshots
from riskseg.pipeline.contracts import build
from riskseg.pipeline.facts import facts
from riskseg.pipeline.session import begin, open_checked, scratch_engine
from riskseg.run.init import init

HERE = Path(__file__).parent
AS_OF = "2025-11-30"
SAMPLE = 20_000


def make_data(folder: Path, accounts: int) -> None:
    """Bills and payments of a portfolio in which one account in six falls behind now and then."""
    if (folder / "payments.parquet").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    c = duckdb.connect()
    # An account's own bent to be late is in the hash of its number; each bill's luck in its own.
    c.execute(f"""copy (
        select 'A' || lpad(i::varchar, 8, '0') as account_id,
            'A' || lpad(i::varchar, 8, '0') || '-' || m as bill_id,
            date '2024-01-01' + (m * 30 + i % 30)::int as issued_on,
            date '2024-01-15' + (m * 30 + i % 30)::int as due_on,
            (20 + (hash(i * 31 + m) % 6000) / 100.0)::decimal(18, 2) as amount
        from range({accounts}) t(i), range(24) u(m)) to '{folder}/bills.parquet'""")
    c.execute(f"""copy (
        select account_id, due_on + (case when luck % 100 < bent then 5 + (luck // 100) % 90
                else (luck // 100) % 4 - 3 end)::int as paid_on,
            case when luck % 53 = 0 then (amount / 2)::decimal(18, 2) else amount end as amount
        from (select *, hash(bill_id)::hugeint as luck,
                case when hash(account_id) % 6 = 0 then 60 else 4 end as bent
            from '{folder}/bills.parquet')
        where luck % 101 >= (bent // 20)) to '{folder}/payments.parquet'""")
    c.execute(f"""copy (select distinct account_id from '{folder}/bills.parquet' order by 1)
        to '{folder}/accounts.parquet'""")


def toml(data: Path, where: str = "") -> str:
    """riskseg.toml over the data: its files as they are, or the rows of them that a condition
    picks."""
    settings = '[workspace]\nstrategy = "rules/household-utility"\n'
    for table in ("accounts", "bills", "payments"):
        file = f"{data}/{table}.parquet"
        source = f"select * from '{file}' where {where}" if where else file
        settings += f'[source.{table}]\nfrom = "{source}"\n'
    return settings


def make_workspace(folder: Path, data: Path) -> list[str]:
    """A workspace over the data with trained models; the folders of its champions."""
    if not (folder / "riskseg.toml").exists():
        init(folder)
        for spec in folder.glob("models/*.yaml"):
            text = spec.read_text().replace("[scorecard, lightgbm]", "[lightgbm]")
            spec.write_text(text.replace("prefer: scorecard", "prefer: lightgbm"))
    (folder / "riskseg.toml").write_text(toml(data, f"account_id < 'A{SAMPLE:08d}'"))
    if not list(folder.glob("models/*/*/manifest.json")):
        run([sys.executable, "-m", "riskseg", "-w", str(folder), "train"])
    (folder / "riskseg.toml").write_text(toml(data))
    return [str(p.parent) for p in sorted(folder.glob("models/*/*/manifest.json"))]


def compare_features(workspace: Path, data: Path) -> int:
    """How many features of how many accounts agree; an error where one does not."""
    import floor

    files = sorted(data.resolve().glob("*.parquet"))
    with scratch_engine(open_checked(workspace), reads=files) as engine:
        session = begin(open_checked(workspace), engine)
        first, last = session.partitions()[0]
        day = date.fromisoformat(AS_OF)
        snapshots = as_of_snapshots(day, first, last, listed=True, dated=False)
        build(engine, facts(session.ledger, session.catalogue, 2, session.facts, snapshots))
        engine.run(f"create temp table by_hand as {floor.features_sql(str(data), AS_OF)}")
        by_hand = engine.columns("by_hand")
        shared = sorted(n for n in by_hand if f"@{n}" in engine.columns("facts"))
        if not shared:
            raise ValueError("the floor has no feature to compare")
        for name in shared:
            fact = f"f.{fact_column(name)}"
            same = f"{fact} is not distinct from h.{name}"
            if not name.endswith("_on"):  # the floor divides as floats, and rounds a half otherwise
                gap = f"coalesce({fact}, -1)::double - coalesce(h.{name}, -1)::double"
                same = f"abs({gap}) < 0.0101"
            differ = engine.value(
                "select count(*) from facts f join account_ids i using (account_no) "
                f"join by_hand h on h.account_id = i.account_id where not ({same})"
            )
            if differ:
                raise ValueError(f"{name} differs from the floor's for {differ} accounts")
    return len(shared)


def run(command: list[str]) -> tuple[float, float, float]:
    """Seconds by the clock, peak GiB and seconds of the processor of a process."""
    before = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read() if process.stderr else b""
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - before
    if status:
        sys.exit(f"{' '.join(command)}\n{errors.decode()}")
    return seconds, used.ru_maxrss / 1024**2, used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--dir", type=Path, default=Path("bench-data"))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--no-pandas", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    results = []
    for accounts in given.accounts:
        root = (given.dir / str(accounts)).resolve()
        data, workspace = root / "data", root / "workspace"
        make_data(data, accounts)
        models = make_workspace(workspace, data)
        if accounts == given.accounts[0]:
            # In a process of its own: a child's peak counts what its parent held.
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                agreed = pool.apply(compare_features, (workspace, data))
            print(f"{agreed} features agree with the floor's", file=sys.stderr)
        out = root / "out"
        out.mkdir(exist_ok=True)
        riskseg = [sys.executable, "-m", "riskseg", "-w", str(workspace), "assign"]
        contenders = {
            "riskseg assign": [*riskseg, "--as-of", AS_OF, "--out", str(out / "decisions.parquet")],
            "floor": [
                sys.executable,
                str(HERE / "floor.py"),
                str(data),
                AS_OF,
                str(out / "floor.parquet"),
                *models,
            ],
        }
        if not given.no_pandas:
            contenders["pandas"] = [
                sys.executable,
                str(HERE / "in_pandas.py"),
                str(data),
                AS_OF,
                str(out / "pandas.parquet"),
            ]
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
        for turn in range(given.runs):
            for name, command in contenders.items():
                if name == "pandas" and turn:
                    continue
                taken[name].append(run(command)[:2])
        floor = statistics.median(s for s, _ in taken["floor"])
        for name, runs in taken.items():
            seconds = statistics.median(s for s, _ in runs)
            row = {
                "accounts": accounts,
                "what": name,
                "seconds": round(seconds, 1),
                "ratio_to_floor": round(seconds / floor, 2),
                "peak_gib": round(max(m for _, m in runs), 2),
            }
            results.append(row)
            if not given.json:
                print(
                    f"{accounts:>9,}  {name:<15} {row['seconds']:>7} s"
                    f"  {row['ratio_to_floor']:>6} x floor  {row['peak_gib']:>5} GiB",
                    flush=True,
                )
    if given.json:
        print(json.dumps({"as_of": date.fromisoformat(AS_OF).isoformat(), "results": results}))


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
