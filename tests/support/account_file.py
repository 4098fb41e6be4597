"""A workspace of an account file and a small strategy, without any model."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from riskseg.domain.problems import ProblemsError
from riskseg.run.activate import activate
from riskseg.run.assign import assign

HEAD = """\
name: s
purpose: to be tried
owner: tests
actions:
  - {name: sms, channel: sms}
  - {name: letter, channel: post}
  - {name: agency, channel: file}
"""
# Two segments, one of which is sent to the agency on every day.
HIT_OR_MISS = """\
hit: {for: [hit], starts: as_of, steps: [{day: 0, action: agency}]}
miss: {for: [miss], starts: as_of, steps: [{day: 0, action: sms}]}
"""
AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
DAY = date(2026, 1, 1)


def write(
    root: Path,
    accounts: str,
    strategy: Mapping[str, str],
    *,
    types: Mapping[str, str] | None = None,
    toml: str = "",
) -> Path:
    """A workspace in `root`: `accounts` is the text of its CSV, whose `id` is the account's id;
    `types` are the engine's types of columns that are no text; `toml` is added to riskseg.toml."""
    write_rules(root, strategy)
    (root / "accounts.csv").write_text(accounts, encoding="utf-8")
    read = "read_csv('accounts.csv', header = true, all_varchar = true)"
    casts = "".join(
        f', cast("{name}" as {type_}) as "{name}"' for name, type_ in (types or {}).items()
    )
    without = ", ".join(f'"{name}"' for name in types or {})
    star = f"* exclude ({without})" if without else "*"
    (root / "riskseg.toml").write_text(
        '[workspace]\ncurrency = "GBP"\nstrategy = "rules/s"\n[source.accounts]\n'
        f"from = '''select {star}{casts} from {read}'''\n"
        f'account_id = "id"\n{toml}',
        encoding="utf-8",
    )
    return root


def write_rules(root: Path, strategy: Mapping[str, str]) -> None:
    """The files of the strategy `rules/s`: those given, and the head and paths of this module."""
    folder = root / "rules" / "s"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {"strategy.yaml": HEAD, "paths.yaml": HIT_OR_MISS, **strategy}.items():
        (folder / name).write_text(text, encoding="utf-8")


def decide(root: Path, day: date = DAY, *, keep: bool = False) -> dict[str, dict[str, str]]:
    """The decisions of `assign`, by account id. Raises its Problems."""
    target = root / "decisions.csv"
    assign(root, day, str(target), at=AT, keep=keep)
    with target.open(encoding="utf-8", newline="") as file:
        return {row["account_id"]: row for row in csv.DictReader(file)}


def put_in_force(root: Path, day: date = DAY) -> None:
    activate(root, effective_from=day, by="tests", at=AT)


def codes(error: ProblemsError) -> list[str]:
    return [problem.code for problem in error.problems]
