"""`worklist`: what is due on a day, in order of priority; `worklist issue`: the same, recorded.

The list is a function of the facts, the journal's events among them. An action that was issued on
the day itself is still on that day's list, so that a day's list is the same however often it is
made, and issuing it again records nothing anew. Days are issued in their order: see
:meth:`ListingJob.check_order`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import riskseg
from riskseg.domain.problems import Problems, did_you_mean, problem
from riskseg.domain.relations import quoted
from riskseg.domain.words import counted
from riskseg.pipeline.buckets import bucket_ledger, put
from riskseg.pipeline.decisions import DECIDE, RULES, prepare
from riskseg.pipeline.due_from_ledger import DueFromLedger
from riskseg.pipeline.feed_checks import compare_feeds
from riskseg.pipeline.feed_notes import age_notes
from riskseg.pipeline.listing import list_due
from riskseg.pipeline.on_spark import on_spark, ranges_for, spark_at
from riskseg.pipeline.open_journal import open_journal, read_journal
from riskseg.pipeline.outputs import check_target
from riskseg.pipeline.selection import Selection
from riskseg.pipeline.session import (
    LOAD,
    begin,
    locked,
    open_checked,
    scratch_engine,
    set_apart,
)
from riskseg.pipeline.stages import ForEach, Plan, Progress, Stage
from riskseg.pipeline.strategy_in_force import strategy_in_force
from riskseg.pipeline.work_on_buckets import Listing, list_bucket
from riskseg.results.worklist import (
    IssuedAction,
    Worklist,
    WorklistAction,
    WorklistDuty,
)
from riskseg.store import sinks
from riskseg.store.records import RunRecord
from riskseg.store.sinks import Dated, InMemory
from riskseg.strategy.described import version_of
from riskseg.treatment.worklist import (
    NAMES,
    duty_counts,
    issued_events,
    no_longer_due,
    placement_events,
)
from riskseg.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

LIST = Stage("list", "what is due, in order of priority, beside its place, then in it")
ISSUE = Stage("issue", "record the actions as issued, and the paths that accounts are now on")


class ListingJob(DueFromLedger):
    """What a run of `worklist` holds while it is carried out. With a moment `at`, it issues."""

    def __init__(
        self,
        workspace: Workspace,
        as_of: date,
        target: str | InMemory,
        *,
        at: datetime | None,
        by: str | None,
        selection: Selection,
        capacity: Mapping[str, int],
        draft: bool,
        accept_feeds: bool,
        spark: str | None,
        progress: Progress | None,
    ) -> None:
        super().__init__(progress)
        self.spark_master, self.accept_feeds = spark, accept_feeds
        self.workspace, self.as_of, self.target, self.at = workspace, as_of, target, at
        self.selection, self.columns = selection, selection.more(NAMES)
        self.capacity, self.draft, self.by = capacity, draft, by
        self.issues = at is not None
        self.issued: int | None = None
        self.new = 0

    def load(self) -> None:
        workspace, enter = self.workspace, self.opened.enter_context
        records = self.at is not None
        if records:
            enter(locked(workspace))
        self.engine = enter(scratch_engine(workspace, lasting=records))
        self.journal = enter(open_journal(workspace) if records else read_journal(workspace))
        self.session = begin(workspace, self.engine)
        self.spark = spark_at(self.spark_master) if self.spark_master else None
        self.ranges = (
            self.session.partitions()
            if self.spark is None
            else ranges_for(self.spark, self.session)
        )

    def prepare(self) -> None:
        session, progress = self.session, self.progress
        self.check_feeds()
        self.force = strategy_in_force(
            session, self.as_of, self.journal, draft=self.draft, progress=progress
        )
        strategy = self.force.strategy
        decider = prepare(session, strategy, self.as_of, self.journal, reasons="none")
        self.decides(session, decider)
        for note in decider.unscored_notes():
            progress.warn(note)
        if self.at is not None:
            set_apart(session, progress)
        self._check()
        if self.spark is not None:
            given = Listing(decider, bucket_ledger(session), self.columns)
            work = partial(list_bucket, given)
            self.buckets = on_spark(self.spark, session, given.ledger, self.ranges, work)

    def check_feeds(self) -> None:
        """Warn of sources that are old. Raise RS650 for those that are not as they are expected to
        be, unless that is accepted."""
        for note in age_notes(self.engine, self.session.ledger, self.as_of):
            self.progress.warn(note)
        compared = compare_feeds(self.session, self.as_of, self.journal.decided_runs)
        self.accepted = compared.settle(accept=self.accept_feeds, progress=self.progress)

    def _check(self) -> None:
        """Raise a Problem for each name that there is none of."""
        problems = Problems()
        strategy = self.decider.strategy
        names = [action.name for action in strategy.actions]
        for name in self.capacity:
            if name not in names:
                hint = did_you_mean(name, names)
                problems.add("RS209", f'There is no action "{name}".', hint=hint)
        self.selection.check_names(strategy, problems)
        self.selection.check_columns(NAMES, self.session.facts, problems)
        problems.raise_if_any()

    @classmethod
    def listing_on_spark(cls, into: Stage) -> ForEach:
        """What is due of ranges of accounts that executors decide."""
        return ForEach("bucket", lambda job: job.ranges, (DECIDE.by(cls.take),), into=into)

    def take(self, accounts: tuple[int, int]) -> Iterator[pa.RecordBatch]:
        """Add what is due of the next range."""
        due, anew = next(self.buckets), accounts == self.ranges[0]
        for table, rows in due.rows.items():
            put(self.engine, table, due.columns[table], rows, anew=anew)
        yield from ()

    def finish(self, parts: Iterator[pa.RecordBatch]) -> None:
        """Put what is due in order, cut it to the day's capacity, and write it."""
        for _ in parts:
            pass
        list_due(
            self.engine,
            self.as_of,
            self.decider.scale,
            selection=self.selection,
            capacity=self.capacity,
        )
        if self.issues:
            self.check_order()
        # What comes of an action is read back by its id.
        shown = list(dict.fromkeys(["id", *self.selection.shown(NAMES)]))
        columns = ", ".join(map(quoted, shown))
        listed = self.engine.batches(
            f"""
            select {columns}
            from listed_actions
            where state = 'listed'
            order by deadline nulls last, priority desc nulls last, account_id
            """
        )
        self.written = sinks.write(
            self.target,
            listed.schema,
            listed,
            token=self.token,
            dated=Dated(self.as_of, ("id",)),
        )
        self.done = self._result()

    def check_order(self) -> None:
        """Raise RS635 where the list has actions to issue anew and a later day was issued.

        What the later day's list did was chosen without them: it may be the same action for the
        same account, or one that overtakes it, and contact rules of that day did not count them.
        """
        anew, example, later = self.engine.rows(
            f"""
            select count(*), min(account_id),
                (
                    select max(happened_on)
                    from journal_events
                    where kind = 'action'
                        and happened_on > date '{self.as_of}'
                )
            from listed_actions
            where state in ('listed', 'with another')
                and not needs_approval
                and not issued
            """
        )[0]
        if later is not None and anew:
            raise problem(
                "RS635",
                f"The worklist of {self.as_of} would issue {counted(anew, 'more action')}, such as "
                f'one of account "{example}", although that of {later} was issued already: they '
                "might be done twice.",
                hint=f"Issue a day from {later} on: what is still due then is on its list. "
                "`riskseg worklist` without `issue` shows the list of any day.",
            )

    def issue(self) -> None:
        """Record the listed actions as issued, and each account whose path has changed."""
        assert self.at is not None
        events = self._events(issued_events(self.as_of))
        strategy = self.decider.strategy
        made = {"made_by": self.by, "strategy": f"{strategy.name} {strategy.fingerprint}"}
        issued = [event | made for event in events]
        new = self.journal.record_events(
            [*issued, *self._events(placement_events(self.as_of))],
            command="worklist issue",
            at=self.at,
            recorded_on=self.as_of,
        )
        self.issued, self.new = len(issued), sum(event["kind"] == "action" for event in new)
        self.done = self._result()
        self.journal.record_run(self._run(self.at))

    def _run(self, at: datetime) -> RunRecord:
        """Where the list that was issued is."""
        return RunRecord(
            run_id=self.token,
            command="worklist issue",
            at=at,
            riskseg_version=riskseg.__version__,
            as_of=self.as_of,
            arguments={"accepted_feeds": list(self.accepted)} if self.accepted else {},
            output=self.written.output,
            output_sha256=self.written.sha256,
            rows=self.written.rows,
            strategy=self.decider.strategy.fingerprint,
            models=dict(self.decider.versions),
            sources={},
            activated=self.force.activated,
        )

    @property
    def token(self) -> str:
        return f"worklist-{self.as_of}"

    def _events(self, select: str) -> list[dict[str, str | None]]:
        """Events as the journal takes them: every value is a text."""
        rows: list[dict[str, str | None]] = self.engine.arrow(
            f"select cast(columns(*) as varchar) from ({select})"
        ).to_pylist()
        return rows

    def _result(self) -> Worklist:
        counts = self.engine.rows(
            """
            select action, any_value(channel),
                count(*) filter (where state = 'listed'),
                count(*) filter (where state = 'listed' and needs_approval),
                count(*) filter (where state = 'over capacity'),
                count(*) filter (where state = 'held back')
            from listed_actions
            group by action
            order by action
            """
        )
        return Worklist(
            place=self.written.place,
            rows=self.written.rows,
            sha256=self.written.sha256,
            as_of=self.as_of,
            activated=self.force.activated,
            strategy=version_of(self.decider.strategy),
            models=self.decider.versions,
            accepted_feeds=self.accepted,
            actions=tuple(
                WorklistAction(action=action, channel=by, listed=n, needs_approval=wait, left=left)
                for action, by, n, wait, left, _ in counts
            ),
            issued=self.issued,
            new=self.new,
            waiting=sum(count[3] for count in counts),
            no_longer_due=tuple(
                IssuedAction(id=id, account_id=account_id, action=action)
                for id, account_id, action in self.engine.rows(
                    no_longer_due(self.as_of, self.selection.condition("d"))
                )
            ),
            held_back=sum(count[5] for count in counts),
            duties=tuple(
                WorklistDuty(duty=name, open=owed, late=late, left=left)
                for name, owed, late, left in self.engine.rows(duty_counts(self.as_of))
            ),
        )


