"""`explain`: one account's whole story as of a date.

If a journalled run decided that date, the story is that run's, decided again from what it kept;
what the sources give otherwise now is said beside it. A payment that came later cannot contradict
the letter that was sent.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from riskseg.domain.decision import TREATMENT
from riskseg.domain.problems import ProblemsError, problem
from riskseg.domain.relations import fact_column
from riskseg.engine import Engine
from riskseg.pipeline.account_file import as_the_run_read
from riskseg.pipeline.account_history import entries
from riskseg.pipeline.account_lookup import account_number, nearest_account
from riskseg.pipeline.archive import (
    Kept,
    account_hash,
    checked_decider,
    erased_from,
    find_run,
    kept_facts,
    open_inputs,
)
from riskseg.pipeline.decisions import (
    DECIDE,
    FACTS,
    RULES,
    SCORE,
    Decider,
    decide_scored,
    make_facts,
    prepare,
    score_facts,
)
from riskseg.pipeline.explanation import held, last_bills, story, with_records
from riskseg.pipeline.feed_checks import expectation_notes
from riskseg.pipeline.open_journal import read_journal
from riskseg.pipeline.quarantine import rows_set_apart
from riskseg.pipeline.readable_ids import read_ids
from riskseg.pipeline.session import LOAD, begin, open_checked, scratch_engine
from riskseg.pipeline.stages import Job, Plan, Progress, Stage
from riskseg.pipeline.strategy_in_force import strategy_in_force
from riskseg.pipeline.waiting import with_held
from riskseg.results.runs import ChangeSince, Explanation
from riskseg.store import run_inputs as store
from riskseg.workspace import Workspace

if TYPE_CHECKING:
    from riskseg.store.journal import Journal
    from riskseg.store.records import RunRecord

BILLS = 12


NOW = Stage("now", "decide it again from the sources as they are now, to see what has changed")
KEPT = Stage("inputs", "read the run's kept inputs, strategy and models")


class _Fresh(Job):
    """One account decided from the sources as they are now."""

    def __init__(
        self,
        workspace: Workspace,
        account: str,
        as_of: date,
        *,
        draft: bool = False,
        before: _Kept | None = None,
        progress: Progress | None = None,
    ) -> None:
        super().__init__(progress)
        self.workspace, self.account, self.as_of = workspace, account, as_of
        self.draft, self.before = draft, before

    def load(self) -> None:
        self.engine = self.opened.enter_context(scratch_engine(self.workspace))
        self.session = begin(self.workspace, self.engine, shows_ids=True)
        number = account_number(self.engine, self.account)
        if number is None:
            message = f'There is no account "{self.account}".'
            raise problem("RS601", message, hint=nearest_account(self.engine, self.account))
        self.number = number
        read_ids(self.session, self.account)

    def prepare(self) -> None:
        session, as_of = self.session, self.as_of
        with read_journal(self.workspace) as journal:
            for note in expectation_notes(session, as_of, journal.decided_runs):
                self.progress.warn(note)
            force = strategy_in_force(
                session, as_of, journal, draft=self.draft, progress=self.progress
            )
            self.decider = prepare(session, force.strategy, as_of, journal, reasons="none")

    def facts(self) -> None:
        wanted = self.decider.wanted
        make_facts(self.session, wanted, self.as_of, self.number, self.number)

    def score(self) -> None:
        before = self.before
        self.is_as_before = before is not None and before.decides_alike(self.engine, self.decider)
        if not self.is_as_before:
            self.scores = score_facts(self.engine, self.decider)

    def _decided(self) -> Explanation | None:
        if self.before is not None and self.is_as_before:
            return self.before.story
        decide_scored(self.engine, self.decider, self.scores)
        return story(self.engine, self.decider, self.workspace.settings.currency)

    def decide(self) -> None:
        explained = self._decided()
        if explained is None:
            raise problem(
                "RS601",
                f'The account "{self.account}" does not exist yet as of {self.as_of}.',
                hint="Give a later date.",
            )
        known, ledger = entries(self.session, self.number, self.as_of), self.session.ledger
        self.story = explained.model_copy(
            update={
                "set_apart": rows_set_apart(self.engine, ledger.sources, ledger.bad, self.number),
                "bills": last_bills(self.session, BILLS),
                "steps": with_records(explained.steps, known),
                **with_held(explained, held(known, self.as_of)),
            }
        )
        self.known = known


class _Kept(Job):
    """One account as a run decided it, and what the sources give otherwise now."""

    def __init__(
        self,
        workspace: Workspace,
        account: str,
        record: RunRecord,
        erased: set[str],
        progress: Progress | None,
    ) -> None:
        super().__init__(progress)
        self.workspace, self.account = workspace, account
        self.record, self.erased = record, erased

    def read(self) -> None:
        workspace, record, account = self.workspace, self.record, self.account
        self.kept, decider = checked_decider(workspace, record, self.erased, self.progress)
        self.decider = replace(decider, reasons="none")
        kept = self.kept
        reads = [kept.inputs]
        self.engine = self.opened.enter_context(scratch_engine(workspace, reads=reads))
        open_inputs(self.engine, workspace, kept, account)
        number = account_number(self.engine, account)
        if number is None:
            near = nearest_account(self.engine, account, "kept_inputs")
            raise _not_in_run(account, record, self.erased, near)
        kept_facts(self.engine, workspace, kept, number, number)

    def score(self) -> None:
        self.scores = score_facts(self.engine, self.decider)

    def decide(self) -> None:
        decide_scored(self.engine, self.decider, self.scores)
        then = story(self.engine, self.decider, self.kept.currency)
        assert then is not None
        self.story = then.model_copy(
            update={"run": self.record.run_id, "decided_at": self.record.at}
        )

    def decides_alike(self, engine: Engine, decider: Decider) -> bool:
        """Whether the one account in an engine's `facts` has the facts that the run kept of it, and
        is decided by the same strategy and models: then the decision is the same too."""
        decided_by = [
            (by.strategy.fingerprint, by.versions, by.default_values, by.wanted)
            for by in (self.decider, decider)
        ]
        is_known = {f"@{name}" for name in self.kept.columns} <= set(engine.columns("facts"))
        if decided_by[0] != decided_by[1] or not is_known:
            return False
        facts = f"select {', '.join(map(fact_column, self.kept.columns))} from facts"
        return engine.rows(facts) == self.engine.rows(facts)

    def compare(self) -> None:
        try:
            file_given = as_the_run_read(self.workspace, self.record)
            job = _Fresh(file_given, self.account, self.kept.as_of, before=self)
            job.carry_out(_fresh_plan())
        except ProblemsError as error:
            reason = error.problems[0].what.rstrip(".")
            note_text = f"what has changed since cannot be shown: {reason}"
            self.story = self.story.model_copy(update={"notes": (note_text,)})
            return
        now, then = job.story, self.story
        changes = _changes(self.kept, then, now)
        self.story = then.model_copy(
            update={
                "bills": now.bills,
                "set_apart": now.set_apart,
                "steps": with_records(then.steps, job.known),
                **with_held(then, now.held),
                "changes": changes,
            }
        )


def _fresh_plan() -> Plan:
    return [
        LOAD.by(_Fresh.load),
        RULES.by(_Fresh.prepare),
        FACTS.by(_Fresh.facts),
        SCORE.by(_Fresh.score),
        DECIDE.by(_Fresh.decide),
    ]


def _kept_plan() -> Plan:
    return [
        KEPT.by(_Kept.read),
        SCORE.by(_Kept.score),
        DECIDE.by(_Kept.decide),
        NOW.by(_Kept.compare),
    ]


def plan(
    root: Path,
    as_of: date | None = None,
    *,
    run: str | None = None,
    fresh: bool = False,
    draft: bool = False,
) -> Plan:
    """What `explain` carries out: another list where a run has decided the date."""
    workspace = open_checked(root)
    record, _ = _run_of(workspace, as_of, run, fresh=fresh, draft=draft)
    return _kept_plan() if record is not None and _has_kept(workspace, record) else _fresh_plan()


def explain(
    root: Path,
    account: str,
    as_of: date | None = None,
    *,
    run: str | None = None,
    fresh: bool = False,
    draft: bool = False,
    progress: Progress | None = None,
) -> Explanation:
    """The account's story as the latest run of the date decided it, or as a given `run` did.

    Where no run decided the date, and with `fresh`, it is decided from the sources as they are
    now: by the strategy in force or, for a `draft`, the folder's. Raises RS601 where there is no
    such account, RS602 for a run of another date, RS608 for a run that the journal does not have.
    """
    workspace = open_checked(root)
    record, erased = _run_of(workspace, as_of, run, fresh=fresh, draft=draft)
    if record is None:
        if as_of is None:
            raise problem("RS602", "No date is given.", hint="Give --as-of, or --run.")
        fresh_story = _Fresh(workspace, account, as_of, draft=draft, progress=progress)
        fresh_story.carry_out(_fresh_plan())
        return fresh_story.story
    assert record.as_of is not None
    if as_of not in (None, record.as_of):
        message = f"Run {record.run_id} decided accounts as of {record.as_of}, not of {as_of}."
        raise problem("RS602", message, hint="Leave --as-of out, or name another run.")
    if _has_kept(workspace, record):
        kept_story = _Kept(workspace, account, record, erased, progress)
        kept_story.carry_out(_kept_plan())
        return kept_story.story
    file_given = as_the_run_read(workspace, record)
    now = _Fresh(file_given, account, record.as_of, progress=progress)
    now.carry_out(_fresh_plan())
    kept = "what it kept is not here" if record.arguments.get("keep") else "kept nothing"
    note = f"run {record.run_id} decided this date and {kept}: this is decided from the "
    notes = (f"{note}sources as they are now, and may differ from it",)
    return now.story.model_copy(update={"notes": notes})


def _run_of(
    workspace: Workspace, as_of: date | None, run: str | None, *, fresh: bool, draft: bool
) -> tuple[RunRecord | None, set[str]]:
    """The run whose decision is shown, if any, and the hashes of the accounts erased from it."""
    if run is None and (fresh or draft):
        return None, set()
    with read_journal(workspace) as journal:
        record = find_run(journal, run) if run is not None else _of_date(journal, as_of)
        return record, erased_from(journal, record) if record is not None else set()


def _has_kept(workspace: Workspace, record: RunRecord) -> bool:
    return store.is_kept(workspace.state / "runs" / record.run_id)


def _of_date(journal: Journal, as_of: date | None) -> RunRecord | None:
    """The latest run of `assign` that decided a date, if any; a draft decides nothing."""
    runs = (run for run in journal.decided_runs() if run.as_of == as_of)
    return next((r for r in runs if not r.arguments.get("draft")), None)


def _changes(kept: Kept, then: Explanation, now: Explanation) -> tuple[ChangeSince, ...]:
    """Facts that are otherwise now, and then what would be decided otherwise."""
    facts = [
        ChangeSince(name=changed_name, then=value, now=now.facts[changed_name])
        for changed_name, value in then.facts.items()
        if changed_name in kept.columns
        and changed_name in now.facts
        and now.facts[changed_name] != value
    ]
    decided = [
        ChangeSince(
            name=changed_name, then=then.decision[changed_name], now=now.decision[changed_name]
        )
        for changed_name in TREATMENT
        if then.decision[changed_name] != now.decision[changed_name]
    ]
    return (*facts, *decided)


def _not_in_run(account: str, record: RunRecord, erased: set[str], near: str) -> ProblemsError:
    fresh = "`--fresh` shows it by the sources as they are now."
    if account_hash(account) in erased:
        message = f'The account "{account}" was erased from what run {record.run_id} kept.'
        return problem("RS601", message, hint=fresh)
    message = f'Run {record.run_id} decided no account "{account}".'
    return problem("RS601", message, hint=f"{near} {fresh}".strip())
