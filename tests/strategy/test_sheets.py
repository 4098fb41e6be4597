"""Decision tables in sheets: nothing is lost either way, and what is wrong is shown by its cell."""

from __future__ import annotations

import csv
import io
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from riskseg.domain.documents import Document, parse_yaml
from riskseg.domain.problems import Problems, ProblemsError
from riskseg.store.workbooks import _CHANGED_ON
from riskseg.strategy.sheets import files, layout
from riskseg.strategy.sheets.cells import (
    CellError,
    Level,
    level_text,
    match_text,
    read_match,
    read_name,
    read_when,
    reference,
    when_text,
)
from riskseg.strategy.sheets.tables import (
    Grid,
    Sheet,
    SheetDocument,
    scheme_grid,
    segments_document,
    segments_grid,
    tiers_document,
)

WORDS = ["any", "Any", "true", "FALSE", "otherwise", "=1+1", "@x", "-1", "+1", "'=x", '"', '""', ""]
ODD = ["_x000D_", "\r", "\r\n", "a\rb", " ", "\t", "\x00", "\x85", "\xa0", "\ufeff", "\uffff"]
TYPED = [
    "007",
    "1e5",
    "mar 1",
    "2026-01-01",
    "#N/A",
    "null",
    "no",
    "1:30",
    "a: b",
    "a #b",
    "é\U0001f600",
]
TEXT = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(WORDS + ODD + TYPED),
)
LEVEL = st.one_of(TEXT, st.booleans())
NAME = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True)


def canonical(cell: Any) -> Any:
    """One level and a list of it say the same, but that a lone `any` says every level."""
    return cell[0] if isinstance(cell, list) and len(cell) == 1 and cell != ["any"] else cell


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    columns = draw(st.lists(TEXT.filter(bool), max_size=4, unique=True))
    cell = st.one_of(st.just("any"), LEVEL, st.lists(LEVEL, min_size=1, max_size=3))
    row = st.fixed_dictionaries(
        {
            "id": NAME,
            "match": st.lists(cell.map(canonical), min_size=len(columns), max_size=len(columns)),
            "segment": NAME,
        }
    )
    return {"columns": columns, "rows": draw(st.lists(row, max_size=4))}


def through_csv(grids: dict[str, Grid]) -> list[Sheet]:
    problems = Problems()
    read = [
        files.read_csv(files.csv_bytes(grid), name, f"{name}.csv", problems)
        for name, grid in grids.items()
    ]
    assert list(problems) == []
    return [sheet for sheet in read if sheet is not None]


def through_excel(grids: dict[str, Grid]) -> list[Sheet]:
    problems = Problems()
    read = files.read_workbook(files.workbook_bytes(grids), "t.xlsx", problems)
    assert list(problems) == []
    return read or []


WAYS = pytest.mark.parametrize("through", [through_csv, through_excel])
Way = Callable[[dict[str, Grid]], list[Sheet]]


@WAYS
@settings(max_examples=150, deadline=None)
@given(data=tables())
@example(data={"columns": ["=x", "a,b"], "rows": []})
def test_a_table_comes_back_as_it_went(through: Way, data: dict[str, Any]) -> None:
    problems = Problems()
    grid = segments_grid(Document("segments.yaml", data, {(): 1}), problems)
    assert list(problems) == []
    [sheet] = through({"segments": grid})
    back = segments_document(sheet, problems)
    assert list(problems) == []
    assert back is not None and back.data == data
    assert segments_grid(back, problems) == grid


@WAYS
@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            NAME,
            st.one_of(TEXT, st.booleans(), st.integers()).filter(
                lambda w: str(w).strip().casefold() not in {"", "otherwise"}
            ),
            st.sampled_from(["match", "skip", None]),
        ),
        max_size=4,
    )
)
@example(rows=[("a", "-x > 1", None), ("b", "'=a' = note", "match")])
def test_a_scheme_comes_back_as_it_went(through: Way, rows: list[tuple[str, Any, Any]]) -> None:
    listed: list[dict[str, Any]] = [
        {"tier": tier, "when": when} | ({"unknown": unknown} if unknown else {})
        for tier, when, unknown in rows
    ]
    data = {"scheme": [*listed, {"tier": "rest", "otherwise": True}]}
    problems = Problems()
    grid = scheme_grid(Document("tiers.yaml", data, {(): 1}), "scheme", problems)
    back = tiers_document(through({"scheme": grid}), "t", problems)
    assert list(problems) == []
    assert back is not None
    for was, now in zip(data["scheme"], back.data["scheme"], strict=True):
        # `true` is a condition whether YAML took it for a word or a truth.
        as_written = was | ({"when": read_when(when_text(was["when"]))} if "when" in was else {})
        assert now == as_written
    assert scheme_grid(back, "scheme", problems) == grid


