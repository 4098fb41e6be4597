"""CSV as systems export it: read rightly, or refused with the file, the line and what to do."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from riskseg.domain.problems import Problems
from riskseg.engine import DuckDB
from riskseg.sources import text_files
from riskseg.sources.reader import open_source
from riskseg.workspace import Source
from tests.sources.reading import faults, read

HEADER = "account_id,bill_id,amount\n"
_REORDERED = b"bill_id,account_id,Amount\nB2,A2,2\n"
_QUOTED = b'"account_id","bill_id","amount"\r\n"A2","B2","2"\r\n'


@pytest.mark.parametrize(
    ("content", "options", "rows"),
    [
        # Order numbers of shop systems begin with #: no comment.
        (b"account_id,bill_id\n#1,B1\nA2,#2\n", {}, [("#1", "B1"), ("A2", "#2")]),
        # Excel's line that names the delimiter.
        (b"sep=;\r\naccount_id;bill_id\r\nA1;B,1\r\n", {}, [("A1", "B,1")]),
        (b'"sep=|"\naccount_id|bill_id\nA1|B1\n', {}, [("A1", "B1")]),
        (b"\xef\xbb\xbfaccount_id\tbill_id\nA1\tB1\n", {}, [("A1", "B1")]),
        # Titles and footers that riskseg.toml tells of.
        (
            b'Overdue "report\n\naccount_id,bill_id\nA1,B1\nTotal\nEnd, of, report\n',
            {"header_row": 3, "footer_rows": 2},
            [("A1", "B1")],
        ),
        (b"\n\r\n  \naccount_id,bill_id\nA1,B1\n", {}, [("A1", "B1")]),
        # Line ends of several systems in one file.
        (b"account_id,bill_id\r\nA1,B1\nA2,B2\rA3,B3", {},
         [("A1", "B1"), ("A2", "B2"), ("A3", "B3")]),
        (b"account_id,bill_id\r\r\nA1,B1\r\r\n", {}, [("A1", "B1")]),
        (b"account_id,bill_id\n\nA1,B1\n\n\nA2,B2\n\n", {}, [("A1", "B1"), ("A2", "B2")]),
        # Quotes within a value that has none around it are characters.
        (b'account_id,bill_id\nA1,5" pipe\nA2,"B, ""2"""\n', {},
         [("A1", '5" pipe'), ("A2", 'B, "2"')]),
        (b"account_id,bill_id\nA1,'B1'\n", {}, [("A1", "'B1'")]),
        (b"account_id,bill_id\nA1,'B,1'\n", {"quote": "'"}, [("A1", "B,1")]),
        (b'account_id,bill_id\nA1,"B1\n', {"quote": ""}, [("A1", '"B1')]),
        # A delimiter at the end of every line, and of the rows alone.
        (b"account_id,bill_id,\nA1,B1,\n", {}, [("A1", "B1", None)]),
        (b"account_id,bill_id\nA1,B1,\n", {}, [("A1", "B1")]),
        (b"account_id:bill_id\nA1:B1\n", {"delimiter": ":"}, [("A1", "B1")]),
        ("account_id,bill_id\nMüller,B1\n".encode("cp1252"), {"encoding": "windows-1252"},
         [("Müller", "B1")]),
        ("account_id,bill_id\nMüller,B1\n".encode("utf-16"), {"encoding": "utf-16"},
         [("Müller", "B1")]),
        (b"account_id, bill_id\nA1,B1\n", {}, [("A1", "B1")]),
        (b"account_id,bill_id\n", {}, []),
        (b"account_id,bill_id", {}, []),
        (b"account_id\nA1\nA2", {}, [("A1",), ("A2",)]),
        (2 * b"\xef\xbb\xbf" + b"account_id\nA1\n", {}, [("A1",)]),
    ],
)  # fmt: skip
def test_it_is_read_as_it_stands(
    tmp_path: Path, content: bytes, options: dict[str, Any], rows: list[Any]
) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    columns, found, counted = read(tmp_path, "a.csv", **options)
    assert columns[: min(2, len(columns))] == ["account_id", "bill_id"][: len(columns)]
    assert found == rows
    assert counted == len(rows)


