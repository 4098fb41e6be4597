"""The report on segments: the page and the workbook say what the questions' answers say."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import openpyxl
import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.pipeline.asked import Asked
from riskseg.report.segments import page
from riskseg.results.insights.answers import ANSWERS
from riskseg.results.insights.report import SegmentReport
from riskseg.results.insights.split import Change, Structure
from riskseg.results.schema import json_schema
from riskseg.run.assign import assign
from riskseg.run.insight import insight, questions
from riskseg.run.report import report
from tests.support import treated

FIRST, LAST = date(2026, 2, 1), date(2026, 3, 1)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two accounts, of which one goes to another segment."""
    rows = {
        "accounts": [
            {"account_id": "a1", "valid_from": FIRST, "treatment": "gentle"},
            {"account_id": "a2", "valid_from": FIRST, "treatment": "firm"},
            {"account_id": "a1", "valid_from": LAST, "treatment": "firm"},
        ],
        "bills": [
            {"account_id": account, "bill_id": "b", "due_on": "2026-01-20", "amount": amount}
            for account, amount in (("a1", 1234.5), ("a2", 70))
        ],
    }
    paths = {name: {"steps": [{"day": 1, "action": "sms"}]} for name in ("gentle", "firm")}
    place = treated.write(tmp_path / "w", paths=paths, rows=rows)
    for day in (FIRST, LAST):
        assign(place, day, str(place / f"{day}.parquet"), at=treated.AT)
    return place