@settings(max_examples=150, deadline=None)
@given(data=tables())
def test_the_yaml_laid_out_says_what_the_sheet_says(data: dict[str, Any]) -> None:
    # The reader of authored files judges, and so does another reader of YAML.
    text = layout.segments_yaml(data, "").content.decode()
    document = parse_yaml(text, "segments.yaml", Problems())
    assert document is not None and document.data == data
    assert yaml.safe_load(text) == data


@pytest.mark.parametrize(
    ("level", "text"),
    [
        ("very_high", "very_high"),
        ("north west", "north west"),
        ("B2B", "B2B"),
        (True, "true"),
        ("true", '"true"'),
        ("TRUE", '"TRUE"'),
        ("any", '"any"'),
        ("a, b", '"a, b"'),
        ('6" pipe', '"6"" pipe"'),
        (" lead", '" lead"'),
        ("trail ", '"trail "'),
        ("", '""'),
        ("007", '"007"'),
        ("=cmd", '"=cmd"'),
        ("Mar-1", '"Mar-1"'),
        ("march", "march"),
        ("#N/A", '"#N/A"'),
    ],
)
def test_a_level_is_quoted_where_something_could_take_it_for_another(
    level: Level, text: str
) -> None:
    assert level_text(level) == text
    assert match_text([level]) == text
    assert read_match(text) == (["any"] if level == "any" else level)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("ANY", "any"),
        (" low ,high ", ["low", "high"]),
        ("TRUE", True),
        ("true, false", [True, False]),
        ('"true", low', ["true", "low"]),
        ('6" pipe', '6" pipe'),
        ('"low" , "a,b"', ["low", "a,b"]),
        ("6", "6"),
    ],
)
def test_a_cell_as_people_write_it(text: str, meant: Any) -> None:
    assert read_match(text) == meant


@pytest.mark.parametrize("text", ["a,,b", "a,", ",a", "#N/A", '"a', '"a"b', "any, low", "low, ANY"])
def test_a_cell_nobody_can_read(text: str) -> None:
    with pytest.raises(CellError):
        read_match(text)


def test_names_and_references() -> None:
    assert read_name(' "a, b" ') == "a, b"
    assert read_name("a, b") == "a, b"
    with pytest.raises(CellError):
        read_name('"a", b')
    assert [reference(7, c) for c in (1, 3, 26, 27, 52, 702, 703)] == [
        *("A7", "C7", "Z7", "AA7", "AZ7", "ZZ7", "AAA7")
    ]


# CSV as others write it

PLAIN = "id,risk,segment\na,low,x\nrest,any,y\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        PLAIN.encode("utf-8-sig"),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.replace("id", '"id"').replace(",", ";").encode(),
        (PLAIN + "\n,,\n  ,,\n").encode(),
        PLAIN.replace("\nrest", "\n,,\n\nrest").encode(),
        PLAIN.replace("\n", ",,\n").encode(),
        PLAIN.rstrip().encode(),
    ],
)
def test_csv_as_others_write_it(content: bytes) -> None:
    problems = Problems()
    sheet = files.read_csv(content, "segments", "segments.csv", problems)
    assert sheet is not None
    document = segments_document(sheet, problems)
    assert list(problems) == []
    assert document is not None and document.data == yaml.safe_load(
        "{columns: [risk], rows: [{id: a, match: [low], segment: x},"
        " {id: rest, match: [any], segment: y}]}"
    )


