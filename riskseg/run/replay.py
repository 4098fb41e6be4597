"""`replay`: decide a journalled run again, from what it kept, and compare.

The decisions come from the kept facts, the kept files of the strategy and the versions of the
models that the journal names, through the same SQL as the run's own. Reads only.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

import riskseg
from riskseg.domain.decision import TREATMENT
from riskseg.domain.problems import ProblemsError, problem
from riskseg.domain.relations import Relation, fact_column, quoted
from riskseg.engine import Engine, EngineError
from riskseg.insight.differences import DIFFERENCES, TwoTables
from riskseg.pipeline.account_file import as_the_run_read
from riskseg.pipeline.archive import (
    Kept,
    _overwritten,
    checked_decider,
    erased_from,
    find_run,
    inputs_select,
    kept_facts,
    open_inputs,
)
from riskseg.pipeline.contracts import build
from riskseg.pipeline.decisions import DecidingJob, make_facts
from riskseg.pipeline.open_journal import read_journal
from riskseg.pipeline.outputs import file_relation
from riskseg.pipeline.session import LOAD, begin, open_checked, scratch_engine
from riskseg.pipeline.stages import NothingLeft, Plan, Progress, Stage
from riskseg.results.replay import Differences, OutputFile, Replay, ReplayVerdict, SinceRun
from riskseg.rules.state import is_state
from riskseg.sources.describe import fingerprints
from riskseg.store import run_inputs as store
from riskseg.store import sinks
from riskseg.store.files import sha256_of
from riskseg.store.sinks import Written
from riskseg.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    from riskseg.store.records import RunRecord

INPUTS = Stage("inputs", "read the run's kept inputs, strategy and models")
COMPARE = Stage("compare", "the bytes with the journal's hash; where they differ, the rows")
NOW = Stage("now", "the same from the sources as they are now")
FACTS_KEPT = Stage("facts", "the facts that the run kept of its accounts")

# Accounts that one pass decides at most, unless riskseg.toml says how many partitions there are.
ACCOUNTS_A_PARTITION = 1_000_000


class _Replay(DecidingJob):
    """What a run of `replay` holds while it is carried out."""

    def __init__(self, workspace: Workspace, run: str, progress: Progress | None) -> None:
        super().__init__(progress)
        self.workspace, self.run = workspace, run
        self.since: SinceRun | None = None

    def read(self) -> None:
        """What the run kept: its strategy, its models, its accounts."""
        workspace = self.workspace
        with read_journal(workspace) as journal:
            self.record = record = find_run(journal, self.run)
            self.overwritten = _overwritten(journal, record)
            erased = erased_from(journal, record)
        _check_kept(workspace, record)
        self.kept, self.decider = checked_decider(workspace, record, erased, self.progress)
        kept = self.kept
        enter = self.opened.enter_context
        folder = enter(tempfile.TemporaryDirectory(prefix="riskseg-"))
        self.place = Path(folder) / f"then{_ending(record)}"
        is_here = record.output and record.output_sha256 and "://" not in record.output
        theirs = [Path(record.output)] if record.output and is_here else []
        reads = [kept.inputs, self.place, *theirs]
        self.engine = enter(scratch_engine(workspace, reads=reads))
        accounts = open_inputs(self.engine, workspace, kept)
        partition_count = workspace.settings.partitions or -(-accounts // ACCOUNTS_A_PARTITION)
        partition_count = max(1, min(partition_count, accounts))
        self.ranges = [
            (
                accounts * partition // partition_count + 1,
                accounts * (partition + 1) // partition_count,
            )
            for partition in range(partition_count)
        ]

    def facts(self, accounts: tuple[int, int]) -> None:
        kept_facts(self.engine, self.workspace, self.kept, *accounts)

    def compare(self, decisions: Iterator[pa.RecordBatch]) -> None:
        engine, record = self.engine, self.record
        self.written = written = self.write(str(self.place), decisions, "replay")
        self.gone = len(store.erased(self.kept.folder))
        self.compared = _compared(engine, record, written, self.gone, self.overwritten)
        self.file = _file(engine, record, written, self.overwritten)

    def from_source(self) -> None:
        job = _FromSource(as_the_run_read(self.workspace, self.record), self)
        decided = _FromSource.deciding(into=COMPARE.by(_FromSource.compare))
        job.carry_out([LOAD.by(_FromSource.load), decided])
        self.since = job.since


def plan(root: Path, run: str, *, from_source: bool = False) -> Plan:
    """What `replay` carries out. Raises RS608, RS609 and RS610 as it does."""
    workspace = open_checked(root)
    with read_journal(workspace) as journal:
        _check_kept(workspace, find_run(journal, run))
    return _stages(from_source=from_source)


def _stages(*, from_source: bool) -> Plan:
    decided = _Replay.deciding(into=COMPARE.by(_Replay.compare), facts=FACTS_KEPT)
    now = [NOW.by(_Replay.from_source)] if from_source else []
    return [INPUTS.by(_Replay.read), decided, *now]


def replay(
    root: Path, run: str, *, from_source: bool = False, progress: Progress | None = None
) -> Replay:
    """Decide a run again: its id, the beginning of it, or `last`.

    Raises RS608 for a run that the journal does not have, RS609 where its inputs are not kept,
    RS610 where they cannot be read, RS611 where a model version is gone.
    """
    job = _Replay(open_checked(root), run, progress)
    job.carry_out(_stages(from_source=from_source))
    record, written = job.record, job.written
    verdict, differing_rows, why = job.compared
    return Replay(
        run_id=record.run_id,
        as_of=job.kept.as_of,
        output=record.output,
        rows=written.rows,
        verdict=verdict,
        sha256=written.sha256 if record.output_sha256 else None,
        journalled_sha256=record.output_sha256,
        erased=job.gone,
        differing=differing_rows,
        why=why,
        riskseg_then=job.kept.riskseg,
        riskseg_now=riskseg.__version__,
        since=job.since,
        file=job.file,
    )


def _check_kept(workspace: Workspace, record: RunRecord) -> None:
    folder = workspace.state / "runs" / record.run_id
    if store.is_kept(folder):
        return
    if folder.exists():
        fault, hint = "were damaged: a file is missing", "Restore the folder from a copy."
        problem_code = "RS610"
    elif not record.arguments.get("keep", False):
        fault, hint, problem_code = (
            "were not kept",
            "Decide with --keep, which is the default.",
            "RS609",
        )
    elif workspace.settings.journal_url is not None:
        fault, problem_code = "are not in this workspace", "RS609"
        hint = (
            "Where another machine that shares the journal made the run, replay it there, or share "
            "the folder. `riskseg journal prune` removes the inputs of older runs."
        )
    else:
        fault, problem_code = (
            "were removed: `riskseg journal prune` removes those of older runs",
            "RS609",
        )
        hint = "The journal still shows what it was decided with."
    raise problem(
        problem_code,
        f"The inputs of run {record.run_id} {fault}.",
        file=workspace.shown(folder),
        hint=hint,
    )


def _ending(record: RunRecord) -> str:
    """The form to write in: the run's own, so that bytes can be compared."""
    output_place = record.output or ""
    if record.output_sha256 is None or not output_place:
        return ".parquet"
    return sinks.ending_of(output_place)