def plan(*, issue: bool, spark: bool = False) -> Plan:
    """What `worklist`, or `worklist issue`, carries out, in this process or on Spark."""
    into = LIST.by(ListingJob.finish)
    stages: Plan = [
        LOAD.by(ListingJob.load),
        RULES.by(ListingJob.prepare),
        ListingJob.listing_on_spark(into) if spark else ListingJob.deciding(into),
    ]
    return [*stages, ISSUE.by(ListingJob.issue)] if issue else stages


def worklist(
    root: Path,
    as_of: date,
    target: str | InMemory,
    *,
    at: datetime | None = None,
    by: str | None = None,
    actions: Sequence[str] = (),
    channels: Sequence[str] = (),
    segments: Sequence[str] = (),
    columns: Sequence[str] = (),
    capacity: Mapping[str, int] | None = None,
    ahead: bool = False,
    draft: bool = False,
    accept_feeds: bool = False,
    spark: str | None = None,
    progress: Progress | None = None,
) -> Worklist:
    """Write what is due on a day. With a moment `at`, record it as issued as well, and `by` whom.

    `actions`, `channels`, `segments` and `columns` are those of a
    :class:`riskseg.pipeline.selection.Selection`. `capacity` says how often each action can be
    taken that day: those of the highest priority are listed, and the others stay due. Raises
    RS636 for a day to issue that lies more than a day after `at`, unless it is issued `ahead`, and
    RS650 for sources that are not as expected, issued or not, unless it is to `accept_feeds`.
    `spark` names the master of a Spark cluster whose executors decide what is due: the list is the
    same, to the byte.
    """
    workspace = open_checked(root)
    problems = Problems()
    # It may be the next day already where the list is for.
    if at is not None and not ahead and as_of > at.date() + timedelta(days=1):
        problems.add(
            "RS636",
            f"{as_of} has not come yet: it is {at.date()}. Once its worklist is issued, no earlier "
            "day can issue anything more.",
            hint="Correct --as-of, or give --ahead if that is what you mean. `riskseg worklist` "
            "without `issue` shows the list of any day.",
        )
    if isinstance(target, str):
        check_target(workspace, target, problems)
    problems.raise_if_any()
    job = ListingJob(
        workspace,
        as_of,
        target,
        at=at,
        by=by,
        selection=Selection.of(
            columns=columns, actions=actions, channels=channels, segments=segments
        ),
        capacity=capacity or {},
        draft=draft,
        accept_feeds=accept_feeds,
        spark=spark,
        progress=progress,
    )
    job.carry_out(plan(issue=at is not None, spark=spark is not None))
    job.done.holding(target)
    return job.done
