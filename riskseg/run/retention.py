"""What runs have kept, and for how long: listed, let go, and accounts erased from it."""

from __future__ import annotations

import calendar
import csv
import io
import re
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from riskseg.domain.problems import Problems, ProblemsError, did_you_mean, problem
from riskseg.domain.words import counted
from riskseg.pipeline.account_lookup import check_known
from riskseg.pipeline.archive import account_hash, damaged
from riskseg.pipeline.open_journal import (
    open_journal,
    place_of_journal,
    read_journal,
    unknown_runs,
)
from riskseg.pipeline.session import locked, open_checked
from riskseg.pipeline.staged_ledger import forget as forget_staged
from riskseg.results.journal import (
    Erasure,
    ErasureEntry,
    JournalEntries,
    MoveEntry,
    Pruning,
    RunEntry,
)
from riskseg.store import run_inputs as store
from riskseg.store.files import write_beside
from riskseg.store.records import ErasureRecord
from riskseg.workspace import Workspace

if TYPE_CHECKING:
    from riskseg.store.records import RunRecord

UNITS = ("days", "months", "years")


def listed(root: Path, *, limit: int | None = None) -> JournalEntries:
    """Runs that decided accounts, or wrote probabilities or an issued worklist, erasures and moves;
    all, or the last `limit` of each."""
    workspace = open_checked(root)
    with read_journal(workspace) as journal:
        runs = journal.runs(limit=limit)
        erasures = journal.erasures()[:limit]
        moves = [move for move in journal.moves() if move.arrived][:limit]
        unknown = unknown_runs(workspace, journal)
    return JournalEntries(
        runs=tuple(_run_entry(workspace, run) for run in runs),
        erasures=tuple(map(ErasureEntry.model_validate, erasures)),
        moves=tuple(map(MoveEntry.model_validate, moves)),
        unknown=tuple(unknown),
    )


def _run_entry(workspace: Workspace, run: RunRecord) -> RunEntry:
    folder = workspace.state / "runs" / run.run_id
    kept = store.is_kept(folder)
    return RunEntry(
        run_id=run.run_id,
        command=run.command,
        at=run.at,
        as_of=run.as_of,
        strategy=run.strategy,
        activated=run.activated,
        rows=run.rows,
        output=run.output,
        selected_output=run.arguments.get("selected_output"),
        kept=kept,
        erased=_count_erased(folder) if kept else 0,
    )


def _count_erased(folder: Path) -> int | None:
    try:
        return len(store.erased(folder))
    except store.Unreadable:
        return None


def prune(root: Path, older_than: str, *, at: datetime, dry_run: bool = False) -> Pruning:
    """Remove what runs of more than so long before `at` have kept; a `dry_run` only counts it.

    Raises RS612 for what is no span of time.
    """
    workspace = open_checked(root)
    cutoff = moment_before(at, *span(older_than))
    runs = workspace.state / "runs"
    with ExitStack() as opened:
        if dry_run:
            journal = opened.enter_context(read_journal(workspace))
        else:
            opened.enter_context(locked(workspace))
            journal = opened.enter_context(open_journal(workspace))
        ran_at = {
            run_record.run_id: _as_at(run_record.at, at)
            for run_record in reversed(journal.decided_runs())
        }
        outdated = [run for run, ran in ran_at.items() if ran < cutoff]
        kept = [run_folder.name for run_folder in store.folders(runs) if store.is_kept(run_folder)]
        if not dry_run:
            store.let_go(runs, outdated)
    removed = tuple(run for run in kept if run in outdated)
    remaining = [run for run in kept if run not in outdated]
    return Pruning(
        before=cutoff,
        runs=len(removed),
        left=len(remaining),
        unknown=tuple(run for run in remaining if run not in ran_at),
        dry_run=dry_run,
    )


def _as_at(moment: datetime, like: datetime) -> datetime:
    """A moment that can be compared with another: one without a zone is taken to be in its."""
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=like.tzinfo)


def span(text: str) -> tuple[int, str]:
    """A span of time as a person writes it: "90 days", "90d", "24 months", "1 year". Raises
    RS612."""
    number_and_unit = re.fullmatch(r"\s*([0-9]{1,9})\s*([a-z]+)\s*", text, re.IGNORECASE | re.ASCII)
    if number_and_unit is None:
        hint = 'Write a number and a unit, as in "90 days" or "24 months".'
        raise problem("RS612", f'"{text}" is not a span of time.', hint=hint)
    unit = number_and_unit[2].lower()
    return int(number_and_unit[1]), "days" if unit == "d" else unit


def moment_before(at: datetime, count: int, unit: str) -> datetime:
    """The moment so many days, months or years before. A day that the month then does not have is
    its last. Raises RS612."""
    plural = unit if unit.endswith("s") else f"{unit}s"
    if plural not in UNITS:
        raise problem("RS612", f'"{unit}" is not a span of time.', hint=did_you_mean(unit, UNITS))
    try:
        if plural == "days":
            return at - timedelta(days=count)
        months = at.year * 12 + at.month - 1 - count * (12 if plural == "years" else 1)
        year, month = divmod(months, 12)
        day = min(at.day, calendar.monthrange(year, month + 1)[1])
        return at.replace(year=year, month=month + 1, day=day)
    except (ValueError, OverflowError) as error:
        message = f"{count} {plural} before {at.date()} is not a possible date."
        raise problem("RS612", message, hint="Give a shorter span.") from error