def test_no_cell_of_a_csv_begins_like_a_formula() -> None:
    wicked = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "'=1", "''@"]
    content = files.csv_bytes([wicked]).decode("utf-8-sig")
    sheet = files.read_csv(files.csv_bytes([wicked]), "s", "s.csv", Problems())
    assert sheet is not None and sheet.rows[1] == wicked
    assert all(c.startswith("'") for c in next(csv.reader(io.StringIO(content, newline=""))))


# What is shown, and where


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        ("", "A1", "no headers"),
        ("ident,risk,segment\n", "A1", '"ident" should be `id`'),
        ("id,risk,segments\n", "C1", '"segments" should be `segment`'),
        ("id\n", "B1", "`segment` is missing"),
        ("id,,segment\n", "B1", "empty"),
        ("id,risk,risk,segment\n", "C1", "occurs twice"),
        ("id,risk,segment\na,low,x,more\n", "D2", "no header above it"),
        ("id,risk,segment\n\n\na,,x\n", "B4", "empty"),
        ("id,risk,segment\n,low,x\n", "A2", "empty"),
        ('id,risk,segment\na,"low,",x\n', "B2", "nothing between"),
    ],
)
def test_a_fault_is_shown_by_its_cell(content: str, place: str, words: str) -> None:
    problems = Problems()
    sheet = files.read_csv(content.encode(), "segments", "segments.csv", problems)
    assert sheet is not None and segments_document(sheet, problems) is None
    [one] = problems
    assert (one.code, one.file, one.line) == ("RS218", f"segments.csv, cell {place}", None)
    assert words in one.what


COLUMNS = (
    "id,lifecycle,risk,segment\nlate,live,low,chase\ngone,any,high,trace\nrest,any,any,leave\n"
)


@pytest.mark.parametrize(
    ("was", "now", "place", "words", "hint"),
    [
        ("risk,segment", "segment", "D2", "from here down to D4 in 3 cells", '"risk"'),
        ("lifecycle,", "", "D2", "from here down to D4 in 3 cells", '"lifecycle"'),
        ("risk,segment", ",segment", "C1", "empty", '"risk"'),
        ("risk,segment", "risk", "D1", "`segment` is missing", "segment"),
        ("any,leave\n", "any,leave\n,,,,,,ask Ann\n", "G5", '"ask Ann"', "remove"),
    ],
    ids=["moved up", "the first", "in place", "segment", "a note"],
)
def test_a_header_lost_and_a_note_are_one_problem(
    was: str, now: str, place: str, words: str, hint: str
) -> None:
    problems = Problems()
    content = COLUMNS.replace(was, now, 1).encode()
    sheet = files.read_csv(content, "segments", "segments.csv", problems)
    assert sheet is not None
    assert segments_document(sheet, problems, ["lifecycle", "risk"]) is None
    [one] = problems
    assert (one.code, one.file) == ("RS218", f"segments.csv, cell {place}")
    assert words in one.what and hint in one.hint
    assert '"lifecycle"' not in one.hint.replace(hint, "")


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("tier,unknown\n", "B1"),
        ("tier\n", "B1"),
        ("tier,when,unknow\n", "C1"),
        ("tier,when,unknown,note\n", "D1"),
        ("tier,when\na,\n", "B2"),
        ("tier,when\n,x > 1\n", "A2"),
    ],
)
def test_a_fault_of_a_scheme_is_shown_by_its_cell(content: str, place: str) -> None:
    problems = Problems()
    sheet = files.read_csv(content.encode(), "scheme", "scheme.csv", problems)
    assert sheet is not None and tiers_document([sheet], "t", problems) is None
    assert [(p.code, p.file) for p in problems] == [("RS218", f"scheme.csv, cell {place}")]


