"""The journal's events in a file of their own, so that a run checks only what was recorded since.

The name of the file is a digest of the batches whose events it holds, in their order, and of the
accounts that were erased: a batch that is not as it was, or another erasure, gives another name.
Pages of the file have checksums. What is in it was checked against the journal when it was written;
to check the journal itself anew, remove the file, or read the events without it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from riskseg.domain.problems import ProblemsError
from riskseg.store.event_schema import SCHEMA, no_events
from riskseg.store.files import private_file, write_beside
from riskseg.store.records import EventBatchRecord

# Fewer new events than these are checked as fast as a file of them is written.
_WORTH = 100_000


def newest(
    folder: Path, batches: Sequence[EventBatchRecord], erased: Collection[str]
) -> tuple[pa.Table, int]:
    """The events that are kept of as many of the batches, from the first on, as there are; and how
    many batches these are."""
    for count, place in reversed([*enumerate(_places(folder, batches, erased), start=1)]):
        if place.is_file():
            with suppress(pa.ArrowException, OSError):
                table = pq.read_table(place, page_checksum_verification=True)
                if table.schema.equals(SCHEMA):
                    return table, count
    return no_events(), 0


def keep(
    folder: Path, events: pa.Table, batches: Sequence[EventBatchRecord], erased: Collection[str]
) -> None:
    """Keep the events of the batches in place of those that were kept before, if they are many and
    there is room for them."""
    if events.num_rows < _WORTH:
        return
    *_, place = _places(folder, batches, erased)
    try:
        with write_beside(place, token="events") as part:
            pq.write_table(events, part, write_page_checksum=True)
            private_file(part)
    except (ProblemsError, OSError):
        return
    for other in folder.glob("events-*.parquet"):
        if other != place:
            other.unlink(missing_ok=True)


def forget(folder: Path) -> None:
    """Remove the kept events."""
    for kept in folder.glob("events-*.parquet"):
        kept.unlink(missing_ok=True)


def _places(
    folder: Path, batches: Sequence[EventBatchRecord], erased: Collection[str]
) -> Iterator[Path]:
    """Where the events of the first batch would be, of the first two, and so on."""
    digest = hashlib.sha256(repr((SCHEMA.names, sorted(erased))).encode())
    for batch in batches:
        digest.update(f"{batch.batch_id} {batch.rows} {batch.sha256}\n".encode())
        yield folder / f"events-{digest.hexdigest()[:32]}.parquet"
