"""`assign`: a decision for every account, as of a date. Pure: the same facts, the same file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from riskseg.domain.problems import problem
from riskseg.domain.relations import literal, quoted
from riskseg.engine import Engine
from riskseg.features.snapshots import as_of_snapshots
from riskseg.learning.artefact import Model
from riskseg.learning.reference import Watch
from riskseg.run.facts import OVERDUE, facts
from riskseg.run.models import Scorer, champions, scorer
from riskseg.run.rules import checked_strategy
from riskseg.run.scoring import explain, score, scored
from riskseg.run.session import (
    LOAD,
    Session,
    begin,
    locked,
    open_checked,
    scratch_engine,
    set_apart,
)
from riskseg.run.sources import fingerprints
from riskseg.run.stages import Progress, Stage, build
from riskseg.strategy.checked import NO_ACTION, Strategy
from riskseg.strategy.compile import compile_strategy, out
from riskseg.strategy.examples import TYPES
from riskseg.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

Reasons = Literal["due", "all", "none"]

RULES = Stage("rules", "read and check the strategy; load the champion of each of its models")
FACTS = Stage("facts", "allocate payments, find episodes, aggregate features", "partition")
SCORE = Stage("score", "a probability for the population of each model", "partition")
DECIDE = Stage("decide", "bands, tiers, segment, path, step, guards", "partition")
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
    """A finished run. `segments` in the order of the strategy's table."""

    run_id: str
    as_of: date
    place: str
    rows: int
    sha256: str | None
    activated: bool
    strategy: Strategy
    models: Mapping[str, str]
    segments: tuple[SegmentTotal, ...]
    actions: Mapping[str, int]
    quarantined: Mapping[str, int]
    of: str | None
    currency: str
    differences: Mapping[str, Sequence[str]]


def assign(
    root: Path,
    as_of: date,
    target: str,
    *,
    at: datetime,
    reasons: Reasons = "due",
    progress: Progress | None = None,
) -> Assigned:
    """Decide every account that exists as of the date, write the decisions, journal the run."""
    from riskseg.domain.problems import Problems
    from riskseg.store import sinks
    from riskseg.store.journal import Journal

    progress = progress or Progress()
    workspace = open_checked(root)
    problems = Problems()
    sinks.check(target, problems)
    problems.raise_if_any()
    beside = [] if "://" in target else [Path(target).resolve().parent]
    with locked(workspace, *beside), scratch_engine(workspace, lasting=True) as engine:
        progress.reached(LOAD, 0, 1)
        session = begin(workspace, engine)
        parts = session.partitions()
        total = 4 + 3 * len(parts)
        progress.reached(RULES, 1, total)
        with Journal.open(workspace.journal) as journal:
            decider = prepare(session, as_of, journal, reasons=reasons)
            quarantined = set_apart(session, progress)
            sources = fingerprints(engine, workspace)
            run = _run_id(workspace, decider, as_of, target, reasons, sources)
            totals = _Totals(decider, session.ledger.billed)
            batches = _decisions(session, decider, parts, totals, progress, total)
            schema = next(batches)
            written = sinks.write(target, schema, batches, token=run)
            progress.reached(WRITE, total - 2, total)
            models = {k: f"{s.model.name} {s.model.version}" for k, s in decider.scorers.items()}
            done = Assigned(
                run_id=run,
                as_of=as_of,
                place=written.place,
                rows=written.rows,
                sha256=written.sha256,
                activated=False,
                strategy=decider.strategy,
                models=models,
                segments=totals.ordered(),
                actions=totals.actions,
                quarantined=quarantined,
                of=decider.of,
                currency=workspace.settings.currency,
                differences=tell_differences(decider.watches, progress),
            )
            if written.sha256 is not None:
                _write_manifest(Path(written.place), done, sources, run)
            progress.reached(JOURNAL, total - 1, total)
            _record(journal, done, target, reasons, sources, at)
    return done