@pytest.mark.parametrize(
    "content", [b"\xff\xfei\x00d\x00", "id;ré".encode("latin-1"), b'id,"a\n', b'id,"a"b\n']
)
def test_a_file_that_is_no_csv(content: bytes) -> None:
    problems = Problems()
    assert files.read_csv(content, "segments", "segments.csv", problems) is None
    assert [p.code for p in problems] == ["RS217"]


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ('id,risk,segment\na,low,x\nb,"low,y\nrest,any,z\n', 3, "opened and not closed"),
        ('id,risk,segment\na,"two\nlines",x\nb,"low,y\nrest,any,z\n', 4, "opened and not closed"),
        ('id,risk,segment\na,low,x\nb,"low"high,y\n', 3, "in the row that begins here"),
    ],
)
def test_csv_that_is_none_is_shown_where_its_row_begins(
    content: str, line: int, words: str
) -> None:
    problems = Problems()
    assert files.read_csv(content.encode(), "segments", "segments.csv", problems) is None
    [one] = problems
    assert (one.code, one.line) == ("RS217", line)
    assert words in one.what


# Excel


def book(change: Callable[[Worksheet], None]) -> tuple[list[Sheet] | None, Problems]:
    """A workbook as Excel would save it after `change` to its one sheet."""
    made = Workbook()
    sheet = made.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "segments"
    for row in (["id", "risk", "segment"], ["a", "low", "x"], ["rest", "any", "y"]):
        sheet.append(row)
    change(sheet)
    content = io.BytesIO()
    made.save(content)
    problems = Problems()
    return files.read_workbook(content.getvalue(), "t.xlsx", problems), problems


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (6, "6"),
        (6.0, "6"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (1200, "1200"),
        (True, True),
        (False, False),
        ("_x0041_", "A"),
        ("low", "low"),
    ],
)
def test_what_is_typed_into_excel_is_read_as_it_is_meant(typed: Any, meant: Any) -> None:
    def change(sheet: Worksheet) -> None:
        sheet["B2"] = typed

    sheets, problems = book(change)
    assert sheets is not None and list(problems) == []
    document = segments_document(sheets[0], problems)
    assert document is not None and document.data["rows"][0]["match"] == [meant]


def put(cell: str, value: Any) -> Callable[[Worksheet], None]:
    def change(sheet: Worksheet) -> None:
        sheet[cell] = value

    return change


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        (put("B2", "=A1"), "B2", "formula"),
        (put("B2", "#N/A"), "B2", "error #N/A"),
        (put("B2", date(2026, 3, 1)), "B2", "date"),
        (put("C1", "=A1"), "C1", "formula"),
        (lambda s: s.merge_cells("B2:B3"), "B2", "B2:B3 are merged"),
        (lambda s: s.merge_cells("A5:XFD5"), "A5", "merged"),
    ],
)
def test_a_cell_that_says_nothing_plain(
    change: Callable[[Worksheet], None], place: str, words: str
) -> None:
    sheets, problems = book(change)
    assert sheets is not None
    segments_document(sheets[0], problems)
    [one] = problems
    assert (one.code, one.file) == ("RS218", f"t.xlsx, sheet segments, cell {place}")
    assert words in one.what


def test_a_format_far_below_is_no_row() -> None:
    def change(sheet: Worksheet) -> None:
        sheet["XFD1048576"].number_format = "@"

    sheets, problems = book(change)
    assert sheets is not None and list(problems) == []
    assert sorted(sheets[0].rows) == [1, 2, 3]


def patched(old: str, new: str) -> bytes:
    """A small workbook with a place of its sheet's XML replaced, as no program writes it."""
    old_content = files.workbook_bytes({"segments": [["id", "risk", "segment"], ["a", "any", "x"]]})
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(old_content)) as parts,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as changed,
    ):
        for name in parts.namelist():
            part = parts.read(name).decode()
            if name == "xl/worksheets/sheet1.xml":
                assert part.count(old) == 1
                part = part.replace(old, new)
            changed.writestr(name, part)
    assert len(made.getvalue()) < 500_000
    return made.getvalue()


ALL = "A1:XFD1048576"
FAR = '<row r="{0}"><c r="XFD{0}" t="inlineStr"><is><t>x</t></is></c></row>'
END = "</sheetData>"


