"""How a file of text may have to be read that is not read as it is."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from riskseg.sources.csv_text import DELIMITERS
from riskseg.sources.text_files import is_compressed
from riskseg.workspace.reading import ReadTable

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
    row = header_row([line.decode("latin-1") for line in lines])
    if row is not None:
        yield ReadTable(encoding=encoding, header_row=row)


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