@pytest.mark.parametrize(
    ("content", "options", "code", "line", "words"),
    [
        ("account_id\nMüller\n".encode("cp1252"), {}, "RS020", 2, 'windows-1252'),
        ("a\nb\n".encode("utf-16"), {}, "RS020", 1, "UTF-16"),
        ("account_id\nA1\n".encode("utf-16-le"), {}, "RS020", 1, "NUL byte"),
        (HEADER.encode() + b"A1,B1,\0\n", {}, "RS020", 2, "NUL byte"),
        ("account_id\nŁódź\n".encode(), {"encoding": "ascii"}, "RS020", 2, "ascii"),
        (b"\xef\xbb\xbfaccount_id\nA1\n", {"encoding": "windows-1252"}, "RS020", 1, "UTF-8"),
        (HEADER.encode() + b"A1,B1\n", {}, "RS021", 2, "2 columns, not the 3"),
        (HEADER.encode() + b"A1,B1,1,234.50\n", {}, "RS021", 2, "4 columns"),
        (HEADER.encode() + b"A1,B1,1\nEnd of report\n", {}, "RS021", 3, "footer_rows"),
        (b"account_id,bill_id,\nA1,B1\n", {}, "RS021", 2, "2 columns, not the 3"),
        (b"Overdue report\n\n" + HEADER.encode() + b"A1,B1,1\n", {}, "RS021", 3, "header_row = 3"),
        (b"Overdue report,,\n" + HEADER.encode() + b"A1,B1,1\n", {}, "RS021", 1, "title"),
        (2 * (HEADER.encode() + b"A1,B1,1\n"), {}, "RS021", 3, "a second time"),
        (HEADER.encode() + b"A1,B1,1\n" + _REORDERED, {}, "RS021", 3, "a second time"),
        (HEADER.encode() + b"A1,B1,1\n" + _QUOTED, {}, "RS021", 3, "a second time"),
        (HEADER.encode() + b'A1,"B1,1\nA2,B2,2\n', {}, "RS021", 2, "nothing closes it"),
        (HEADER.encode() + b'A1,"B"1,1\nA2,B2,2\n', {}, "RS021", 2, "Text follows the quote"),
        (b"account_id;a, b\nA1;1\n", {}, "RS021", 1, "a comma or by a semicolon"),
        (b"account_id\n", {"header_row": 5}, "RS021", None, "no line 5"),
        (b"account_id\nA1\n", {"footer_rows": 2}, "RS021", None, "fewer rows"),
        (b"\n  \n\n", {}, "RS109", None, "empty"),
        (b"PK\x03\x04xyz", {}, "RS006", None, "Excel workbook"),
        (gzip.compress(b"a,b\n", mtime=0), {}, "RS006", None, "compressed"),
    ],
)  # fmt: skip
def test_it_is_refused_with_its_line(
    tmp_path: Path, content: bytes, options: dict[str, Any], code: str, line: int, words: str
) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    (problem,) = faults(tmp_path, "a.csv", **options)
    assert (problem.code, problem.file, problem.line) == (code, "a.csv", line)
    assert words in str(problem)


@pytest.mark.parametrize("name", ["a.tsv", "a.TXT", "a.csv.gz"])
@pytest.mark.parametrize("first_lines", [b"", b"sep=,\r\n"])
def test_it_is_read_by_any_of_its_endings(tmp_path: Path, name: str, first_lines: bytes) -> None:
    content = first_lines + b"\xef\xbb\xbfa,b\r\n#1,2\r\n"[0 if not first_lines else 3 :]
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert read(tmp_path, name) == (["a", "b"], [("#1", "2")], 1)


def test_an_empty_file_beside_others_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + "A1,B1,1\n")
    (tmp_path / "b.csv").write_text("")
    (problem,) = faults(tmp_path, "*.csv")
    assert (problem.code, problem.file) == ("RS109", "b.csv")


def test_a_gzip_file_that_is_cut_off_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"a,b\n" * 9_999)[:-20])
    (problem,) = faults(tmp_path, "a.csv.gz")
    assert (problem.code, problem.file) == ("RS006", "a.csv.gz")


def test_a_fault_far_into_a_file_is_reported_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind the first blocks that are looked at, and with quotes that first appear there."""
    monkeypatch.setattr(text_files, "BLOCK", 1_000)
    rows = [f"A{number},B{number},{number}.00\n" for number in range(9_000)]
    rows[8_000] = 'A1,"B\n1",2.00,3\n'
    rows[8_001] = 'A1,"B\n1"\n'
    (tmp_path / "a.csv").write_text(HEADER + "".join(rows))
    assert [problem.line for problem in faults(tmp_path, "a.csv")] == [8_002, 8_004]


def test_files_of_several_dialects_and_columns_are_joined_by_name(tmp_path: Path) -> None:
    (tmp_path / "2025-01.csv").write_text("account_id,amount\nA1,1\n")
    (tmp_path / "2025-02.csv").write_bytes("amount;account_id;cancelled_on\n2;Ä;2025\n".encode())
    (tmp_path / "2025-03.csv").write_text("ACCOUNT_ID,amount\r\nA3,3\r\n")
    columns, rows, counted = read(tmp_path, "2025-*.csv")
    assert columns == ["account_id", "amount", "cancelled_on"]
    assert rows == [("A1", "1", None), ("Ä", "2", "2025"), ("A3", "3", None)]
    assert counted == 3


def test_folders_give_columns_as_text(tmp_path: Path) -> None:
    for year, content in (("024", b"account_id\nA1\n"), ("2025", b"account_id\r\nA2\nA3\n")):
        (tmp_path / f"data/year={year}").mkdir(parents=True)
        (tmp_path / f"data/year={year}/a.csv").write_bytes(content)
    columns, rows, _ = read(tmp_path, "data/*/a.csv")
    assert columns == ["account_id", "year"]
    assert rows == [("A1", "024"), ("A2", "2025"), ("A3", "2025")]


def test_a_row_has_its_file_and_line_whatever_stands_before_it(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_bytes(b'sep=;\n\naccount_id;note\nA1;"two\nlines"\n\nA2;x\n')
    (tmp_path / "2.csv").write_bytes(b"account_id,note\r\nA3,x\r\n")
    source = open_source(Source("bills", "*.csv", {}), tmp_path)
    with DuckDB(reads=source.files()) as engine:
        assert source.prepare(engine, Problems())
        assert [source.locate(row) for row in (1, 2, 3)] == [
            ("1.csv", 4),
            ("1.csv", 7),
            ("2.csv", 2),
        ]
