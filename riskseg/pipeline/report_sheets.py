"""The report on segments as the sheets of a workbook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import pyarrow as pa

from riskseg.results.insights.report import SegmentReport
from riskseg.results.part import Part
from riskseg.results.units import Unit, headings, in_words, unit_of
from riskseg.store.sinks.workbook import Sheet

# Excel takes no longer name of a sheet.
_SHEET_NAME = 31
# Characters beyond which a column is no wider, and its text wrapped; and those of a sentence.
_WIDEST, _OF_WORDS = 50, 110


def sheets(report: SegmentReport) -> Iterator[Sheet]:
    """What the report is of, its answers in words, then a sheet for each of their tables."""
    yield _about(report)
    questions = report.to_arrow()
    widths = {"name": 14, "question": _WIDEST, "answer": _OF_WORDS}
    yield Sheet("Questions", questions.schema, [questions], widths=widths)
    tables = {}
    for section in report.sections:
        for title, rows in (section.answer.tables() if section.answer else {}).items():
            if rows:
                tables[title[:_SHEET_NAME]] = rows
    for title, rows in tables.items():
        yield _of_rows(title, rows, report.scale)


def _about(report: SegmentReport) -> Sheet:
    """What stands at the head and the end of the page: the as-of date, the currency, the days with
    their runs, and the notes."""
    rows = [
        ("strategy", report.strategy),
        ("as-of date", str(report.as_of)),
        ("movement is seen from", "no earlier day" if report.compare is None else report.compare),
        ("amounts in", report.currency),
    ]
    for day in report.days:
        run = f"run {day.run}" if day.run else "decided for this report"
        rows.append(
            (
                f"accounts on {day.day}",
                f"{day.accounts:,}; {run}; strategy {day.strategy[:12]}",
            )
        )
    if report.fuller:
        rows.append(("past months too", report.fuller))
    rows += [("note", note) for note in report.notes]
    table = pa.table(
        {"what": [name for name, _ in rows], "value": [str(value) for _, value in rows]}
    )
    return Sheet("Report", table.schema, [table], widths={"what": 26, "value": _OF_WORDS})


def _of_rows(title: str, rows: Sequence[Part], scale: int) -> Sheet:
    """The columns that people see of a table, shown as on the page and kept as numbers."""
    kind = type(rows[0])
    columns = headings(kind)
    values = {heading: [getattr(row, name) for row in rows] for name, heading in columns.items()}
    shown = {
        heading: max(len(heading), *(len(in_words(row, name, scale)) for row in rows))
        for name, heading in columns.items()
    }
    table = pa.table({heading: _array(own) for heading, own in values.items()})
    return Sheet(
        title,
        table.schema,
        [table],
        formats={
            heading: number_format
            for name, heading in columns.items()
            if (number_format := _number_format(kind, name, scale))
        },
        widths={heading: min(size + 2, _WIDEST) for heading, size in shown.items()},
    )


def _array(values: list[object]) -> pa.Array:
    """A column; decimals of many scales get the largest of them."""
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, Decimal) for value in known):
        scale = max(-int(value.as_tuple().exponent) for value in known)  # type: ignore[attr-defined]
        return pa.array(values, pa.decimal128(38, max(scale, 0)))
    return pa.array(values)


def _number_format(kind: type[Part], name: str, scale: int) -> str | None:
    """How Excel shows a column of numbers; None where its type says it."""
    decimals = f".{'0' * scale}" if scale else ""
    formats = {Unit.MONEY: f"#,##0{decimals}", Unit.SHARE: "0.0%", Unit.RATIO: "#,##0.00"}
    field = kind.model_fields[name]
    unit = unit_of(field)
    if unit is not None:
        return formats.get(unit)
    return "#,##0" if field.annotation in (int, int | None) else None
