"""What every use case begins with: the workspace, an engine with a scratch, the ledger in it."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from riskseg.domain.facts import LAST_DAY, Fact
from riskseg.domain.problems import Problems, ProblemsError, problem
from riskseg.engine import (
    DuckDB,
    Engine,
    KeptTablesError,
    NoMemoryError,
    NoRoomError,
    TooLargeError,
    holds_databases,
)
from riskseg.features.catalogue import Catalogue, read_catalogue
from riskseg.pipeline.account_file import for_scoring
from riskseg.pipeline.load import Ledger, load
from riskseg.pipeline.open_journal import only_writer
from riskseg.pipeline.quarantine import quarantine
from riskseg.pipeline.staged_ledger import folder_of, forget
from riskseg.pipeline.stages import Progress, Stage
from riskseg.pipeline.workspace_facts import workspace_facts
from riskseg.sources.describe import attributes_named
from riskseg.sources.unchanged import readable
from riskseg.store import sinks
from riskseg.store.files import is_alive, own_parts, private_file, private_folder, sweep
from riskseg.store.lock import workspace_lock
from riskseg.treatment.outcomes import TABLE as OUTCOMES
from riskseg.workspace import Workspace, open_workspace
from riskseg.workspace.sources import FILE

if TYPE_CHECKING:
    import pyarrow as pa

LOAD = Stage("load", "read the sources, check the contract, set bad rows apart")

# Bills and payments that one partition holds at most: about 100 MB in the engine.
ROWS_A_PARTITION = 8_000_000


@dataclass(frozen=True)
class LedgerInEngine:
    """A ledger that was loaded into an engine: what facts are worked out from."""

    engine: Engine
    ledger: Ledger
    catalogue: Catalogue
    scale: int


@dataclass(frozen=True)
class Session:
    """`catalogue` knows what is lacking here; `facts` are those a rule or model may name."""

    workspace: Workspace
    engine: Engine
    ledger: Ledger
    catalogue: Catalogue
    facts: Mapping[str, Fact]

    @property
    def scale(self) -> int:
        return self.workspace.settings.scale

    def answers(self, as_of: date) -> None:
        """Raise RS602 for a date before anything is known, or past all that facts may hold."""
        if as_of > LAST_DAY:
            past_last_day = f"{as_of} is past {LAST_DAY}, the last day riskseg counts to."
            raise problem("RS602", past_last_day, hint="Give an earlier date.")
        first_known_day = self.ledger.first_on
        if first_known_day is not None and as_of < first_known_day:
            raise problem(
                "RS602",
                f"Nothing is known as of {as_of}: the first fact is of {first_known_day}.",
                hint=f"Give a date from {first_known_day} on.",
            )

    def known_by(self, as_of: date) -> Session:
        """The session as it stood on a date: outcomes that became known later are not observed.

        What is known of an account is asked as of each snapshot's date anyway, so it is enough
        that the history ends there. Raises RS602 where nothing was known, or nothing says when.
        """
        self.answers(as_of)
        last_known_day = self.ledger.last_on
        if last_known_day is None:
            raise problem(
                "RS602",
                f"The file has no dates: it is not known which accounts there were on {as_of}.",
                hint="Map `observed_on` in [source.accounts], or train without --as-of.",
            )
        return replace(
            self, ledger=replace(self.ledger, last_on=min(last_known_day, as_of), known_by=as_of)
        )

    def partitions(self, least: int = 1) -> list[tuple[int, int]]:
        """Ranges of account numbers, first and last included, that one pass takes at a time: as
        many as riskseg.toml says, or else `least` or as many more as memory needs."""
        row_count = self.ledger.rows.get("bills", 0) + self.ledger.rows.get("payments", 0)
        partition_count = self.workspace.settings.partitions or max(
            -(-row_count // ROWS_A_PARTITION), least
        )
        account_count = self.ledger.accounts
        partition_count = max(1, min(partition_count, account_count))
        return [
            (
                account_count * partition // partition_count + 1,
                account_count * (partition + 1) // partition_count,
            )
            for partition in range(partition_count)
        ]


def open_checked(root: Path) -> Workspace:
    """The workspace, or its Problems raised."""
    problems = Problems()
    workspace = open_workspace(root, problems)
    problems.raise_if_any()
    assert workspace is not None
    own_parts(workspace.root)
    return workspace


@contextmanager
def scratch_engine(
    workspace: Workspace, *, lasting: bool = False, reads: Iterable[Path] = ()
) -> Iterator[Engine]:
    """An engine over a scratch of its own, which goes when it closes. It can read the files of the
    workspace's sources, and those in `reads`.

    A command that only reads takes no lock, so its scratch lies in the system's folder for such. A
    `lasting` one holds the lock and may need much room: its scratch lies in the workspace. What a
    killed command left is swept by the next one, wherever it is.
    """
    home = workspace.state / "scratch" if lasting else None
    if home is not None:
        private_folder(home)
        home = home if holds_databases(home) else None
    sweep_scratch(workspace)
    settings = workspace.settings
    keeps = folder_of(workspace)
    if not settings.keep_staged:
        with suppress(OSError, ProblemsError):  # who may not write here has kept nothing
            forget(workspace)
    with (
        tempfile.TemporaryDirectory(
            prefix=f"{_scratch_prefix(workspace)}{os.getpid()}-", dir=home
        ) as folder,
        DuckDB(
            Path(folder) / "ledger.duckdb",
            reads=[*readable(workspace), *reads],
            keeps=keeps if settings.keep_staged and holds_databases(keeps) else None,
            threads=settings.threads,
            memory=settings.memory,
            timezone=settings.timezone or "UTC",
        ) as engine,
    ):
        try:
            yield engine
        except NoRoomError as error:
            raise problem(
                "RS010",
                "The disk is full: there is no room for what the engine works with.",
                file=workspace.shown(workspace.state / "scratch"),
                hint="Make room on the disk that holds the workspace, and run again.",
            ) from error
        except NoMemoryError as error:
            raise problem(
                "RS615",
                f"The engine needs more memory than its limit of {settings.memory}.",
                file=FILE,
                line=workspace.document.line("engine", "memory"),
                hint="Raise `memory` in [engine], or `partitions`, to take fewer accounts at once.",
            ) from error
        except KeptTablesError as error:
            forget(workspace)
            raise problem(
                "RS617",
                f"The ledger that an earlier command kept is damaged: {error}",
                file=workspace.shown(folder_of(workspace)),
                hint="It was removed: run the same command again, which reads the sources.",
            ) from error
        except TooLargeError as error:  # in a feature or a model's population: see `too_large`
            hint = "Look for it in models/features.yaml, the models' specs and the strategy."
            message = f"A calculation gives a number too large: {error}"
            raise problem("RS614", message, hint=hint) from error


def _scratch_prefix(workspace: Workspace) -> str:
    return f"riskseg-{hashlib.sha256(str(workspace.root).encode()).hexdigest()[:12]}-"


def sweep_scratch(workspace: Workspace) -> None:
    """Remove the copies of the ledger that killed commands of this workspace left in the system's
    folder for scratch."""
    prefix = _scratch_prefix(workspace)
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        pid = folder.name.removeprefix(prefix).partition("-")[0]
        if pid.isdigit() and not is_alive(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def locked(workspace: Workspace, *places: Path) -> Iterator[None]:
    """The workspace to oneself; what a killed run left behind is swept up first, there and in
    the folders `places`."""
    with workspace_lock(workspace.root), only_writer(workspace):
        shutil.rmtree(workspace.state / "scratch", ignore_errors=True)
        sweep_scratch(workspace)
        versions = [
            model_folder for model_folder in workspace.models.glob("*") if model_folder.is_dir()
        ]
        kept_folders = [workspace.state / folder for folder in ("quarantine", "runs", "staged")]
        kept_folders += workspace.state.glob("runs/*")
        sweep([workspace.root, *kept_folders, *versions, *places])
        yield


def read_own_catalogue(
    workspace: Workspace, ledger: Ledger | None, problems: Problems
) -> Catalogue:
    """The catalogue with the workspace's own features. Without a ledger, features that name an
    attribute of bills are left out: nobody knows what it holds."""
    own_file = workspace.models / "features.yaml"
    shown_file = workspace.shown(own_file)
    if ledger is not None:
        return read_catalogue(
            own_file, problems, shown=shown_file, attributes=ledger.bill_attributes
        )
    undetermined = attributes_named(workspace.settings.sources.get("bills"))
    return read_catalogue(own_file, problems, shown=shown_file, undetermined=undetermined)


def begin(
    workspace: Workspace,
    engine: Engine,
    *,
    texts: bool = False,
    shows_ids: bool = False,
    outcomes: bool = False,
) -> Session:
    """Load the ledger and see which facts there are. Raises every Problem of data and catalogue.

    Without `outcomes` the columns that models learn to predict may be lacking.
    """
    problems = Problems()
    workspace = workspace if outcomes else for_scoring(workspace)
    ledger = load(engine, workspace, problems, texts=texts, shows_ids=shows_ids)
    catalogue = read_own_catalogue(workspace, ledger, problems)
    problems.raise_if_any()
    assert ledger is not None
    available, facts = workspace_facts(catalogue, ledger, problems)
    problems.raise_if_any()
    return Session(workspace, engine, ledger, available, facts)


def set_apart(session: Session, progress: Progress) -> dict[str, int]:
    """Write the quarantine files, one for each table with bad rows, and take away those of
    earlier runs; how many rows of each table are in them. Warns of rows that were read in another
    way than riskseg.toml says."""
    count_by_table = {}
    workspace, ledger = session.workspace, session.ledger
    for old_file in (workspace.state / "quarantine").glob("*.csv"):
        if old_file.stem != OUTCOMES:  # those are of no source
            old_file.unlink(missing_ok=True)
    for source in ledger.sources.values():
        for note in source.as_read.read_notes:
            progress.warn(note)
    for table, bad_rows in quarantine(session.engine, ledger.sources, ledger.bad):
        write_quarantine(workspace, table, bad_rows, progress)
        count_by_table[table] = bad_rows.num_rows
    return count_by_table


def write_quarantine(
    workspace: Workspace, table: str, rows: pa.Table, progress: Progress
) -> Path | None:
    """Write the bad rows of a table to its quarantine file; where there are none, None, and one of
    earlier is taken away."""
    folder = workspace.state / "quarantine"
    quarantine_file = folder / f"{table}.csv"
    if not rows.num_rows:
        quarantine_file.unlink(missing_ok=True)
        return None
    private_folder(folder)
    sinks.write(str(quarantine_file), rows.schema, rows.to_batches(), token="quarantine")
    private_file(quarantine_file)
    counted = "1 bad row" if rows.num_rows == 1 else f"{rows.num_rows:,} bad rows"
    progress.warn(f"{counted} of {table} left out; see {workspace.shown(quarantine_file)}")
    return quarantine_file
