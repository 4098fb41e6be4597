"""Rows as an Excel workbook of one sheet, for people to read and to fill in."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any

import pyarrow as pa

from riskseg.domain.problems import Problems, ProblemsError, problem
from riskseg.store.sinks.port import FileSink
from riskseg.store.sinks.rendering import json_text
from riskseg.store.workbook_size import too_large
from riskseg.store.workbooks import (
    MOST_CHARACTERS,
    MOST_ROWS,
    check_openpyxl,
    escaped,
    unescaped,
    without_clock,
)

_INSTEAD = "name a file of another form"
_SHEET = "rows"
# A number of more digits is none to Excel: it is written as a text.
_DIGITS = 15


class Workbook(FileSink):
    def __init__(self) -> None:
        super().__init__(".xlsx")

    def check(self, target: str, problems: Problems) -> None:
        super().check(target, problems)
        try:
            check_openpyxl(_INSTEAD)
        except ProblemsError as error:
            problems.extend(error.problems)

    def write_file(self, path: Path, schema: pa.Schema, groups: Iterator[pa.Table]) -> int:
        return write_sheets(path, [Sheet(_SHEET, schema, groups)])

    def relation(self, file: str) -> str:
        raise ValueError(f"{file} is read as `texts`")

    def texts(self, path: Path) -> pa.Table:
        """The rows of the first sheet, below a row of names. Raises RS006 for what is no such
        workbook."""
        check_openpyxl(_INSTEAD)
        import openpyxl

        content = path.read_bytes()
        if message := too_large(content):
            raise _unreadable(path, f"The workbook is too large: {message}.")
        try:
            with warnings.catch_warnings():
                # Of what it leaves out: pictures, validation. No cell is among that.
                warnings.simplefilter("ignore")
                book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
                rows = [
                    [*map(_text, row)] for row in book.worksheets[0].iter_rows(values_only=True)
                ]
        except Exception as error:  # a damaged workbook fails in as many ways as it has parts
            said = " ".join(str(error).split()).rstrip(".") or type(error).__name__
            raise _unreadable(path, f"This is not an Excel workbook: {said}.") from error
        while rows and not any(rows[-1]):
            rows.pop()
        names = rows[0] if rows else []
        width = max((n for n, name in enumerate(names, 1) if name), default=0)
        named = [name or "" for name in names[:width]]
        if not named or "" in named or len({name.casefold() for name in named}) < width:
            raise _unreadable(
                path,
                "The first row of the sheet does not give each column a name of its own.",
            )
        padded = [[*row, *[None] * width][:width] for row in rows[1:]]
        columns = [pa.array([row[n] for row in padded], pa.string()) for n in range(width)]
        return pa.table(columns, names=named)


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook: its name, its columns and its rows. `formats` say how Excel shows the
    values of some columns, where their type does not; `widths` how many characters wide some are,
    beyond which text is wrapped."""

    name: str
    schema: pa.Schema
    groups: Iterable[pa.Table]
    formats: Mapping[str, str] = field(default_factory=dict)
    widths: Mapping[str, int] = field(default_factory=dict)


def write_sheets(path: Path, sheets: Iterable[Sheet]) -> int:
    """Write a workbook; how many rows there are in all. Raises RS004 without openpyxl, RS010 for a
    sheet of more rows than Excel holds."""
    check_openpyxl(_INSTEAD)
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    book.properties.creator = "riskseg"
    rows = sum(_write_sheet(book, path, sheet) for sheet in sheets)
    buffer = io.BytesIO()
    book.save(buffer)
    path.write_bytes(without_clock(buffer.getvalue()))
    return rows


def _write_sheet(book: Any, path: Path, content: Sheet) -> int:
    from openpyxl.utils import get_column_letter

    schema = content.schema
    sheet: Any = book.create_sheet(content.name)
    sheet.freeze_panes = "A2"
    for number, column in enumerate(schema, start=1):
        width = content.widths.get(column.name, _width(column))
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.append([_heading(sheet, column) for column in schema.names])
    formats = {column.name: _number_format(column.type) for column in schema} | {**content.formats}
    rows = 0
    try:
        for group in content.groups:
            rows += group.num_rows
            if rows >= MOST_ROWS:
                raise problem(
                    "RS010",
                    f"Excel holds {MOST_ROWS:,} rows, and these are more.",
                    file=str(path),
                    hint="Name a file of another form.",
                )
            for row in group.to_pylist():
                sheet.append(
                    [
                        _cell(sheet, value, formats[name], wrapped=name in content.widths)
                        for name, value in row.items()
                    ]
                )
    except BaseException:
        sheet.close()
        raise
    if schema.names:
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(schema.names))}{rows + 1}"
    return rows


def _heading(sheet: Any, name: str) -> Any:
    from openpyxl.styles import Font

    cell = _cell(sheet, name)
    cell.font = Font(bold=True)
    return cell


def _width(field: pa.Field) -> int:
    """How wide a column is, in characters: its name, with the arrow of the filter, and its values,
    as far as their type says how long they are."""
    texts = 24 if pa.types.is_string(field.type) and not field.name.endswith("_id") else 12
    return min(40, max(len(field.name) + 4, texts))


def _unreadable(path: Path, message: str) -> ProblemsError:
    hint = "Save it as an Excel workbook (.xlsx) with the table on its first sheet."
    return problem("RS006", message, file=str(path), hint=hint)


def _cell(sheet: Any, value: Any, number_format: str = "General", *, wrapped: bool = False) -> Any:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment

    if isinstance(value, list | dict):
        value = json_text(value)
    if isinstance(value, Decimal):
        is_exact = len(value.as_tuple().digits) <= _DIGITS
        value = float(value) if is_exact else format(value, "f")
    if isinstance(value, float) and not isfinite(value):
        value = str(value)
    cell = WriteOnlyCell(sheet)
    if isinstance(value, str):
        if len(value) > MOST_CHARACTERS:
            raise problem(
                "RS010",
                f"Excel allows {MOST_CHARACTERS:,} characters in a cell; this would be longer.",
                hint="Name a file of another form.",
            )
        # Whatever it looks like: text.
        cell.value = escaped(value)
        cell.data_type, cell.number_format = "s", "@"
        if wrapped:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    else:
        cell.value = value
        if value is not None and not isinstance(value, bool):
            cell.number_format = number_format
    return cell


def _number_format(kind: pa.DataType) -> str:
    """How Excel shows the values of a column."""
    if pa.types.is_date(kind):
        return "yyyy-mm-dd"
    if pa.types.is_decimal(kind):
        return f"0.{'0' * kind.scale}" if kind.scale > 0 else "0"
    return "0" if pa.types.is_integer(kind) else "General"


def _text(value: Any) -> str | None:
    """A cell as the text that a CSV file would have."""
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case datetime():
            return str(value.date() if value == datetime(*value.timetuple()[:3]) else value)
        case date():
            return str(value)
        case int() | float():
            return format(Decimal(repr(value)).normalize(), "f")
        case _:
            return unescaped(str(value))
