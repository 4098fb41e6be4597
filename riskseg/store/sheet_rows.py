"""The rows of one sheet of an Excel workbook, read one by one, each cell as a text."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from riskseg.domain.problems import did_you_mean
from riskseg.domain.words import first_few
from riskseg.store.workbooks import unescaped

# What a workbook may have unpacked, in bytes; all texts are held in memory.
MOST_BYTES, MOST_TEXTS = 2**30, 2**27
# Excel works with so many digits, and shows no more.
_DIGITS = 15


class SheetError(Exception):
    """A workbook or sheet that cannot be read; `hint` names the source as `{table}`."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class FaultyCell:
    """A cell that cannot be read: its row and column from 1, what it does, and what helps."""

    row: int
    column: int
    message: str
    hint: str

    @property
    def cell(self) -> str:
        from openpyxl.utils import get_column_letter

        return f"{get_column_letter(self.column)}{self.row}"


@dataclass(frozen=True)
class SheetRow:
    """The cells of a row that hold something, as texts, by column from 1."""

    number: int
    cells: Mapping[int, str]
    faults: Sequence[FaultyCell] = ()


@dataclass
class Sheet:
    name: str
    rows: Iterator[SheetRow]
    _parser: Any = field(repr=False)

    def merged_below(self, header_row: int) -> list[FaultyCell]:
        """The merged cells below a row, once all rows are read: only the first of them holds
        anything."""
        merged = self._parser.merged_cells
        return [
            FaultyCell(
                cells.min_row,
                cells.min_col,
                f"is merged with others ({cells.coord}), and only one of them holds a value",
                "Unmerge them, and fill each.",
            )
            for cells in (merged.mergeCell if merged else ())
            if cells.max_row > header_row
        ]


@contextmanager
def open_sheet(path: Path, wanted: str | None) -> Iterator[Sheet]:
    """A sheet of a workbook; without a name the only one. Raises SheetError."""
    import openpyxl

    _check_size(path)
    with warnings.catch_warnings(), path.open("rb") as stream:
        # Of what it leaves out: pictures, validation. No cell is among that.
        warnings.simplefilter("ignore")
        with _damage():
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
        sheet: Any = _chosen(book, wanted)
        with sheet._get_source() as source:
            parser = _parser(sheet, source)
            yield Sheet(sheet.title, _rows(parser), parser)


def sheet_names(path: Path) -> list[str]:
    """The sheets of a workbook that can be seen, in order. Raises SheetError."""
    import openpyxl

    _check_size(path)
    with warnings.catch_warnings(), path.open("rb") as stream:
        warnings.simplefilter("ignore")
        with _damage():
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
            return [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]


@contextmanager
def _damage() -> Iterator[None]:
    """A damaged workbook fails in as many ways as it has parts."""
    try:
        yield
    except SheetError:
        raise
    except Exception as error:
        said = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        hint = "Save it as an Excel workbook (.xlsx)."
        raise SheetError(f"This is not an Excel workbook: {said}.", hint) from error


def _check_size(path: Path) -> None:
    with _damage(), zipfile.ZipFile(path) as book:
        sizes = {part.filename: part.file_size for part in book.infolist()}
    if sum(sizes.values()) > MOST_BYTES or sizes.get("xl/sharedStrings.xml", 0) > MOST_TEXTS:
        size = sum(sizes.values()) / 2**20
        hint = "Save the sheet as a CSV file."
        raise SheetError(f"The workbook is too large: unpacked it is {size:,.0f} MB.", hint)


def _chosen(book: Any, wanted: str | None) -> Any:
    """The sheet that is meant. Raises SheetError where there are several, or none of that name."""
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    if wanted is None:
        if len(sheets) == 1:
            return next(iter(sheets.values()))
        raise SheetError(
            f"The workbook has {len(sheets)} sheets: {first_few(tuple(sheets))}.",
            "Say which is meant: `sheet` in [source.{table}.read].",
        )
    if wanted not in sheets:
        hint = did_you_mean(wanted, sheets) or f"It has {first_few(tuple(sheets))}."
        raise SheetError(f'The workbook has no sheet "{wanted}".', hint.replace("{", "{{"))
    return sheets[wanted]


def _parser(sheet: Any, source: io.IOBase) -> Any:
    """The library's parser of a sheet, which also tells of formulas that Excel never worked out."""
    from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

    class Parser(WorkSheetParser):
        def parse_cell(self, element: Any) -> Any:
            cell = super().parse_cell(element)
            if cell["value"] is None and element.find(FORMULA_TAG) is not None:
                # A formula that gives an empty text has a value, and that is empty.
                cell["data_type"] = "s" if element.get("t") == "str" else "f"
            return cell

    return Parser(
        source,
        sheet._shared_strings,
        data_only=True,
        epoch=sheet.parent.epoch,
        date_formats=sheet.parent._date_formats,
        timedelta_formats=sheet.parent._timedelta_formats,
    )


def _rows(parser: Any) -> Iterator[SheetRow]:
    with _damage():
        yield from _parsed(parser)


def _parsed(parser: Any) -> Iterator[SheetRow]:
    for number, cells in parser.parse():
        texts: dict[int, str] = {}
        faults: list[FaultyCell] = []
        for cell in cells:
            value, kind, column = cell["value"], cell["data_type"], cell["column"]
            if kind == "f":
                message = "holds a formula that Excel has not worked out"
                hint = "Open the workbook in Excel and save it, or put values in place of formulas."
                faults.append(FaultyCell(number, column, message, hint))
                texts[column] = ""
            elif kind == "e":
                hint = "Write what it should say, or leave it empty."
                faults.append(FaultyCell(number, column, f"holds the error {value}", hint))
                texts[column] = ""
            elif value is not None and (text := cell_text(value)) != "":
                texts[column] = text
        yield SheetRow(number, texts, faults)


def cell_text(value: Any) -> str:
    """A cell as the text that a CSV file would have."""
    match value:
        case bool():
            return str(value).lower()
        case datetime():
            return str(value.date() if value == datetime(*value.timetuple()[:3]) else value)
        case date():
            return str(value)
        case int():
            return str(value)
        case float():
            return format(Decimal(f"{value:.{_DIGITS}g}").normalize(), "f")
        case _:
            return unescaped(str(value))
