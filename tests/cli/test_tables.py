"""Tables in terminals of any width."""

from __future__ import annotations

import pytest
from rich.console import Console

from riskseg.cli.show.tables import table
from riskseg.cli.terminal import stdout

PLACE = "/srv/collections/decided/decisions.parquet"


def shown(width: int) -> str:
    console = Console(width=width, highlight=False)
    runs = table("run", "as of", "written to", title="Runs")
    runs.add_row("59c12aa8fe254260", "2026-06-30", PLACE)
    runs.add_row("[a] b", "2026-07-01", "")
    with console.capture() as captured:
        console.print(runs)
    return captured.get()


def test_a_row_is_a_line_where_there_is_room() -> None:
    (line,) = [line for line in shown(90).splitlines() if "59c12aa8fe254260" in line]
    assert "2026-06-30" in line and PLACE in line


def test_a_little_too_narrow_is_too_narrow() -> None:
    widths = range(40, 100)
    assert all(PLACE in shown(width) for width in widths if width >= len(PLACE))
    assert all("59c12aa8fe254260" in shown(width) for width in widths)


def test_in_a_narrow_terminal_nothing_is_broken_within_a_word() -> None:
    lines = [line.strip() for line in shown(50).splitlines()]
    assert lines == [
        "Runs",
        "",
        "run          59c12aa8fe254260",
        "as of        2026-06-30",
        "written to",
        PLACE,
        "",
        "run          [a] b",
        "as of        2026-07-01",
        "written to",
        "",
    ]


def test_no_word_is_broken_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    runs = table("run", "written to")
    place = "/srv/" + "a" * 200
    runs.add_row("59c12aa8fe254260", place)
    stdout().print(runs)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "59c12aa8" in line]
    assert place in line


@pytest.mark.parametrize("width", range(30, 150, 3))
def test_no_word_is_broken_at_any_width(width: int) -> None:
    console = Console(width=width, highlight=False)
    segments = table("segment", "share of overdue", "probability", "paid", right=("paid",))
    segments.add_row("closed_book", "27.6%", "some words that may be broken between", "15,548.38")
    segments.add_row("up_to_date", "0.0%", "gentle_reminder 78, collection 10", "1,294,549.14")
    with console.capture() as captured:
        console.print(segments)
    lines = captured.get().splitlines()
    words = {word for line in lines for word in line.split()}
    assert {"probability", "closed_book", "gentle_reminder", "1,294,549.14"} <= words
    assert all(len(line) <= width for line in lines)


def test_columns_move_closer_before_rows_become_lists() -> None:
    width = min(width for width in range(40, 100) if "─" in shown(width))
    # One blank between columns and one at each edge.
    assert width <= len("59c12aa8fe254260 2026-06-30 ") + len(PLACE) + 2
