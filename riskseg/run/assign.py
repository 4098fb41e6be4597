"""`assign`: a decision for every account, as of a date. Pure: the same facts, the same file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import riskseg
from riskseg.domain.column_types import ColumnType
from riskseg.domain.problems import Problems
from riskseg.pipeline.account_file import check_given, with_accounts_from
from riskseg.pipeline.account_file import fingerprint as file_fingerprint
from riskseg.pipeline.archive import about
from riskseg.pipeline.buckets import bucket_ledger
from riskseg.pipeline.control_totals import Controls
from riskseg.pipeline.deciding_from_ledger import DecidedRange, Deciding, DecidingRange
from riskseg.pipeline.decisions import (
    DECIDE,
    RULES,
    Reasons,
    WritingJob,
    drift_figures,
    note_differences,
    prepare,
)
from riskseg.pipeline.definitions import definitions, fingerprint
from riskseg.pipeline.events import events_fingerprint
from riskseg.pipeline.feed_checks import compare_feeds
from riskseg.pipeline.feed_notes import age_notes, volume_notes
from riskseg.pipeline.hindsight import hindsight
from riskseg.pipeline.on_spark import on_spark, ranges_for, spark_at
from riskseg.pipeline.open_journal import open_journal, unknown_runs, unknown_runs_message
from riskseg.pipeline.outputs import check_target
from riskseg.pipeline.run_manifest import manifest, run_record
from riskseg.pipeline.segment_totals import SegmentTotals
from riskseg.pipeline.selected_decisions import SelectedDecisions
from riskseg.pipeline.selection import Selection
from riskseg.pipeline.session import (
    LOAD,
    begin,
    locked,
    open_checked,
    scratch_engine,
    set_apart,
)
from riskseg.pipeline.side_by_side import side_by_side
from riskseg.pipeline.stages import ForEach, Plan, Progress, Stage
from riskseg.pipeline.strategy_in_force import strategy_in_force
from riskseg.pipeline.work_on_buckets import decide_bucket
from riskseg.results.runs import Decisions
from riskseg.sources.describe import fingerprints
from riskseg.sources.unchanged import check_unchanged, while_unchanged
from riskseg.store import run_inputs as store
from riskseg.store import sinks
from riskseg.store.sinks import InMemory, without_secrets
from riskseg.strategy.described import version_of
from riskseg.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

WRITE = Stage("write", "the decisions beside their place, then in it; then the manifest")
JOURNAL = Stage("journal", "record the run: from here on it has happened")


class _Assignment(WritingJob):
    """What a run of `assign` holds while it is carried out. `totals` and `controls` are of all
    ranges that were decided so far."""

    def __init__(
        self,
        workspace: Workspace,
        as_of: date,
        target: str | InMemory,
        *,
        at: datetime,
        reasons: Reasons,
        keep: bool,
        draft: bool,
        accounts_from: Path | None,
        accept_feeds: bool,
        selection: Selection,
        spark: str | None,
        progress: Progress | None,
    ) -> None:
        super().__init__(progress)
        self.selection, self.spark_master = selection, spark
        self.accept_feeds = accept_feeds
        self.workspace, self.as_of, self.target, self.at = workspace, as_of, target, at
        self.reasons: Reasons = reasons
        self.keep, self.draft, self.accounts_from = keep, draft, accounts_from
        self.columns: dict[str, ColumnType] = {}

    def load(self) -> None:
        workspace, enter = self.workspace, self.opened.enter_context
        beside = []
        if isinstance(self.target, str) and "://" not in self.target:
            beside.append(Path(self.target).resolve().parent)
        enter(locked(workspace, *beside))
        self.engine = enter(scratch_engine(workspace, lasting=True))
        self.kept = enter(store.keeping(workspace.state / "scratch"))
        self.journal = enter(open_journal(workspace))
        store.sweep(workspace.state / "runs", {run.run_id for run in self.journal.decided_runs()})
        if unknown := unknown_runs(workspace, self.journal):
            self.progress.warn(unknown_runs_message(workspace, unknown))
        check_given(self.engine, workspace, self.accounts_from, ())
        self.session = begin(workspace, self.engine)
        self.spark = spark_at(self.spark_master) if self.spark_master else None
        self.ranges = (
            self.session.partitions()
            if self.spark is None
            else ranges_for(self.spark, self.session)
        )

    def prepare(self) -> None:
        """The strategy in force and its models; what the run is made from, and so its id."""
        session, progress = self.session, self.progress
        self.sources = fingerprints(self.engine, self.workspace)
        self._check_feeds()
        self.force = strategy_in_force(
            session, self.as_of, self.journal, draft=self.draft, progress=progress
        )
        self.decider = prepare(
            session,
            self.force.strategy,
            self.as_of,
            self.journal,
            reasons=self.reasons,
            accounts_from=self.accounts_from,
        )
        self.totals = SegmentTotals(self.decider)
        self.controls = Controls(self.engine, session.ledger, self.as_of, session.scale)
        self.selected = self._selected()
        self.deciding = Deciding(self.decider, self.keep, self.selected)
        for key, scorer in self.decider.scorers.items():
            if warning := hindsight(scorer.model, self.as_of):
                progress.warn(f"{key}: {warning}")
        for note in self.decider.strategy.notes:
            progress.note(note)
        for note in session.ledger.alike:
            progress.warn(note)
        self.quarantined = set_apart(session, progress)
        if (events := events_fingerprint(self.engine, self.as_of)) is not None:
            self.sources = {**self.sources, "journal": events}
        self.given = file_fingerprint(self.accounts_from)
        check_unchanged(self.workspace, session.ledger.stamps)
        self.definitions = definitions(session, self.force.strategy, self.decider.wanted)
        self.run_id = self._run_id()
        if self.spark is not None:
            in_common = bucket_ledger(session)
            work = partial(decide_bucket, self.deciding, in_common)
            self.buckets = on_spark(self.spark, session, in_common, self.ranges, work)

    def _selected(self) -> SelectedDecisions | None:
        """What of the decisions is written, where it is not all of them."""
        if not self.selection:
            return None
        problems = Problems()
        selected = SelectedDecisions(self.selection, self.decider, self.session.facts, problems)
        problems.raise_if_any()
        return selected

    def _check_feeds(self) -> None:
        """Hold each source against what is expected of it. Raises RS650, unless it is accepted."""
        ledger, runs = self.session.ledger, self.journal.decided_runs()
        for note in (
            *age_notes(self.engine, ledger, self.as_of),
            *volume_notes(ledger, runs, self.sources, of_empty=False),
        ):
            self.progress.warn(note)
        compared = compare_feeds(
            self.session,
            self.as_of,
            lambda: runs,
            sources=self.sources,
            every=True,
            # What is expected is said of the feed, and not of a file that is given in its place.
            other_than=("accounts",) if self.accounts_from else (),
        )
        self.feeds = compared.figures
        self.accepted = compared.settle(accept=self.accept_feeds, progress=self.progress)

    @classmethod
    def deciding_ranges(cls, into: Stage) -> ForEach:
        """The stages to decisions, of several ranges of accounts at a time; `into` takes all
        decisions, in the order of account ids."""
        how = side_by_side(
            lambda run, session: DecidingRange(session, run.deciding),
            lambda run, job: run.take(job.decided),
        )
        stages = DecidingRange.stages()
        return ForEach("partition", lambda job: job.ranges, stages, into=into, side_by_side=how)

    @classmethod
    def deciding_on_spark(cls, into: Stage) -> ForEach:
        """The same decisions, of ranges of accounts that executors decide."""
        stages = (DECIDE.by(lambda job, _: job.take(next(job.buckets))),)
        return ForEach("bucket", lambda job: job.ranges, stages, into=into)

    def take(self, decided: DecidedRange) -> Iterator[pa.RecordBatch]:
        """The decisions of the next range; then what was added up beside them is added, and what
        they were decided from is kept, where that is asked for."""
        self.schema = decided.decisions.schema
        yield from decided.decisions.to_batches()
        self.totals.include(decided.totals)
        self.controls.sums.update(decided.controls)
        for key, watch in self.decider.watches.items():
            watch.include(decided.watches[key])
        if self.selected is not None and decided.selected is not None:
            self.selected.add(self.engine, decided.selected)
        if decided.inputs is not None:
            if not self.kept.begun:
                self.columns = dict(decided.columns)
                self.kept.begin(decided.inputs.schema)
            self.kept.add(decided.inputs.to_batches())

    def finish(self, decisions: Iterator[pa.RecordBatch]) -> None:
        """Write the decisions, their manifest, and what the run was decided from."""
        workspace, ready, settings = self.workspace, self.decider, self.workspace.settings
        decisions = while_unchanged(decisions, workspace, self.session.ledger.stamps)
        decisions = self._while_adding_up(decisions)
        if self.selected is None:
            self.decided = written = self.write(self.target, decisions, self.run_id)
        else:
            # The run is known by all that it decided, as if that were given in memory.
            self.decided = self.write(InMemory(), decisions, self.run_id)
            written = self.selected.write(self.engine, self.target, self.run_id)
        self.written = written
        models = {key: scorer.model for key, scorer in ready.scorers.items()}
        self.done = Decisions(
            run_id=self.run_id,
            as_of=self.as_of,
            place=written.place,
            rows=self.decided.rows,
            sha256=written.sha256,
            selection=None if self.selected is None else self.selected.described(written.rows),
            activated=self.force.activated,
            kept=self.keep,
            strategy=version_of(ready.strategy),
            default_values=ready.default_values,
            models=ready.versions,
            segments=self.totals.ordered(),
            actions=self.totals.actions,
            quarantined=self.quarantined,
            control_totals=self.control_totals,
            accepted_feeds=self.accepted,
            unmatched=tuple(map(str, self.session.ledger.unmet)),
            of=ready.of,
            currency=settings.currency,
            scale=settings.scale,
            differences=note_differences(self.session, models, ready.watches, self.progress),
            drift=drift_figures(ready.watches),
            definitions=self.definitions,
            redefined=self.force.redefined,
            accounts_from=self.given,
        )
        # That anything is kept is true only of a run that the journal has.
        self._write_manifest(self.done.model_copy(update={"kept": False}))
        if self.keep:
            description = about(
                ready,
                self.run_id,
                settings.currency,
                settings.arrears_from,
                self.sources,
                self.columns,
                self.kept.rows,
            )
            self.kept.describe(description, self.force.files)
            store.settle(self.kept, workspace.state / "runs", self.run_id)

    def _while_adding_up(self, decisions: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The decisions; after the last, and so before they are put in their place, the control
        totals have to agree."""
        yield from decisions
        overdue = sum(
            (segment.overdue or Decimal(0) for segment in self.totals.ordered()), Decimal(0)
        )
        self.control_totals = self.controls.finished(self.quarantined, overdue)

    def record(self) -> None:
        """Journal the run; only then do its manifest and its folder say that it is kept."""
        arguments: dict[str, Any] = {
            "out": self.written.place,
            "reasons": self.reasons,
            "keep": self.keep,
            "draft": self.draft,
            "feeds": self.feeds,
        }
        if self.accepted:
            arguments["accepted_feeds"] = list(self.accepted)
        if self.given is not None:
            arguments["accounts_from"] = self.given.model_dump()
        if self.selected is not None:
            arguments["selection"] = self.selection.as_json()
            arguments["selected_output"] = self.written.output
        record = run_record(self.done, self.decided, arguments, self.sources, self.at)
        self.journal.record_run(record)
        if self.keep:
            store.mark_journalled(self.workspace.state / "runs" / self.run_id)
            self._write_manifest(self.done)

    def _write_manifest(self, done: Decisions) -> None:
        text = manifest(done, self.sources)
        sinks.add_text(self.target, ".manifest.json", text, token=done.run_id)

    def _run_id(self) -> str:
        """The same inputs make the same run."""
        settings, ready = self.workspace.settings, self.decider
        own_features = self.workspace.models / "features.yaml"
        inputs = [
            "assign",
            riskseg.__version__,
            self.as_of.isoformat(),
            without_secrets(self.target),
            ready.reasons,
            ready.strategy.fingerprint,
            self.force.activated,
            sorted(
                (key_used, scorer_used.model.version)
                for key_used, scorer_used in ready.scorers.items()
            ),
            sorted(self.sources.items()),
            fingerprint(self.definitions),
            hashlib.sha256(own_features.read_bytes()).hexdigest() if own_features.is_file() else "",
            [
                settings.currency,
                settings.scale,
                str(settings.arrears_from),
                str(settings.max_bad_rows),
            ],
            *([self.selection.as_json()] if self.selection else []),
        ]
        return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:16]