def _compared(
    engine: Engine, record: RunRecord, written: Written, gone: int, overwritten: str
) -> tuple[ReplayVerdict, Differences | None, str]:
    """What the replayed decisions are beside the run's; how they differ; what stood in the way."""
    if record.output_sha256 is not None and record.output_sha256 == written.sha256:
        return "same bytes", None, ""
    unmatched_verdict: ReplayVerdict = (
        "not compared" if gone or record.output_sha256 is None else "different"
    )
    if record.output_sha256 is None:
        if overwritten:
            return unmatched_verdict, None, f"run {overwritten} has written to the table since"
        try:
            theirs = _table(engine, record, written)
        except ProblemsError as error:
            return unmatched_verdict, None, f"the table cannot be read: {error.problems[0].what}"
    else:
        if record.output is None:
            return unmatched_verdict, None, "they were given in memory, and written nowhere"
        if "://" in record.output:
            return unmatched_verdict, None, "only bytes are compared with a file in an object store"
        output_path = Path(record.output)
        if not output_path.is_file():
            return unmatched_verdict, None, f"{output_path} is no longer there"
        if sha256_of(output_path) != record.output_sha256:
            return unmatched_verdict, None, f"{output_path} has changed since the run wrote it"
        theirs = file_relation(engine, output_path)
    replayed = file_relation(engine, Path(written.place))
    differences = DIFFERENCES.answer(TwoTables(engine, theirs, replayed))
    if differences.rows == 0 and differences.appeared == 0 and differences.vanished == gone:
        same_rows = gone > 0 or record.output_sha256 is None
        return ("same rows" if same_rows else "different"), None if same_rows else differences, ""
    return "different", differences, ""


