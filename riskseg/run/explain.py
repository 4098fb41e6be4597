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
from riskseg.domain.problems import ProblemsError, did_you_mean, problem
from riskseg.domain.relations import literal
from riskseg.engine import Engine
from riskseg.pipeline.account_file import as_the_run_read
from riskseg.pipeline.account_story import Change, Story, last_bills, story
from riskseg.pipeline.archive import (
    Kept,
    account_hash,
    check_kept_strategy,
    check_record,
    find_run,
    kept_decider,
    kept_facts,
    open_inputs,
    read_kept,
)
from riskseg.pipeline.decisions import DECIDE, FACTS, RULES, SCORE, decide, decide_facts, prepare
from riskseg.pipeline.journal import read_journal
from riskseg.pipeline.session import LOAD, begin, open_checked, scratch_engine
from riskseg.pipeline.stages import Progress, Stage
from riskseg.pipeline.strategy_in_force import strategy_in_force
from riskseg.store import kept as store
from riskseg.workspace import Workspace

if TYPE_CHECKING:
    from riskseg.store.journal import Journal
    from riskseg.store.records import RunRecord

BILLS = 12


def plan() -> list[Stage]:
    return [LOAD, RULES, FACTS, SCORE, DECIDE]


def explain(
    root: Path,
    account: str,
    as_of: date | None = None,
    *,
    run: str | None = None,
    fresh: bool = False,
    draft: bool = False,
    progress: Progress | None = None,
) -> Story:
    """The account's story as the latest run of the date decided it, or as a given `run` did.

    Where no run decided the date, and with `fresh`, it is decided from the sources as they are
    now: by the strategy in force or, for a `draft`, the folder's. Raises RS601 where there is no
    such account, RS602 for a run of another date, RS608 for a run that the journal does not have.
    """
    progress = progress or Progress()
    workspace = open_checked(root)
    record = None
    if run is not None or not (fresh or draft):
        with read_journal(workspace) as journal:
            record = find_run(journal, run) if run is not None else _of_date(journal, as_of)
            erased = _erased(journal, record)
    if record is None:
        if as_of is None:
            raise problem("RS602", "No date is given.", hint="Give --as-of, or --run.")
        return _now(workspace, account, as_of, draft=draft, progress=progress)
    assert record.as_of is not None
    if as_of not in (None, record.as_of):
        told = f"Run {record.run_id} decided accounts as of {record.as_of}, not of {as_of}."
        raise problem("RS602", told, hint="Leave --as-of out, or name another run.")
    if store.is_kept(workspace.state / "runs" / record.run_id):
        return _then(workspace, account, record, erased, progress)
    given = as_the_run_read(workspace, record)
    now = _now(given, account, record.as_of, draft=False, progress=progress)
    note = f"run {record.run_id} decided this date and kept nothing: this is decided from the "
    return replace(now, notes=(f"{note}sources as they are now, and may differ from it",))


def _of_date(journal: Journal, as_of: date | None) -> RunRecord | None:
    """The latest run of `assign` that decided a date, if any; a draft decides nothing."""
    runs = (r for r in journal.runs() if r.command == "assign" and r.as_of == as_of)
    return next((r for r in runs if not r.arguments.get("draft")), None)


def _erased(journal: Journal, record: RunRecord | None) -> set[str]:
    """Hashes of the accounts that were erased from what a run kept."""
    if record is None:
        return set()
    return {e.account for e in journal.erasures() if record.run_id in e.runs}


def _then(
    workspace: Workspace, account: str, record: RunRecord, erased: set[str], progress: Progress
) -> Story:
    """The account as a run decided it, and what the sources give otherwise now."""
    progress.reached(LOAD, 0, 5)
    kept = read_kept(workspace, record.run_id)
    check_record(workspace, kept, record, erased)
    ready = replace(kept_decider(workspace, kept), reasons="none")
    check_kept_strategy(workspace, kept, ready, record, progress)
    with scratch_engine(workspace, reads=[kept.inputs]) as engine:
        open_inputs(engine, workspace, kept)
        number = _number(engine, account)
        if number is None:
            raise _not_in_run(account, record, erased, _nearest(engine, account))
        kept_facts(engine, workspace, kept, number, number)
        done = {SCORE: 3, DECIDE: 4}
        decide_facts(engine, ready, lambda stage: progress.reached(stage, done[stage], 5))
        then = story(engine, ready, kept.currency)
    assert then is not None
    then = replace(then, run=record.run_id, decided_at=record.at)
    try:
        given = as_the_run_read(workspace, record)
        now = _now(given, account, kept.as_of, draft=False, progress=Progress())
    except ProblemsError as error:
        why = f"what has changed since cannot be shown: {error.problems[0].what}"
        return replace(then, notes=(why,))
    return replace(then, bills=now.bills, changes=_changes(kept, then, now))


def _changes(kept: Kept, then: Story, now: Story) -> tuple[Change, ...]:
    """Facts that are otherwise now, and then what would be decided otherwise."""
    facts = [
        Change(name, value, now.facts[name])
        for name, value in then.facts.items()
        if name in kept.columns and name in now.facts and now.facts[name] != value
    ]
    decided = [
        Change(name, then.decision[name], now.decision[name])
        for name in TREATMENT
        if then.decision[name] != now.decision[name]
    ]
    return (*facts, *decided)


def _not_in_run(
    account: str, record: RunRecord, erased: set[str], near: list[str]
) -> ProblemsError:
    fresh = "`--fresh` shows it by the sources as they are now."
    if account_hash(account) in erased:
        told = f'The account "{account}" was erased from what run {record.run_id} kept.'
        return problem("RS601", told, hint=fresh)
    told = f'Run {record.run_id} decided no account "{account}".'
    return problem("RS601", told, hint=f"{did_you_mean(account, near)} {fresh}".strip())


def _nearest(engine: Engine, account: str) -> list[str]:
    """The account id that is spelt most like it."""
    rows = engine.rows(
        "select account_id from account_ids order by "
        f"levenshtein(account_id, {literal(account)}), account_id limit 1"
    )
    return [row[0] for row in rows]


def _number(engine: Engine, account: str) -> int | None:
    found = engine.rows(f"select account_no from account_ids where account_id = {literal(account)}")
    return int(found[0][0]) if found else None


def _now(
    workspace: Workspace, account: str, as_of: date, *, draft: bool, progress: Progress
) -> Story:
    """The account as it is decided from the sources as they are now."""
    with scratch_engine(workspace) as engine:
        progress.reached(LOAD, 0, 5)
        session = begin(workspace, engine, texts=True)
        number = _number(engine, account)
        if number is None:
            hint = did_you_mean(account, _nearest(engine, account))
            raise problem("RS601", f'There is no account "{account}".', hint=hint)
        progress.reached(RULES, 1, 5)
        with read_journal(workspace) as journal:
            force = strategy_in_force(session, as_of, journal, draft=draft, progress=progress)
            decider = prepare(session, force.strategy, as_of, journal, reasons="none")
        done = {FACTS: 2, SCORE: 3, DECIDE: 4}
        decide(
            session, decider, number, number, lambda stage: progress.reached(stage, done[stage], 5)
        )
        found = story(engine, decider, workspace.settings.currency)
        if found is None:
            raise problem(
                "RS601",
                f'The account "{account}" does not exist yet as of {as_of}.',
                hint="Give a later date.",
            )
        return replace(found, bills=last_bills(session, BILLS))
