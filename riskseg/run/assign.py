"""`assign`: a decision for every account, as of a date. Pure: the same facts, the same file."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskseg.domain.relations import fact_column
from riskseg.engine import Engine
from riskseg.pipeline.account_file import GivenFile, check_given, with_accounts_from
from riskseg.pipeline.account_file import fingerprint as file_fingerprint
from riskseg.pipeline.archive import about, inputs_select
from riskseg.pipeline.decisions import (
    DECIDE,
    FACTS,
    RULES,
    SCORE,
    Decider,
    Reasons,
    decisions,
    make_facts,
    prepare,
    tell_differences,
)
from riskseg.pipeline.definitions import definitions, fingerprint
from riskseg.pipeline.hindsight import hindsight
from riskseg.pipeline.journal import open_journal, unknown_runs, unknown_told
from riskseg.pipeline.outputs import check_target
from riskseg.pipeline.session import (
    LOAD,
    begin,
    locked,
    open_checked,
    scratch_engine,
    set_apart,
)
from riskseg.pipeline.stages import Progress, Stage
from riskseg.pipeline.strategy_in_force import InForce, strategy_in_force
from riskseg.rules.elements import NO_ACTION
from riskseg.rules.model import Strategy
from riskseg.rules.sql import out
from riskseg.sources.describe import fingerprints
from riskseg.sources.unchanged import check_unchanged, while_unchanged
from riskseg.store import kept as store
from riskseg.workspace import Workspace

if TYPE_CHECKING:
    from riskseg.store.sinks import InMemory

WRITE = Stage("write", "the decisions beside their place, then in it; then the manifest")
JOURNAL = Stage("journal", "record the run: from here on it has happened")


def plan() -> list[Stage]:
    return [LOAD, RULES, FACTS, SCORE, DECIDE, WRITE, JOURNAL]


@dataclass
class SegmentTotal:
    """What a segment holds; `probability` sums those of the accounts that have one."""

    segment: str
    paths: dict[str, int] = field(default_factory=dict)
    accounts: int = 0
    overdue: Decimal = Decimal(0)
    scored: int = 0
    probability: Decimal = Decimal(0)
    due: int = 0

    @property
    def mean(self) -> Decimal | None:
        return round(self.probability / self.scored, 4) if self.scored else None


@dataclass(frozen=True)
class Assigned:
    """A finished run. `segments` in the order of the strategy's table; `definitions` of what was
    read, `redefined` those of them that the activation was not proved of; `accounts_from` is the
    file of accounts that was given, if one was."""

    run_id: str
    as_of: date
    place: str
    rows: int
    sha256: str | None
    activated: bool
    kept: bool
    strategy: Strategy
    models: Mapping[str, str]
    segments: tuple[SegmentTotal, ...]
    actions: Mapping[str, int]
    quarantined: Mapping[str, int]
    of: str | None
    currency: str
    scale: int
    differences: Mapping[str, Sequence[str]]
    definitions: Mapping[str, str]
    redefined: tuple[str, ...]
    accounts_from: GivenFile | None = None


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
    progress: Progress | None = None,
) -> Assigned:
    """Decide every account that exists as of the date, write the decisions, journal the run.

    With `keep`, what it was decided from is kept too, so that it can be decided again; a `draft` is
    decided by the strategy in the folder, whatever is in force. `accounts_from` names a file that
    is read instead of the workspace's own account file, through the same mapping.
    """
    from riskseg.domain.problems import Problems
    from riskseg.store import sinks

    progress = progress or Progress()
    workspace = with_accounts_from(open_checked(root), accounts_from)
    problems = Problems()
    beside = []
    if isinstance(target, str):
        check_target(workspace, target, problems)
        beside = [] if "://" in target else [Path(target).resolve().parent]
    problems.raise_if_any()
    with (
        locked(workspace, *beside),
        scratch_engine(workspace, lasting=True) as engine,
        store.keeping(workspace.state / "scratch") as kept,
        open_journal(workspace) as journal,
    ):
        progress.reached(LOAD, 0, 1)
        store.sweep(workspace.state / "runs", {run.run_id for run in journal.runs()})
        if unknown := unknown_runs(workspace, journal):
            progress.note(unknown_told(workspace, unknown))
        check_given(engine, workspace, accounts_from, ())
        session = begin(workspace, engine)
        parts = session.partitions()
        total = 4 + 3 * len(parts)
        within = {FACTS: 0, SCORE: 1, DECIDE: 2}
        progress.reached(RULES, 1, total)
        force = strategy_in_force(session, as_of, journal, draft=draft, progress=progress)
        ready = prepare(
            session,
            force.strategy,
            as_of,
            journal,
            reasons=reasons,
            accounts_from=accounts_from,
        )
        for key, one in ready.scorers.items():
            if known := hindsight(one.model, as_of):
                progress.note(f"{key}: {known}")
        for note in ready.strategy.notes:
            progress.note(note)
        quarantined = set_apart(session, progress)
        sources, given = fingerprints(engine, workspace), file_fingerprint(accounts_from)
        check_unchanged(workspace, session.ledger.stamps)
        read = definitions(session, force.strategy, ready.wanted)
        run = _run_id(workspace, ready, sinks.without_secrets(target), force, sources, read)
        totals = _Totals(ready)
        columns: dict[str, str] = {}

        def reached(stage: Stage, part: int) -> None:
            progress.reached(stage, 2 + 3 * part + within[stage], total)

        def fill(first: int, last: int) -> None:
            told = functools.partial(reached, part=totals.parts)
            make_facts(session, ready.wanted, as_of, first, last, told)

        def after() -> None:
            totals.add(engine)
            if keep:
                select, found = inputs_select(engine)
                if not kept.begun:
                    columns.update(found)
                    kept.begin(engine.arrow(f"select * from ({select}) limit 0").schema)
                kept.add(engine.batches(select))

        batches = decisions(engine, ready, parts, fill, reached, after)
        schema = next(batches)
        batches = while_unchanged(batches, workspace, session.ledger.stamps)
        written = sinks.write(target, schema, batches, token=run)
        progress.reached(WRITE, total - 2, total)
        done = Assigned(
            run_id=run,
            as_of=as_of,
            place=written.place,
            rows=written.rows,
            sha256=written.sha256,
            activated=force.activated,
            kept=keep,
            strategy=ready.strategy,
            models=ready.versions,
            segments=totals.ordered(),
            actions=totals.actions,
            quarantined=quarantined,
            of=ready.of,
            currency=workspace.settings.currency,
            scale=workspace.settings.scale,
            differences=tell_differences(
                session, {k: s.model for k, s in ready.scorers.items()}, ready.watches, progress
            ),
            definitions=read,
            redefined=force.redefined,
            accounts_from=given,
        )
        if written.file is not None:
            # That anything is kept is true only of a run that the journal has.
            _write_manifest(written.file, replace(done, kept=False), sources, run)
        if keep:
            settings = workspace.settings
            told = about(
                ready, run, settings.currency, settings.arrears_from, sources, columns, kept.rows
            )
            kept.describe(told, force.files)
            store.settle(kept, workspace.state / "runs", run)
        progress.reached(JOURNAL, total - 1, total)
        arguments: dict[str, Any] = {
            "out": written.place,
            "reasons": reasons,
            "keep": keep,
            "draft": draft,
        }
        if given is not None:
            arguments["accounts_from"] = asdict(given)
        _record(journal, done, written.output, arguments, sources, at)
        if keep:
            store.mark_journalled(workspace.state / "runs" / run)
            if written.file is not None:
                _write_manifest(written.file, done, sources, run)
    return done


class _Totals:
    """The table of segments, added up partition by partition."""

    def __init__(self, decider: Decider) -> None:
        self.decider = decider
        self.overdue = f"sum({fact_column('balance_overdue')})" if decider.billed else "0"
        self.segments = {s: SegmentTotal(s) for s in decider.strategy.segments}
        self.actions: dict[str, int] = {}
        self.parts = 0

    def add(self, engine: Engine) -> None:
        self.parts += 1
        of = fact_column(self.decider.of) if self.decider.of else "cast(null as decimal(7, 6))"
        for segment, path, action, count, owed, known, p in engine.rows(
            f"select {out('segment')}, {out('path')}, {out('action')}, count(*), "
            f"{self.overdue}, count({of}), sum({of}) from decided group by 1, 2, 3 order by 1, 2, 3"
        ):
            total = self.segments[segment]
            total.accounts += count
            total.paths[path] = total.paths.get(path, 0) + count
            total.overdue += owed or 0
            total.scored += known
            total.probability += p or 0
            if action != NO_ACTION:
                total.due += count
                self.actions[action] = self.actions.get(action, 0) + count

    def ordered(self) -> tuple[SegmentTotal, ...]:
        return tuple(s for s in self.segments.values() if s.accounts)


def _run_id(
    workspace: Workspace,
    ready: Decider,
    target: str,
    force: InForce,
    sources: Mapping[str, str],
    read: Mapping[str, str],
) -> str:
    """The same inputs make the same run."""
    from riskseg import __version__

    settings = workspace.settings
    own = workspace.models / "features.yaml"
    told = [
        "assign",
        __version__,
        ready.as_of.isoformat(),
        target,
        ready.reasons,
        ready.strategy.fingerprint,
        force.activated,
        sorted((k, s.model.version) for k, s in ready.scorers.items()),
        sorted(sources.items()),
        fingerprint(read),
        hashlib.sha256(own.read_bytes()).hexdigest() if own.is_file() else "",
        [settings.currency, settings.scale, str(settings.arrears_from), str(settings.max_bad_rows)],
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _write_manifest(place: Path, done: Assigned, sources: Mapping[str, str], run: str) -> None:
    from riskseg import __version__
    from riskseg.store.files import write_beside

    told = {
        "run": done.run_id,
        "command": "assign",
        "riskseg": __version__,
        "as_of": done.as_of.isoformat(),
        "file": place.name,
        "sha256": done.sha256,
        "rows": done.rows,
        "strategy": {
            "name": done.strategy.name,
            "version": done.strategy.fingerprint,
            "activated": done.activated,
            "default_values": {k: v for k, v in sorted(done.strategy.default_values.items())},
        },
        "models": dict(sorted(done.models.items())),
        "definitions": {
            "fingerprint": fingerprint(done.definitions),
            "changed_since_activation": list(done.redefined),
            "of": dict(done.definitions),
        },
        "sources": dict(sources),
        "accounts_from": None if done.accounts_from is None else asdict(done.accounts_from),
        "quarantined": dict(done.quarantined),
        "kept": done.kept,
        "differences": dict(done.differences),
    }
    manifest = place.with_name(place.name + ".manifest.json")
    with write_beside(manifest, token=run) as part:
        part.write_text(json.dumps(told, indent=2, default=str) + "\n", encoding="utf-8")


def _record(
    journal: Any,
    done: Assigned,
    output: str | None,
    arguments: Mapping[str, Any],
    sources: Mapping[str, str],
    at: datetime,
) -> None:
    from riskseg import __version__
    from riskseg.store.records import RunRecord

    journal.record_run(
        RunRecord(
            run_id=done.run_id,
            command="assign",
            at=at,
            riskseg_version=__version__,
            as_of=done.as_of,
            arguments=arguments,
            output=output,
            output_sha256=done.sha256,
            rows=done.rows,
            strategy=done.strategy.fingerprint,
            models=dict(done.models),
            sources=dict(sources),
            activated=done.activated,
            definitions=dict(done.definitions),
        )
    )