def _file(engine: Engine, record: RunRecord, written: Written, overwritten: str) -> OutputFile:
    """What is found where the run wrote its file, beside what it wrote."""
    if record.output_sha256 is None:
        return OutputFile(state="a table")
    if record.output is None:
        return OutputFile(state="in memory")
    if "://" in record.output:
        if overwritten:
            return OutputFile(state="written over", by=overwritten)
        return OutputFile(state="elsewhere")
    output_path = Path(record.output)
    if not output_path.is_file():
        return OutputFile(state="gone")
    if sha256_of(output_path) == record.output_sha256:
        return OutputFile(state="as written", manifest=_manifest(output_path, record))
    if overwritten:
        return OutputFile(state="written over", by=overwritten)
    try:
        replayed = file_relation(engine, Path(written.place))
        row_differences = DIFFERENCES.answer(
            TwoTables(engine, replayed, file_relation(engine, output_path))
        )
    except EngineError:  # it may be no table any more
        return OutputFile(state="altered")
    return OutputFile(state="altered", differing=row_differences)


def _manifest(place: Path, record: RunRecord) -> bool | None:
    manifest = place.with_name(place.name + ".manifest.json")
    if not manifest.is_file():
        return None
    try:
        manifest_content = json.loads(manifest.read_text(encoding="utf-8"))
        return (manifest_content["run"], manifest_content["sha256"]) == (
            record.run_id,
            record.output_sha256,
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def _table(engine: Engine, record: RunRecord, written: Written) -> str:
    """The rows of a database's table, as a relation of the engine."""
    schema = pq.read_schema(written.place)
    batches = list(sinks.read(record.output or "", schema, run=record.run_id))
    engine.register("journalled", pa.Table.from_batches(batches, schema))
    return "journalled"


class _FromSource(DecidingJob):
    """The same run from the sources as they are now, beside what it was."""

    def __init__(self, workspace: Workspace, replayed: _Replay) -> None:
        super().__init__(None)
        self.workspace, self.replayed, self.kept = workspace, replayed, replayed.kept
        self.decider = replayed.decider

    def load(self) -> None:
        kept, ready, then = self.kept, self.decider, self.replayed.place
        folder = then.parent
        self.inputs = folder / store.INPUTS
        self.place = folder / f"now{then.name.removeprefix('then')}"
        reads = [kept.inputs, then, self.inputs, self.place]
        self.engine = self.opened.enter_context(scratch_engine(self.workspace, reads=reads))
        self.session = session = begin(self.workspace, self.engine)
        sources = fingerprints(self.engine, self.workspace)
        self.changed = tuple(
            n for n in sorted({*sources, *kept.sources}) if sources.get(n) != kept.sources.get(n)
        )
        gone = {n for n in ready.wanted if n not in session.facts and n not in ready.strategy.uses}
        if session.ledger.billed != kept.billed:
            gone.add("bills")
        gone -= {"as_of", *filter(is_state, gone)}
        if gone:
            self.since = SinceRun(
                sources=self.changed,
                facts=None,
                decisions=None,
                moved=0,
                gone=tuple(sorted(gone)),
            )
            raise NothingLeft
        self.keeping = store.Keeping(folder)
        self.ranges = session.partitions()

    def facts(self, accounts: tuple[int, int]) -> None:
        make_facts(self.session, self.decider.wanted, self.kept.as_of, *accounts)
        build(self.engine, [_as_kept(self.engine, self.kept)])
        inputs = self.engine.batches(inputs_select(self.engine)[0])
        if not self.keeping.begun:
            self.keeping.begin(inputs.schema)
        self.keeping.add(inputs)

    def compare(self, decisions: Iterator[pa.RecordBatch]) -> None:
        self.write(str(self.place), decisions, "now")
        self.keeping.close()
        engine = self.engine
        facts = TwoTables(
            engine, file_relation(engine, self.kept.inputs), file_relation(engine, self.inputs)
        )
        decided = TwoTables(
            engine, file_relation(engine, self.replayed.place), file_relation(engine, self.place)
        )
        treatment = ", ".join(quoted(n) for n in ("account_id", *TREATMENT))
        treated = TwoTables(
            engine,
            f"(select {treatment} from {decided.old})",
            f"(select {treatment} from {decided.new})",
        )
        self.since = SinceRun(
            sources=self.changed,
            facts=DIFFERENCES.answer(facts),
            decisions=DIFFERENCES.answer(decided),
            moved=DIFFERENCES.answer(treated).rows,
            gone=(),
        )


def _as_kept(engine: Engine, kept: Kept) -> Relation:
    """`facts` with the columns that were kept, in the types they had: what does not go into its
    old type any more is unknown."""
    cast_columns = "".join(
        f", try_cast({fact_column(column)} as {engine.type_sql(type_)}) as {fact_column(column)}"
        for column, type_ in kept.columns.items()
    )
    return Relation(
        "facts", f"select snap, account_no, as_of{cast_columns} from facts", materialized=True
    )
