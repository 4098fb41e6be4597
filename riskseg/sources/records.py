"""Where the records of a CSV file end: counted and looked at on their bytes, apart from the engine.

A quote begins a quoted value only at the beginning of a value, before which blanks may stand; any
other is a character like others. Within quotes, line ends and delimiters are characters, and two
quotes are one. That is how the engine reads CSV (RFC 4180); what is counted here is counted again
by it, and both have to agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Positions = NDArray[np.int64]

_LF, _CR, _BLANK = b"\n"[0], b"\r"[0], b" "[0]
# A record of more bytes is a quote that nothing closes.
LONGEST = 1 << 25


@dataclass(frozen=True)
class Dialect:
    """`delimiter` and `quote` are one byte each; an empty `quote` where nothing is quoted."""

    delimiter: bytes
    quote: bytes


def line_breaks(data: bytes) -> int:
    """The line feeds, carriage returns, and pairs of both, each as one."""
    returns = data.count(b"\r") - data.count(b"\r\n") if b"\r" in data else 0
    return data.count(b"\n") + returns


class UnclosedQuoteError(Exception):
    """A quote that nothing closes, in the record that begins on a line counted from 1."""

    def __init__(self, line: int) -> None:
        super().__init__(f"unclosed quote in line {line}")
        self.line = line


@dataclass(frozen=True)
class Records:
    """Whole records, line ends included; the last of a file may lack its line end.

    `first_line` is the number of the line on which they begin, from 1.
    """

    data: bytes
    dialect: Dialect
    first_line: int

    @cached_property
    def _plain(self) -> bool:
        """Whether the line ends can be counted without looking at quotes, lone carriage returns
        and blank lines."""
        data, quote = self.data, self.dialect.quote
        if not data:
            return True
        if (quote and quote in data) or data.startswith((b"\n", b"\r")):
            return False
        if b"\r" in data and data.count(b"\r") != data.count(b"\r\n"):
            return False
        return b"\n\n" not in data and b"\n\r\n" not in data

    @cached_property
    def ends(self) -> Positions:
        """The position of the last byte of each line end."""
        return _line_ends(self.data, _outside(self.data, self.dialect, delimiters=False))

    @cached_property
    def spans(self) -> tuple[Positions, Positions]:
        """Where each line begins, and where it ends before its line end; blank ones included."""
        ends = self.ends
        stops = np.where(_followed(self.data, ends - 1, _CR, _LF), ends - 1, ends)
        starts = np.concatenate([[0], ends + 1])
        if starts[-1] == len(self.data):
            return starts[:-1], stops
        return starts, np.append(stops, len(self.data))

    def count(self, *, blank: bool) -> int:
        """The records; with `blank`, blank lines are such too."""
        if self._plain:
            is_ended = not self.data or self.data.endswith(b"\n")
            return self.data.count(b"\n") + (not is_ended)
        starts, stops = self.spans
        return len(starts) if blank else int(np.count_nonzero(stops > starts))

    @cached_property
    def line_ends(self) -> frozenset[str]:
        """The kinds of line ends: `\\n`, `\\r\\n`, `\\r`."""
        if self._plain:
            windows = self.data.count(b"\r\n")
            others = self.data.count(b"\n") - windows
            return frozenset({"\r\n"} if windows else set()) | ({"\n"} if others else set())
        data = np.frombuffer(self.data, np.uint8)
        ends = self.ends
        lone = data[ends] == _CR
        paired = _followed(self.data, ends - 1, _CR, _LF)
        kinds = {"\r": lone, "\r\n": paired, "\n": ~lone & ~paired}
        return frozenset(kind for kind, of_kind in kinds.items() if of_kind.any())

    @cached_property
    def lines(self) -> int:
        """How many lines they take, quoted values that reach over several included."""
        return line_breaks(self.data)

    def line_at(self, position: int) -> int:
        """The number of the line on which a byte stands."""
        return self.first_line + line_breaks(self.data[:position])

    @cached_property
    def spans_lines(self) -> bool:
        """Whether a quoted value reaches over several lines."""
        return not self._plain and len(self.ends) != self.lines

    def widths(self) -> Positions:
        """How many values each line has; 1 for a blank one."""
        starts, stops = self.spans
        delimiters = _outside(self.data, self.dialect, delimiters=True)
        positions = np.searchsorted(delimiters, stops) - np.searchsorted(delimiters, starts)
        return positions + 1

    def texts_after_quotes(self) -> Positions:
        """Where a character follows the quote that closes a value, and neither a delimiter, a line
        end nor a blank."""
        if not self.dialect.quote or self.dialect.quote not in self.data:
            return np.array([], np.int64)
        quotes = _positions(self.data, self.dialect.quote)
        # Where they open and close in turn, one that follows at once is the second of two.
        is_plain = _alternate(self.data, quotes, self.dialect)
        after = quotes[1::2] + 1 if is_plain else _quoted_values(self.data, self.dialect).ends
        after = after[after < len(self.data)]
        following = np.frombuffer(self.data, np.uint8)[after]
        allowed = self.dialect.delimiter + b"\n\r " + (self.dialect.quote if is_plain else b"")
        return after[~np.isin(following, list(allowed))]

    def with_line_feeds(self) -> bytes:
        """The records with line feeds alone, as line ends; those in quotes stay as they are."""
        if self.line_ends <= {"\n"}:
            return self.data
        data = np.frombuffer(self.data, np.uint8).copy()
        data[self.ends] = _LF
        windows = self.ends[_followed(self.data, self.ends - 1, _CR, _LF)] - 1
        return bytes(np.delete(data, windows).tobytes())


def record_blocks(
    blocks: Iterable[bytes], dialect: Dialect, *, first_line: int = 1
) -> Iterator[Records]:
    """The content of a file, cut between records. Raises UnclosedQuoteError."""
    pending, line = b"", first_line
    for block in blocks:
        pending += block
        cut = _last_end(pending, dialect)
        if cut:
            records = Records(pending[:cut], dialect, line)
            yield records
            line, pending = line + records.lines, pending[cut:]
        elif len(pending) > LONGEST:
            raise UnclosedQuoteError(line)
    if pending:
        records = Records(pending, dialect, line)
        if _open_at_the_end(pending, dialect):
            starts, _ = records.spans
            raise UnclosedQuoteError(records.line_at(starts[-1]))
        yield records


def first_rows(blocks: Iterable[Records], rows: int, *, blank: bool) -> Iterator[bytes]:
    """So many records, with line feeds alone; with `blank`, blank lines are such too."""
    left = rows
    for records in blocks:
        count = records.count(blank=blank)
        if count > left:
            starts, stops = records.spans
            is_row = (stops > starts) | blank
            end = starts[np.flatnonzero(np.cumsum(is_row) > left)[0]]
            records = replace(records, data=records.data[:end])
        yield records.with_line_feeds()
        left = max(0, left - count)


def _last_end(data: bytes, dialect: Dialect) -> int:
    """Behind the last line end that is surely one; 0 where there is none."""
    if not dialect.quote or dialect.quote not in data:
        line_feed = data.rfind(b"\n")
        if line_feed >= 0 or b"\r" not in data:
            return line_feed + 1
    ends = _line_ends(data, _outside(data, dialect, delimiters=False))
    # A line feed may follow a carriage return that is the last byte.
    ends = ends[ends < len(data) - 1] if data.endswith(b"\r") else ends
    return int(ends[-1]) + 1 if len(ends) else 0


def _line_ends(data: bytes, outside: Positions) -> Positions:
    """Of the positions of line feeds and carriage returns, those that end a line."""
    line_ends: Positions = outside[~_followed(data, outside, _CR, _LF)]
    return line_ends


def _followed(data: bytes, positions: Positions, first: int, second: int) -> NDArray[np.bool_]:
    """Whether the byte at each position is `first`, and the next one `second`."""
    values = np.frombuffer(data + b"\0", np.uint8)
    safe = np.maximum(positions, 0)
    is_so: NDArray[np.bool_] = (
        (positions >= 0) & (values[safe] == first) & (values[safe + 1] == second)
    )
    return is_so


def _positions(data: bytes, wanted: bytes) -> Positions:
    """Where any of these bytes stands."""
    table = np.zeros(256, bool)
    table[list(wanted)] = True
    return np.flatnonzero(table[np.frombuffer(data, np.uint8)])


def _outside(data: bytes, dialect: Dialect, *, delimiters: bool) -> Positions:
    """Where line feeds and carriage returns, or else delimiters, stand outside quotes."""
    quote = dialect.quote
    marks = _positions(data, dialect.delimiter if delimiters else b"\n\r")
    if not quote or quote not in data:
        return marks
    quotes = _positions(data, quote)
    if _alternate(data, quotes, dialect):
        is_outside = np.searchsorted(quotes, marks) % 2 == 0
    else:
        values = _quoted_values(data, dialect)
        begun = np.searchsorted(values.begins, marks)
        is_outside = begun == np.searchsorted(values.ends, marks, "right")
    outside: Positions = marks[is_outside]
    return outside


def _alternate(data: bytes, quotes: Positions, dialect: Dialect) -> bool:
    """Whether every second quote, from the first, begins a quoted value or is the second of two
    within one: quotes then open and close in turn."""
    values = np.frombuffer(data, np.uint8)
    opening = quotes[::2]
    before = values[np.maximum(opening - 1, 0)]
    at_a_beginning = (opening == 0) | np.isin(before, list(dialect.delimiter + b"\n\r"))
    second_of_two = (opening > 0) & (before == dialect.quote[0])
    return bool((at_a_beginning | second_of_two).all())


@dataclass(frozen=True)
class _QuotedValues:
    """Where values in quotes begin and end, quotes included; `is_open` where nothing closes the
    last, and all that follows is in it."""

    begins: Positions
    ends: Positions
    is_open: bool


def _quoted_values(data: bytes, dialect: Dialect) -> _QuotedValues:
    """Quoted values one by one, for data that has quotes in other places too."""
    quote, delimiter = re.escape(dialect.quote), re.escape(dialect.delimiter)
    content = b"[^" + quote + b"]*+"
    pattern = re.compile(
        b"(?:^|[%b\n\r]) *(%b%b(?:%b%b)*+)(%b)?"
        % (delimiter, quote, content, quote * 2, content, quote)
    )
    begins, ends, is_open = [], [], False
    for value in pattern.finditer(data):
        is_open = value[2] is None
        begins.append(value.start(1))
        ends.append(len(data) if is_open else value.end())
        if is_open:
            break
    return _QuotedValues(np.array(begins, np.int64), np.array(ends, np.int64), is_open)


def _open_at_the_end(data: bytes, dialect: Dialect) -> bool:
    """Whether the end of the data lies within quotes."""
    if not dialect.quote or dialect.quote not in data:
        return False
    quotes = _positions(data, dialect.quote)
    if _alternate(data, quotes, dialect):
        return len(quotes) % 2 == 1
    return _quoted_values(data, dialect).is_open
