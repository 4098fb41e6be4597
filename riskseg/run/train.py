"""`train`: from the ledger to a kept version of each model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems, did_you_mean, problem
from riskseg.domain.relations import Relation, literal, quoted
from riskseg.features.labels import default_labels, late_labels, later_snapshots
from riskseg.features.snapshots import cycle_snapshots, issue_snapshots, single_snapshots
from riskseg.learning.spec import AuthoredSpec, ModelSpec
from riskseg.learning.timeline import Timeline, timeline
from riskseg.ledger.allocation import bill_facts
from riskseg.run.facts import facts as facts_relations
from riskseg.run.frames import frame, learnable, model_columns
from riskseg.run.models import check_spec, read_specs
from riskseg.run.population import implied, population_sql
from riskseg.run.session import (
    LOAD,
    Session,
    begin,
    locked,
    open_checked,
    scratch_engine,
    set_apart,
)
from riskseg.run.stages import Progress, Stage, build
from riskseg.workspace import Workspace

if TYPE_CHECKING:
    from riskseg.expressions import Expression
    from riskseg.learning.frame import TrainingFrame

OBSERVE = Stage("observe", "facts of each account as of its own dates", "model")
LABEL = Stage("label", "how it came out, as known on the day the label is known", "model")
LEARN = Stage("learn", "learn, calibrate, compare inside the training window; validate", "model")
KEEP = Stage("keep", "write the version as text, then the journal", "model")


def plan() -> list[Stage]:
    return [LOAD, OBSERVE, LABEL, LEARN, KEEP]


@dataclass(frozen=True)
class Kept:
    """One model, trained: its version, whether it now is the champion, and its summary."""

    name: str
    version: str
    champion: bool
    summary: Mapping[str, Any]


def train(
    root: Path, names: Sequence[str], *, at: datetime, progress: Progress | None = None
) -> list[Kept]:
    """Train the named models, or all. The first version of a model is promoted; a later one
    waits for `models promote`, unless it is the very same.

    Raises ProblemsError; models trained before the one with a Problem stay.
    """
    from riskseg.store.journal import Journal

    progress = progress or Progress()
    workspace = open_checked(root)
    specs = _chosen(workspace, names)
    stages = plan()
    total = 1 + 4 * len(specs)
    with locked(workspace), scratch_engine(workspace, lasting=True) as engine:
        progress.reached(stages[0], 0, total)
        session = begin(workspace, engine)
        set_apart(session, progress)
        conditions = _checked(session, specs)
        kept = []
        with Journal.open(workspace.journal) as journal:
            for i, (name, authored) in enumerate(specs.items()):
                training = _frame(session, authored, conditions[name], progress, 1 + 4 * i, total)
                progress.reached(LEARN, 3 + 4 * i, total)
                kept.append(
                    _keep(session, authored, training, journal, at, progress, 4 + 4 * i, total)
                )
    return kept


def _chosen(workspace: Workspace, names: Sequence[str]) -> dict[str, AuthoredSpec]:
    problems = Problems()
    specs = read_specs(workspace, problems)
    for name in names:
        if name not in specs and not len(problems):
            problems.add(
                "RS401",
                f'There is no model "{name}" in {workspace.shown(workspace.models)}.',
                mend=did_you_mean(name, specs),
            )
    if not specs and not len(problems):
        problems.add(
            "RS401",
            f"There is no model spec in {workspace.shown(workspace.models)}.",
            mend="Write one, for instance models/late_payment.yaml.",
        )
    problems.raise_if_any()
    return {n: s for n, s in specs.items() if not names or n in names}


def _checked(session: Session, specs: Mapping[str, AuthoredSpec]) -> dict[str, Expression | None]:
    problems = Problems()
    conditions = {
        name: check_spec(authored, session.facts, session.catalogue.lacking, problems)
        for name, authored in specs.items()
    }
    problems.raise_if_any()
    return conditions


def candidates(session: Session, spec: ModelSpec) -> tuple[Fact, ...]:
    """The facts a model may learn from.

    What is known only as of today carries the outcome back into the past, so it is left out
    unless the spec lists it; where there is nothing but an account file, it is all there is.
    """
    pool = {n: f.fact for n, f in session.catalogue.available().items()} | dict(
        session.ledger.attributes
    )
    left_out = {*spec.features.exclude, spec.target.column}
    if not session.ledger.billed:
        pool = {name: replace(fact, static=False) for name, fact in pool.items()}
    return tuple(
        fact
        for name, fact in pool.items()
        if learnable(fact)
        and name not in left_out
        and (not fact.static or name in spec.features.static)
    )


def _frame(
    session: Session,
    authored: AuthoredSpec,
    condition: Expression | None,
    progress: Progress,
    done: int,
    total: int,
) -> TrainingFrame:
    """Snapshots, their facts and labels, as arrays."""
    import numpy as np
    import pandas as pd

    from riskseg.learning.frame import TrainingFrame

    spec, engine, ledger = authored.spec, session.engine, session.ledger
    window, snapshots = _observed(session, authored)
    features = candidates(session, spec)
    named = condition.names if condition else frozenset()
    focus = spec.observe.at == "issue"
    progress.reached(OBSERVE, done, total)
    parts = []
    for first, last in _parts(session, spec):
        only = f"select * from ({snapshots.select}) where account_no between {first} and {last}"
        wanted = {f.name for f in features} | named
        if spec.target.column:
            wanted.add(spec.target.column)
        here = Relation("snapshots", only, stored=True)
        build(
            engine,
            facts_relations(ledger, session.catalogue, session.scale, wanted, here, focus=focus),
        )
        label = _label(session, authored, condition, focus)
        columns = model_columns((f.name for f in features), session.facts)
        progress.reached(LABEL, done + 1, total)
        parts.append(
            frame(
                engine,
                f"select i.account_id as _account, f.party_id as _party, f.as_of as _as_of, "
                f"l.label as _label, {columns} from observed_facts f join {label} l "
                "on l.snap = f.snap join account_ids i on i.account_no = f.account_no "
                "order by _account, f.snap",
            )
        )
    rows = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
    as_of = rows["_as_of"].to_numpy().astype("datetime64[D]")
    if spec.target.column is not None and not ledger.billed:
        as_of[:] = np.datetime64("NaT")  # an account file is of no day in particular
    group = rows["_party"].to_numpy()
    account = rows["_account"].to_numpy()
    labels = rows["_label"].to_numpy().astype(np.int8)
    used, held = _held_out(spec, window, as_of, group)
    training = TrainingFrame(
        rows.drop(columns=["_account", "_party", "_as_of", "_label"]),
        features,
        labels,
        account,
        group,
        as_of,
        held,
    )
    return training if used.all() else training.where(used)


def _parts(session: Session, spec: ModelSpec) -> list[tuple[int, int]]:
    """Account ranges small enough for all their snapshots at once."""
    if not spec.repeats or spec.observe.at is not None:
        return session.partitions()
    snapshots = max(1, spec.observe.for_ // spec.observe.every)
    finer = []
    for first, last in session.partitions():
        size = max(1, (last - first + 1) // max(1, snapshots // 4))
        finer += [(a, min(a + size - 1, last)) for a in range(first, last + 1, size)]
    return finer


def _observed(session: Session, authored: AuthoredSpec) -> tuple[Timeline | None, Relation]:
    spec, ledger = authored.spec, session.ledger
    if spec.target.column is not None:
        at = spec.observe.at if isinstance(spec.observe.at, date) else ledger.last_on
        return None, single_snapshots(at)
    if not ledger.billed or ledger.first_on is None or ledger.last_on is None:
        raise problem(
            "RS408",
            f'The target event "{spec.target.event}" needs bills; this workspace has none.',
            file=authored.file,
            line=authored.line("target"),
            mend="Add [source.bills] and [source.payments], or use {column: NAME}.",
        )
    problems = Problems()
    window = timeline(authored, ledger.first_on, ledger.last_on, problems)
    problems.raise_if_any()
    assert window is not None
    if isinstance(spec.observe.at, date):
        return window, single_snapshots(spec.observe.at)
    if window.every is None:
        return window, issue_snapshots(window.train_from, window.hold_until)
    return window, cycle_snapshots(window.train_from, window.hold_until, window.every, spec.seed)


def _label(
    session: Session, authored: AuthoredSpec, condition: Expression | None, focus: bool
) -> str:
    """Make `observed_facts` (the population alone) and the labels; the labels' name."""
    spec, engine = authored.spec, session.engine
    target = spec.target
    population = population_sql(
        implied(target.event, target.dpd, billed=session.ledger.billed), condition
    )
    engine.run(
        f"create or replace temp table observed_facts as select * from facts where {population}"
    )
    if target.column is not None:
        engine.run(
            "create or replace temp table labels as select snap, label from (select snap, "
            f"{_outcome(session, authored)} as label from observed_facts) where label is not null"
        )
        return "labels"
    engine.run(
        "create or replace temp table observed as select s.* from snapshots s "
        "join observed_facts f on f.snap = s.snap"
    )
    later = later_snapshots(spec.label_days)
    label = (
        late_labels(target.horizon, target.dpd, of_focus_bill=focus)
        if target.event == "late"
        else default_labels(target.horizon, target.dpd)
    )
    snapshots = Relation("snapshots", later.select, stored=True)
    facts = bill_facts(
        session.ledger.money, keep_days=None if focus else spec.label_days + target.dpd
    )
    build(engine, [snapshots, *facts, label])
    return "labels"


