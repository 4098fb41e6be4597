"""What a sheet says: a decision table or a tier scheme, and the cell every value stands in.

A grid is a list of rows of texts, headers first. :class:`Sheet` is a grid as it was read, with
its place; :class:`SheetDocument` is what it says, as the YAML file would, located by cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

from riskseg.domain.documents import Document
from riskseg.domain.problems import Problem, Problems
from riskseg.domain.yaml_text import Path_
from riskseg.strategy.sheets.cells import (
    OTHERWISE,
    CellError,
    blank,
    level_text,
    match_text,
    read_match,
    read_name,
    read_when,
    reference,
    when_text,
)

T = TypeVar("T")
Grid = list[list[str]]

SEGMENTS = "segments"
TIER_HEADERS = ("tier", "when", "unknown")


class TableForm(NamedTuple):
    """The headers of a sheet that is a decision table: those before its columns, and the last."""

    first: tuple[str, ...]
    result: str

    @property
    def headers(self) -> str:
        return ", ".join([*self.first, "one for each column of the table", self.result])


SEGMENTS_TABLE, SCHEME_TABLE = TableForm(("id",), "segment"), TableForm((), "tier")
_AS_LINE = re.compile(r"\bline (?=\d)")


@dataclass(frozen=True)
class Sheet:
    """A sheet as it was read: `rows` by number, from 1, those without a text left out.

    `where` is how a person names it: `tables.xlsx, sheet segments`. `faulty` are cells about
    which a Problem has been reported already: row, column, both from 1.
    """

    name: str
    where: str
    rows: Mapping[int, Sequence[str]]
    faulty: Sequence[tuple[range, range]] = ()

    def cell(self, row: int, column: int) -> str:
        cells = self.rows.get(row, ())
        return cells[column - 1].strip() if column <= len(cells) else ""

    def at(self, row: int, column: int) -> str:
        return f"{self.where}, cell {reference(row, column)}"

    def is_faulty(self, row: int, column: int) -> bool:
        return any(row in rows and column in columns for rows, columns in self.faulty)


@dataclass(frozen=True)
class SheetDocument(Document):
    """A document out of one sheet or several: `lines` are rows, `places` whole names of cells."""

    places: Mapping[Path_, str] = field(default_factory=dict)

    def at(self, *path: str | int) -> dict[str, Any]:
        enclosing: Path_ = tuple(path)
        while enclosing not in self.places:
            if not enclosing:
                return {"file": self.file, "line": None}
            enclosing = enclosing[:-1]
        return {"file": self.places[enclosing], "line": None}

    def located(self, problem: Problem) -> Problem:
        """A Problem about this document in a sheet's words: the first cell of a row where it names
        only the row, and rows where it names other lines."""
        if not (problem.file or "").startswith(self.file):
            return problem
        file, line = problem.file, problem.line
        if file == self.file and line is not None:
            file, line = f"{file}, cell {reference(line, 1)}", None
        message_here, hint_here = problem.what, problem.hint
        if problem.code == "RS204":
            message_here, hint_here = (
                _AS_LINE.sub("row ", message_here),
                _AS_LINE.sub("row ", hint_here),
            )
        return replace(problem, file=file, line=line, what=message_here, hint=hint_here)


# Out: the tables of a strategy as grids


def segments_grid(document: Document, problems: Problems) -> Grid:
    """The grid of a segments document whose shape fits. What a sheet cannot hold is RS219."""
    return _table_grid(_Writing(document, problems), SEGMENTS_TABLE)


def scheme_grid(document: Document, name: str, problems: Problems) -> Grid:
    """The grid of one scheme of a tiers document whose shape fits."""
    writing = _Writing(document, problems)
    if isinstance(document.data[name], dict):
        return _table_grid(writing, SCHEME_TABLE, name)
    grid = [list(TIER_HEADERS)]
    for i, row in enumerate(document.data[name]):
        when, otherwise = row.get("when"), row.get("otherwise")
        if (when is None) == (otherwise is None):
            message = f'The row "{row["tier"]}" needs either `when` or `otherwise: true`.'
            writing.refuse(message, name, i)
            continue
        when_cell = OTHERWISE if otherwise else writing.cell(when_text, when, name, i, "when")
        grid.append([level_text(row["tier"]), when_cell, row.get("unknown") or ""])
    return grid


def _table_grid(writing: _Writing, form: TableForm, *path: str) -> Grid:
    """The grid of the decision table that stands at `path` of the document."""
    written = writing.document.data
    for key in path:
        written = written[key]
    columns = written["columns"]
    for j, column in enumerate(columns):
        if column in columns[:j]:
            writing.refuse(f'The column "{column}" occurs twice.', *path, "columns", j)
    grid = [[*form.first, *map(level_text, columns), form.result]]
    for i, row in enumerate(written["rows"]):
        match_path: Path_ = (*path, "rows", i, "match")
        names = [row[key] for key in form.first]
        if len(row["match"]) != len(columns):
            row_name = (names or [row[form.result]])[0]
            message = (
                f'The row "{row_name}" has {len(row["match"])} cells for {len(columns)} columns'
            )
            writing.refuse(f"{message}.", *match_path)
        cells = [
            writing.cell(match_text, cell, *match_path, j) for j, cell in enumerate(row["match"])
        ]
        grid.append([*map(level_text, names), *cells, level_text(row[form.result])])
    return grid


@dataclass(frozen=True)
class _Writing:
    document: Document
    problems: Problems

    def refuse(self, message: str, *path: str | int) -> None:
        hint = "A sheet cannot hold that: correct it first."
        self.problems.add("RS219", message, hint=hint, **self.document.at(*path))

    def cell(self, write: Callable[[Any], str], value: object, *path: str | int) -> str:
        try:
            return write(value)
        except CellError as error:
            self.refuse(str(error), *path)
            return ""


# In: what the sheets say


def segments_document(
    sheet: Sheet, problems: Problems, columns_now: Sequence[str] = ()
) -> SheetDocument | None:
    """The document of a segments sheet, or None after adding a Problem for each cell at fault.
    `columns_now` are those of the table as it stands, to name the one whose header is lost."""
    reading = _Reading(sheet, problems, columns_now)
    headers = reading.headers()
    if not reading.sound:
        return None
    data = _table(reading, headers, SEGMENTS_TABLE)
    return None if data is None else reading.document(sheet.where, data)


def _table(
    reading: _Reading, headers: Sequence[str], form: TableForm, *path: str
) -> dict[str, Any] | None:
    """The decision table of a sheet, which stands at `path` of the document; None where its headers
    are at fault."""
    begin = len(form.first)  # of the columns
    # A last column that the table has is no `segment` misspelt: that header is lost behind it.
    lost = headers[-1] in reading.columns_now and form.result not in headers
    expected_at = {column: header for column, header in enumerate(form.first, start=1)}
    expected_at[max(len(headers) + lost, begin + 1)] = form.result
    for column, expected in expected_at.items():
        header = headers[column - 1] if column <= len(headers) else ""
        if header != expected:
            message = f'The header "{header}" should be `{expected}`.' if header else ""
            message = message or f"The header `{expected}` is missing."
            reading.add_problem(1, column, message, f"Headers are: {form.headers}.")
    columns = list(headers[begin:-1])
    for j, header in enumerate(columns):
        if header in columns[:j]:
            message = f'The header "{header}" occurs twice.'
            reading.add_problem(1, j + begin + 1, message, "Keep one of the columns.")
    if not reading.sound:
        return None
    for place in (path, (*path, "columns"), (*path, "rows")):
        reading.place(place, 1, 1)
    for j in range(len(columns)):
        reading.place((*path, "columns", j), 1, j + begin + 1)
    rows = [
        _table_row(reading, row, (*path, "rows", i), len(columns), form)
        for i, row in enumerate(reading.rows(headers))
    ]
    return {"columns": columns, "rows": rows}


def _table_row(
    reading: _Reading, row: int, path: Path_, columns: int, form: TableForm
) -> dict[str, Any]:
    begin = len(form.first)
    reading.place(path, row, 1)
    reading.place((*path, "match"), row, begin + 1)
    reading.place((*path, form.result), row, begin + columns + 1)
    for column, key in enumerate(form.first, start=1):
        reading.place((*path, key), row, column)
    for j in range(columns):
        reading.place((*path, "match", j), row, j + begin + 1)
    names = {
        key: reading.value(row, column, read_name, "Each row has an id of its own.")
        for column, key in enumerate(form.first, start=1)
    }
    match = [
        reading.value(row, j + begin + 1, read_match, "Write levels, or `any`.")
        for j in range(columns)
    ]
    result = reading.value(row, begin + columns + 1, read_name, f"Each row gives a {form.result}.")
    return {**names, "match": match, form.result: result}


def tiers_document(sheets: Sequence[Sheet], where: str, problems: Problems) -> SheetDocument | None:
    """One document of all scheme sheets, in the order given, or None after adding Problems.
    `where` is the workbook or folder they came from."""
    tiers_data: dict[str, Any] = {}
    line_of_path: dict[Path_, int] = {(): 1}
    places: dict[Path_, str] = {(): where}
    sound = True
    for sheet in sheets:
        reading = _Reading(sheet, problems)
        scheme_rows = _scheme(reading)
        tiers_data[sheet.name] = scheme_rows
        line_of_path |= reading.lines
        places |= reading.places
        sound &= reading.sound
    return SheetDocument(where, tiers_data, line_of_path, places) if sound else None


def _scheme(reading: _Reading) -> list[dict[str, Any]] | dict[str, Any]:
    """The rows of a scheme that is a list of conditions; or a table, which ends with its tiers."""
    scheme_name = reading.sheet.name
    headers = reading.headers()
    if not reading.sound:
        return []
    if headers[1:] and headers[-1] == SCHEME_TABLE.result:
        return _table(reading, headers, SCHEME_TABLE, scheme_name) or []
    for column, expected in enumerate(TIER_HEADERS, start=1):
        header = headers[column - 1] if column <= len(headers) else ""
        # Few conditions can be unknown: a scheme without any needs no such column.
        if header != expected and (header or expected != "unknown"):
            message = f'The header "{header}" should be `{expected}`.' if header else ""
            hint = f"Headers are: {', '.join(TIER_HEADERS)}."
            reading.add_problem(1, column, message or f"The header `{expected}` is missing.", hint)
    for column in range(len(TIER_HEADERS) + 1, len(headers) + 1):
        message = f'"{headers[column - 1]}" is not a header that belongs here.'
        reading.add_problem(1, column, message, f"Headers are: {', '.join(TIER_HEADERS)}.")
    if not reading.sound:
        return []
    tier_rows: list[dict[str, Any]] = []
    reading.place((scheme_name,), 1, 1)
    for i, row in enumerate(reading.rows(headers)):
        for path, column in (
            ((scheme_name, i), 1),
            ((scheme_name, i, "tier"), 1),
            ((scheme_name, i, "when"), 2),
        ):
            reading.place(path, row, column)
        reading.place((scheme_name, i, "unknown"), row, 3)
        tier_entry: dict[str, Any] = {"tier": reading.value(row, 1, read_name, "Name the tier.")}
        hint = "Write a condition, or `otherwise` in the last row."
        when_cell = reading.value(row, 2, read_when, hint)
        if isinstance(when_cell, str) and when_cell.casefold() == OTHERWISE:
            tier_entry["otherwise"] = True
        else:
            tier_entry["when"] = when_cell
        if reading.sheet.is_faulty(row, 3):
            reading.sound = False
        elif unknown := reading.sheet.cell(row, 3):
            tier_entry["unknown"] = unknown
        tier_rows.append(tier_entry)
    return tier_rows


class _Reading:
    """One sheet being read: what is found wrong, and where every value stands."""

    def __init__(self, sheet: Sheet, problems: Problems, columns_now: Sequence[str] = ()) -> None:
        self.sheet, self.problems = sheet, problems
        self.columns_now = columns_now
        self.sound = True
        self.lines: dict[Path_, int] = {}
        self.places: dict[Path_, str] = {}

    def add_problem(self, row: int, column: int, message: str, hint: str = "") -> None:
        self.sound = False
        self.problems.add("RS218", message, file=self.sheet.at(row, column), hint=hint)

    def place(self, path: Path_, row: int, column: int) -> None:
        self.lines[path] = row
        self.places[path] = self.sheet.at(row, column)

    def value(self, row: int, column: int, read: Callable[[str], T], hint: str) -> T | None:
        """What a cell says; an empty one is a Problem."""
        cell_text = self.sheet.cell(row, column)
        if self.sheet.is_faulty(row, column):
            self.sound = False
        elif not cell_text:
            self.add_problem(row, column, "The cell is empty.", hint)
        else:
            try:
                return read(cell_text)
            except CellError as error:
                self.add_problem(row, column, str(error), hint)
        return None

    def headers(self) -> list[str]:
        """The first row, up to its last text."""
        header_cells = [cell.strip() for cell in self.sheet.rows.get(1, ())]
        width = max(
            (column for column, cell in enumerate(header_cells, start=1) if cell), default=0
        )
        # A header that cannot be read is one all the same.
        faulty = [columns.stop - 1 for rows, columns in self.sheet.faulty if 1 in rows]
        width = max(width, *faulty, 0)
        if not width:
            self.add_problem(1, 1, "There are no headers in the first row.")
        hint = f"Write what the column holds, or remove the column.{self._lost(header_cells)}"
        header_names = [self.value(1, column, read_name, hint) for column in range(1, width + 1)]
        return [header_name or "" for header_name in header_names]

    def rows(self, headers: Sequence[str]) -> list[int]:
        """The numbers of the rows below the headers. What stands beside the table is a Problem,
        one a column, and makes no row."""
        width = len(headers)
        rows_beside_table: dict[int, list[int]] = {}
        row_numbers = []
        for row in sorted(row for row in self.sheet.rows if row > 1):
            row_cells = self.sheet.rows[row]
            if not blank(row_cells[:width]):
                row_numbers.append(row)
            for column, cell in enumerate(row_cells[width:], start=width + 1):
                if cell.strip():
                    rows_beside_table.setdefault(column, []).append(row)
        for column, rows in rows_beside_table.items():
            self._headless(rows, column, headers)
        return row_numbers

    def _headless(self, rows: Sequence[int], column: int, headers: Sequence[str]) -> None:
        message = f'"{self.sheet.cell(rows[0], column)}" has no header above it.'
        if len(rows) > 1:
            last_cell = reference(rows[-1], column)
            message = (
                f"What stands from here down to {last_cell} in {len(rows)} cells has no header."
            )
        hint = "Give the column a header, or remove what stands there."
        self.add_problem(rows[0], column, message, f"{hint}{self._lost(headers)}")

    def _lost(self, headers: Collection[str]) -> str:
        """The columns of the table as it stands that have no header here, in words."""
        lost = [f'"{c}"' for c in self.columns_now if not {c, level_text(c)} & {*headers}]
        if not lost:
            return ""
        word = "column" if len(lost) == 1 else "columns"
        return f" No header here names the {word} {', '.join(lost)} of the strategy's table."

    def document(self, where: str, data: Any) -> SheetDocument | None:
        return SheetDocument(where, data, self.lines, self.places) if self.sound else None
