"""A table kept in memory has the bytes that a Parquet file of it has."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from riskseg.store import sinks


def test_the_bytes_are_those_of_the_file(tmp_path: Path) -> None:
    table = pa.table({"account_id": ["a", "b", "c"], "n": [1, None, 3]})
    place = tmp_path / "t.parquet"
    target = sinks.InMemory()
    file, memory = (
        sinks.write(to, table.schema, table.to_batches(max_chunksize=2), token="t")
        for to in (str(place), target)
    )
    assert target.parquet is not None
    assert target.parquet.to_pybytes() == place.read_bytes()
    assert (memory.sha256, memory.rows) == (file.sha256, 3)
    assert (memory.place, memory.file, file.file) == (sinks.MEMORY, None, place)


def test_the_journal_keeps_no_place_for_it() -> None:
    assert sinks.Written(sinks.MEMORY, 3, "abc").output is None
    assert sinks.Written("t.csv", 3, "abc").output == str(Path("t.csv").resolve())
    assert sinks.Written("sqlite:///d.db#t", 3, None).output == "sqlite:///d.db#t"