def erase(root: Path, account: str, *, by: str, at: datetime) -> Erasure:
    """Take an account out of all that is kept: the inputs of runs, the quarantine, and the events
    of the journal. The ledger that commands share goes whole: the next one stages the sources anew.

    Safe to repeat, and to kill: each file says what was erased from it, and the journal has its
    row when all are done. It has one for an account that was only in the sources, too, so that the
    id is known when the source has lost it. The decisions that runs wrote are not riskseg's to
    change. One run that is damaged hinders no erasure from the others. Raises RS601 for an account
    that nothing kept, no source and no erasure knows: its id may be misspelt, and the person who
    is to be erased still there.
    """
    workspace = open_checked(root)
    hashed = account_hash(account)
    problems = Problems()
    with locked(workspace), open_journal(workspace) as journal:
        forget_staged(workspace, at_once=True)
        folders = [
            run_folder
            for run_folder in store.folders(workspace.state / "runs")
            if store.has_inputs(run_folder)
        ]
        erased_from = [
            run_folder.name
            for run_folder in folders
            if _erased(workspace, run_folder, account, hashed, problems)
        ]
        earlier = [
            erasure_record
            for erasure_record in journal.erasures()
            if erasure_record.account == hashed
        ]
        erased_before = {run for erasure_record in earlier for run in erasure_record.runs}
        runs = tuple(run for run in erased_from if run not in erased_before)
        quarantined_rows = _quarantine(workspace, account)
        events = journal.events_of(account)
        if not (erased_from or quarantined_rows or events or earlier):
            _check_known(workspace, account, folders, problems)
        if runs or quarantined_rows or events or not earlier:
            record = ErasureRecord(at=at, by=by, account=hashed, runs=runs)
            journal.record_erasure(record, account)
        _check_file_it_left(workspace, account, problems)
    return Erasure(
        runs=runs,
        searched=len(folders),
        rows=quarantined_rows,
        events=events,
        problems=tuple(problems),
    )


def _check_file_it_left(workspace: Workspace, account: str, problems: Problems) -> None:
    """Add RS619 where the account is still in the file from which the journal was moved to a
    database."""
    if place_of_journal(workspace) == workspace.journal:
        return
    from riskseg.store.journal_move import events_left_behind

    if events := events_left_behind(workspace.journal, account):
        problems.add(
            "RS619",
            f"The file that the journal was moved from has {counted(events, 'event')} of the "
            "account still.",
            file=workspace.shown(workspace.journal),
            hint="Remove it, and what stands beside it under a name that begins alike. The journal "
            "does not need it any more.",
        )


def _erased(
    workspace: Workspace, folder: Path, account: str, hashed: str, problems: Problems
) -> bool:
    """Whether the account is out of a run's inputs now; a run that cannot be read, or not be
    written, is a Problem."""
    try:
        return store.erase(folder, account, hashed)
    except store.Unreadable as error:
        problems.extend(damaged(workspace, folder, str(error)).problems)
    except ProblemsError as error:
        problems.extend(error.problems)
    return False


def _check_known(
    workspace: Workspace, account: str, folders: Sequence[Path], problems: Problems
) -> None:
    try:
        check_known(workspace, account, folders)
    except ProblemsError as error:
        # It may well be known to a run that cannot be read.
        raise ProblemsError([*error.problems, *problems]) from error


def _quarantine(workspace: Workspace, account: str) -> int:
    """Take the bad rows that name an account out of the lists of them; how many there were.

    A list holds each row as it came, as text. A row is taken out where the id stands in it as a
    word of its own: rather one too many than one too few.
    """
    removed_rows = 0
    for quarantine_file in sorted((workspace.state / "quarantine").glob("*.csv")):
        # A list that is cut off, or no text any more, is searched as far as it goes.
        with quarantine_file.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            csv_lines = list(csv.reader(file))
        header_lines, rows = csv_lines[:1], csv_lines[1:]
        remaining = [row for row in rows if not (row and _names(row[-1], account))]
        if len(remaining) == len(rows):
            continue
        removed_rows += len(rows) - len(remaining)
        remaining_text = io.StringIO()
        csv.writer(remaining_text, lineterminator="\n").writerows([*header_lines, *remaining])
        with write_beside(quarantine_file, token="erase") as draft:
            draft.write_bytes(remaining_text.getvalue().encode(errors="surrogateescape"))
    return removed_rows


def _names(content: str, account: str) -> bool:
    found_at = content.find(account)
    while found_at >= 0:
        around = content[max(0, found_at - 1) : found_at], content[found_at + len(account) :][:1]
        if not any(character.isalnum() for character in around):
            return True
        found_at = content.find(account, found_at + 1)
    return False
