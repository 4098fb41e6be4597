"""`score`: a probability a model and account, as of a date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from riskseg.domain.problems import Problems, did_you_mean, problem
from riskseg.domain.relations import literal, quoted
from riskseg.features.snapshots import as_of_snapshots
from riskseg.learning.reference import Watch
from riskseg.run.assign import load_champions, tell_differences
from riskseg.run.facts import facts
from riskseg.run.given import GivenFile, fingerprint, with_accounts_from
from riskseg.run.journal import read_journal
from riskseg.run.models import Scorer, scorer, spec_files
from riskseg.run.outputs import check_target
from riskseg.run.reading import while_unchanged
from riskseg.run.scoring import score as score_model
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

if TYPE_CHECKING:
    import pyarrow as pa

FACTS = Stage("facts", "allocate payments, aggregate features", "partition")
SCORE = Stage("score", "a probability for the population of each model", "partition")
WRITE = Stage("write", "the probabilities beside their place, then in it")


def plan() -> list[Stage]:
    return [LOAD, FACTS, SCORE, WRITE]


@dataclass(frozen=True)
class Scores:
    """`scored` counts, for each model, the accounts that have a probability; `differences` tells
    how they differ from those it was trained on. `accounts_from` is the file of accounts that was
    given, if one was."""

    place: str
    rows: int
    models: Mapping[str, str]
    scored: Mapping[str, int]
    differences: Mapping[str, Sequence[str]]
    accounts_from: GivenFile | None = None


def score(
    root: Path,
    as_of: date,
    target: str,
    *,
    names: Sequence[str] = (),
    accounts_from: Path | None = None,
    progress: Progress | None = None,
) -> Scores:
    """Write account_id, as_of and, for each model, p_MODEL and its version.

    `accounts_from` names a file that is read instead of the workspace's own account file, through
    the same mapping.
    """
    from riskseg.store import sinks

    progress = progress or Progress()
    workspace = with_accounts_from(open_checked(root), accounts_from)
    problems = Problems()
    check_target(workspace, target, problems)
    specs = spec_files(workspace)
    for name in names:
        if name not in specs:
            problems.add("RS401", f'There is no model "{name}".', mend=did_you_mean(name, specs))
    problems.raise_if_any()
    with locked(workspace), scratch_engine(workspace, lasting=True) as engine:
        progress.reached(LOAD, 0, 1)
        session = begin(workspace, engine)
        session.answers(as_of)
        set_apart(session, progress)
        with read_journal(workspace) as journal:
            trained = [n for n in specs if journal.models(n)]
            wanted = list(names) or [n for n in trained if journal.champion(n)] or trained
            if not wanted:
                raise problem(
                    "RS401", "No model has been trained here.", mend="Run `riskseg train`."
                )
            models = load_champions(workspace, {n: n for n in wanted}, journal)
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
        differences = tell_differences(session, models, watches, progress)
    versions = {n: m.version for n, m in models.items()}
    return Scores(written.place, written.rows, versions, counts, differences, given)


def _batches(
    session: Session,
    scorers: Mapping[str, Scorer],
    as_of: date,
    counts: dict[str, int],
    watches: Mapping[str, Watch],
    progress: Progress,
) -> Iterator[pa.RecordBatch]:
    """The schema first, then rows in the order of account ids."""
    engine, ledger = session.engine, session.ledger
    parts = session.partitions()
    reads = frozenset().union(*(s.reads for s in scorers.values()))
    for i, (first, last) in enumerate(parts):
        progress.reached(FACTS, 1 + 2 * i, 2 + 2 * len(parts))
        snapshots = as_of_snapshots(as_of, first, last, listed=ledger.listed, dated=ledger.dated)
        build(engine, facts(ledger, session.catalogue, session.scale, reads, snapshots))
        progress.reached(SCORE, 2 + 2 * i, 2 + 2 * len(parts))
        columns, joins = "", ""
        for name, one in scorers.items():
            table = score_model(engine, name, one, session.facts, watches[name])
            counts[name] += engine.value(f"select count(*) from {table}")
            columns += f", {table}.p as {quoted('p_' + name)}"
            columns += f", {literal(one.model.version)} as {quoted('version_' + name)}"
            joins += f" left join {table} on {table}.snap = f.snap"
        sql = (
            f"select i.account_id, f.as_of{columns} from facts f join account_ids i "
            f"on i.account_no = f.account_no{joins} order by f.account_no"
        )
        if i == 0:
            yield engine.arrow(f"select * from ({sql}) limit 0").schema
        yield from engine.batches(sql)