def plan(*, spark: bool = False) -> Plan:
    """What `assign` carries out, in this process or on Spark."""
    write = WRITE.by(_Assignment.finish)
    return [
        LOAD.by(_Assignment.load),
        RULES.by(_Assignment.prepare),
        _Assignment.deciding_on_spark(write) if spark else _Assignment.deciding_ranges(write),
        JOURNAL.by(_Assignment.record),
    ]


def assign(
    root: Path,
    as_of: date,
    target: str | InMemory,
    *,
    at: datetime,
    reasons: Reasons = "due",
    keep: bool = True,
    draft: bool = False,
    accounts_from: Path | None = None,
    accept_feeds: bool = False,
    selection: Selection | None = None,
    spark: str | None = None,
    progress: Progress | None = None,
) -> Decisions:
    """Decide every account that exists as of the date, write the decisions, journal the run.

    With `keep`, what it was decided from is kept too, so that it can be decided again; a `draft` is
    decided by the strategy in the folder, whatever is in force. `accounts_from` names a file that
    is read instead of the workspace's own account file, through the same mapping. With
    `accept_feeds`, feeds that are not as expected are noted, journalled and used. All accounts are
    decided whatever the `selection`, which says what of the decisions is written. `spark` names the
    master of a Spark cluster whose executors decide: the decisions are the same, to the byte.
    """
    workspace = with_accounts_from(open_checked(root), accounts_from)
    problems = Problems()
    if isinstance(target, str):
        check_target(workspace, target, problems)
    problems.raise_if_any()
    job = _Assignment(
        workspace,
        as_of,
        target,
        at=at,
        reasons=reasons,
        keep=keep,
        draft=draft,
        accounts_from=accounts_from,
        accept_feeds=accept_feeds,
        selection=selection or Selection(),
        spark=spark,
        progress=progress,
    )
    job.carry_out(plan(spark=spark is not None))
    job.done.holding(target)
    return job.done
