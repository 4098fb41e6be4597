"""Sources kept in CSV files, compressed or not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from riskseg.domain.column_types import ColumnType
from riskseg.domain.problems import Problem, Problems
from riskseg.domain.relations import literal, quoted
from riskseg.engine import Engine
from riskseg.sources.column_names import occurs_twice, unique
from riskseg.sources.csv_faults import Fault
from riskseg.sources.csv_text import (
    CsvText,
    csv_text,
    faults_of_rows,
    line_of_row,
    regular_text,
)
from riskseg.sources.files import PlainFiles
from riskseg.sources.text_files import is_compressed
from riskseg.workspace.reading import TextForm

# Rows that are enough to see that a column numbers them.
ENOUGH_ROWS = 10_000
# A file of fewer bytes is looked at as a whole before it is read.
SMALL = 1 << 20
_ENDING = re.compile(r"\.(csv|tsv|txt)(\.gz)?$", re.IGNORECASE)


@dataclass(frozen=True)
class Readable:
    """A CSV file, and the file that the engine reads in its place: itself where it is regular, or
    else a copy of its rows in UTF-8 with one kind of line ends."""

    text: CsvText
    file: Path
    folders: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names as the engine can tell them apart: none is empty, none occurs twice."""
        return unique(self.text.names)

    @property
    def form(self) -> tuple[object, ...]:
        """What files have in common that the engine reads together."""
        keys = [folder.partition("=")[0] for folder in self.folders.split("/")]
        text = self.text
        return (
            self.columns,
            text.dialect,
            text.line_end,
            text.regular,
            is_compressed(self.file),
            *keys,
        )


class CsvFiles(PlainFiles):
    """CSV is read as text throughout, so that an id keeps its leading zeros and every value is
    checked against the contract rather than guessed at."""

    endings = (".csv", ".csv.gz", ".tsv", ".txt")
    function = "read_csv"
    _readable: Sequence[Readable] | None = None

    @classmethod
    def reads(cls, loaded_from: str) -> bool:
        return _ENDING.search(loaded_from) is not None

    def rows_by_file(self) -> list[tuple[Path, int]]:
        return [(file.text.path, file.text.rows) for file in self._readable or ()]

    def line_in(self, path: Path, row: int) -> int | None:
        texts = {file.text.path: file.text for file in self._readable or ()}
        return line_of_row(texts[path], self.source.read.text_form, self.source.table, row)

    def prepare(self, engine: Engine, problems: Problems) -> bool:
        form, table, before = self.source.read.text_form, self.source.table, len(problems)
        texts = []
        for path in self.files():
            text = csv_text(path, form, table)
            if isinstance(text, Fault):
                self._add(problems, path, [text])
                continue
            texts.append(text)
            if path.stat().st_size < SMALL:
                self._add(problems, path, faults_of_rows(text, form, table))
        if len(problems) > before:
            return False
        self._readable = [
            readable(engine, text, form, table, self.partition_folders(text.path)) for text in texts
        ]
        self.columns_by_file = {self.shown(file.text.path): file.columns for file in self._readable}
        return True

    def faults(self) -> list[Problem]:
        form, table, problems = self.source.read.text_form, self.source.table, Problems()
        for path in self.files():
            text = csv_text(path, form, table)
            faults = [text] if isinstance(text, Fault) else faults_of_rows(text, form, table)
            self._add(problems, path, faults)
        return list(problems)

    def _add(self, problems: Problems, path: Path, faults: Iterable[Fault]) -> None:
        for fault in faults:
            file = self.shown(path)
            problems.add(fault.code, fault.message, file=file, line=fault.line, hint=fault.hint)

    def relation(self, engine: Engine) -> str:
        if self._readable is None:
            self.prepare_or_raise(engine)
        assert self._readable is not None
        together = [
            reading(engine, [*files])
            for _, files in groupby(self._readable, key=lambda readable: readable.form)
        ]
        if len(together) == 1:
            return together[0]
        return f"({' union all by name '.join(f'select * from {part}' for part in together)})"

    def headers(self, engine: Engine, columns: Mapping[str, ColumnType]) -> Iterable[str]:
        """As the files write them, where one file has a name twice."""
        for file in self._readable or ():
            if occurs_twice(file.text.names):
                return [name for name in file.text.names if name]
        return columns

    @classmethod
    def headers_of(cls, engine: Engine, path: Path) -> list[str]:
        text = csv_text(path, TextForm(), "")
        return [] if isinstance(text, Fault) else list(text.names)

    @classmethod
    def index_of(cls, engine: Engine, path: Path) -> list[str]:
        """The first column where it has no name and numbers rows: it is called so by the engine, or
        by pandas when it read such a file and wrote it again."""
        text = csv_text(path, TextForm(), "")
        if isinstance(text, Fault) or not text.regular or text.names[0] not in ("", "Unnamed: 0"):
            return []
        file = Readable(text, path)
        relation, index = reading(engine, [file]), file.columns[0]
        some = f"(select {quoted(index)} as value from {relation} limit {ENOUGH_ROWS})"
        is_numbered = engine.value(
            "select count(*) > 0 and count(distinct value) = count(*) and "
            f"bool_and(regexp_full_match(value, '[0-9]+')) from {some}"
        )
        return [index] if is_numbered else []


def readable(
    engine: Engine, text: CsvText, form: TextForm, table: str, folders: str = ""
) -> Readable:
    """A file as the engine can read it. A copy lies under the same `folders`, from whose names the
    engine makes columns."""
    if text.regular:
        return Readable(text, text.path, folders)
    copy = engine.new_file(str(Path(folders, f"{table}.csv")))
    with copy.open("wb") as stream:
        stream.writelines(regular_text(text, form, table))
    return Readable(text, copy, folders)


def pinned(texts: Sequence[CsvText]) -> dict[str, str]:
    """The options of the engine's `read_csv` under which it reads files of one form as they are, by
    name, in SQL."""
    dialect = texts[0].dialect
    quote = literal(dialect.quote.decode())
    return {
        "delim": literal(dialect.delimiter.decode()),
        "quote": quote,
        "escape": quote,
        "comment": "''",
        "nullstr": "''",
        "new_line": literal(texts[0].line_end.replace("\r", "\\r").replace("\n", "\\n")),
        "skip": "0",
        # Values that reach over lines are read wrongly where several threads share a file.
        "parallel": str(not any(text.spans_lines for text in texts)).lower(),
    }


def reading(engine: Engine, files: Sequence[Readable]) -> str:
    """A relation of files of one form; all their columns are text."""
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in files[0].columns)
    options = {
        "auto_detect": "false",
        "columns": f"{{{columns}}}",
        **pinned([file.text for file in files]),
        "header": str(files[0].text.regular).lower(),
        "compression": "'gzip'" if is_compressed(files[0].file) else "'none'",
        "hive_partitioning": str(bool(files[0].folders)).lower(),
    }
    if files[0].folders:
        options["hive_types_autocast"] = "false"
    listed = ", ".join(engine.file(file.file) for file in files)
    written = ", ".join(f"{name} = {value}" for name, value in options.items())
    return f"read_csv([{listed}], {written})"
