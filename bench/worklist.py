"""What treatment over time costs: `riskseg assign` with state beside the same without.

    python bench/worklist.py [--accounts 100000 1000000] [--events 50] [--dir DIR] [--runs N]

The accounts, bills and payments are those of `bench/pipeline.py`, with so many events an account.
Both strategies read the same sources and have the same tiers, segments and steps, and no model.
Without state, a step is due on its day alone and nothing holds. With state, steps come again, open
promises and events hold, some of them with the clock stopped, and the journal has the actions that
were issued on three earlier days. The two are run in turn as whole processes; times are medians,
memory is the peak of a process.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from datetime import date, timedelta
from pathlib import Path

import duckdb
from pipeline import AS_OF, make_data, run

HEAD = """\
name: treated
purpose: to be timed
owner: bench
actions:
  - {name: sms, channel: sms, contact: true}
  - {name: letter, channel: post, contact: true}
  - {name: call, channel: phone, contact: true}
priority: balance_overdue
"""
TIERS = """\
behaviour:
  - {tier: late, when: days_past_due > 60}
  - {tier: often_late, when: late14_bills_6m >= 2}
  - {tier: good, otherwise: true}
"""
SEGMENTS = """\
columns: [behaviour]
rows:
  - {id: late, match: [late], segment: intensive}
  - {id: often, match: [often_late], segment: standard}
  - {id: rest, match: [any], segment: gentle}
"""
STEPS = """\
gentle:
  for: [gentle]
  starts: episode_started_on
  steps: [{day: 5, action: sms}, {day: 15, action: letter}]
  GENTLE
standard:
  for: [standard]
  starts: episode_started_on
  steps: [{day: 3, action: sms}, {day: 12, action: letter}, {day: 20, action: call}]
  STANDARD
intensive:
  for: [intensive]
  starts: episode_started_on
  steps: [{day: 1, action: letter}, {day: 8, action: call}, {day: 16, action: call}]
  INTENSIVE
"""
WITHOUT = "stay: deliberately\n  due_for: 1"
AGAIN = "repeat: {every: 30 days, from: letter}"
GUARDS = """\
- {hold: promise_open, when: open_promise}
- {hold: complaint_open, event: complaint}
- {hold: breathing_space, event: breathing_space, clock: stops}
"""


def make_events(data: Path, each: int) -> None:
    """So many events an account, most of them contacts, over the two years of the bills."""
    if (data / "events.parquet").exists():
        return
    with duckdb.connect() as connection:
        connection.execute(f"""copy (
            select account_id, happened_on,
                case when luck % 100 < 90 then 'contact' when luck % 100 < 96 then 'promise'
                    when luck % 100 < 99 then 'complaint' else 'breathing_space' end as kind,
                case when luck % 100 < 90 then 'sms' end as channel,
                (20 + luck % 80)::decimal(18, 2) as amount,
                case when luck % 100 >= 90
                    then happened_on + (luck // 100 % 20)::int end as until
            from (
                select account_id, date '2024-01-01' + (hash(account_id, n) % 699)::int
                        as happened_on,
                    (hash(n, account_id) % 1000000)::bigint as luck
                from '{data}/accounts.parquet', range({each}) t(n)
            )) to '{data}/events.parquet'""")


def make_workspace(folder: Path, data: Path, *, with_state: bool) -> None:
    """A workspace over the data whose strategy has state, or has none."""
    rules = folder / "rules" / "treated"
    rules.mkdir(parents=True, exist_ok=True)
    paths = STEPS
    for name in ("GENTLE", "STANDARD", "INTENSIVE"):
        paths = paths.replace(f"  {name}\n", f"  {AGAIN if with_state else WITHOUT}\n")
    files = {"strategy": HEAD, "tiers": TIERS, "segments": SEGMENTS, "paths": paths}
    if with_state:
        files["guards"] = GUARDS
    for name, text in files.items():
        (rules / f"{name}.yaml").write_text(text)
    toml = '[workspace]\nstrategy = "rules/treated"\n'
    for table in ("accounts", "bills", "payments", "events"):
        toml += f'[source.{table}]\nfrom = "{data}/{table}.parquet"\n'
    (folder / "riskseg.toml").write_text(toml)


def issue(folder: Path) -> None:
    """Issue the worklists of three earlier days, unless that was done."""
    if (folder / ".riskseg" / "journal.db").exists():
        return
    for days in (30, 14, 7):
        day = date.fromisoformat(AS_OF) - timedelta(days=days)
        out = folder / f"issued-{day}.parquet"
        run([*command(folder, "worklist", "issue"), "--as-of", str(day), "--out", str(out)])


def command(folder: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "riskseg", "-w", str(folder), *words]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--events", type=int, default=50)
    parser.add_argument("--dir", type=Path, default=Path("bench-data"))
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    for accounts in given.accounts:
        root = (given.dir / f"{accounts}-worklist").resolve()
        data = root / "data"
        make_data(data, accounts)
        make_events(data, given.events)
        contenders = {}
        for name in ("without state", "with state"):
            folder = root / name.replace(" ", "-")
            make_workspace(folder, data, with_state=name == "with state")
            if name == "with state":
                issue(folder)
            out = folder / "decisions.parquet"
            contenders[name] = [*command(folder, "assign"), "--as-of", AS_OF, "--out", str(out)]
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
        for _ in range(given.runs):
            for name, words in contenders.items():
                taken[name].append(run(words))
        medians = {n: statistics.median(s for s, _ in runs) for n, runs in taken.items()}
        for name, runs in taken.items():
            row = {
                "accounts": accounts,
                "events": accounts * given.events,
                "what": name,
                "seconds": round(medians[name], 1),
                "ratio": round(medians[name] / medians["without state"], 2),
                "peak_gib": round(max(m for _, m in runs), 2),
            }
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
