"""Rows that were worked out from the staged ledger, kept beside it for the next command.

Most of what a question about segments costs is working out what bills were paid by the end of each
of many months, and most of what comparing two strategies costs is working out the facts of a day.
The next question of the same day needs the very same rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from riskseg.domain.problems import ProblemsError
from riskseg.engine import Engine
from riskseg.pipeline.session import Session
from riskseg.pipeline.staged_ledger import derived_file
from riskseg.store.files import private_file, write_beside

_READ = "kept_rows"
# A digest stands at the end of each file: Parquet's own checksums leave its headers and footer out.
_DIGEST_BYTES = 32


@contextmanager
def kept_rows(
    session: Session,
    table: str,
    made_of: Sequence[str] | None,
    rows: Callable[[], str],
    most: int | None = None,
    is_read: Callable[[str], bool] = lambda _: True,
) -> Iterator[str]:
    """A select of the rows that an earlier command kept; else of those that `rows` makes and
    selects, which are kept where the ledger is. `made_of` is all that they depend on, None where
    they are not to be kept. Of one table there are at `most` so many files: the latest. Of rows
    that are kept, there are those columns alone of which `is_read` says that they are read."""
    engine, ledger = session.engine, session.ledger
    if ledger.kept is None or made_of is None:
        yield rows()
        return
    place = derived_file(session.workspace, ledger.kept, table, made_of)
    if (kept := _read(place, is_read)) is None:
        select = rows()
        place.unlink(missing_ok=True)  # it is damaged, if it is there
        keep_rows(session, table, made_of, select, most)
        if (kept := _read(place, is_read)) is None:
            yield select
            return
    engine.register(_READ, kept)
    try:
        yield f"select * from {_READ}"
    finally:
        engine.unregister(_READ)


def keep_rows(
    session: Session,
    table: str,
    made_of: Sequence[str] | None,
    select: str,
    most: int | None = None,
) -> None:
    """Keep the rows of a select, where they may be kept and are not yet, for those who ask
    :func:`kept_rows`."""
    ledger = session.ledger
    if ledger.kept is None or made_of is None:
        return
    place = derived_file(session.workspace, ledger.kept, table, made_of)
    if not place.is_file() and _write(place, session.engine, select) and most is not None:
        _remove_older(place, most)


def _read(place: Path, is_read: Callable[[str], bool] = lambda _: True) -> pa.Table | None:
    """The rows in a file; None where it is not there, or damaged."""
    try:
        with pa.memory_map(str(place)) as file:
            content = file.read_buffer()
            rows = content[: max(content.size - _DIGEST_BYTES, 0)]
            if hashlib.sha256(rows).digest() != content[rows.size :].to_pybytes():
                return None
            parquet = pq.ParquetFile(pa.BufferReader(rows))
            return parquet.read(list(filter(is_read, parquet.schema_arrow.names)))
    except (OSError, pa.ArrowException):
        return None


def _remove_older(place: Path, most: int) -> None:
    """Keep the latest files of a table."""
    ledger, table, _ = place.name.split("-")
    files = sorted(place.parent.glob(f"{ledger}-{table}-*.rows"), key=_written_at, reverse=True)
    for older in files[most:]:
        older.unlink(missing_ok=True)


def _written_at(place: Path) -> int:
    """Least where another command has removed it by now."""
    try:
        return place.stat().st_mtime_ns
    except OSError:
        return 0


def _write(place: Path, engine: Engine, select: str) -> bool:
    """Write the rows of a select; whether there was room for them."""
    batches = engine.batches(select)
    try:
        with write_beside(place, token="rows") as part:
            with pq.ParquetWriter(part, batches.schema) as writer:
                private_file(part)
                for batch in batches:
                    writer.write_batch(batch)
            with part.open("r+b") as file:
                file.write(hashlib.file_digest(file, "sha256").digest())
    except (ProblemsError, OSError):
        return False
    return True
