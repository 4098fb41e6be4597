"""How a file may have to be read that is not read as it is: a text, or a sheet of a workbook."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from riskseg.sources.csv_text import DELIMITERS
from riskseg.sources.text_files import is_compressed
from riskseg.store.sheet_rows import open_sheet
from riskseg.workspace.reading import ReadTable

# What the row of the totals below a table begins with; and the most rows that stand there.
_TOTALS = re.compile(
    "gesamt|gesamtsumme|grand|insgesamt|endsumme|subtotal|sum|suma|summe|summen|somme|totale?|totali"
    "|totals"
)
_MOST_OF_FOOTER = 3
# Lines that are looked at to see where the names stand.
_LOOKED_AT = 500


def other_forms(file: Path) -> Iterator[ReadTable]:
    """Ways to read a file of text, the likeliest first: with the encoding that its bytes are of,
    and with the line from which on most lines have the same number of delimiters."""
    try:
        with gzip.open(file) if is_compressed(file) else file.open("rb") as stream:
            lines = [*islice(stream, _LOOKED_AT)]
            rest = stream.read()
    except (OSError, EOFError):
        return
    if b"\0" in b"".join(lines):
        return
    encoding = None
    try:
        (b"".join(lines) + rest).decode("utf-8")
    except UnicodeDecodeError:
        encoding = "windows-1252"
        yield ReadTable(encoding=encoding)
    text_lines = [line.decode("latin-1") for line in lines]
    row = header_row(text_lines)
    if row is not None:
        yield ReadTable(encoding=encoding, header_row=row)
    footer = footer_rows(text_lines[(row or 1) - 1 :], rest.decode("latin-1").splitlines())
    if footer:
        yield ReadTable(encoding=encoding, header_row=row, footer_rows=footer)


def header_row_of_sheet(workbook: Path, sheet: str) -> int | None:
    """The first row of a sheet that has as many cells as any has, among the first; None where that
    is the first that is not blank."""
    with open_sheet(workbook, sheet) as opened:
        filled = [row for row in islice(opened.rows, _LOOKED_AT) if row.cells]
    if not filled:
        return None
    most = max(len(row.cells) for row in filled)
    row = next(row for row in filled if len(row.cells) == most)
    return row.number if row is not filled[0] and most > 1 else None


def footer_rows(lines: Sequence[str], rest: Sequence[str]) -> int:
    """How many lines at the end have fewer delimiters than that of the names, the first of
    `lines`: at most three; 0 where that is none, or more."""
    filled = [line for line in (*lines, *rest[-_MOST_OF_FOOTER - 1 :]) if line.strip()]
    delimiter = max(DELIMITERS.decode(), key=filled[0].count, default="") if filled else ""
    if not filled or not filled[0].count(delimiter):
        return 0
    whole = [line.count(delimiter) >= filled[0].count(delimiter) for line in filled]
    footer = next((n for n, is_whole in enumerate(reversed(whole)) if is_whole), 0)
    return footer if footer <= _MOST_OF_FOOTER and footer < len(whole) - 1 else 0


def is_total(values: Sequence[object]) -> bool:
    """Whether a row is that of the totals below a table: it says so first, and says little else."""
    filled = [str(value) for value in values if value not in (None, "")]
    words = re.findall(r"[^\W\d_]+", filled[0].lower()) if filled else []
    return bool(words) and len(filled) * 2 <= len(values) and any(map(_TOTALS.fullmatch, words[:2]))


def header_row(lines: list[str]) -> int | None:
    """The line, counted from 1, from which on most lines have the same number of a delimiter; None
    where that is the first line, or there is none."""
    filled = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    counts = Counter(
        (delimiter, count)
        for _, line in filled
        for delimiter in DELIMITERS.decode()
        if (count := line.count(delimiter))
    )
    if not counts:
        return None
    (delimiter, count), _ = max(counts.items(), key=lambda item: (item[1], item[0][1]))
    row = next(number for number, line in filled if line.count(delimiter) == count)
    below = [line for number, line in filled if number >= row]
    alike = sum(line.count(delimiter) == count for line in below)
    return row if row > 1 and len(below) > 1 and alike > len(below) / 2 else None
