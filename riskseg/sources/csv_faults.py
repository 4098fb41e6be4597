"""What can be wrong with a CSV file, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from riskseg.workspace.reading import TextForm

_DELIMITERS = {b",": "a comma", b";": "a semicolon", b"\t": "a tab", b"|": "a vertical bar"}
_LINES = "RS021"


@dataclass(frozen=True)
class Fault:
    """What is wrong with a file, as a Problem of it."""

    code: str
    message: str
    line: int | None
    hint: str


class FaultyFileError(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def unclosed(line: int) -> Fault:
    return Fault(
        _LINES,
        "A quote opens a value in this row, and nothing closes it.",
        line,
        "Close it, or write two quotes for one within a value. If values are not quoted, say "
        '`quote = ""`.',
    )


def text_after_quote(line: int) -> Fault:
    return Fault(
        _LINES,
        "Text follows the quote that closes a value in this row.",
        line,
        'Write two quotes for one within a value. If values are not quoted, say `quote = ""`.',
    )


def too_long(length: int, most: int, line: int) -> Fault:
    return Fault(
        _LINES,
        f"The row has {length:,} bytes, and no more than {most:,} can be read.",
        line,
        "Look for a quote that is not closed in it, or shorten its longest value at the source.",
    )


def no_header(read: TextForm, table: str) -> Fault:
    if read.header_row is None:
        hint = "Check the file, or take the source out."
        return Fault("RS109", f"{table} has no rows: the file is empty.", None, hint)
    message = f"There is no line {read.header_row}, where riskseg.toml says that the names are."
    return Fault(_LINES, message, None, f"Correct `header_row` in [source.{table}.read].")


def title(named: int, columns: int, line: int, table: str) -> Fault:
    return Fault(
        _LINES,
        f"The line names {named} of {columns} columns: it seems to be a title.",
        line,
        f"Say in which line the names stand: `header_row = …` in [source.{table}.read].",
    )


def two_delimiters(delimiters: Sequence[bytes], count: int, line: int, table: str) -> Fault:
    first, second = delimiters[:2]
    return Fault(
        _LINES,
        f"The names of the columns may be separated by {_DELIMITERS[first]} or by "
        f"{_DELIMITERS[second]}: the line has {count} of each.",
        line,
        f'State which: `delimiter = "{first.decode()}"` in [source.{table}.read].',
    )


def second_header(line: int, header_line: int, table: str) -> Fault:
    return Fault(
        _LINES,
        f"The names of the columns (line {header_line}) stand here a second time: two exports seem "
        "to be in one file.",
        line,
        f"Make two files of it, and name both with a pattern in [source.{table}].",
    )


def footer_too_long(read: TextForm, table: str) -> Fault:
    message = f"There are fewer rows than the footer_rows = {read.footer_rows} of riskseg.toml."
    return Fault(_LINES, message, None, f"Correct it in [source.{table}.read].")


def wrong_widths(
    wrong: Sequence[tuple[int, int]], count: int, width: int, header_line: int, table: str
) -> list[Fault]:
    """For lines (number, columns) with other columns than the `width` that the line of the names
    has; `count` are all of which these are the first."""
    if not wrong:
        return []
    first_line, first_width = wrong[0]
    if width == 1 and first_width > 1:
        message = (
            f"The line has {first_width} columns, and line {header_line}, where the names should "
            "stand, has one: it seems to be a title."
        )
        hint = f"Say where the names stand: `header_row = {first_line}` in [source.{table}.read]."
        return [Fault(_LINES, message, first_line, hint)]
    faults = []
    for line, found in wrong:
        columns = "1 column" if found == 1 else f"{found} columns"
        message = f"The line has {columns}, not the {width} that line {header_line} names."
        if found > width:
            hint = "A value that has the delimiter in it needs quotes around it."
        else:
            hint = (
                "Complete the row. If it is the end of a report, set `footer_rows` in "
                f"[source.{table}.read]."
            )
        faults.append(Fault(_LINES, message, line, hint))
    if more := count - len(wrong):
        last = faults.pop()
        others = "1 more line is so." if more == 1 else f"{more:,} more lines are so."
        faults.append(Fault(_LINES, f"{last.message} {others}", last.line, last.hint))
    return faults
