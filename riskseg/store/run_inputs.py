"""What runs keep so that they can be decided again: a folder for each, under `runs/`.

    runs/RUN/run.json         how it was decided
    runs/RUN/inputs.parquet   one row an account, in the order of account ids
    runs/RUN/strategy/        the strategy's files, as they were
    runs/RUN/journalled       empty; there once the journal has the run

A folder is whole or absent, and is not changed but for that mark and the erasure of accounts. It is
filled in the scratch of the run, which the next run sweeps, and renamed into its place.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from riskseg.store.files import flush_all, part_of, private_file, private_folder, write_beside

INPUTS = "inputs.parquet"
ABOUT = "run.json"
STRATEGY = "strategy"
JOURNALLED = "journalled"
ACCOUNT = "account_id"
# Where inputs.parquet says which accounts were erased from it: a JSON list of hashes.
_ERASED = b"riskseg.erased"
_COMPRESSION = {"compression": "zstd", "compression_level": 3}


class Unreadable(Exception):
    """What a run has kept is damaged, or may not be read."""


class Keeping:
    """The inputs of a run that is under way."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: pq.ParquetWriter | None = None
        self.rows = 0

    @property
    def begun(self) -> bool:
        return self._writer is not None

    def begin(self, schema: pa.Schema) -> None:
        """Settle the columns, so that there is a file even without an account."""

        self._writer = pq.ParquetWriter(self._folder / INPUTS, schema, **_COMPRESSION)

    def add(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Write rows after those already written."""
        assert self._writer is not None
        for batch in batches:
            self._writer.write_batch(batch)
            self.rows += batch.num_rows

    def describe(self, about: Mapping[str, Any], files: Mapping[str, str]) -> None:
        """Write how the run was decided, and its strategy's files."""
        write_texts(self._folder / STRATEGY, files)
        text = json.dumps(about, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        (self._folder / ABOUT).write_text(text, encoding="utf-8")

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


@contextmanager
def keeping(scratch: Path) -> Iterator[Keeping]:
    """A place to fill while a run is under way; gone at the end unless :func:`settle` took it."""
    with tempfile.TemporaryDirectory(prefix="kept-", dir=scratch) as folder:
        run_folder = Path(folder) / "run"
        run_folder.mkdir()
        kept = Keeping(run_folder)
        try:
            yield kept
        finally:
            kept.close()


def settle(kept: Keeping, runs: Path, run_id: str) -> Path:
    """Put what was kept in its place, whole; the folder.

    The same run has the same inputs: where they are kept already, less the accounts erased since
    perhaps, they stay.
    """
    kept.close()
    final_folder = runs / run_id
    if is_kept(final_folder):
        return final_folder
    private_folder(runs)
    _drop(final_folder)
    for file in kept._folder.rglob("*"):
        if file.is_file():
            private_file(file)
    flush_all(kept._folder)
    os.replace(kept._folder, final_folder)
    return final_folder


def is_kept(folder: Path) -> bool:
    return (folder / ABOUT).is_file() and (folder / INPUTS).is_file()


def has_inputs(folder: Path) -> bool:
    """Whether accounts can stand in a folder, be it whole or not."""
    return (folder / INPUTS).is_file()


def folders(runs: Path) -> list[Path]:
    """The folders of runs, by name."""
    entries = runs.iterdir() if runs.is_dir() else []
    return sorted(entry for entry in entries if entry.is_dir() and not entry.name.startswith("."))


def mark_journalled(folder: Path) -> None:
    """Mark that the journal has a run, after it has. Where the run is killed in between, or may not
    write there, the next :func:`sweep` does."""
    if not is_journalled(folder):
        with suppress(OSError):
            (folder / JOURNALLED).touch()


def is_journalled(folder: Path) -> bool:
    """Whether the journal has had a run, whether or not it has it now."""
    return (folder / JOURNALLED).is_file()


def sweep(runs: Path, journalled: Set[str]) -> None:
    """Remove what was kept of runs that were killed before they were journalled.

    A run that the journal has had, and has not now, is none of these: the journal is an older copy,
    for which a later one may be restored. It stays.
    """
    for folder in folders(runs):
        if folder.name in journalled:
            mark_journalled(folder)
        elif not is_journalled(folder):
            let_go(runs, [folder.name])


def let_go(runs: Path, names: Iterable[str]) -> int:
    """Remove what runs have kept; how many there were."""
    count = 0
    for name in names:
        count += is_kept(runs / name)
        _drop(runs / name)
    return count


def _drop(folder: Path) -> None:
    """Remove a folder. It first takes a name that is swept: half a folder is never taken for one
    that is kept."""
    if folder.exists():
        part = part_of(folder, "gone")
        shutil.rmtree(part, ignore_errors=True)
        os.replace(folder, part)
        shutil.rmtree(part, ignore_errors=True)


def write_texts(folder: Path, files: Mapping[str, str]) -> None:
    """Files by name, in subfolders where the names say so."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def read_texts(folder: Path) -> dict[str, str]:
    """What :func:`write_texts` wrote."""
    text_files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes().decode() for file in text_files}


def erased(folder: Path) -> tuple[str, ...]:
    """Hashes of the accounts that were erased from a run's inputs. Raises Unreadable."""

    with _reading():
        return _erased(pq.read_schema(folder / INPUTS))


@contextmanager
def _reading() -> Iterator[None]:
    """Around what only reads: a fault of the disk while writing is not damage."""

    try:
        yield
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise Unreadable(str(error).rstrip(".")) from error


def _erased(schema: pa.Schema) -> tuple[str, ...]:
    return tuple(json.loads((schema.metadata or {}).get(_ERASED, b"[]")))


def erase(folder: Path, account: str, hashed: str) -> bool:
    """Take an account out of a run's inputs; whether it is out of them by this or an earlier call.

    The file is written anew beside and renamed, with the hash among its metadata: it tells itself
    what it lacks, whenever the process is killed. Raises Unreadable, with the file as it was.
    """

    inputs_file = folder / INPUTS
    with ExitStack() as opened:
        with _reading():
            file = opened.enter_context(pq.ParquetFile(inputs_file))
            schema = file.schema_arrow
            erased_before = _erased(schema)
            if not _holds(file, account):
                return hashed in erased_before
        metadata = {
            **(schema.metadata or {}),
            _ERASED: json.dumps([*erased_before, hashed]).encode(),
        }
        with write_beside(inputs_file, token="erase") as part_file:
            schema = schema.with_metadata(metadata)
            with pq.ParquetWriter(part_file, schema, **_COMPRESSION) as writer:
                for group in range(file.num_row_groups):
                    with _reading():
                        rows = file.read_row_group(group)
                    rows = rows.filter(pc.not_equal(rows[ACCOUNT], account))
                    writer.write_table(rows.replace_schema_metadata(metadata))
    return True


def _holds(file: pq.ParquetFile, account: str) -> bool:

    if ACCOUNT not in file.schema_arrow.names:
        raise ValueError(f"it has no column {ACCOUNT}")
    groups = [group for group in range(file.num_row_groups) if _may_hold(file, group, account)]
    return any(
        pc.any(pc.equal(file.read_row_group(group, [ACCOUNT])[ACCOUNT], account)).as_py()
        for group in groups
    )


def _may_hold(file: pq.ParquetFile, group: int, account: str) -> bool:
    """Whether a group's bounds let it hold the account: of most files, these alone decide it."""
    column = file.schema_arrow.get_field_index(ACCOUNT)
    bounds = file.metadata.row_group(group).column(column).statistics
    if bounds is None or not bounds.has_min_max:
        return True
    return bool(bounds.min <= account <= bounds.max)
