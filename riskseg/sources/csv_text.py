"""What a CSV file is: its delimiter, the names of its columns, its rows, and what is wrong with it.

Only the delimiter is recognised, from the line of the names. All else is pinned, or stated in
`[source.TABLE.read]`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from riskseg.sources.csv_faults import (
    Fault,
    FaultyFileError,
    footer_too_long,
    no_header,
    second_header,
    text_after_quote,
    title,
    too_long,
    two_delimiters,
    unclosed,
    wrong_widths,
)
from riskseg.sources.records import (
    Dialect,
    Records,
    UnclosedQuoteError,
    first_rows,
    record_blocks,
)
from riskseg.sources.text_files import UnreadableTextError, is_utf8, utf8_blocks
from riskseg.workspace.reading import TextForm

if TYPE_CHECKING:
    from numpy.typing import NDArray

# What a delimiter may be where none is stated.
DELIMITERS = b",;\t|"
# The most bytes of a row that the engine reads.
LONGEST_ROW = 2_000_000
# Faulty lines that are listed one by one.
_LISTED = 3

Stamp = tuple[int, int]


@dataclass(frozen=True)
class CsvText:
    """A CSV file as it is read. `offset` bytes of its UTF-8 text stand before the line of the
    names, `header_line`. `rows` are the rows below, less those of the footer. It is `regular` where
    the engine can read it as it is; its lines then all end with `line_end`."""

    path: Path
    dialect: Dialect
    names: tuple[str, ...]
    header: bytes
    header_line: int
    offset: int
    rows: int
    regular: bool
    line_end: str
    spans_lines: bool


def csv_text(path: Path, read: TextForm, table: str) -> CsvText | Fault:
    """What a CSV file is, or what is wrong with it as far as counting its records shows."""
    try:
        status = path.stat()
        return _scanned(path, (status.st_mtime_ns, status.st_size), read, table)
    except FaultyFileError as error:
        return error.fault
    except UnreadableTextError as error:
        return Fault(error.code, str(error), error.line, error.hint)
    except UnclosedQuoteError as error:
        return unclosed(error.line)
    except OSError as error:
        return Fault("RS006", f"The file cannot be read: {error.strerror}.", None, "")


@lru_cache(maxsize=512)
def _scanned(path: Path, stamp: Stamp, read: TextForm, table: str) -> CsvText:
    """Files are looked at once a process, as long as they stay as they are."""
    beginning = _beginning(path, read, table)
    first = next(iter(_records(beginning)), None)
    assert first is not None
    _, stops = first.spans
    header = first.data[: stops[0]]
    names = _values(header, beginning.dialect)
    _check_names(names, beginning.header_line, table)
    is_blank_a_row = len(names) == 1
    count, line_ends, spans_lines = 0, frozenset[str](), False
    for records in _records(beginning):
        count += records.count(blank=is_blank_a_row)
        line_ends |= records.line_ends
        spans_lines |= records.spans_lines
        _check_second_header(records, header, beginning.header_line, table)
    rows = count - 1 - read.footer_rows
    if rows < 0:
        raise FaultyFileError(footer_too_long(read, table))
    regular = (
        is_utf8(read.encoding)
        and beginning.offset == 0
        and read.footer_rows == 0
        and len(line_ends) <= 1
        and not re.search(rb"[\r\n]", header)
    )
    return CsvText(
        path,
        beginning.dialect,
        names,
        header,
        beginning.header_line,
        beginning.offset,
        rows,
        regular,
        next(iter(line_ends)) if regular and line_ends else "\n",
        spans_lines,
    )


@dataclass(frozen=True)
class _Beginning:
    """Where the table of a file begins, and its dialect."""

    path: Path
    read: TextForm
    table: str
    dialect: Dialect
    header_line: int
    offset: int


def _records(beginning: _Beginning) -> Iterator[Records]:
    """The records of a file from the line of the names on."""
    blocks = utf8_blocks(beginning.path, beginning.read.encoding, beginning.table)
    table_blocks = _after(blocks, beginning.offset)
    return record_blocks(table_blocks, beginning.dialect, first_line=beginning.header_line)


def _after(blocks: Iterable[bytes], offset: int) -> Iterator[bytes]:
    for block in blocks:
        if offset < len(block):
            yield block[offset:]
        offset = max(0, offset - len(block))


_SEPARATOR_LINE = re.compile(rb'"?sep=([^\n\r])"?(?:\r\n|\n|\r|$)', re.IGNORECASE)
_LINE = re.compile(rb"[^\n\r]*(?:\r\n|\n|\r)")
_BLANK_LINES = re.compile(rb"(?:[ \t]*(?:\r\n|\n|\r))*")


def _beginning(path: Path, read: TextForm, table: str) -> _Beginning:
    """Where the line of the names is, and what separates the values."""
    text = next(utf8_blocks(path, read.encoding, table), b"")
    position, line = 0, 1
    separator = _SEPARATOR_LINE.match(text)
    if read.header_row is None:
        position = separator.end() if separator else 0
        skipped = _BLANK_LINES.match(text, position)
        assert skipped is not None
        position = skipped.end()
        line = len(_LINE.findall(text[:position])) + 1
    else:
        while line < read.header_row and (passed := _LINE.match(text, position)):
            position, line = passed.end(), line + 1
    rest = text[position:]
    if not rest.strip():
        raise FaultyFileError(no_header(read, table))
    stated = (read.delimiter or "").encode() or (separator[1] if separator else b"")
    quote = read.quote.encode()
    delimiter = stated or _delimiter(rest, quote, line, table)
    return _Beginning(path, read, table, Dialect(delimiter, quote), line, position)


def _delimiter(text: bytes, quote: bytes, line: int, table: str) -> bytes:
    """What occurs most often in the line of the names, outside quotes."""
    if quote:
        text = re.sub(b"%b[^%b]*%b" % ((re.escape(quote),) * 3), b"", text[: 1 << 20])
    first_line = re.split(rb"[\n\r]", text, maxsplit=1)[0]
    counts = {bytes([byte]): first_line.count(byte) for byte in DELIMITERS}
    most = max(counts.values())
    if most == 0:
        return b","
    chosen = [delimiter for delimiter, count in counts.items() if count == most]
    if len(chosen) > 1:
        raise FaultyFileError(two_delimiters(chosen, most, line, table))
    return chosen[0]


def _values(record: bytes, dialect: Dialect) -> tuple[str, ...]:
    """The values of one record, blanks around them taken off."""
    reader = csv.reader(
        io.StringIO(record.decode(), newline=""),
        delimiter=dialect.delimiter.decode(),
        quotechar=dialect.quote.decode() or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        skipinitialspace=True,
    )
    return tuple(value.strip() for value in next(reader, []))


def _check_names(names: tuple[str, ...], line: int, table: str) -> None:
    """Raise where most columns have no name: it is a title that stands there."""
    named = sum(map(bool, names))
    if len(names) - named > max(1, named):
        raise FaultyFileError(title(named, len(names), line, table))


def _check_second_header(records: Records, header: bytes, header_line: int, table: str) -> None:
    """Raise where the names stand a second time, in whatever order, letter case or quotes."""
    written = _values(header, records.dialect)
    names, needle = {name.lower() for name in written}, max(written, key=len).encode().lower()
    # A value of a file of one column may well be what the column is called.
    data, position = records.data.lower() if len(names) > 1 else b"", -1
    while needle and (position := data.find(needle, position + 1)) >= 0:
        start = max(data.rfind(b"\n", 0, position), data.rfind(b"\r", 0, position)) + 1
        end = re.compile(rb"[\n\r]|$").search(data, position)
        assert end is not None
        length = end.start() - start
        is_first = start == 0 and records.first_line == header_line
        # Only a line that is as long as the names, with quotes and blanks, can hold no more.
        if is_first or not len(header) / 2 <= length <= 2 * len(header) + 4 * len(names):
            continue
        values = _values(records.data[start : end.start()], records.dialect)
        if {value.lower() for value in values} == names:
            line = records.line_at(start)
            raise FaultyFileError(second_header(line, header_line, table))


def faults_of_rows(text: CsvText, read: TextForm, table: str) -> list[Fault]:
    """The rows of a file that do not fit its names: the first of them, and how many there are."""
    beginning = _Beginning(text.path, read, table, text.dialect, text.header_line, text.offset)
    width = len(text.names)
    left = text.rows + 1
    wrong: list[tuple[int, int]] = []
    count = 0
    for records in _records(beginning):
        if len(after := records.texts_after_quotes()):
            return [text_after_quote(records.line_at(after[0]))]
        starts, stops = records.spans
        widths = records.widths()
        lengths = stops - starts
        if len(lengths) and int(lengths.max()) > LONGEST_ROW:
            longest = int(lengths.argmax())
            line = records.line_at(int(starts[longest]))
            return [too_long(int(lengths[longest]), LONGEST_ROW, line)]
        is_row = (stops > starts) | (width == 1)
        is_row &= np.cumsum(is_row) <= left
        left -= int(is_row.sum())
        is_wrong = is_row & (widths != width) & ~_is_only_ended(records, widths, width)
        for number in np.flatnonzero(is_wrong)[: _LISTED - len(wrong)]:
            line = records.line_at(starts[number])
            wrong.append((line, int(widths[number])))
        count += int(is_wrong.sum())
    return wrong_widths(wrong, count, width, text.header_line, table)


def _is_only_ended(records: Records, widths: NDArray[np.int64], width: int) -> NDArray[np.bool_]:
    """Whether all that a line has too much is a delimiter at its end."""
    _, stops = records.spans
    data = np.frombuffer(records.data, np.uint8)
    last = data[np.maximum(stops - 1, 0)]
    is_ended: NDArray[np.bool_] = (last == records.dialect.delimiter[0]) & (widths == width + 1)
    return is_ended


def regular_text(text: CsvText, read: TextForm, table: str) -> Iterator[bytes]:
    """The rows of a file in UTF-8, with line feeds alone, without the names and the footer."""
    beginning = _Beginning(text.path, read, table, text.dialect, text.header_line, text.offset)
    rows = _rows(_records(beginning))
    return first_rows(rows, text.rows, blank=len(text.names) == 1)


def line_of_row(text: CsvText, read: TextForm, table: str, row: int) -> int | None:
    """The line on which a row begins, counted from 1 below the names."""
    beginning = _Beginning(text.path, read, table, text.dialect, text.header_line, text.offset)
    left, is_blank_a_row = row + 1, len(text.names) == 1
    for records in _records(beginning):
        starts, stops = records.spans
        is_row = (stops > starts) | is_blank_a_row
        if left <= (count := int(is_row.sum())):
            return records.line_at(int(starts[np.flatnonzero(is_row)[left - 1]]))
        left -= count
    return None


def _rows(blocks: Iterator[Records]) -> Iterator[Records]:
    """The records below the line of the names."""
    first = next(blocks)
    end = first.ends[0] + 1 if len(first.ends) else len(first.data)
    yield replace(first, data=first.data[end:])
    yield from blocks
