"""Sources kept in text files whose lines have each column at a fixed place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from riskseg.domain.problems import Problems
from riskseg.domain.relations import quoted
from riskseg.engine import Engine
from riskseg.sources.csv_faults import Fault, footer_too_long
from riskseg.sources.files import PlainFiles
from riskseg.sources.records import Dialect, Records, first_rows, record_blocks
from riskseg.sources.text_files import (
    UnreadableTextError,
    from_line,
    is_compressed,
    is_utf8,
    utf8_blocks,
)
from riskseg.workspace import Source
from riskseg.workspace.reading import ReadTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskseg.sources.records import Positions

_LINES = Dialect(b"", b"")
# A delimiter that text does not have: a line is one value.
_NO_DELIMITER = "'\x01\x02\x03\x04'"
# Faulty lines that are listed one by one.
_LISTED = 3


@dataclass(frozen=True)
class _Lines:
    """The lines of a file that are rows. It is `regular` where the engine can read it as it is."""

    path: Path
    rows: int
    first_line: int
    gapless: bool
    regular: bool


class FixedWidthFiles(PlainFiles):
    """Values are texts without the blanks around them; one of blanks alone is null."""

    function = "read_fixed_width"
    _lines: Sequence[_Lines] | None = None
    _files: Sequence[Path] = ()

    @classmethod
    def reads(cls, loaded_from: str) -> bool:
        return re.search(r"\.(txt|dat|prn|asc|fwf|csv)(\.gz)?$", loaded_from, re.I) is not None

    @classmethod
    def takes(cls, source: Source, root: Path) -> bool:
        return source.read.is_fixed_width

    def rows_by_file(self) -> list[tuple[Path, int]]:
        return [(lines.path, lines.rows) for lines in self._lines or ()]

    def line_in(self, path: Path, row: int) -> int | None:
        found = {lines.path: lines for lines in self._lines or ()}[path]
        return found.first_line + row - 1 if found.gapless else None

    def prepare(self, engine: Engine, problems: Problems) -> bool:
        before, form, table = len(problems), self.source.read, self.source.table
        found = []
        for path in self.files():
            lines = _scanned(path, form, table)
            if isinstance(lines, _Lines):
                found.append(lines)
                continue
            for fault in lines:
                file = self.shown(path)
                problems.add(fault.code, fault.message, file=file, line=fault.line, hint=fault.hint)
        if len(problems) > before:
            return False
        self._lines = found
        self._files = [
            lines.path if lines.regular else self._copied(engine, lines) for lines in found
        ]
        return True

    def _copied(self, engine: Engine, lines: _Lines) -> Path:
        table = self.source.table
        copy = engine.new_file(str(Path(self.partition_folders(lines.path), f"{table}.txt")))
        blocks = _records(lines.path, self.source.read, table)
        with copy.open("wb") as stream:
            stream.writelines(first_rows(blocks, lines.rows, blank=False))
        return copy

    def relation(self, engine: Engine) -> str:
        if self._lines is None:
            self.prepare_or_raise(engine)
        assert self._lines is not None
        listed = ", ".join(map(engine.file, self._files))
        values = ", ".join(
            f"nullif(trim(substr(line, {column.start}"
            f"{f', {column.width}' if column.width else ''})), '') as {quoted(column.name)}"
            for column in self.source.read.line_columns
        )
        folders = ", * exclude (line)" if self.is_partitioned else ""
        options = {
            "auto_detect": "false",
            "columns": "{'line': 'VARCHAR'}",
            "delim": _NO_DELIMITER,
            "quote": "''",
            "escape": "''",
            "comment": "''",
            "compression": "'gzip'" if is_compressed(self._files[0]) else "'none'",
            "header": "false",
            "hive_partitioning": str(self.is_partitioned).lower(),
        }
        if self.is_partitioned:
            options["hive_types_autocast"] = "false"
        written = ", ".join(f"{name} = {value}" for name, value in options.items())
        return f"(select {values}{folders} from read_csv([{listed}], {written}) where line <> '')"

    @classmethod
    def headers_of(cls, engine: Engine, path: Path) -> list[str]:
        return []

    @classmethod
    def index_of(cls, engine: Engine, path: Path) -> list[str]:
        return []


def _records(path: Path, form: ReadTable, table: str) -> Iterator[Records]:
    """The lines of a file below that of the names, if it has one."""
    line = (form.header_row or 0) + 1
    blocks = from_line(utf8_blocks(path, form.encoding, table), line)
    return record_blocks(blocks, _LINES, first_line=line)


def _scanned(path: Path, form: ReadTable, table: str) -> _Lines | list[Fault]:
    """The lines of a file that are rows, or what is wrong with them."""
    wrong: list[tuple[int, int]] = []  # number of the line, characters
    count, lines, line_ends, wrong_count = 0, 0, frozenset[str](), 0
    try:
        total = sum(records.count(blank=False) for records in _records(path, form, table))
        for records in _records(path, form, table):
            starts, stops = records.spans
            is_row = stops > starts
            is_row &= np.cumsum(is_row) <= total - form.footer_rows - count
            lengths, filled = _lengths(records, starts, stops)
            is_wrong = is_row & ~_fits(lengths, filled, form)
            for number in np.flatnonzero(is_wrong)[: _LISTED - len(wrong)]:
                wrong.append((records.line_at(starts[number]), int(lengths[number])))
            wrong_count += int(is_wrong.sum())
            count, lines = count + int(is_row.sum()), lines + len(starts)
            line_ends |= records.line_ends
    except UnreadableTextError as error:
        return [Fault(error.code, str(error), error.line, error.hint)]
    if total == 0:
        hint = "Check the file, or take the source out."
        return [Fault("RS109", f"{table} has no rows: the file is empty.", None, hint)]
    if total < form.footer_rows:
        return [footer_too_long(form.text_form, table)]
    if wrong:
        return _wrong_lengths(wrong, wrong_count, form, table)
    regular = form.header_row is None and form.footer_rows == 0 and len(line_ends) <= 1
    first_line = (form.header_row or 0) + 1
    is_gapless = lines == total
    return _Lines(path, count, first_line, is_gapless, regular and is_utf8(form.encoding))


def _lengths(records: Records, starts: Positions, stops: Positions) -> tuple[Positions, Positions]:
    """How many characters each line has, and how many up to the last that is no blank."""
    data = np.frombuffer(records.data, np.uint8)
    # In UTF-8, the first byte alone counts.
    is_character = (data & 0xC0) != 0x80
    characters = np.concatenate([[0], np.cumsum(is_character)])
    filled = np.flatnonzero((data != b" "[0]) & is_character)
    last = np.searchsorted(filled, stops) - 1
    ends = np.where(last >= 0, filled[np.maximum(last, 0)] + 1, 0) if len(filled) else starts
    first = characters[starts]
    return characters[stops] - first, characters[np.maximum(ends, starts)] - first


def _fits(lengths: Positions, filled: Positions, form: ReadTable) -> NDArray[np.bool_]:
    """Whether lines have all columns, and nothing beyond them that no column is said to be."""
    last = form.line_columns[-1]
    is_long: NDArray[np.bool_] = lengths >= last.start + last.width - 1
    if form.widths and last.width:
        return is_long & (filled <= last.start + last.width - 1)
    return is_long


def _wrong_lengths(
    wrong: Sequence[tuple[int, int]], count: int, form: ReadTable, table: str
) -> list[Fault]:
    last = form.line_columns[-1]
    wanted = last.start + last.width - 1
    faults = []
    for number, (line, length) in enumerate(wrong, start=1):
        others = (
            f" {count - number:,} more lines do not fit." if number == len(wrong) < count else ""
        )
        hint = (
            f"Correct the widths in [source.{table}.read]. Where blanks at the ends of lines were "
            "taken off, give the last column the width 0, the rest of the line. What is no row at "
            "the end is `footer_rows`."
        )
        message = f"The line has {length} characters, and its columns take {wanted}.{others}"
        faults.append(Fault("RS021", message, line, hint))
    return faults