@pytest.mark.parametrize(
    ("old", "new", "code", "place", "words"),
    [
        (
            END,
            f'{END}<mergeCells count="1"><mergeCell ref="{ALL}"/></mergeCells>',
            "RS218",
            ", sheet segments, cell A1",
            f"The cells {ALL} are merged",
        ),
        (
            END,
            "".join(FAR.format(row) for row in range(3, 3003)) + END,
            "RS217",
            ", sheet segments, cells A1:XFD3002",
            "not a table of rules",
        ),
        (END, "<row>" + "<c/>" * 2_000_000 + "</row>" + END, "RS217", "", "1,000,000 cells"),
        (END, END + " " * 70_000_000, "RS217", "", "unpacked it is 67 MB"),
    ],
    ids=["merged", "far", "cells", "bytes"],
)
def test_a_small_file_does_not_fill_the_memory(
    old: str, new: str, code: str, place: str, words: str
) -> None:
    content = patched(old, new)
    problems = Problems()
    tracemalloc.start()
    try:
        sheets = files.read_workbook(content, "t.xlsx", problems)
        for sheet in sheets or []:
            segments_document(sheet, problems)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    [one] = problems
    assert (one.code, one.file) == (code, f"t.xlsx{place}")
    assert words in one.what
    assert peak < 50_000_000


def test_a_link_over_every_cell_is_nothing_to_a_table() -> None:
    link = f'{END}<hyperlinks><hyperlink ref="{ALL}" location="A1"/></hyperlinks>'
    problems = Problems()
    [sheet] = files.read_workbook(patched(END, link), "t.xlsx", problems) or []
    assert segments_document(sheet, problems) is not None
    assert list(problems) == []


@pytest.mark.parametrize("content", [b"", b"id,risk", b"PK\x03\x04 torn"])
def test_a_file_that_is_no_workbook(content: bytes) -> None:
    problems = Problems()
    assert files.read_workbook(content, "t.xlsx", problems) is None
    assert [(p.code, p.file) for p in problems] == [("RS217", "t.xlsx")]


def test_a_workbook_holds_text_alone_and_is_the_same_bytes_each_time() -> None:
    grid = [["tier", "when"], ["a", "=1+1"], ["b", "-x > 1"], ["c", "2026-01-01"], ["d", "true"]]
    content = files.workbook_bytes({"scheme": grid})
    read = load_workbook(io.BytesIO(content))
    cells = [cell for row in read["scheme"].iter_rows() for cell in row]
    assert {(c.data_type, c.number_format) for c in cells} == {("s", "@")}
    assert [c.value for c in cells] == [text for row in grid for text in row]
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        assert {p.date_time[0] for p in parts.infolist()} == {1980}
        assert b"2000-01-01T00:00:00Z" in parts.read("docProps/core.xml")
        assert len(set(_CHANGED_ON.findall(parts.read("docProps/core.xml")))) == 1


# What a sheet cannot hold


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("columns: [a]\nrows:\n- {id: x, match: [[]], segment: y}", 3),
        ("columns: [a]\nrows:\n- {id: x, match: [], segment: y}", 3),
        ("columns: [a,\n a]\nrows: []", 2),
        ("s:\n- {tier: x, when: otherwise}", 2),
        ("s:\n- {tier: x}", 2),
        ("s:\n- {tier: x, when: a, otherwise: true}", 2),
    ],
)
def test_what_a_sheet_cannot_hold_is_shown_by_its_line(text: str, line: int) -> None:
    problems = Problems()
    document = parse_yaml(text, "f.yaml", problems)
    assert document is not None
    if "columns" in document.data:
        segments_grid(document, problems)
    else:
        scheme_grid(document, "s", problems)
    assert [(p.code, p.file, p.line) for p in problems] == [("RS219", "f.yaml", line)]


@pytest.mark.parametrize(
    ("text", "workbook", "fits"),
    [("x" * 32767, True, True), ("x" * 32768, True, False), ("x" * 32768, False, True)]
    + [("\ud800", w, False) for w in (True, False)],
)
def test_texts_too_long_or_torn(text: str, workbook: bool, fits: bool) -> None:
    problems = Problems()
    files.check_texts([["id"], [text]], "t", problems, workbook=workbook)
    assert [(p.code, p.file) for p in problems] == ([] if fits else [("RS219", "t, cell A2")])