@dataclass(frozen=True)
class Decider:
    """Everything that turns facts into decisions as of one date. `of` is the probability that
    the first band is cut from: the one whose reasons and mean are told. `watches` take note of
    how accounts differ from those a model was trained on."""

    strategy: Strategy
    scorers: Mapping[str, Scorer]
    as_of: date
    reasons: Reasons
    watches: Mapping[str, Watch] = field(default_factory=dict)

    @property
    def of(self) -> str | None:
        if self.strategy.bands:
            return self.strategy.bands[0].of
        return next(iter(self.strategy.uses), None)

    @property
    def wanted(self) -> frozenset[str]:
        """Facts to compute: what rules and models read, less what comes after."""
        read = set(self.strategy.facts).union(*(s.reads for s in self.scorers.values()))
        return frozenset(read - set(self.strategy.uses) - set(self.strategy.stand_ins))


def prepare(session: Session, as_of: date, journal: Any, *, reasons: Reasons = "due") -> Decider:
    """The checked strategy in force as of the date, and the champions of its models."""
    workspace, ledger = session.workspace, session.ledger
    strategy = checked_strategy(session)
    _in_force(strategy, as_of)
    session.answers(as_of)
    models = load_champions(workspace, strategy.uses, journal)
    scorers = {k: scorer(m, session.facts, billed=ledger.billed) for k, m in models.items()}
    watches = {key: model.watch() for key, model in models.items()}
    return Decider(strategy, scorers, as_of, reasons, watches)


def tell_differences(watches: Mapping[str, Watch], progress: Progress) -> dict[str, list[str]]:
    """How what was scored differs from what each model was trained on, as notes too."""
    found = {key: watch.told() for key, watch in watches.items()}
    for key, told in found.items():
        for one in told:
            progress.note(f"{key}: {one}")
    return found


def load_champions(workspace: Workspace, uses: Mapping[str, str], journal: Any) -> dict[str, Model]:
    promoted = {}
    for name in uses.values():
        record = journal.champion(name)
        if record is not None:
            promoted[name] = record.version
    return champions(workspace, uses, promoted)


def _in_force(strategy: Strategy, as_of: date) -> None:
    begun = strategy.effective_from is None or strategy.effective_from <= as_of
    over = strategy.effective_to is not None and as_of > strategy.effective_to
    if not begun or over:
        told = f"from {strategy.effective_from}" if not begun else f"until {strategy.effective_to}"
        raise problem(
            "RS210",
            f'The strategy "{strategy.name}" holds {told}; {as_of} is outside that.',
            file=f"{strategy.folder}/strategy.yaml",
            mend="Choose another date, or name the strategy that holds then.",
        )


def decide(session: Session, decider: Decider, first: int, last: int, reached: Any) -> None:
    """Make `facts`, the scores, `decided` and (where wanted) `reasons` for a range of accounts."""
    engine, ledger, strategy = session.engine, session.ledger, decider.strategy
    reached(FACTS)
    snapshots = as_of_snapshots(
        decider.as_of, first, last, listed=ledger.listed, dated=ledger.dated
    )
    build(engine, facts(ledger, session.catalogue, session.scale, decider.wanted, snapshots))
    reached(SCORE)
    tables = {
        key: score(engine, key, one, session.facts, decider.watches.get(key))
        for key, one in decider.scorers.items()
    }
    reached(DECIDE)
    stand_ins = {
        name: f"cast({_sql(value)} as {TYPES[strategy.facts[name].kind]})"
        for name, value in strategy.stand_ins.items()
    }
    build(engine, [scored(tables, stand_ins), *compile_strategy(strategy, decider.as_of)])
    if decider.reasons != "none" and decider.of is not None:
        due = f" where {out('action')} <> {literal(NO_ACTION)}" if decider.reasons == "due" else ""
        explain(
            engine,
            decider.scorers[decider.of],
            session.facts,
            f"select snap from decided{due}",
        )


def _sql(value: object) -> str:
    if value is None:
        return "null"
    return literal(str(value)) if not isinstance(value, bool) else str(value).lower()


