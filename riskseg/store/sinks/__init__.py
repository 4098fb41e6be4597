"""Where a decided table goes: a file of a known ending, a table of a database, or memory.

The bytes of a file depend on its rows and their order alone, not on how the rows came in
batches: they are cut anew into groups of `GROUP` rows.

Each form is one object in one module behind the port of `store/sinks/port.py`. A new one is written
there and registered here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from riskseg.domain.problems import Problems
from riskseg.store.sinks.csv_files import Csv, GzippedCsv
from riskseg.store.sinks.database import DatabaseTable
from riskseg.store.sinks.json_files import Json, JsonLines
from riskseg.store.sinks.parquet import GROUP, Parquet, write_parquet
from riskseg.store.sinks.port import (
    MEMORY,
    SINKS,
    Dated,
    FileSink,
    TableSink,
    Written,
    register,
    sink_of,
)
from riskseg.store.sinks.remote_file import RemoteFile
from riskseg.store.sinks.workbook import Workbook

__all__ = [
    "MEMORY",
    "Dated",
    "InMemory",
    "Written",
    "add_text",
    "check",
    "ending_of",
    "file_of",
    "for_people",
    "read",
    "register",
    "relation",
    "texts",
    "write",
]

_FILES = (Parquet(), Csv(), GzippedCsv(), Json(), JsonLines(), Workbook())
for _sink in (RemoteFile(), DatabaseTable(), *_FILES):
    register(_sink)


@dataclass(slots=True)
class InMemory:
    """A target that is no place: `parquet` then holds the bytes that a Parquet file would."""

    parquet: pa.Buffer | None = None


def file_of(target: str) -> Path | None:
    """The file that is written to, a database's own included; None for a database elsewhere."""
    sink = sink_of(target)
    return Path(target) if sink is None else sink.file(target)


def ending_of(place: str) -> str:
    """The ending by which a file's form is known. Raises ValueError for a name without one."""
    return _file_sink(place).ending


def for_people(target: str) -> bool:
    """Whether the form of a target is one that people read, and machines seldom."""
    return target.lower().endswith(Workbook().ending)


def relation(place: Path, file: str) -> str:
    """What stands after FROM to read a written file again; `file` is its name as a SQL literal.
    Values of text forms are texts."""
    return _file_sink(place.name).relation(f"{file}, hive_partitioning = false")


def texts(place: Path) -> pa.Table | None:
    """The rows of a written file as texts, where the engine cannot read it by itself."""
    return _file_sink(place.name).texts(place)


def without_secrets(target: str | InMemory) -> str:
    """The target as it may be shown and kept."""
    if isinstance(target, InMemory):
        return MEMORY
    sink = sink_of(target)
    return target if sink is None else sink.without_secrets(target)


def check(target: str, problems: Problems) -> None:
    """Add RS010 where `target` cannot be written. Cheap: ask before any long work."""
    sink = sink_of(target)
    if sink is not None:
        sink.check(target, problems)
        return
    endings = [sink.form for sink in SINKS if isinstance(sink, FileSink)]
    other_forms = [sink.form for sink in SINKS if not isinstance(sink, FileSink)]
    problems.add(
        "RS010",
        "The ending of this name does not stand for a form that can be written.",
        file=target,
        hint=f"Use one of {', '.join(endings)}, or {', or '.join(other_forms)}.",
    )


def write(
    target: str | InMemory,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    *,
    token: str,
    dated: Dated | None = None,
) -> Written:
    """Write `batches`, in the order given, to `target`; readers see all of it or none.

    `target` is a path or a URL of a known ending (.parquet, .csv, .csv.gz, .json, .jsonl, .xlsx), a
    SQLAlchemy URL or `spark://MASTER` followed by `#table`, or memory. Every batch has `schema`;
    dictionary-encoded columns are written as their values. `token`, a run id, names what is half
    written. A table keeps rows of other dates than that of `dated`; without it, all its rows are
    replaced.
    Raises RS010 where the target cannot be written.
    """
    plain = _plain(schema)
    groups = _groups(batches, schema, plain)
    if isinstance(target, InMemory):
        stream = pa.BufferOutputStream()
        rows = write_parquet(stream, plain, groups)
        target.parquet = stream.getvalue()
        return Written(MEMORY, rows, hashlib.sha256(target.parquet).hexdigest())
    problems = Problems()
    check(target, problems)
    problems.raise_if_any()
    sink = sink_of(target)
    assert sink is not None
    return sink.write(target, plain, groups, token=token, dated=dated)


def read(target: str, schema: pa.Schema, *, run: str) -> Iterator[pa.RecordBatch]:
    """The rows that a run wrote to a table, with these columns, in no order. Raises RS010 where
    they cannot be read."""
    sink = sink_of(target)
    if not isinstance(sink, TableSink):
        raise ValueError(f"{target} is no table")
    return sink.read(target, schema, run=run)


def add_text(target: str | InMemory, name_ending: str, text: str, *, token: str) -> None:
    """Write a text beside what was written as a file, such as its manifest; nothing beside a table
    and in memory. Raises RS010 where it cannot be written."""
    sink = None if isinstance(target, InMemory) else sink_of(target)
    if sink is not None:
        assert isinstance(target, str)
        sink.add_text(target, name_ending, text, token=token)


def _file_sink(place: str) -> FileSink:
    sink = sink_of(place.rpartition("/")[2])
    if not isinstance(sink, FileSink):
        raise ValueError(f"{place} has the ending of no file that is written here")
    return sink


def _plain(schema: pa.Schema) -> pa.Schema:
    """The schema less its metadata, which may tell of the process that made it, and less
    dictionaries, which differ from batch to batch."""
    fields = []
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        fields.append(pa.field(field.name, kind, field.nullable))
    return pa.schema(fields)


def _groups(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, plain: pa.Schema
) -> Iterator[pa.Table]:
    """The same rows in tables of `GROUP` rows, one chunk a column; the last has the rest."""
    pending: list[pa.RecordBatch] = []
    room = GROUP

    def group() -> pa.Table:
        return pa.Table.from_batches(pending, schema).cast(plain).combine_chunks()

    for batch in batches:
        rows_left = batch
        while rows_left.num_rows:
            rows_taken, rows_left = rows_left.slice(0, room), rows_left.slice(room)
            pending.append(rows_taken)
            room -= rows_taken.num_rows
            if not room:
                yield group()
                pending, room = [], GROUP
    if pending:
        yield group()
