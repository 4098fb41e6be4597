"""segments.csv in a strategy's folder: a table of thousands of rows that never becomes YAML."""

from __future__ import annotations

from pathlib import Path

from riskseg.domain.problems import Problems
from riskseg.strategy.sheets.files import read_csv
from riskseg.strategy.sheets.tables import SEGMENTS, SheetDocument, segments_document

FILE = f"{SEGMENTS}.csv"


def exists(folder: Path) -> bool:
    return (folder / FILE).is_file()


def is_only_table(folder: Path, problems: Problems, *, shown: str) -> bool:
    """Whether there is no segments.yaml beside segments.csv: nobody could say which holds."""
    if exists(folder) and (folder / f"{SEGMENTS}.yaml").is_file():
        problems.add(
            "RS217",
            f"There is a {SEGMENTS}.yaml too: one strategy, two tables of segments.",
            file=f"{shown}/{FILE}",
            hint="Remove one of them.",
        )
        return False
    return True


def read_segments_csv(folder: Path, problems: Problems, *, shown: str) -> SheetDocument | None:
    """The document of the folder's segments.csv, or None after adding Problems. `shown` is the
    folder as a person names it."""
    if not is_only_table(folder, problems, shown=shown):
        return None
    sheet = read_csv((folder / FILE).read_bytes(), SEGMENTS, f"{shown}/{FILE}", problems)
    return None if sheet is None else segments_document(sheet, problems)
