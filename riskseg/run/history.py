"""`history`: one account's whole story in time, as it was known on a day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from riskseg.domain.decision import NO_ACTION
from riskseg.domain.problems import Problems, ProblemsError, problem
from riskseg.pipeline.account_history import entries
from riskseg.pipeline.account_lookup import account_number, nearest_account
from riskseg.pipeline.archive import checked_decider, erased_from, kept_facts, open_inputs
from riskseg.pipeline.decision_columns import decision_select
from riskseg.pipeline.decisions import Decider, decide_scored, score_facts
from riskseg.pipeline.feed_checks import expectation_notes
from riskseg.pipeline.open_journal import read_journal
from riskseg.pipeline.outputs import check_output
from riskseg.pipeline.readable_ids import read_ids
from riskseg.pipeline.session import LOAD, begin, open_checked, scratch_engine
from riskseg.pipeline.stages import Job, Plan, Progress, Stage
from riskseg.results.worklist import History, HistoryEntry
from riskseg.rules.model import Strategy
from riskseg.store import run_inputs as store
from riskseg.store.files import write_beside
from riskseg.store.records import RunRecord
from riskseg.workspace import Workspace

STORY = Stage("story", "what had happened and was known by then, in the order of time")
DECISIONS = Stage("decisions", "what runs decided of it, again from what they kept")
PAGE = Stage("page", "the same as a page with a picture, where one is asked for")

# Each is decided again, which takes a second or so.
MOST_RUNS = 12


class _Telling(Job):
    """What a run of `history` holds while it is carried out."""

    def __init__(
        self,
        workspace: Workspace,
        account: str,
        as_of: date,
        out: Path | None,
        progress: Progress | None,
    ) -> None:
        super().__init__(progress)
        self.workspace, self.account, self.as_of, self.out = workspace, account, as_of, out
        self.notes: list[str] = []
        self.deciders: dict[str, Decider] = {}

    def load(self) -> None:
        engine = self.opened.enter_context(scratch_engine(self.workspace))
        self.session = begin(self.workspace, engine, shows_ids=True)
        number = account_number(engine, self.account)
        if number is None:
            message = f'There is no account "{self.account}".'
            raise problem("RS601", message, hint=nearest_account(engine, self.account))
        self.number = number
        read_ids(self.session, self.account)
        for note in expectation_notes(self.session, self.as_of):
            self.progress.warn(note)

    def story(self) -> None:
        self.entries = entries(self.session, self.number, self.as_of)

    def decisions(self) -> None:
        """Add what the latest run of each date decided; of many dates, the last ones."""
        with read_journal(self.workspace) as journal:
            runs = journal.decided_runs()
        by_day: dict[date, RunRecord] = {}
        for run in runs:
            is_decision = not run.arguments.get("draft")
            if is_decision and run.as_of is not None and run.as_of <= self.as_of:
                by_day.setdefault(run.as_of, run)
        kept_runs = [
            run
            for _, run in sorted(by_day.items(), reverse=True)
            if store.is_kept(self.workspace.state / "runs" / run.run_id)
        ]
        if len(kept_runs) > MOST_RUNS:
            self.notes.append(
                f"The decisions of {len(kept_runs) - MOST_RUNS} earlier runs are left out"
            )
        with read_journal(self.workspace) as journal:
            decided = [
                self._decided(run, erased_from(journal, run)) for run in kept_runs[:MOST_RUNS]
            ]
        together = [
            *self.entries,
            *(decided_entry for decided_entry in decided if decided_entry is not None),
        ]
        # What is decided of a day is decided at its close.
        self.entries = tuple(
            sorted(
                together,
                key=lambda history_entry: (history_entry.day, history_entry.kind == "decision"),
            )
        )

    def _decided(self, run: RunRecord, erased: set[str]) -> HistoryEntry | None:
        """What a run decided of the account; None where it did not."""
        workspace = self.workspace
        try:
            kept, decider = checked_decider(
                workspace, run, erased, self.progress, made=self.deciders
            )
        except ProblemsError as error:
            self.notes.append(
                f"Run {run.run_id} cannot be shown: {error.problems[0].what.rstrip('.')}"
            )
            return None
        with scratch_engine(workspace, reads=[kept.inputs]) as engine:
            open_inputs(engine, workspace, kept, self.account)
            number = account_number(engine, self.account)
            if number is None:
                return None
            kept_facts(engine, workspace, kept, number, number)
            decide_scored(engine, decider, score_facts(engine, decider))
            (row,) = engine.arrow(decision_select(decider)).to_pylist()
        on_day = f" day {row['path_day']}" if row["path_day"] is not None else ""
        return HistoryEntry(
            kind="decision",
            day=kept.as_of,
            recorded_on=run.at.date(),
            words=f"segment {row['segment']}, path {row['path']}{on_day}: {row['action']}"
            + _waits(decider.strategy, row),
            amount=row["balance_overdue"],
            until=None,
            channel=row["channel"],
            action=row["action"],
            step=None,
            path=row["path"],
            outcome=None,
            ref=run.run_id,
            reason=None,
            made_by=None,
            bill_id=None,
            by_riskseg=True,
        )

    def page(self) -> None:
        settings = self.workspace.settings
        self.done = History(
            account_id=self.account,
            as_of=self.as_of,
            entries=self.entries,
            currency=settings.currency,
            scale=settings.scale,
            notes=tuple(self.notes),
            place=None if self.out is None else str(self.out),
        )
        if self.out is not None:
            from riskseg.report.account_history import page

            with write_beside(self.out, token="history") as part:
                part.write_text(page(self.done), encoding="utf-8")


def _waits(strategy: Strategy, row: Mapping[str, Any]) -> str:
    """What is due by a decision and not done, until when, and the rules that forbid it."""
    due = row["due_action"]
    if due in (NO_ACTION, row["action"]):
        return ""
    moved = row["action"] == NO_ACTION and row["next_action"] == due and row["next_on"] is not None
    until = f" until {row['next_on']}" if moved else ""
    in_force = {name.removesuffix("?") for name in row["guards"].split(";")}
    rules = [g.name for g in strategy.guards if g.name in in_force and due in g.never]
    return f"; {due} waits{until}: {', '.join(rules)}"


def plan() -> Plan:
    """What `history` carries out."""
    return [
        LOAD.by(_Telling.load),
        STORY.by(_Telling.story),
        DECISIONS.by(_Telling.decisions),
        PAGE.by(_Telling.page),
    ]


def history(
    root: Path,
    account: str,
    as_of: date,
    *,
    out: Path | None = None,
    progress: Progress | None = None,
) -> History:
    """The story of an account as it was known at the close of a day; `out` is a page to write it
    to. Raises RS601 where there is no such account."""
    workspace = open_checked(root)
    problems = Problems()
    if out is not None:
        check_output(workspace, out, problems, (".html", ".htm"))
    problems.raise_if_any()
    job = _Telling(workspace, account, as_of, out, progress)
    job.carry_out(plan())
    return job.done
