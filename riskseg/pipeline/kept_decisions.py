"""The decisions of runs that were journalled: from the file that a run wrote, where that is still
what the run wrote, else decided again from what the run kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from riskseg.pipeline.archive import checked_decider, erased_from, kept_facts, open_inputs
from riskseg.pipeline.decision_columns import decision_select
from riskseg.pipeline.decisions import decide_scored, score_facts
from riskseg.pipeline.session import scratch_engine
from riskseg.pipeline.stages import Progress
from riskseg.store import run_inputs as store
from riskseg.store.files import sha256_of
from riskseg.store.journal import Journal
from riskseg.store.records import RunRecord
from riskseg.workspace import Workspace

# Accounts that are decided again in one pass.
_ACCOUNTS = 1_000_000


def whole_runs(runs: Iterable[RunRecord], until: date, count: int) -> list[RunRecord]:
    """The latest run of `assign` for each of the last `count` as-of dates up to a day, the earliest
    date first. Runs that decided a part of the accounts are left out, and drafts, which decide
    nothing.

    `runs` are those of the journal, the latest first.
    """
    by_date: dict[date, RunRecord] = {}
    for run in runs:
        arguments = run.arguments
        is_whole = (
            run.command == "assign"
            and not arguments.get("accounts_from")
            and not arguments.get("draft")
        )
        if is_whole and run.as_of is not None and run.as_of <= until:
            by_date.setdefault(run.as_of, run)
    return [by_date[day] for day in sorted(by_date)[-count:]]


def decisions_of(
    workspace: Workspace,
    run: RunRecord,
    journal: Journal,
    progress: Progress,
    *,
    unread: Collection[str] = (),
) -> pa.Table | None:
    """The decisions of a run, less their reasons; None where neither its file nor its inputs are
    there any more. Columns that are `unread` need not be in it. Raises RS610 and RS611 as `replay`
    does."""
    if (place := _file_of(run)) is not None:
        names = [name for name in pq.read_schema(place).names if name not in unread]
        return pq.read_table(place, columns=names)
    if not store.is_kept(workspace.state / "runs" / run.run_id):
        return None
    kept, decider = checked_decider(workspace, run, erased_from(journal, run), progress)
    with scratch_engine(workspace, reads=[kept.inputs]) as engine:
        accounts = open_inputs(engine, workspace, kept)
        parts = []
        for first in range(1, accounts + 1, _ACCOUNTS):
            kept_facts(engine, workspace, kept, first, min(accounts, first + _ACCOUNTS - 1))
            decide_scored(engine, decider, score_facts(engine, decider))
            parts.append(engine.arrow(decision_select(decider)))
        return pa.concat_tables(parts) if parts else None


def _file_of(run: RunRecord) -> Path | None:
    """The Parquet file that a run wrote, if nobody has changed it since."""
    place = Path(run.output or "")
    if run.output_sha256 is None or place.suffix != ".parquet" or not place.is_file():
        return None
    return place if sha256_of(place) == run.output_sha256 else None
