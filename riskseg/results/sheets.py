"""What `strategy sheet` gives: tables of rules to and from Excel and CSV."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from riskseg.domain.words import counted
from riskseg.results.base import (
    ProblemField,
    Result,
    Single,
    records,
)
from riskseg.results.part import Part


class SheetExport(Single):
    """Sheets that were written."""

    strategy: str
    files: tuple[str, ...]
    rows: Mapping[str, int]
    """The rows of each sheet, without its headers."""

    def _title(self) -> str:
        return "\n".join([f"{self.strategy}: {counted(len(self.rows), 'sheet')}.", *self.files])


class SheetChange(Part):
    """What an import changes in one table. Rows go by their id or tier; the second row of a tier
    is `tier (2)`."""

    table: str
    rows: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    moved: bool
    """Whether rows that stay are in another order."""
    columns: bool
    """Whether the columns are others, or in another order."""
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    differs: bool
    """Whether anything changes."""

    @property
    def column_changes(self) -> list[str]:
        """What becomes of the columns, in words."""
        words = {"added": self.columns_added, "dropped": self.columns_removed}
        parts = [f"columns {word}: {', '.join(names)}" for word, names in words.items() if names]
        return parts or (["other columns"] if self.columns else [])


class SheetImport(Result):
    """Tables that were taken from sheets."""

    strategy: str
    version: str
    dry_run: bool
    tables: tuple[SheetChange, ...]
    files: tuple[str, ...]
    """The files that were written, or would be."""
    comments_lost: int
    """Comments of the old files that found no row to stand by."""
    problems: tuple[ProblemField, ...] = ()
    """Always empty: with Problems there is no result."""

    def to_arrow(self) -> pa.Table:
        """What changes: table, rows, added, removed, changed, moved, columns."""
        columns = {"table": pa.string(), "rows": pa.int64()}
        columns |= dict.fromkeys(("added", "removed", "changed"), pa.list_(pa.string()))
        return records(columns | dict.fromkeys(("moved", "columns"), pa.bool_()), self.tables)

    def _title(self) -> str:
        verb = "would be written" if self.dry_run else "written"
        written = f"{counted(len(self.files), 'file')} {verb}"
        return f"{self.strategy} {self.version}: {written}."
