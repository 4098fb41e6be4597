"""Workspaces in which accounts are treated day after day: CSV files, paths, and no model."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from riskseg.results.worklist import Worklist
from riskseg.run.assign import assign
from riskseg.run.worklist import worklist
from riskseg.store.sinks import InMemory

Row = Mapping[str, object]
AT = datetime(2030, 1, 1, tzinfo=UTC)

HEAD: Mapping[str, Any] = {
    "name": "treated",
    "purpose": "to be followed in time",
    "owner": "tests",
    "actions": [
        {"name": "sms", "channel": "sms", "contact": True},
        {"name": "email", "channel": "email", "contact": True},
        {"name": "support", "channel": "desk", "means": "support"},
        {"name": "letter", "channel": "post", "contact": True},
        {"name": "call", "channel": "phone", "contact": True},
        {"name": "visit", "channel": "field", "contact": True},
        {"name": "agency", "channel": "file", "significant": True},
    ],
    "priority": "balance_overdue",
}
COLUMNS: Mapping[str, Sequence[str]] = {
    "accounts": ("account_id", "valid_from", "treatment"),
    "bills": ("account_id", "bill_id", "due_on", "amount"),
    "payments": ("account_id", "payment_id", "paid_on", "amount"),
    "events": ("account_id", "happened_on", "kind"),
}
# The path of an account whose attribute names none.
IDLE = "left_alone"


def write(
    root: Path,
    *,
    paths: Mapping[str, Mapping[str, Any]],
    rows: Mapping[str, Sequence[Row]],
    head: Mapping[str, Any] | None = None,
    guards: Sequence[Mapping[str, Any]] = (),
    attributes: Mapping[str, str] | None = None,
    besides: Mapping[str, Any] | None = None,
    settings: Mapping[str, str] | None = None,
) -> Path:
    """A workspace in `root`. An account whose attribute `treatment` names a path is on that path;
    `rows` are those of each source; `attributes` gives the type of an account's attributes that
    are no text; `besides` is what paths.yaml says besides its paths, `settings` what
    riskseg.toml says of the workspace."""
    rules = root / "rules" / "treated"
    rules.mkdir(parents=True)
    (root / "data").mkdir()
    tiers = [{"tier": n, "when": f"treatment = '{n}'", "unknown": "skip"} for n in paths]
    levels = [*paths, IDLE]
    files = {
        "strategy": {**HEAD, **(head or {})},
        "tiers": {"treated_as": [*tiers, {"tier": IDLE, "otherwise": True}]},
        "segments": {
            "columns": ["treated_as"],
            "rows": [
                {"id": name, "match": [name if name != IDLE else "any"], "segment": name}
                for name in levels
            ],
        },
        "paths": {
            **{
                name: {"for": [name], "starts": "episode_started_on", **_staying(path), **path}
                for name, path in paths.items()
            },
            IDLE: {"for": [IDLE], "starts": "as_of"},
            **(besides or {}),
        },
        "guards": list(guards),
    }
    for name, content in files.items():
        if content:
            text = yaml.safe_dump(content, sort_keys=False)
            (rules / f"{name}.yaml").write_text(text, encoding="utf-8")
    toml = '[workspace]\ncurrency = "GBP"\nstrategy = "rules/treated"\n'
    toml += "".join(f'{name} = "{value}"\n' for name, value in (settings or {}).items())
    for source in dict.fromkeys([*COLUMNS, *rows]):
        _write_rows(root / "data" / f"{source}.csv", COLUMNS.get(source, ()), rows.get(source, ()))
        toml += f'[source.{source}]\nfrom = "data/{source}.csv"\n'
        if source == "accounts":
            for name, of_type in (attributes or {}).items():
                toml += f'{name} = "cast({name} as {of_type})"\n'
    (root / "riskseg.toml").write_text(toml, encoding="utf-8")
    return root


def _staying(path: Mapping[str, Any]) -> dict[str, str]:
    """What a path says that does not say what follows its last step."""
    follows = "then" in path or "at_most" not in path.get("repeat", {"at_most": 0})
    return {} if follows or not path.get("steps") else {"stay": "deliberately"}


def _write_rows(file: Path, columns: Iterable[str], rows: Sequence[Row]) -> None:
    names = list(dict.fromkeys([*columns, *(name for row in rows for name in row)]))
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, names)
        writer.writeheader()
        writer.writerows(rows)


def issue(root: Path, day: date, **options: Any) -> tuple[Worklist, list[dict[str, Any]]]:
    """Issue a day's worklist: the result and the rows of the list."""
    target = InMemory()
    done = worklist(root, day, target, at=AT, **options)
    return done, rows_of(target)


def listed(root: Path, day: date, **options: Any) -> list[dict[str, Any]]:
    """The rows of a day's worklist; nothing is recorded."""
    target = InMemory()
    worklist(root, day, target, **options)
    return rows_of(target)


def decide(root: Path, day: date) -> list[dict[str, Any]]:
    """The decisions of a day, with what was issued before it."""
    target = InMemory()
    assign(root, day, target, at=AT, reasons="none", keep=False)
    return rows_of(target)


def rows_of(target: InMemory) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(pa.BufferReader(target.parquet)).to_pylist()
    return rows
