"""`score`: a probability a model and account, as of a date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from riskseg.domain.problems import Problems, did_you_mean, problem
from riskseg.domain.relations import literal, quoted
from riskseg.features.snapshots import as_of_snapshots, at_issue_snapshots
from riskseg.learning.reference import Watch
from riskseg.pipeline.account_file import (
    GivenFile,
    check_features,
    check_given,
    fingerprint,
    with_accounts_from,
)
from riskseg.pipeline.decisions import tell_differences
from riskseg.pipeline.facts import facts
from riskseg.pipeline.hindsight import hindsight
from riskseg.pipeline.journal import read_journal
from riskseg.pipeline.models import Scorer, load_champions, scorer, spec_files, without_spec
from riskseg.pipeline.outputs import check_target
from riskseg.pipeline.scoring import PROBABILITY
from riskseg.pipeline.scoring import score as score_model
from riskseg.pipeline.session import (
    LOAD,
    Session,
    begin,
    locked,
    open_checked,
    scratch_engine,
    set_apart,
)
from riskseg.pipeline.stages import Progress, Stage, build
from riskseg.sources.unchanged import while_unchanged

if TYPE_CHECKING:
    import pyarrow as pa

    from riskseg.store.sinks import InMemory

FACTS = Stage("facts", "allocate payments, aggregate features", "partition")
SCORE = Stage("score", "a probability for the population of each model", "partition")
WRITE = Stage("write", "the probabilities beside their place, then in it")


def plan() -> list[Stage]:
    return [LOAD, FACTS, SCORE, WRITE]


@dataclass(frozen=True)
class Scores:
    """`scored` counts, for each model, the rows that have a probability: accounts, or bills issued
    that day where it is observed at issue (`of_bills`: there is such a model). `sha256` is that of
    the file's bytes. `differences` tells
    how they differ from those it was trained on. `accounts_from` is the file of accounts that was
    given, if one was."""

    place: str
    rows: int
    models: Mapping[str, str]
    scored: Mapping[str, int]
    differences: Mapping[str, Sequence[str]]
    accounts_from: GivenFile | None = None
    of_bills: bool = False
    sha256: str | None = None


def score(
    root: Path,
    as_of: date,
    target: str | InMemory,
    *,
    names: Sequence[str] = (),
    accounts_from: Path | None = None,
    progress: Progress | None = None,
) -> Scores:
    """Write account_id, as_of and, for each model, p_MODEL and its version.

    `accounts_from` names a file that is read instead of the workspace's own account file, through
    the same mapping.

    A model observed at issue has a row a bill issued on the date, named by `bill_id`; the others
    have a row an account, whose `bill_id` is null.
    """
    from riskseg.store import sinks

    progress = progress or Progress()
    workspace = with_accounts_from(open_checked(root), accounts_from)
    problems = Problems()
    if isinstance(target, str):
        check_target(workspace, target, problems)
    known = sorted({*spec_files(workspace), *without_spec(workspace)})
    for name in names:
        if name not in known:
            problems.add("RS401", f'There is no model "{name}".', hint=did_you_mean(name, known))
    problems.raise_if_any()
    with locked(workspace), scratch_engine(workspace, lasting=True) as engine:
        progress.reached(LOAD, 0, 1)
        with read_journal(workspace) as journal:
            trained = [n for n in known if journal.models(n)]
            wanted = list(names) or [n for n in trained if journal.champion(n)] or trained
            if not wanted:
                raise problem(
                    "RS401", "No model has been trained here.", hint="Run `riskseg train`."
                )
            models = load_champions(workspace, {n: n for n in wanted}, journal)
        for name, model in models.items():
            if warning := hindsight(model, as_of):
                progress.note(f"{name}: {warning}")
        check_given(engine, workspace, accounts_from, models.values())
        # Rows that bills name need their ids as they are written.
        at_issue = any(m.manifest["spec"]["observe"].get("at") == "issue" for m in models.values())
        session = begin(workspace, engine, texts=at_issue)
        session.answers(as_of)
        set_apart(session, progress)
        check_features(accounts_from, models.values(), session.facts)
        scorers = {
            n: scorer(m, session.facts, billed=session.ledger.billed) for n, m in models.items()
        }
        counts = dict.fromkeys(scorers, 0)
        watches = {n: m.watch() for n, m in models.items()}
        given = fingerprint(accounts_from)
        batches = _batches(session, scorers, as_of, counts, watches, progress)
        schema = next(batches)
        batches = while_unchanged(batches, workspace, session.ledger.stamps)
        written = sinks.write(target, schema, batches, token="score")
        for name in (n for n, one in scorers.items() if one.at_issue and not counts[n]):
            progress.note(f"{name}: no bill that it speaks of was issued on {as_of}, so no row")
        differences = tell_differences(session, models, watches, progress)
    versions = {n: m.version for n, m in models.items()}
    return Scores(
        written.place,
        written.rows,
        versions,
        counts,
        differences,
        given,
        at_issue,
        written.sha256,
    )


def _batches(
    session: Session,
    scorers: Mapping[str, Scorer],
    as_of: date,
    counts: dict[str, int],
    watches: Mapping[str, Watch],
    progress: Progress,
) -> Iterator[pa.RecordBatch]:
    """The schema first, then the rows: those of accounts, and those of bills issued on the date
    where a model is observed at issue, both in the order of account ids."""
    ledger, parts = session.ledger, session.partitions()
    kinds = [k for k in (False, True) if any(s.at_issue is k for s in scorers.values())]
    for i, (first, last) in enumerate(parts):
        snapshots = as_of_snapshots(as_of, first, last, listed=ledger.listed, dated=ledger.dated)
        for of_bills in kinds:
            progress.reached(FACTS, 1 + 2 * i, 2 + 2 * len(parts))
            chosen = {n: s for n, s in scorers.items() if s.at_issue is of_bills}
            reads = frozenset().union(*(s.reads for s in chosen.values()))
            looked = at_issue_snapshots(snapshots) if of_bills else snapshots
            relations = facts(
                ledger, session.catalogue, session.scale, reads, looked, focus=of_bills
            )
            build(session.engine, relations)
            progress.reached(SCORE, 2 + 2 * i, 2 + 2 * len(parts))
            sql = _scored(session, scorers, of_bills, True in kinds, counts, watches)
            if i == 0 and of_bills is kinds[0]:
                yield session.engine.arrow(f"select * from ({sql}) limit 0").schema
            yield from session.engine.batches(sql)


def _scored(
    session: Session,
    scorers: Mapping[str, Scorer],
    of_bills: bool,
    named: bool,
    counts: dict[str, int],
    watches: Mapping[str, Watch],
) -> str:
    """Score `facts` with the models that look at bills, or at accounts; a select of its rows with
    every model's columns, and the bill's id where rows are `named` by it."""
    columns, joins = "", ""
    if named:
        columns = f", {'f.focus_bill' if of_bills else 'cast(null as varchar)'} as bill_id"
    for name, one in scorers.items():
        p = f"cast(null as {PROBABILITY})"
        if one.at_issue is of_bills:
            looked = replace(one, population=one.of_bills) if one.of_bills else one
            table = score_model(session.engine, name, looked, session.facts, watches[name])
            counts[name] += session.engine.value(f"select count(*) from {table}")
            joins += f" left join {table} on {table}.snap = f.snap"
            p = f"{table}.p"
        columns += f", {p} as {quoted('p_' + name)}"
        columns += f", {literal(one.model.version)} as {quoted('version_' + name)}"
    return (
        f"select i.account_id, f.as_of{columns} from facts f join account_ids i "
        f"on i.account_no = f.account_no{joins} order by f.account_no, f.snap"
    )