def _outcome(session: Session, authored: AuthoredSpec) -> str:
    """SQL that is 1 for the bad outcome of a column, 0 for the other, null where unknown."""
    target = authored.spec.target
    assert target.column is not None
    fact, column = session.facts[target.column], quoted(target.column)
    if target.positive is None and fact.kind is Kind.BOOLEAN:
        bad = column
    elif target.positive is None and fact.kind.is_numeric:
        found = session.engine.rows(
            f"select distinct {column} from facts where {column} is not null limit 3"
        )
        if not {float(v[0]) for v in found} <= {0.0, 1.0}:
            raise problem(
                "RS408",
                f'"{target.column}" has values other than 0 and 1.',
                file=authored.file,
                line=authored.line("target", "column"),
                mend=f"Say which is the bad outcome: {{column: {target.column}, positive: VALUE}}.",
            )
        bad = f"{column} = 1"
    elif target.positive is None:
        example = (fact.levels or ("VALUE",))[0]
        raise problem(
            "RS408",
            f'"{target.column}" is {fact.kind}; nothing says which value is the bad outcome.',
            file=authored.file,
            line=authored.line("target", "column"),
            mend=f"Say it: {{column: {target.column}, positive: {example}}}.",
        )
    else:
        value = literal(str(target.positive))
        bad = f"{column} = cast({value} as {'varchar' if fact.kind.is_textual else 'double'})"
        if fact.kind is Kind.BOOLEAN:
            bad = f"{column} = cast({value} as boolean)"
    return f"cast(case when {column} is null then null when {bad} then 1 else 0 end as tinyint)"


