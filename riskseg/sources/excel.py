"""Sources kept in Excel workbooks: a sheet with a row of names and the rows below."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from riskseg.domain.column_types import ColumnType
from riskseg.domain.problems import Problems, ProblemsError
from riskseg.engine import Engine
from riskseg.sources.column_names import occurs_twice, unique
from riskseg.sources.files import PlainFiles
from riskseg.store.sheet_rows import FaultyCell, SheetError, SheetRow, open_sheet
from riskseg.store.workbooks import check_openpyxl
from riskseg.workspace.reading import ReadTable

_ENDING = re.compile(r"\.xls[xm]$", re.IGNORECASE)
_ROWS_A_BATCH = 10_000
# Faulty cells that are listed one by one.
_LISTED = 3


@dataclass(frozen=True)
class _Table:
    """A sheet's table, and `file`, the copy in Parquet that the engine reads. `names` are as the
    sheet has them; `blocks` are the rows, counted from 1, that stand right below no other, each
    with its line: blank rows are not read."""

    path: Path
    file: Path
    names: Sequence[str]
    rows: int
    blocks: Sequence[tuple[int, int]]


class ExcelFiles(PlainFiles):
    """Cells are read as the text that a CSV file would have, so that the contract checks them: a
    whole number has no decimals, a date is one, and what a formula gave was worked out by Excel."""

    endings: ClassVar = (".xlsx",)
    function = "read_xlsx"
    _tables: Sequence[_Table] | None = None

    @classmethod
    def reads(cls, loaded_from: str) -> bool:
        return _ENDING.search(loaded_from) is not None

    def rows_by_file(self) -> list[tuple[Path, int]]:
        return [(table.path, table.rows) for table in self._tables or ()]

    def line_in(self, path: Path, row: int) -> int | None:
        blocks = {table.path: table.blocks for table in self._tables or ()}[path]
        first_row, line = blocks[bisect_right(blocks, row, key=itemgetter(0)) - 1]
        return line + row - first_row

    def prepare(self, engine: Engine, problems: Problems) -> bool:
        before, tables = len(problems), []
        try:
            check_openpyxl("save the sheet as a CSV file")
        except ProblemsError as error:
            problems.extend(error.problems)
            return False
        for path in self.files():
            copy = engine.new_file(
                str(Path(self.partition_folders(path), f"{self.source.table}.parquet"))
            )
            table = self._copied(path, copy, problems)
            if table is not None:
                tables.append(table)
                self.columns_by_file = {**self.columns_by_file, self.shown(path): table.names}
        if len(problems) > before:
            return False
        self._tables = tables
        return True

    def _copied(self, path: Path, copy: Path, problems: Problems) -> _Table | None:
        read, shown, table = self.source.read, self.shown(path), self.source.table
        try:
            with open_sheet(path, read.sheet) as sheet:
                rows = (row for row in sheet.rows if row.cells)
                header = _header(rows, read)
                if header is None:
                    message = f"{table} has no rows: the sheet {sheet.name} has no row of names."
                    hint = f"Say where they stand: `header_row` in [source.{table}.read]."
                    problems.add("RS109", message, file=shown, hint=hint)
                    return None
                names = _names(header)
                faults = _Faults()
                written = _write(copy, names, _checked(rows, header, faults), read.footer_rows)
                faults.add(sheet.merged_below(header.number))
        except SheetError as error:
            hint = error.hint.format(table=table)
            problems.add("RS006", str(error), file=shown, hint=hint)
            return None
        for number, fault in enumerate(faults.first, start=1):
            more = faults.count - number if number == _LISTED else 0
            others = f" {more:,} more cells are at fault." if more else ""
            message = f"Cell {fault.cell} of the sheet {sheet.name} {fault.message}.{others}"
            hint = fault.hint.format(table=table)
            problems.add("RS021", message, file=shown, line=fault.row, hint=hint)
        if written is None:
            message = f"The sheet has fewer rows than the footer_rows = {read.footer_rows}."
            hint = f"Correct it in [source.{table}.read]."
            problems.add("RS021", message, file=shown, hint=hint)
            return None
        return _Table(path, copy, names, written.rows, written.blocks)

    def relation(self, engine: Engine) -> str:
        if self._tables is None:
            self.prepare_or_raise(engine)
        listed = ", ".join(engine.file(table.file) for table in self._tables or ())
        options = f"union_by_name = true, hive_partitioning = {str(self.is_partitioned).lower()}"
        if self.is_partitioned:
            options += ", hive_types_autocast = false"
        return f"read_parquet([{listed}], {options})"

    def headers(self, engine: Engine, columns: Mapping[str, ColumnType]) -> Iterable[str]:
        for table in self._tables or ():
            if occurs_twice(table.names):
                return [name for name in table.names if name]
        return columns

    @classmethod
    def headers_of(cls, engine: Engine, path: Path) -> list[str]:
        return []

    @classmethod
    def index_of(cls, engine: Engine, path: Path) -> list[str]:
        return []


@dataclass
class _Faults:
    """The first cells that are at fault, and how many there are."""

    first: list[FaultyCell] = field(default_factory=list)
    count: int = 0

    def add(self, cells: Iterable[FaultyCell]) -> None:
        for cell in cells:
            self.count += 1
            if self.count <= _LISTED:
                self.first.append(cell)


def _header(rows: Iterator[SheetRow], read: ReadTable) -> SheetRow | None:
    """The row of the names: the first that is not blank, or the one that is stated."""
    for row in rows:
        if read.header_row is None or row.number == read.header_row:
            return row
        if row.number > read.header_row:
            return None
    return None


def _names(header: SheetRow) -> list[str]:
    """The names of the columns, from the first of the sheet to the last that has one."""
    return [header.cells.get(column, "").strip() for column in range(1, max(header.cells) + 1)]


def _checked(rows: Iterator[SheetRow], header: SheetRow, faults: _Faults) -> Iterator[SheetRow]:
    """The rows; cells that are at fault are gathered."""
    faults.add(header.faults)
    all_named = True
    for row in rows:
        faults.add(row.faults)
        nameless = [column for column in row.cells if not header.cells.get(column, "").strip()]
        if nameless and all_named:  # said once: it is the row of names that is another
            all_named = False
            message = f"has a value, and row {header.number} no name for its column"
            hint = (
                "Give the column a name, or say where the names stand: `header_row` in "
                "[source.{table}.read]."
            )
            faults.add([FaultyCell(row.number, nameless[0], message, hint)])
        yield row


@dataclass(frozen=True)
class _Written:
    rows: int
    blocks: list[tuple[int, int]]


def _write(
    copy: Path, names: Sequence[str], rows: Iterator[SheetRow], footer: int
) -> _Written | None:
    """Write the rows but those of the footer; None where there are fewer than those."""
    schema = pa.schema([(name, pa.string()) for name in unique(names)])
    count, blocks, next_line = 0, list[tuple[int, int]](), 0
    held: deque[SheetRow] = deque()

    def without_footer() -> Iterator[SheetRow]:
        for row in rows:
            held.append(row)
            if len(held) > footer:
                yield held.popleft()

    taken = without_footer()
    with pq.ParquetWriter(copy, schema) as writer:
        while batch := list(islice(taken, _ROWS_A_BATCH)):
            for number, row in enumerate(batch, start=count + 1):
                if row.number != next_line:
                    blocks.append((number, row.number))
                next_line = row.number + 1
            columns = [
                pa.array([row.cells.get(column) for row in batch], pa.string())
                for column in range(1, len(names) + 1)
            ]
            writer.write_table(pa.table(columns, schema=schema))
            count += len(batch)
    return _Written(count, blocks) if len(held) == footer else None
