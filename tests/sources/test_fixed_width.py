"""Files whose lines have each column at a fixed place."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from riskseg.workspace.reading import ReadTable
from tests.sources.reading import faults, read

WIDTHS = {"account_id": 4, "name": 6, "amount": 7}
LINES = 'A1  Müller  12.50\n0002#x,"y    7.00\n'
ROWS = [("A1", "Müller", "12.50"), ("0002", '#x,"y', "7.00")]


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("a.txt", LINES.encode(), {}),
        ("a.dat", LINES.replace("\n", "\r\n").encode("cp1252"), {"encoding": "windows-1252"}),
        ("a.txt.gz", gzip.compress(LINES.encode(), mtime=0), {}),
        ("a.csv", b"\xef\xbb\xbf" + LINES.encode(), {}),
        ("a.txt", ("NO  NAME   AMOUNT\n\n" + LINES + "\nT 2\n").encode(),
         {"header_row": 1, "footer_rows": 1}),
        ("a.txt", LINES.replace("\n", "   \r", 1).encode(), {}),
    ],
)  # fmt: skip
def test_columns_are_cut_from_lines(
    tmp_path: Path, name: str, content: bytes, options: dict[str, Any]
) -> None:
    (tmp_path / name).write_bytes(content)
    assert read(tmp_path, name, widths=WIDTHS, **options) == (list(WIDTHS), ROWS, 2)


def test_the_last_column_may_be_the_rest_of_the_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A1  first note\nA2  \nA3\n")
    (problem,) = faults(tmp_path, "a.txt", widths={"account_id": 4, "note": 0})
    assert (problem.line, "2 characters" in problem.what) == (3, True)
    (tmp_path / "a.txt").write_text("A1  first note\nA2  \n")
    rows = read(tmp_path, "a.txt", widths={"account_id": 4, "note": 0})[1]
    assert rows == [("A1", "first note"), ("A2", None)]


def test_fields_may_leave_characters_out(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("xxA1yy10.00zz\n")
    rows = read(tmp_path, "a.txt", fields=[["amount", 7, 5], ["account_id", 3, 2]])[1]
    assert rows == [("A1", "10.00")]


@pytest.mark.parametrize(
    ("lines", "options", "line", "words"),
    [
        ("A1  Muller  12.5\n", {}, 1, "16 characters, and its columns take 17"),
        ("A1  Muller  12.500\n", {}, 1, "18 characters"),
        (LINES + "TOTAL 19.50\n", {}, 3, "footer_rows"),
        ("", {}, None, "empty"),
        (LINES, {"header_row": 7}, None, "empty"),
        (LINES, {"footer_rows": 3}, None, "footer_rows"),
    ],
)
def test_lines_of_another_length_are_refused(
    tmp_path: Path, lines: str, options: dict[str, Any], line: int, words: str
) -> None:
    (tmp_path / "a.txt").write_text(lines)
    (problem,) = faults(tmp_path, "a.txt", widths=WIDTHS, **options)
    assert problem.line == line
    assert words in str(problem)


@pytest.mark.parametrize(
    "options",
    [
        {"widths": {"a": 0, "b": 3}},
        {"fields": [["a", 1, 3], ["b", 3, 2]]},
        {"fields": [["a", 0, 3]]},
        {"widths": {"a": 1}, "fields": [["a", 1, 1]]},
        {"encoding": "klingon"},
        {"encoding": "base64"},
        {"delimiter": "||"},
        {"header_row": 0},
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        ReadTable(**options)
