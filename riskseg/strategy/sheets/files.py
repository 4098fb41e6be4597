"""The bytes that hold sheets: an Excel workbook, or one CSV file a sheet.

Cells are written as text and nothing in them is ever carried out. In a workbook a cell is of the
type text; in CSV, where every program guesses, one that begins like a formula is kept from being
one by an apostrophe, which reading takes off again.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from riskseg.domain.problems import Problems
from riskseg.store.workbook_size import too_large
from riskseg.store.workbooks import (
    MOST_CHARACTERS,
    MOST_COLUMNS,
    MOST_ROWS,
    check_openpyxl,
    escaped,
    unescaped,
    without_clock,
)
from riskseg.strategy.sheets.cells import column_letters, reference
from riskseg.strategy.sheets.tables import Grid, Sheet

if TYPE_CHECKING:
    from openpyxl.worksheet.cell_range import CellRange

# The most characters in the name of a sheet.
_TITLE = 31
_INSTEAD = "use a folder of CSV files"
# The most cells that rows may reach over, each from the first column to its last text: a text in
# the last column of a thousand rows is a slip, and as a table would fill the memory.
_AREA = 10_000_000

_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")
_LIKE_A_FILE = 'Save it as an Excel workbook (.xlsx) or as "CSV UTF-8".'


def unfit(name: str, *, workbook: bool) -> str | None:
    """Why a sheet or CSV file cannot have this name, or None."""
    if not name or re.search(r'[\\/:*?"<>|\[\]\x00-\x1f]', name) or name != name.strip(" .'"):
        return "it cannot be the name of a sheet or file"
    if workbook and len(name) > _TITLE:
        return f"Excel allows {_TITLE} characters in the name of a sheet"
    if workbook and name.casefold() == "history":
        return "Excel keeps that name for itself"
    return None


def check_texts(grid: Grid, where: str, problems: Problems, *, workbook: bool) -> None:
    """RS219 for what no sheet, or no workbook, can hold."""
    if workbook and (len(grid) > MOST_ROWS or max(map(len, grid)) > MOST_COLUMNS):
        problems.add(
            "RS219", f"Excel holds {MOST_ROWS:,} rows and {MOST_COLUMNS:,} columns.", file=where
        )
    for i, row in enumerate(grid, start=1):
        for j, text in enumerate(row, start=1):
            message = ""
            if workbook and len(text) > MOST_CHARACTERS:
                message = (
                    f"Excel allows {MOST_CHARACTERS:,} characters in a cell; this would be longer."
                )
            elif not text.isascii() and re.search(r"[\ud800-\udfff]", text):
                message = "The text holds half a character, which no file can."
            if message:
                problems.add("RS219", message, file=f"{where}, cell {reference(i, j)}")


# CSV


def csv_bytes(grid: Grid) -> bytes:
    """A grid as CSV in UTF-8, with the mark by which Excel knows that."""
    csv_text = io.StringIO(newline="")
    writer = csv.writer(csv_text, lineterminator="\r\n")
    for row in grid:
        writer.writerow(["'" + cell if _FORMULA.match(cell) else cell for cell in row])
    return csv_text.getvalue().encode("utf-8-sig")


def read_csv(content: bytes, name: str, file: str, problems: Problems) -> Sheet | None:
    """A CSV file as a sheet, or None after adding a Problem. Commas, semicolons or tabs separate,
    whichever follows the first header."""
    try:
        decoded_text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        hint = 'Save it as "CSV UTF-8".'
        problems.add("RS217", "This is not UTF-8 text.", file=file, line=line, hint=hint)
        return None
    separator = re.match(r'\s*(?:"(?:[^"]|"")*"|[^",;\t\r\n]*)([,;\t])', decoded_text)
    reader = csv.reader(
        io.StringIO(decoded_text, newline=""),
        strict=True,
        delimiter=separator[1] if separator else ",",
    )
    rows_by_line: dict[int, list[str]] = {}
    line = 1
    try:
        for number, cells in enumerate(reader, start=1):
            line = reader.line_num + 1
            if any(cells):
                rows_by_line[number] = [
                    cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell for cell in cells
                ]
    except csv.Error as error:
        message = f"This is not CSV: {error}, in the row that begins here."
        if str(error) == "unexpected end of data":
            message = (
                "This is not CSV: a quote is opened and not closed, in the row that begins here."
            )
        problems.add("RS217", message, file=file, line=line, hint=_LIKE_A_FILE)
        return None
    return Sheet(name, file, rows_by_line)


# Excel


def workbook_bytes(grids: Mapping[str, Grid]) -> bytes:
    """A workbook with a sheet for each grid, the same bytes for the same grids. Raises RS024 where
    openpyxl is not installed."""
    check_openpyxl(_INSTEAD)
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.worksheet.worksheet import Worksheet

    book = Workbook()
    book.properties.creator = "riskseg"
    book.remove(book.worksheets[0])
    for sheet_name, grid in grids.items():
        sheet = book.create_sheet(sheet_name)
        assert isinstance(sheet, Worksheet)
        sheet.freeze_panes = "A2"
        for i, row in enumerate(grid, start=1):
            for j, text in enumerate(row, start=1):
                if text:
                    cell = sheet.cell(i, j)
                    cell.value = escaped(text)
                    # Whatever it looks like, and whatever is typed there later: text.
                    cell.data_type = "s"
                    cell.number_format = "@"
                    if i == 1:
                        cell.font = Font(bold=True)
        for j in range(1, len(grid[0]) + 1):
            column = sheet.column_dimensions[column_letters(j)]
            column.number_format = "@"
            column.width = min(60, 3 + max(len(row[j - 1]) for row in grid))
    buffer = io.BytesIO()
    book.save(buffer)
    return without_clock(buffer.getvalue())


def read_workbook(content: bytes, file: str, problems: Problems) -> list[Sheet] | None:
    """The sheets of a workbook, or None after adding a Problem. A cell that holds no plain text,
    number or truth is a Problem at that cell. Raises RS024 where openpyxl is not installed."""
    check_openpyxl(_INSTEAD)
    from openpyxl import load_workbook

    if size_fault := too_large(content):
        hint = "Copy the strategy's tables to a new workbook, and import that."
        problems.add("RS217", f"The workbook is too large: {size_fault}.", file=file, hint=hint)
        return None
    try:
        with warnings.catch_warnings():
            # Of what it leaves out: pictures, validation. No cell is among that.
            warnings.simplefilter("ignore")
            book = load_workbook(io.BytesIO(content), read_only=True)
            written_sheets = [(sheet.title, _written(sheet)) for sheet in book.worksheets]
    except Exception as error:  # a damaged workbook fails in as many ways as it has parts
        size_fault = f"This is not an Excel workbook: {_said(error)}."
        problems.add("RS217", size_fault, file=file, hint=_LIKE_A_FILE)
        return None
    sheets = [
        _sheet(sheet_name, written_sheet, f"{file}, sheet {sheet_name}", problems)
        for sheet_name, written_sheet in written_sheets
    ]
    return [sheet for sheet in sheets if sheet is not None]


def _said(error: Exception) -> str:
    """What a library said of a file, in one line."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


