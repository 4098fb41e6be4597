"""What riskseg.toml leaves to be decided: the proposals of `init --from` that were not sure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Begins a comment that is a proposal: without it, the rest of the line is a line of riskseg.toml.
MARK = "# ?"

_TABLE = re.compile(r"^(?P<mark># \? )?\[(?:source\.)?(?P<table>\w+)\]")
_LINE = re.compile(r"^# \? (?P<column>\w+)\s*=[^#]*?(?:# (?P<why>.*))?$")


@dataclass(frozen=True)
class Undecided:
    """A proposal that is not decided: a key of a table, or the table itself (`column` is None), and
    its line in riskseg.toml."""

    line: int
    table: str
    column: str | None
    why: str

    def __str__(self) -> str:
        what = f"{self.column} of {self.table}" if self.column else f"whether to read {self.table}"
        why = f" ({self.why})" if self.why else ""
        return (
            f"riskseg.toml:{self.line}: {what} is not decided{why}: take the mark `{MARK}` away, "
            "or write another line."
        )


def undecided(text: str) -> Iterator[Undecided]:
    """The proposals that are marked in the text of a riskseg.toml. Of a table that is itself not
    decided, its lines are not listed one by one."""
    table, whole = "", False
    for number, line in enumerate(text.splitlines(), start=1):
        if head := _TABLE.match(line):
            table, whole = head["table"], head["mark"] is not None
            if whole:
                yield Undecided(number, table, None, "")
        elif line.startswith("["):
            table, whole = "", False
        elif table and not whole and (marked := _LINE.match(line)):
            yield Undecided(number, table, marked["column"], (marked["why"] or "").strip())


def undecided_in(root: Path) -> list[Undecided]:
    """The proposals that are marked in the riskseg.toml of a folder; none where it has none that
    can be read."""
    try:
        text = (root / "riskseg.toml").read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return []
    return [*undecided(text)]