@pytest.mark.parametrize(
    ("name", "workbook", "fits"),
    [
        ("behaviour", True, True),
        ("x" * 31, True, True),
        ("x" * 32, True, False),
        ("x" * 32, False, True),
        ("History", True, False),
        ("../up", False, False),
        ("a:b", True, False),
        ("", False, False),
        ("..", False, False),
    ],
)
def test_names_of_sheets(name: str, workbook: bool, fits: bool) -> None:
    assert (files.unfit(name, workbook=workbook) is None) == fits


# The YAML, and its comments

OLD = """\
# What this table is.

columns: [risk, behaviour]  # the columns
# The rows.
rows:
  # First.
  # Second.
  - {id: a, match: [low, "x #1"], segment: s}   # about a
  - {id: gone, match: [low, y], segment: s}  # about gone
  # of b
  - id: b
    # inside b
    match: [any, any]
    segment: t
# the end
"""


def test_comments_stay_with_their_rows() -> None:
    document = parse_yaml(OLD, "f", Problems())
    assert document is not None
    a, gone, b = document.data["rows"]
    assert gone["id"] == "gone"
    new = {"id": "new_one", "match": [["low", "high"], True], "segment": "s"}
    laid = layout.segments_yaml({"columns": ["risk", "behaviour"], "rows": [b, new, a]}, OLD)
    assert (
        laid.content.decode()
        == """\
# What this table is.

columns: [risk, behaviour]  # the columns
# The rows.
rows:
  # of b
  - {id: b,       match: [any,         any],    segment: t}
  - {id: new_one, match: [[low, high], true],   segment: s}
  # First.
  # Second.
  - {id: a,       match: [low,         'x #1'], segment: s}  # about a
# the end
"""
    )
    assert laid.comments_lost == 2


def test_a_scheme_is_laid_out_as_people_do() -> None:
    old = "# Head.\n\none:\n# n\n- {tier: n, when: a > 1}\n# two\ntwo:\n- {tier: n, when: b}\n"
    data = {
        "one": [
            {"tier": "n", "when": "a > 2", "unknown": "match"},
            {"tier": "longer", "when": "x in ('a', 'b: c')"},
            {"tier": "n", "when": True},
            {"tier": "rest", "otherwise": True},
        ],
        "two": [{"tier": "n", "otherwise": True}],
    }
    laid = layout.tiers_yaml(data, old)
    assert (
        laid.content.decode()
        == """\
# Head.

one:
  # n
  - {tier: n,      when: a > 2, unknown: match}
  - {tier: longer, when: 'x in (''a'', ''b: c'')'}
  - {tier: n,      when: true}
  - {tier: rest,   otherwise: true}

# two
two:
  - {tier: n, otherwise: true}
"""
    )
    assert laid.comments_lost == 0


@pytest.mark.parametrize("old", ["# Head.\n[1, 2]\n", "# Head.\nrows: 5\n", "# Head.\n{a: [}\n"])
def test_what_is_replaced_may_be_broken(old: str) -> None:
    data = {"columns": ["a"], "rows": [{"id": "r", "match": ["any"], "segment": "s"}]}
    text = layout.segments_yaml(data, old).content.decode()
    assert text == "# Head.\ncolumns: [a]\nrows:\n  - {id: r, match: [any], segment: s}\n"


def test_a_document_of_sheets_is_located_by_cells() -> None:
    grid = [["id", "risk", "segment"], ["a", "low", "x"]]
    [sheet] = through_excel({"segments": grid})
    document = segments_document(sheet, Problems())
    assert isinstance(document, SheetDocument)
    where = "t.xlsx, sheet segments, cell"
    for path, place in (
        (("rows", 0), "A2"),
        (("rows", 0, "match", 0, 1), "B2"),
        (("rows", 0, "segment"), "C2"),
        (("columns", 0), "B1"),
        (("nothing",), "A1"),
    ):
        assert document.at(*path) == {"file": f"{where} {place}", "line": None}
    assert document.line("rows", 0) == 2


def test_without_openpyxl_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    for use in (
        lambda: files.workbook_bytes({}),
        lambda: files.read_workbook(b"", "s.xlsx", Problems()),
    ):
        with pytest.raises(ProblemsError) as raised:
            use()
        (missing,) = raised.value.problems
        assert missing.code == "RS024" and "pip install openpyxl" in missing.hint