@dataclass(frozen=True)
class _Written:
    """A sheet as the file has it: its cells that hold something, by row and column from 1, each
    with its kind; and the ranges that are merged."""

    cells: Mapping[tuple[int, int], tuple[str, Any]]
    merged: Sequence[CellRange]


def _written(sheet: Any) -> _Written:
    """Read by the library's parser and not into its worksheets, which hold a cell for each that
    could be in a range that is merged or a link: seventeen thousand million in a few bytes."""
    from openpyxl.worksheet._reader import WorkSheetParser

    with sheet._get_source() as source:
        parser = WorkSheetParser(
            source,
            sheet._shared_strings,
            epoch=sheet.parent.epoch,
            date_formats=sheet.parent._date_formats,
            timedelta_formats=sheet.parent._timedelta_formats,
        )
        cells_written = {
            (cell["row"], cell["column"]): (cell["data_type"], cell["value"])
            for _, row in parser.parse()
            for cell in row
            if cell["value"] is not None
        }
    return _Written(cells_written, parser.merged_cells.mergeCell if parser.merged_cells else ())


def _sheet(title: str, written: _Written, where: str, problems: Problems) -> Sheet | None:
    """A sheet, or None after adding a Problem about the whole of it."""
    faulty: list[tuple[range, range]] = []
    for merged in sorted(
        written.merged, key=lambda cell_range: (cell_range.min_row, cell_range.min_col)
    ):
        first_cell = reference(merged.min_row, merged.min_col)
        problems.add(
            "RS218",
            f"The cells {merged.coord} are merged: only one of them says anything.",
            file=f"{where}, cell {first_cell}",
            hint="Unmerge them and fill each.",
        )
        rows = range(merged.min_row, merged.max_row + 1)
        faulty.append((rows, range(merged.min_col, merged.max_col + 1)))
    texts_by_row: dict[int, dict[int, str]] = {}
    for (row, column), (kind, value) in sorted(written.cells.items()):
        if any(row in rows and column in columns for rows, columns in faulty):
            continue
        cell_text, message, hint = _read(kind, value)
        if cell_text is None:
            position = f"{where}, cell {reference(row, column)}"
            problems.add("RS218", message, file=position, hint=hint)
            faulty.append((range(row, row + 1), range(column, column + 1)))
        elif cell_text:
            texts_by_row.setdefault(row, {})[column] = cell_text
    if sum(map(max, texts_by_row.values())) > _AREA:
        last_cell = reference(max(texts_by_row), max(map(max, texts_by_row.values())))
        message = f"Texts stand as far apart as A1 and {last_cell}: this is not a table of rules."
        hint = "Remove what stands beside the table."
        problems.add("RS217", message, file=f"{where}, cells A1:{last_cell}", hint=hint)
        return None
    full_rows = {
        row: [cells.get(column, "") for column in range(1, max(cells) + 1)]
        for row, cells in texts_by_row.items()
    }
    return Sheet(title, where, full_rows, tuple(faulty))


def _read(kind: str, value: Any) -> tuple[str | None, str, str]:
    """The text a cell means; or None, what is wrong with it, and how to fix that."""
    as_text = "Format the cell as Text, then type it again."
    match kind:
        case "s" | "inlineStr":
            return unescaped(str(value)), "", ""
        case "b":
            return str(bool(value)).lower(), "", ""
        case "n" if isinstance(value, int | float):
            return format(Decimal(repr(value)).normalize(), "f"), "", ""
        case "f":
            message = "The cell holds a formula, which is not worked out here."
            return None, message, f"Put in its place what it gives. {as_text}"
        case "e":
            return None, f"The cell holds the error {value}.", "Write what it should say."
        case "d":
            message = f"Excel made a date of what was typed here: {value}."
            return None, message, as_text
        case _:
            return None, f"The cell holds {type(value).__name__}, not text.", as_text
