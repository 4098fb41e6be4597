"""How the answer to a question about segments is shown: a sentence, and its tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape

from riskseg.cli.show.tables import table
from riskseg.cli.terminal import stdout

if TYPE_CHECKING:
    from riskseg.results.insights.report import SegmentReport
    from riskseg.results.insights.result import InsightResult
    from riskseg.results.part import Part

LOOKS_BACK = "Questions that look back at past days are answered in full by"
# As many rows of a table as are shown.
MOST = 40


def insight(done: InsightResult) -> None:
    """The question, its answer in words, and every table."""
    console = stdout()
    console.print(f"[bold]{escape(done.question)}[/]  (as of {done.as_of}, {done.currency})")
    console.print(escape(done.answer.words()))
    for title, rows in done.answer.tables().items():
        if rows:
            _table(title, rows, done.scale)
    for note in done.notes:
        console.print(f"[dim]{escape(note)}[/]")
    if done.rows is not None:
        console.print(escape(done.rows._title()))


def report(done: SegmentReport) -> None:
    """The answer to each question in words, and where the page is."""
    console = stdout()
    console.print(
        f"[bold]{escape(done.strategy)}: segments as of {done.as_of}[/]  ({done.currency})"
    )
    for section in done.sections:
        if section.answer is not None:
            console.print(f"{escape(section.question)}\n  {escape(section.words())}")
    for reason, unanswered in done.unanswered().items():
        for section in unanswered:
            console.print(escape(section.question))
        console.print(f"  {escape(reason)}")
    if done.fuller:
        console.print(f"{LOOKS_BACK} [bold]{escape(done.fuller)}[/]")
    for note in done.notes:
        console.print(f"[dim]{escape(note)}[/]")
    if done.place is None:
        console.print("[dim]--out report.html has it with charts, --out report.xlsx as tables.[/]")
    else:
        console.print(f"The report is in {escape(done.place)}.")


def _table(title: str, rows: Sequence[Part], scale: int) -> None:
    from riskseg.results.units import headings, in_words, is_number  # they need pydantic

    columns = headings(type(rows[0]))
    right = [heading for name, heading in columns.items() if is_number(type(rows[0]), name)]
    shown = table(*columns.values(), right=right, title=title)
    for row in rows[:MOST]:
        shown.add_row(*(in_words(row, name, scale) for name in columns))
    stdout().print(shown)
    if len(rows) > MOST:
        stdout().print(f"[dim]{len(rows) - MOST:,} more rows; --json and --out have them all.[/]")