class _Page(HTMLParser):
    """The cells of each table, and the text of the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, _attributes: object) -> None:
        self.tags.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data


def written(root: Path, name: str) -> SegmentReport:
    return report(root, Asked(LAST), out=root / name)


def test_it_answers_every_question(root: Path) -> None:
    done = report(root, Asked(LAST))
    assert [section.name for section in done.sections] == [*questions()]
    for section in done.sections:
        assert section.answer == insight(root, section.name, Asked(LAST)).answer


def test_answers_are_as_the_schema_says(root: Path) -> None:
    schema = json_schema()
    assert [*schema["answers"]] == [*questions()]
    for section in report(root, Asked(LAST)).sections:
        assert isinstance(section.answer, ANSWERS[section.name])
        own = {**schema["answers"][section.name], "$defs": schema["$defs"]}
        jsonschema.Draft202012Validator(own).validate(section.answer.model_dump(mode="json"))


def test_the_page_has_every_row_and_nothing_from_elsewhere(root: Path) -> None:
    done = written(root, "r.html")
    text = (root / "r.html").read_text(encoding="utf-8")
    page = _Page(text)
    cells = [cell.strip() for cell in page.cells]
    assert "1,304.50" in cells and "gentle" in cells
    for section in done.sections:
        assert section.answer is not None
        assert section.answer.words().replace("`", "") in _unescaped(text)
        for figure, name in section.answer.key_figures():
            assert f"{name}</a></dt><dd>{figure}</dd>" in text
    assert "<dd>2</dd>" in text  # accounts
    assert not {"script", "link", "img", "iframe"} & {*page.tags}
    assert "http" not in re.sub(r"<!--.*?-->", "", text)
    for chart in re.findall(r"<svg.*?</svg>", text, re.S):
        drawn = ElementTree.fromstring(chart)  # noqa: S314, it is our own
        assert [child.tag for child in drawn][:2] == ["title", "desc"]
    assert text.count("<svg") >= 3


def test_text_to_be_pasted_keeps_its_lines(root: Path) -> None:
    done = report(root, Asked(LAST))
    text = "kept:\n  - {tier: apart, when: x >= 1}"
    change = Change(segment="firm", file="tiers.yaml", what="at the end", text=text, whole="")
    sections = [
        section.model_copy(
            update={"answer": section.answer.model_copy(update={"changes": (change,)})}
        )
        if isinstance(section.answer, Structure)
        else section
        for section in done.sections
    ]
    drawn = page(done.model_copy(update={"sections": tuple(sections)}))
    assert f"<td><pre>{text.replace('>', '&gt;')}</pre></td>" in drawn


def _unescaped(text: str) -> str:
    text = text.replace("<code>", "").replace("</code>", "")
    for there, here in (("&lt;", "<"), ("&gt;", ">"), ("&#34;", '"'), ("&amp;", "&")):
        text = text.replace(there, here)
    return text


def test_the_workbook_has_a_sheet_for_each_table(root: Path) -> None:
    written(root, "r.xlsx")
    book = openpyxl.load_workbook(root / "r.xlsx")
    assert {"Questions", "Segments", "Segments over time", "Flows"} <= {*book.sheetnames}
    head, *rows = book["Segments"].iter_rows(values_only=True)
    assert [(row[0], row[head.index("accounts")], row[head.index("overdue")]) for row in rows] == [
        ("firm", 2, 1304.5)
    ]


def test_the_workbook_begins_with_what_it_is_of(root: Path) -> None:
    done = written(root, "r.xlsx")
    book = openpyxl.load_workbook(root / "r.xlsx")
    assert book.sheetnames[:2] == ["Report", "Questions"]
    rows = [(str(name), str(value)) for name, value in book["Report"].iter_rows(values_only=True)]
    head = dict(rows)
    assert (head["as-of date"], head["amounts in"]) == (str(LAST), "GBP")
    assert head["movement is seen from"] == str(FIRST)
    for day in done.days:
        assert head[f"accounts on {day.day}"].startswith(f"2; run {day.run}; strategy ")
    assert done.notes and [value for name, value in rows if name == "note"] == [*done.notes]


def test_the_workbook_shows_numbers_by_their_kind(root: Path) -> None:
    written(root, "r.xlsx")
    book = openpyxl.load_workbook(root / "r.xlsx")
    sheet = book["Segments"]
    head, row, *_ = sheet.iter_rows()
    formats = {cell.value: number.number_format for cell, number in zip(head, row, strict=True)}
    assert (formats["accounts"], formats["share"], formats["overdue"]) == (
        "#,##0",
        "0.0%",
        "#,##0.00",
    )
    assert book["Segments over time"].cell(2, 1).number_format == "yyyy-mm-dd"
    widths = {cell.value: sheet.column_dimensions[cell.column_letter].width for cell in head}
    assert widths["share of overdue"] == len("share of overdue") + 2
    # What is for machines is no column of a sheet that people read.
    assert "mirrored" not in {cell.value for cell in next(book["Ageing over time"].iter_rows())}


def test_without_an_earlier_day_a_question_says_so(root: Path) -> None:
    done = report(root, Asked(FIRST), out=root / "r.html")
    absent = [section for section in done.sections if section.answer is None]
    assert [section.name for section in absent] == ["movement", "roll"]
    html = (root / "r.html").read_text(encoding="utf-8")
    for section in absent:
        command = f"riskseg insight {section.name} --as-of {FIRST} --months 12"
        assert f"`{command}`" in str(section.absent)
        assert f"<code>{command}</code>" in html
    assert done.fuller == f"riskseg report --as-of {FIRST} --months 12 --out {root / 'r.html'}"
    assert f"<code>{done.fuller}</code>" in html


def test_it_is_the_same_bytes_again(root: Path) -> None:
    for name in ("r.html", "r.xlsx"):
        written(root, name)
        first = (root / name).read_bytes()
        written(root, name)
        assert (root / name).read_bytes() == first


@pytest.mark.parametrize("name", ["r.pdf", "riskseg.toml", "data/bills.csv"])
def test_where_it_cannot_be_written(root: Path, name: str) -> None:
    with pytest.raises(ProblemsError, match="RS010"):
        report(root, Asked(LAST), out=root / name)


def test_the_command_of_a_section_gives_the_same(root: Path) -> None:
    """With the days that the report was asked of: without them the answer would be of fewer."""
    asked = Asked(LAST, compare=date(2026, 2, 15), months=1)
    for section in report(root, asked).sections:
        words = section.command.split()
        assert words[:5] == ["riskseg", "insight", section.name, "--as-of", str(LAST)]
        assert words[5:] == ["--compare", "2026-02-15", "--months", "1"]
    for section in report(root, Asked(LAST)).sections:
        own = ["--compare", str(FIRST)] if section.name in ("movement", "roll") else []
        assert section.command.split()[5:] == own
