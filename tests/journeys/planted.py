"""Thirty mistakes people make, each with what riskseg says of it.

`python -m tests.journeys.planted` writes the table that users read.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from riskseg.cli import app
from tests.support import portfolio as p

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "planted-mistakes.md"
KINDS = {
    "data": "In the data",
    "settings": "In riskseg.toml, model specs and features.yaml",
    "rules": "In the rule files",
}


@dataclass(frozen=True)
class Mistake:
    """`plant` makes it in a sound workspace and gives the line that is at fault. Mistakes of the
    same `group` can be planted together: none takes away what another is found by."""

    name: str
    group: str
    code: str
    file: str
    plant: Callable[[Path], int]
    meant: str = ""

    @property
    def kind(self) -> str:
        return self.group.split(":")[0]


def check(workspace: Path) -> Result:
    """`riskseg check --json`, in this process."""
    return CliRunner().invoke(app, ["-w", str(workspace), "check", "--json"])


def problems(result: Result) -> list[dict[str, Any]]:
    return list(json.loads(result.stdout)["problems"])


# How mistakes are planted


def _line_of(path: Path, text: str) -> int:
    found = [n for n, line in enumerate(path.read_text().splitlines(), start=1) if text in line]
    assert len(found) == 1, f"{text!r} is on lines {found} of {path}"
    return found[0]


def _text(file: str, old: str, new: str, at: str = "") -> Callable[[Path], int]:
    """Change a text; the fault is on the line that holds `at`, or the new text."""

    def plant(workspace: Path) -> int:
        p.replace(workspace, file, old, new)
        return _line_of(workspace / file, at or new)

    return plant


def _cell(table: str, row: int, column: str, value: str) -> Callable[[Path], int]:
    """Change a cell of a row, counted from 1."""

    def plant(workspace: Path) -> int:
        lines = p.rows(workspace, table)
        cells = lines[row].split(",")
        cells[lines[0].split(",").index(column)] = value
        lines[row] = ",".join(cells)
        p.write_rows(workspace, table, lines)
        return row + 1

    return plant


def _row(table: str, **values: str) -> Callable[[Path], int]:
    """Add a row at the end."""

    def plant(workspace: Path) -> int:
        p.add_rows(workspace, table, values)
        return len(p.rows(workspace, table))

    return plant


def _again(table: str, row: int) -> Callable[[Path], int]:
    """Add a row that is there already."""

    def plant(workspace: Path) -> int:
        lines = p.rows(workspace, table)
        p.write_rows(workspace, table, [*lines, lines[row]])
        return len(lines) + 1

    return plant


def _without(file: str, line: str, at: str) -> Callable[[Path], int]:
    """Take a line out; the fault is on the line that holds `at`."""

    def plant(workspace: Path) -> int:
        path = workspace / file
        kept = [text for text in path.read_text().splitlines() if line not in text]
        path.write_text("\n".join(kept) + "\n")
        return _line_of(path, at)

    return plant


def _file(file: str, text: str, at: str) -> Callable[[Path], int]:
    def plant(workspace: Path) -> int:
        (workspace / file).write_text(text)
        return _line_of(workspace / file, at)

    return plant


_RULES = p.STRATEGY
_OWN_FEATURE = """\
# Features of our own.
- name: cash_payments_12m
  range: payments
  window: 365 days
  aggregate: count
  filter: coalesce(metod, '') = 'cash'
  words: "{value} payments in cash in the last 12 months"