def _held_out(spec: ModelSpec, window: Timeline | None, as_of: Any, group: Any) -> tuple[Any, Any]:
    """Masks: what is used at all (the embargo is not), and what validates."""
    import numpy as np

    from riskseg.learning.split import held_out_by_date, held_out_by_party

    if spec.hold_out_days is None or window is None:
        held = held_out_by_party(group, spec.hold_out_share or 0.25, spec.seed)
        return np.ones(len(as_of), dtype=bool), held
    return held_out_by_date(as_of, window)


def _keep(
    session: Session,
    authored: AuthoredSpec,
    training: TrainingFrame,
    journal: Any,
    at: datetime,
    progress: Progress,
    done: int,
    total: int,
) -> Kept:
    from riskseg.learning.artefact import load
    from riskseg.learning.show import summary
    from riskseg.learning.train import train as learn
    from riskseg.store.files import folder_beside
    from riskseg.store.records import ModelRecord

    name, workspace = authored.spec.name, session.workspace
    trained = learn(
        authored,
        training,
        threads=session.engine.threads,
        progress=lambda text: progress.note(f"{name}: {text}"),
    )
    progress.reached(KEEP, done, total)
    home = workspace.models / name
    home.mkdir(parents=True, exist_ok=True)
    with folder_beside(home / trained.version, token="train") as part:
        for file, content in trained.files.items():
            (part / file).write_bytes(content)
    journal.record_model(
        ModelRecord(
            model=name,
            version=trained.version,
            fingerprint=trained.version,
            metrics={learner: dict(m) for learner, m in trained.metrics.items()},
            at=at,
        )
    )
    champion = journal.champion(name)
    if champion is None:
        journal.promote(name, trained.version, at=at, by="train", reason="the first version")
        champion = journal.champion(name)
    return Kept(
        name,
        trained.version,
        champion is not None and champion.version == trained.version,
        summary(load(home / trained.version)),
    )
