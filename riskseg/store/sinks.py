"""Where a decided table goes: a file of a known ending, a table of a database, or memory.

The bytes of a file depend on its rows and their order alone, not on how the rows came in
batches: they are cut anew into groups of `GROUP` rows.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from riskseg.domain.problems import Problems
from riskseg.store.files import check_place, sha256_of, write_beside
from riskseg.store.rendering import csv_header, csv_rows, json_rows

GROUP = 100_000
# What stands for the place of a table that was written nowhere.
MEMORY = "memory"


@dataclass(slots=True)
class InMemory:
    """A target that is no place: `parquet` then holds the bytes that a Parquet file would."""

    parquet: pa.Buffer | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: `place` is the path, the URL with its password hidden, or `MEMORY`;
    `sha256` that of the file's bytes, None for a database table."""

    place: str
    rows: int
    sha256: str | None

    @property
    def file(self) -> Path | None:
        """The file that was written; None for a database table and in memory."""
        return None if self.sha256 is None or self.place == MEMORY else Path(self.place)

    @property
    def output(self) -> str | None:
        """What the journal keeps of the place: the file's full path, or the URL; None in memory."""
        if self.place == MEMORY:
            return None
        return self.place if self.file is None else str(self.file.resolve())


def file_of(target: str) -> Path | None:
    """The file that is written to, a database's own included; None for a database elsewhere."""
    if not _is_url(target):
        return Path(target)
    from riskseg.store.database import database_file

    return database_file(target)


def without_secrets(target: str | InMemory) -> str:
    """The target as it may be shown and kept."""
    if isinstance(target, InMemory):
        return MEMORY
    if not _is_url(target):
        return target
    from riskseg.store.database import without_secrets as hidden

    return hidden(target)


def check(target: str, problems: Problems) -> None:
    """Add RS010 where `target` cannot be written. Cheap: ask before any long work."""
    if _is_url(target):
        from riskseg.store.database import check_url

        check_url(target, problems)
    elif _ending(target) is None:
        problems.add(
            "RS010",
            "The ending of this name tells no form that can be written.",
            file=target,
            hint=f"Use one of {', '.join(_FORMS)}, or a database URL with #table.",
        )
    else:
        check_place(Path(target), problems)


def write(
    target: str | InMemory,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    *,
    token: str,
) -> Written:
    """Write `batches`, in the order given, to `target`; readers see all of it or none.

    `target` is a path of a known ending (.parquet, .csv, .csv.gz, .json, .jsonl) or a SQLAlchemy
    URL followed by `#table`, or memory. Every batch has `schema`; dictionary-encoded columns are
    written as their values. `token`, a run id, names what is half written. Raises RS010 where the
    target cannot be written.
    """
    plain = _plain(schema)
    groups = _groups(batches, schema, plain)
    if isinstance(target, InMemory):
        stream = pa.BufferOutputStream()
        rows = _parquet(stream, plain, groups)
        target.parquet = stream.getvalue()
        return Written(MEMORY, rows, hashlib.sha256(target.parquet).hexdigest())
    problems = Problems()
    check(target, problems)
    problems.raise_if_any()
    if _is_url(target):
        from riskseg.store.database import write_table

        place, rows = write_table(target, plain, groups, token=token)
        return Written(place, rows, None)
    with write_beside(Path(target), token=token) as part:
        rows = _FORMS[_ending(target) or ""](part, plain, groups)
        digest = sha256_of(part)
    return Written(target, rows, digest)


def _is_url(target: str) -> bool:
    return "://" in target


def _ending(target: str) -> str | None:
    return next((ending for ending in _FORMS if target.lower().endswith(ending)), None)


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
        rest = batch
        while rest.num_rows:
            piece, rest = rest.slice(0, room), rest.slice(room)
            pending.append(piece)
            room -= piece.num_rows
            if not room:
                yield group()
                pending, room = [], GROUP
    if pending:
        yield group()


def _parquet(
    place: Path | pa.BufferOutputStream, schema: pa.Schema, groups: Iterator[pa.Table]
) -> int:
    rows = 0
    with pq.ParquetWriter(place, schema, compression="zstd", compression_level=3) as writer:
        for group in groups:
            writer.write_table(group, row_group_size=GROUP)
            rows += group.num_rows
    return rows


def _csv(path: Path, schema: pa.Schema, groups: Iterator[pa.Table]) -> int:
    with path.open("wb") as file:
        return _csv_into(file, schema, groups)


def _csv_gz(path: Path, schema: pa.Schema, groups: Iterator[pa.Table]) -> int:
    # Neither the name nor the time, so that the same rows give the same bytes.
    with path.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
        return _csv_into(packed, schema, groups)


def _csv_into(
    file: IO[bytes] | gzip.GzipFile, schema: pa.Schema, groups: Iterator[pa.Table]
) -> int:
    file.write(csv_header(schema))
    rows = 0
    for group in groups:
        file.write(csv_rows(group))
        rows += group.num_rows
    return rows


def _jsonl(path: Path, schema: pa.Schema, groups: Iterator[pa.Table]) -> int:
    rows = 0
    with path.open("wb") as file:
        for group in groups:
            file.write(json_rows(group, after="\n"))
            rows += group.num_rows
    return rows


def _json(path: Path, schema: pa.Schema, groups: Iterator[pa.Table]) -> int:
    rows = 0
    with path.open("wb") as file:
        file.write(b"[\n")
        for group in groups:
            text = json_rows(group, before=",\n")
            file.write(text if rows else text.removeprefix(b",\n"))
            rows += group.num_rows
        file.write(b"\n]\n" if rows else b"]\n")
    return rows


# By the ending of the name; no two endings fit the same name.
_FORMS: dict[str, Callable[[Path, pa.Schema, Iterator[pa.Table]], int]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".csv.gz": _csv_gz,
    ".json": _json,
    ".jsonl": _jsonl,
}
