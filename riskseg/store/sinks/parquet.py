"""Rows as a Parquet file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from riskseg.store.sinks.port import FileSink

# Rows of a group: each becomes one row group, whatever batches the rows came in.
GROUP = 100_000


class Parquet(FileSink):
    def __init__(self) -> None:
        super().__init__(".parquet")

    def write_file(self, path: Path, schema: pa.Schema, groups: Iterator[pa.Table]) -> int:
        return write_parquet(path, schema, groups)

    def relation(self, file: str) -> str:
        return f"read_parquet({file})"


def write_parquet(
    place: Path | pa.BufferOutputStream, schema: pa.Schema, groups: Iterator[pa.Table]
) -> int:
    """Write the groups as Parquet to a file or to memory; the number of rows."""
    rows = 0
    with pq.ParquetWriter(place, schema, compression="zstd", compression_level=3) as writer:
        for group in groups:
            writer.write_table(group, row_group_size=GROUP)
            rows += group.num_rows
    return rows
