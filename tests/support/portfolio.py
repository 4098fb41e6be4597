"""Small workspaces of CSV files that whole runs are tried on.

CSV, because a Problem about a row then has a line a person can open the file at.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc

from riskseg.run.init import init
from riskseg.synthetic import generate

AT = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)
UNTIL = date(2026, 6, 30)
# Before the last day, so that there is something after it that must make no difference.
AS_OF = date(2026, 5, 15)
TABLES = ("accounts", "bills", "payments", "events")
STRATEGY = "rules/household-utility"

TOML = """\
[workspace]
currency     = "GBP"
max_bad_rows = 0
strategy     = "rules/household-utility"

[engine]
threads = 1

[source.accounts]
from = "data/accounts.csv"
is_vulnerable = "cast(is_vulnerable as boolean)"
breathing_space_from = "cast(breathing_space_from as date)"
breathing_space_until = "cast(breathing_space_until as date)"

[source.bills]
from = "data/bills.csv"

[source.payments]
from = "data/payments.csv"

[source.events]
from = "data/events.csv"
"""

# Questions that a few hundred accounts can answer.
MODELS = {
    "late_payment": """\
name: late_payment
question: Will a bill falling due in the next 60 days still be unpaid 14 days after it was due?
target: {event: late, days_past_due: 14, horizon_days: 60}
observe: {every: 60 days, for: 360 days, history: 180 days}
hold_out: {last: 90 days}
population: bills_12m >= 3
features: {exclude: [], static: []}
learners: [scorecard]
seed: 7
""",
    "default": """\
name: default
question: Will the account reach 30 days past due in the next 90 days?
target: {event: default, days_past_due: 30, horizon_days: 90}
observe: {every: 60 days, for: 360 days, history: 180 days}
hold_out: {last: 90 days}
population: bills_12m >= 3
features: {exclude: [], static: []}
learners: [lightgbm]
lightgbm: {search: none}
seed: 7
""",
}


def make(folder: Path, *, accounts: int = 300, months: int = 22, seed: int = 7) -> Path:
    """A workspace with a generated portfolio, the starter strategy and two small specs."""
    init(folder, toml=TOML)
    for name, text in MODELS.items():
        (folder / "models" / f"{name}.yaml").write_text(text)
    (folder / "data").mkdir()
    tables = generate(accounts, months, seed, until=UNTIL).tables()
    for name in TABLES:
        pc.write_csv(_as_text(tables[name]), folder / "data" / f"{name}.csv", _PLAIN)
    return folder


# No quotes: a test that edits a row can then split it at its commas.
_PLAIN = pc.WriteOptions(quoting_style="none", quoting_header="none")


def _as_text(table: pa.Table) -> pa.Table:
    return pa.table({name: column.cast(pa.string()) for name, column in _columns(table).items()})


def _columns(table: pa.Table) -> Mapping[str, pa.ChunkedArray]:
    return dict(zip(table.column_names, table.columns, strict=True))


def copied(source: Path, folder: Path) -> Path:
    """A workspace of one's own to break."""
    shutil.copytree(source, folder)
    return folder


def rows(workspace: Path, table: str) -> list[str]:
    """The lines of a table's file, the head first."""
    return (workspace / "data" / f"{table}.csv").read_text().splitlines()


def write_rows(workspace: Path, table: str, lines: list[str]) -> None:
    (workspace / "data" / f"{table}.csv").write_text("\n".join(lines) + "\n")


def row(head: str, values: Mapping[str, object]) -> str:
    """A line with these values, and nothing in the other columns."""
    return ",".join(str(values.get(name, "")) for name in head.split(","))


def add_rows(workspace: Path, table: str, *added: Mapping[str, object]) -> None:
    lines = rows(workspace, table)
    write_rows(workspace, table, [*lines, *(row(lines[0], values) for values in added)])


def replace(workspace: Path, file: str, old: str, new: str) -> None:
    """Change the one place in a file where `old` stands."""
    path = workspace / file
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
    path.write_text(text.replace(old, new))


def by_command(workspace: str, *words: str) -> None:
    """A command as a process of its own runs it, less what it says."""
    from riskseg.cli import app

    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    app(["-w", workspace, *words])