def decision_select(session: Session, decider: Decider) -> str:
    """The decision columns of the accounts just decided, in the order of account ids."""
    strategy = decider.strategy
    names = [b.name for b in strategy.bands] + [s.name for s in strategy.schemes]
    overdue = [
        quoted(n) if session.ledger.billed else f"cast(null as {t})"
        for n, t in zip(OVERDUE, (f"decimal(18, {session.scale})", "bigint"), strict=True)
    ]
    told = decider.reasons != "none" and decider.of is not None
    versions = ";".join(
        f"{s.model.name}={s.model.version}" for _, s in sorted(decider.scorers.items())
    )
    columns = [
        "i.account_id",
        "d.as_of",
        "d.lifecycle",
        *(f"d.{quoted(key)}" for key in strategy.uses),
        *(f"d.{out(n)} as {quoted(n)}" for n in names),
        *(
            f"d.{out(n)} as {n}"
            for n in ("segment", "path", "path_day", "step", "action", "channel", "template")
        ),
        f"d.{out('next_action')} as next_action",
        f"d.{out('next_on')} as next_on",
        f"d.{out('priority')} as priority",
        f"{overdue[0]} as balance_overdue",
        f"{overdue[1]} as days_past_due",
        f"d.{out('guards')} as guards",
        f"{'r.reasons' if told else 'cast(null as varchar)'} as reasons",
        f"d.{out('rows_matched')} as rows_matched",
        f"{literal(strategy.fingerprint)} as strategy_version",
        f"{literal(versions)} as model_versions",
        f"d.{out('facts_hash')} as facts_hash",
    ]
    reasons = " left join reasons r on r.snap = d.snap" if told else ""
    return (
        f"select {', '.join(columns)} from decided d join account_ids i "
        f"on i.account_no = d.account_no{reasons} order by d.account_no"
    )


def _decisions(
    session: Session,
    decider: Decider,
    parts: list[tuple[int, int]],
    totals: _Totals,
    progress: Progress,
    total: int,
) -> Iterator[pa.RecordBatch]:
    """The schema first, then decisions in the order of account ids, a partition at a time."""
    sql = decision_select(session, decider)
    within = {FACTS: 0, SCORE: 1, DECIDE: 2}
    for i, (first, last) in enumerate(parts):
        decide(
            session,
            decider,
            first,
            last,
            lambda stage, i=i: progress.reached(stage, 2 + 3 * i + within[stage], total),
        )
        totals.add(session.engine)
        if i == 0:
            yield session.engine.arrow(f"select * from ({sql}) limit 0").schema
        yield from session.engine.batches(sql)


class _Totals:
    """The table of segments, added up partition by partition."""

    def __init__(self, decider: Decider, billed: bool) -> None:
        self.decider = decider
        self.overdue = "sum(balance_overdue)" if billed else "0"
        self.segments = {s: SegmentTotal(s) for s in decider.strategy.segments}
        self.actions: dict[str, int] = {}

    def add(self, engine: Engine) -> None:
        of = quoted(self.decider.of) if self.decider.of else "cast(null as decimal(7, 6))"
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
    decider: Decider,
    as_of: date,
    target: str,
    reasons: Reasons,
    sources: Mapping[str, str],
) -> str:
    """The same inputs make the same run."""
    from riskseg import __version__

    settings = workspace.settings
    told = [
        "assign",
        __version__,
        as_of.isoformat(),
        target,
        reasons,
        decider.strategy.fingerprint,
        sorted((k, s.model.version) for k, s in decider.scorers.items()),
        sorted(sources.items()),
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
            "stand_ins": {k: v for k, v in sorted(done.strategy.stand_ins.items())},
        },
        "models": dict(sorted(done.models.items())),
        "sources": dict(sources),
        "quarantined": dict(done.quarantined),
        "differences": dict(done.differences),
    }
    manifest = place.with_name(place.name + ".manifest.json")
    with write_beside(manifest, token=run) as part:
        part.write_text(json.dumps(told, indent=2, default=str) + "\n", encoding="utf-8")


def _record(
    journal: Any,
    done: Assigned,
    target: str,
    reasons: Reasons,
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
            arguments={"out": target, "reasons": reasons},
            output=done.place,
            output_sha256=done.sha256,
            rows=done.rows,
            strategy=done.strategy.fingerprint,
            models=dict(done.models),
            sources=dict(sources),
            activated=done.activated,
        )
    )
