"""Workbooks as sources: what a person sees in the sheet is what is read."""

from __future__ import annotations

import re
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from riskseg.run.check import check
from tests.sources.reading import faults, read


def write(path: Path, *sheets: tuple[str, list[list[Any]]], merged: str = "") -> None:
    book = Workbook()
    for title, rows in sheets:
        sheet: Any = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
        if merged:
            sheet.merge_cells(merged)
    del book["Sheet"]
    book.save(path)


BILLS = [
    ["account_id", "bill_id", "due_on", "amount", "paid"],
    [1001, "0042", date(2025, 6, 1), 10.2, True],
    [1002.0, "#7", datetime(2025, 6, 2, 13, 45), 0.1 + 0.2, None],
    ["A3", "'x", None, 1234567, False],
]
READ = [
    ("1001", "0042", "2025-06-01", "10.2", "true"),
    ("1002", "#7", "2025-06-02 13:45:00", "0.3", None),
    ("A3", "'x", None, "1234567", "false"),
]


def test_cells_are_read_as_the_texts_of_a_csv_file(tmp_path: Path) -> None:
    write(tmp_path / "l.xlsx", ("Bills", BILLS))
    assert read(tmp_path, "l.xlsx") == (BILLS[0], READ, 3)


def test_the_sheet_the_row_of_names_and_the_footer_are_stated(tmp_path: Path) -> None:
    title: list[list[Any]] = [["Overdue bills", None, "June"], []]
    footer: list[list[Any]] = [[], ["Total", None, None, 1234577.5]]
    write(tmp_path / "l.xlsx", ("Notes", [["x"]]), ("Bills", title + BILLS + footer))
    options = {"sheet": "Bills", "header_row": 3, "footer_rows": 1}
    assert read(tmp_path, "l.xlsx", **options)[1:] == (READ, 3)


def test_workbooks_of_a_pattern_are_joined_by_name(tmp_path: Path) -> None:
    write(tmp_path / "1.xlsx", ("S", [["a", "b"], [1, 2]]))
    write(tmp_path / "2.xlsx", ("S", [["b", "c"], [3, 4]]))
    columns, rows, _ = read(tmp_path, "*.xlsx")
    assert (columns, rows) == (["a", "b", "c"], [("1", "2", None), (None, "3", "4")])


def test_a_row_has_its_line_whatever_blank_rows_stand_before_it(tmp_path: Path) -> None:
    bad: list[list[Any]] = [["A4", "9", None, 1, None], [], ["A5", "10", "soon", 1, None]]
    write(tmp_path / "l.xlsx", ("Bills", [*BILLS[:2], [], [], *bad]))
    toml = '[workspace]\nmax_bad_rows = 0\n[source.bills]\nfrom = "l.xlsx"\n'
    (tmp_path / "riskseg.toml").write_text(toml)
    found = [(p.code, p.file, p.line) for p in check(tmp_path).problems][:2]
    assert found == [("RS101", "l.xlsx", 5), ("RS102", "l.xlsx", 7)]


@pytest.mark.parametrize(
    ("rows", "options", "code", "line", "words"),
    [
        (BILLS, {"sheet": "Bill"}, "RS006", None, 'Did you mean "Bills"?'),
        ([["a", "b"], [1, "=1+1"]], {}, "RS021", 2, "Cell B2 of the sheet Bills holds a formula"),
        ([["a", "b"], [1, "#N/A"]], {}, "RS021", 2, "the error #N/A"),
        ([["Report"], ["a", "b"], [1, 2]], {}, "RS021", 2, "header_row"),
        ([[None]], {}, "RS109", None, "no row of names"),
        ([["a"], [1]], {"header_row": 9}, "RS109", None, "header_row"),
        ([["a"], [1]], {"footer_rows": 2}, "RS021", None, "footer_rows"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_cell(
    tmp_path: Path, rows: list[Any], options: dict[str, Any], code: str, line: int, words: str
) -> None:
    write(tmp_path / "l.xlsx", ("Bills", rows))
    (problem,) = faults(tmp_path, "l.xlsx", **options)
    assert (problem.code, problem.file, problem.line) == (code, "l.xlsx", line)
    assert words in str(problem)


def test_several_sheets_are_no_source_until_one_is_named(tmp_path: Path) -> None:
    write(tmp_path / "l.xlsx", ("June", BILLS), ("July", BILLS))
    (problem,) = faults(tmp_path, "l.xlsx")
    assert "2 sheets: June, July" in problem.what
    assert "`sheet` in [source.bills.read]" in problem.hint


def test_merged_cells_below_the_names_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "l.xlsx", ("S", [["a", "b"], [1, 2], [None, 3]]), merged="A2:A3")
    (problem,) = faults(tmp_path, "l.xlsx")
    assert (problem.line, "Cell A2" in problem.what) == (2, True)


def test_a_formula_that_was_worked_out_gives_its_value(tmp_path: Path) -> None:
    write(tmp_path / "raw.xlsx", ("S", [["a", "b"], [1, "=A2+1"]]))
    with (
        zipfile.ZipFile(tmp_path / "raw.xlsx") as raw,
        zipfile.ZipFile(tmp_path / "l.xlsx", "w") as book,
    ):
        for name in raw.namelist():
            # As Excel saves it.
            content = re.sub(rb"</f>\s*<v ?/>", b"</f><v>2</v>", raw.read(name))
            book.writestr(name, content.replace(b"</f><v></v>", b"</f><v>2</v>"))
    assert read(tmp_path, "l.xlsx")[1] == [("1", "2")]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"a,b\n1,2\n"])
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "l.xlsx").write_bytes(content)
    (problem,) = faults(tmp_path, "l.xlsx")
    assert problem.code in ("RS006", "RS109")
