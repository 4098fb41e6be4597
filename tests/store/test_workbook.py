"""Rows as an Excel workbook, and workbooks that people filled in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest

from riskseg.domain.problems import Problems, ProblemsError
from riskseg.store import sinks, workbooks
from riskseg.store.sinks import workbook

ROWS = pa.table(
    {
        "account_id": ["0017", "=1+1", None, "a\x01_x0041_\n"],
        "as_of": pa.array([date(2026, 3, 2), None, date(1999, 12, 31), date(2026, 1, 1)]),
        "balance": pa.array(["60.00", "-0.10", None, "9999999999999999.99"]).cast(
            pa.decimal128(18, 2)
        ),
        "step": [3, 0, None, -1],
        "live": [True, False, None, True],
        "number": [0.5, float("nan"), None, 1e-9],
        "reasons": [["owes, much"], [], None, ["x"]],
    }
)


def write(path: Path, rows: pa.Table = ROWS) -> Path:
    sinks.write(str(path), rows.schema, rows.to_batches(), token="run")
    return path


def test_people_see_numbers_and_dates_and_no_formula(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(write(tmp_path / "list.xlsx")).worksheets[0]
    head, first, second, *_ = sheet.iter_rows()
    assert [cell.value for cell in head] == ROWS.column_names
    assert [cell.value for cell in first] == [
        *("0017", datetime(2026, 3, 2), 60, 3, True, 0.5, '["owes, much"]')
    ]
    assert [first[1].number_format, first[2].number_format] == ["yyyy-mm-dd", "0.00"]
    assert (second[0].value, second[0].data_type) == ("=1+1", "s")
    assert sheet.freeze_panes == "A2"


def test_what_was_written_is_read_as_texts(tmp_path: Path) -> None:
    texts = sinks.texts(write(tmp_path / "list.xlsx"))
    assert texts is not None
    assert texts.to_pydict() == {
        "account_id": ["0017", "=1+1", None, "a\x01_x0041_\n"],
        "as_of": ["2026-03-02", None, "1999-12-31", "2026-01-01"],
        "balance": ["60", "-0.1", None, "9999999999999999.99"],
        "step": ["3", "0", None, "-1"],
        "live": ["true", "false", None, "true"],
        "number": ["0.5", "nan", None, "0.000000001"],
        "reasons": ['["owes, much"]', "[]", None, '["x"]'],
    }


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    one, other = write(tmp_path / "one.xlsx"), write(tmp_path / "other.xlsx")
    assert one.read_bytes() == other.read_bytes()


def filled(path: Path, *rows: list[Any]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(path)
    return path


def test_a_sheet_that_a_person_filled_in(tmp_path: Path) -> None:
    texts = sinks.texts(
        filled(
            tmp_path / "out.xlsx",
            ["Account", "When", "Amount", None],
            [17, datetime(2026, 3, 2, 9, 30), Decimal("50.10"), None],
            [None, None, None, None],
            ["a2", date(2026, 3, 3)],
            [None, None],
        )
    )
    assert texts is not None
    assert texts.to_pydict() == {
        "Account": ["17", None, "a2"],
        "When": ["2026-03-02 09:30:00", None, "2026-03-03"],
        "Amount": ["50.1", None, None],
    }


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path.write_text("no workbook"), "This is not an Excel workbook"),
        (lambda path: filled(path), "does not give each column a name"),
        (lambda path: filled(path, ["a", None, "b"]), "does not give each column a name"),
        (lambda path: filled(path, ["a", "A"]), "does not give each column a name"),
    ],
)
def test_a_file_that_is_no_table(tmp_path: Path, make: Callable[[Path], object], says: str) -> None:
    make(tmp_path / "out.xlsx")
    with pytest.raises(ProblemsError, match=f"RS006 .*{says}"):
        sinks.texts(tmp_path / "out.xlsx")


def test_more_than_excel_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 4)
    with pytest.raises(ProblemsError, match=r"RS010 .*Excel holds 4 rows"):
        write(tmp_path / "list.xlsx")
    monkeypatch.setattr(workbook, "MOST_ROWS", 5)
    monkeypatch.setattr(workbook, "MOST_CHARACTERS", 7)
    with pytest.raises(ProblemsError, match=r"RS010 .*Excel allows 7 characters"):
        write(tmp_path / "list.xlsx")
    assert not [*tmp_path.iterdir()]


def test_without_openpyxl_it_is_said_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbooks, "find_spec", lambda name: None)
    problems = Problems()
    sinks.check(str(tmp_path / "list.xlsx"), problems)
    [found] = problems
    assert (found.code, "pip install openpyxl" in found.hint) == ("RS024", True)
