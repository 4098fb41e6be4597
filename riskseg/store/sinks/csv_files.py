"""Rows as a CSV file, compressed or not."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pyarrow as pa

from riskseg.store.sinks.port import FileSink
from riskseg.store.sinks.rendering import csv_header, csv_rows

# Less the apostrophe by which the writer keeps a text from being taken for a formula.
_TEXTS = "regexp_replace(columns(*), '^''(''*[=+@\\t\\r＝＋－＠-])', '\\1')"


class Csv(FileSink):
    def __init__(self, ending: str = ".csv") -> None:
        super().__init__(ending)

    def write_file(self, path: Path, schema: pa.Schema, groups: Iterator[pa.Table]) -> int:
        with path.open("wb") as file:
            return _write(file, schema, groups)

    def relation(self, file: str) -> str:
        # A row may begin with `#`; quotes may first appear late in a file.
        pinned = "header = true, comment = '', quote = '\"', escape = '\"'"
        return f"(select {_TEXTS} from read_csv({file}, all_varchar = true, {pinned}))"


class GzippedCsv(Csv):
    def __init__(self) -> None:
        super().__init__(".csv.gz")

    def write_file(self, path: Path, schema: pa.Schema, groups: Iterator[pa.Table]) -> int:
        # Neither the name nor the time, so that the same rows give the same bytes.
        with path.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
            return _write(packed, schema, groups)


def _write(file: IO[bytes] | gzip.GzipFile, schema: pa.Schema, groups: Iterator[pa.Table]) -> int:
    file.write(csv_header(schema))
    rows = 0
    for group in groups:
        file.write(csv_rows(group))
        rows += group.num_rows
    return rows
