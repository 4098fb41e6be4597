"""What the journal gives: runs and erasures, inputs that were removed, an account erased."""

from __future__ import annotations

from datetime import date, datetime

import pyarrow as pa

from riskseg.domain.words import counted
from riskseg.results.base import ProblemField, Result, Single, records
from riskseg.results.part import Part


class RunEntry(Part):
    """A journalled run: one that decided accounts, or that wrote probabilities or an issued
    worklist."""

    run_id: str
    """Of a run of `score` or `worklist issue`, what the column `run_id` of a database's table
    holds."""
    command: str
    """`assign`, `score` or `worklist issue`."""
    at: datetime
    as_of: date | None
    strategy: str | None
    activated: bool
    rows: int | None
    output: str | None
    """Where all decisions of the run were written; null where they were given in memory, or only
    a part of them was written."""
    selected_output: str | None = None
    """Where a part of the decisions was written, as `--due` and the like select it."""
    kept: bool
    """Whether its inputs are kept in this workspace, so that it can be replayed here."""
    erased: int | None
    """Accounts that were taken out of its inputs; null where they cannot be read."""


class ErasureEntry(Part):
    """An account, by a hash of its id, that was taken out of the kept inputs of `runs`."""

    account: str
    at: datetime
    by: str
    runs: tuple[str, ...]


class MoveEntry(Part):
    """A move of the journal from one place to another, as places may be shown."""

    at: datetime
    by: str
    source: str
    target: str


class JournalEntries(Result):
    """Runs that decided accounts or wrote a list of them, accounts that were erased, and moves of
    the journal, the latest first."""

    runs: tuple[RunEntry, ...]
    erasures: tuple[ErasureEntry, ...]
    moves: tuple[MoveEntry, ...] = ()
    unknown: tuple[str, ...]
    """Kept runs that the journal does not know."""

    def to_arrow(self) -> pa.Table:
        """The runs: run_id, command, at, as_of, strategy, activated, rows, output, kept, erased."""
        run_columns = {"run_id": pa.string(), "command": pa.string()}
        run_columns |= {"at": pa.timestamp("s", "UTC"), "as_of": pa.date32()}
        run_columns |= {"strategy": pa.string(), "activated": pa.bool_(), "rows": pa.int64()}
        run_columns |= {"output": pa.string(), "kept": pa.bool_(), "erased": pa.int64()}
        return records(run_columns, self.runs)

    def _title(self) -> str:
        return f"{counted(len(self.runs), 'run')}, {counted(len(self.erasures), 'erasure')}."


class Pruning(Single):
    """The inputs of older runs that were removed, or would be but for a dry run."""

    before: datetime
    """Of runs before this moment."""
    runs: int
    left: int
    """Runs that have their inputs still."""
    unknown: tuple[str, ...] = ()
    """Those among them whose age the journal does not know."""
    dry_run: bool = False

    def _title(self) -> str:
        verb = "would be" if self.dry_run else "are"
        before = self.before.isoformat()
        return f"The inputs of {counted(self.runs, 'run')} of before {before} {verb} removed."


class Erasure(Single):
    """An account that was taken out of all that is kept."""

    runs: tuple[str, ...]
    """Runs that kept the account until now."""
    searched: int
    """Runs that keep anything."""
    rows: int
    """Rows of the quarantine that named it."""
    events: int
    """Events of the journal that were emptied."""
    problems: tuple[ProblemField, ...] = ()
    """Runs that could not be searched, and a file that the journal was moved from: the account may
    still be in them."""

    def _title(self) -> str:
        runs = counted(len(self.runs), "run")
        line = f"Erased from the inputs of {runs}, of {self.searched} kept."
        return "\n".join([line, *map(str, self.problems)])


class JournalMove(Single):
    """The journal that was moved to another place: every entry and every event, with the same
    digests."""

    source: str
    """Where it was; passwords are not shown."""
    target: str
    """Where it is now."""
    entries: int
    """Runs, models, activations and the like."""
    events: int
    """Actions, outcomes, promises and the like."""
    done_before: bool
    """Whether the same move had been completed before; nothing was changed then."""
    settings: str
    """What riskseg.toml has to say from now on: the table [journal]; nothing where the journal is
    the workspace's own file, and that table has to go."""
    settings_current: bool
    """Whether riskseg.toml says so already."""

    def _title(self) -> str:
        verb = "was moved before" if self.done_before else "is moved"
        held = f"{counted(self.entries, 'entry', 'entries')}, {counted(self.events, 'event')}"
        return f"The journal {verb} from {self.source} to {self.target}: {held}."