"""

MISTAKES: tuple[Mistake, ...] = (
    # In the data
    Mistake(
        "a bill that is in the file twice", "data", "RS104", "data/bills.csv", _again("bills", 5)
    ),
    Mistake(
        "a payment for an account that is not there",
        "data",
        "RS106",
        "data/payments.csv",
        _row(
            "payments",
            payment_id="P1",
            account_id="A99999999",
            paid_on="2026-01-05",
            amount="20.00",
        ),
    ),
    Mistake(
        "text in an amount",
        "data",
        "RS102",
        "data/bills.csv",
        _cell("bills", 20, "amount", "97.67 GBP"),
    ),
    Mistake(
        "a bill due before it was issued",
        "data",
        "RS105",
        "data/bills.csv",
        _cell("bills", 30, "due_on", "2023-01-01"),
    ),
    Mistake(
        "a bill without a due date",
        "data",
        "RS101",
        "data/bills.csv",
        _cell("bills", 40, "due_on", ""),
    ),
    Mistake(
        "a refund as a negative payment",
        "data",
        "RS103",
        "data/payments.csv",
        _row(
            "payments",
            payment_id="P2",
            account_id="A00000001",
            paid_on="2026-01-05",
            amount="-20.00",
        ),
    ),
    Mistake(
        "a date with the day first",
        "data",
        "RS102",
        "data/payments.csv",
        _row(
            "payments",
            payment_id="P3",
            account_id="A00000001",
            paid_on="17/01/2026",
            amount="20.00",
        ),
    ),
    Mistake(
        "an event in the source's own words",
        "data",
        "RS107",
        "data/events.csv",
        _row("events", account_id="A00000001", happened_on="2026-01-05", kind="PTP"),
    ),
    Mistake(
        "an account closed before it was opened",
        "data",
        "RS105",
        "data/accounts.csv",
        _cell("accounts", 3, "closed_on", "1999-12-31"),
    ),
    Mistake(
        "a reversal of a payment that is not there",
        "data",
        "RS110",
        "data/payments.csv",
        _row(
            "payments",
            payment_id="P4",
            account_id="A00000001",
            paid_on="2026-01-05",
            amount="20.00",
            reverses="P999",
        ),
    ),
    # In riskseg.toml, model specs and features.yaml
    Mistake(
        "a setting misspelt",
        "settings:shape",
        "RS003",
        "riskseg.toml",
        _text("riskseg.toml", "currency     =", "curency      ="),
        meant="currency",
    ),
    Mistake(
        "a number in quotes",
        "settings:shape",
        "RS004",
        "riskseg.toml",
        _text("riskseg.toml", "threads = 1", 'threads = "1"'),
    ),
    Mistake(
        "a source table misspelt",
        "settings:table",
        "RS003",
        "riskseg.toml",
        _text("riskseg.toml", "[source.events]", "[source.event]"),
        meant="events",
    ),
    Mistake(
        "a file that is not there",
        "settings:source",
        "RS006",
        "riskseg.toml",
        _text("riskseg.toml", "data/payments.csv", "data/paymnets.csv"),
    ),
    Mistake(
        "a column of the source misspelt in a mapping",
        "settings:source",
        "RS007",
        "riskseg.toml",
        _text("riskseg.toml", "cast(is_vulnerable as", "cast(is_vulnrable as"),
        meant="is_vulnerable",
    ),
    Mistake(
        "a strategy folder that is not there",
        "settings:source",
        "RS008",
        "riskseg.toml",
        _text("riskseg.toml", f'"{_RULES}"', '"rules/household"'),
    ),
    Mistake(
        "a key misspelt in a spec",
        "settings:source",
        "RS003",
        "models/late_payment.yaml",
        _text("models/late_payment.yaml", "horizon_days", "horison_days"),
        meant="horizon_days",
    ),
    Mistake(
        "a duration without its unit",
        "settings:source",
        "RS004",
        "models/default.yaml",
        _text("models/default.yaml", "every: 60 days", "every: 60"),
    ),
    Mistake(
        "a feature misspelt in a spec's exclude",
        "settings:name",
        "RS501",
        "models/late_payment.yaml",
        _text("models/late_payment.yaml", "exclude: []", "exclude: [max_dpd_12]"),
        meant="max_dpd_12m",
    ),
    Mistake(
        "a column misspelt in a feature of one's own",
        "settings:name",
        "RS303",
        "models/features.yaml",
        _file("models/features.yaml", _OWN_FEATURE, "metod"),
        meant="method",
    ),
    # In the rule files
    Mistake(
        "a fact misspelt in a condition",
        "rules",
        "RS303",
        f"{_RULES}/tiers.yaml",
        _text(f"{_RULES}/tiers.yaml", "late14_bills_6m >= 3", "late_14_bills_6m >= 3"),
        meant="late14_bills_6m",
    ),
    Mistake(
        "a condition that can be unknown and does not say what then",
        "rules",
        "RS305",
        f"{_RULES}/tiers.yaml",
        _text(f"{_RULES}/tiers.yaml", "months_on_book < 6, unknown: match}", "months_on_book < 6}"),
    ),
    Mistake(
        "a level that does not exist",
        "rules",
        "RS205",
        f"{_RULES}/segments.yaml",
        _text(f"{_RULES}/segments.yaml", "[likely, very_likely]", "[likly, very_likely]"),
        meant="likely",
    ),
    Mistake(
        "a table without a last row for all other accounts",
        "rules",
        "RS203",
        f"{_RULES}/segments.yaml",
        _without(f"{_RULES}/segments.yaml", "{id: rest,", "{id: at_risk,"),
    ),
    Mistake(
        "a row that can never match",
        "rules",
        "RS204",
        f"{_RULES}/segments.yaml",
        _text(
            f"{_RULES}/segments.yaml",
            "  - {id: at_risk,",
            "  - {id: late, match: [live, in_arrears, any, slipping, any], segment: standard}\n"
            "  - {id: at_risk,",
            at="{id: late,",
        ),
    ),
    Mistake(
        "a segment that no path serves",
        "rules",
        "RS207",
        f"{_RULES}/segments.yaml",
        lambda w: (
            _text(f"{_RULES}/paths.yaml", "welcome, closed_book]", "closed_book]")(w)
            and _line_of(w / _RULES / "segments.yaml", "segment: welcome")
        ),
    ),
    Mistake(
        "cuts that do not rise",
        "rules",
        "RS206",
        f"{_RULES}/strategy.yaml",
        _text(f"{_RULES}/strategy.yaml", "medium: 0.15", "medium: 0.51"),
    ),
    Mistake(
        "a model that is not there",
        "rules",
        "RS214",
        f"{_RULES}/strategy.yaml",
        _text(f"{_RULES}/strategy.yaml", "p_late: late_payment,", "p_late: late_payments,"),
        meant="late_payment",
    ),
    Mistake(
        "a division by something that can be zero",
        "rules",
        "RS306",
        f"{_RULES}/strategy.yaml",
        _text(
            f"{_RULES}/strategy.yaml",
            "balance_overdue * coalesce(p_default, 0.5)",
            "balance_overdue / bills_12m",
        ),
    ),
    Mistake(
        "an action misspelt in `instead`",
        "rules",
        "RS209",
        f"{_RULES}/guards.yaml",
        _text(f"{_RULES}/guards.yaml", "instead: letter", "instead: lettre"),
        meant="letter",
    ),
)


def page(reported: Iterable[tuple[Mistake, dict[str, Any]]]) -> str:
    """The page for users: each mistake with the Problem that it gave."""
    found = list(reported)
    lines = [
        "# Thirty planted mistakes",
        "",
        "Each of these was planted, alone, in a workspace that is otherwise sound; "
        "`riskseg check` found it, and nothing else. Planted together, none hides another, unless "
        "a file that cannot be read, or a source that is not there, leaves nothing to check the "
        "others against. The tests plant them all again.",
        "",
    ]
    for kind, head in KINDS.items():
        lines += [
            f"## {head}",
            "",
            "| mistake | code | where | riskseg says |",
            "|---|---|---|---|",
        ]
        for mistake, problem in found:
            if mistake.kind == kind:
                says = " ".join(x for x in (problem["what"], problem["hint"]) if x)
                where = f"`{problem['file']}:{problem['line']}`"
                says = says.replace("|", "\\|")
                lines.append(f"| {mistake.name} | {problem['code']} | {where} | {says} |")
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        sound = p.make(Path(folder) / "sound")
        reported = []
        for number, mistake in enumerate(MISTAKES):
            mine = p.copied(sound, Path(folder) / str(number))
            mistake.plant(mine)
            (one,) = problems(check(mine))
            reported.append((mistake, one))
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page(reported), encoding="utf-8")


if __name__ == "__main__":
    main()
