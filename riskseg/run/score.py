"""`score`: a probability for each model and account, as of a date."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import riskseg
from riskseg.domain.problems import Problems, did_you_mean, problem
from riskseg.pipeline.account_file import (
    check_features,
    check_given,
    fingerprint,
    with_accounts_from,
)
from riskseg.pipeline.buckets import bucket_ledger
from riskseg.pipeline.decisions import SCORE, drift_figures, note_differences
from riskseg.pipeline.feed_checks import check_feeds
from riskseg.pipeline.hindsight import hindsight
from riskseg.pipeline.models import load_champions, scorer, spec_files, without_spec
from riskseg.pipeline.on_spark import on_spark, ranges_for, spark_at
from riskseg.pipeline.open_journal import open_journal, read_journal
from riskseg.pipeline.outputs import check_target
from riskseg.pipeline.scoring_accounts import Pass, ScoredPass, Scoring, ScoringPass
from riskseg.pipeline.selection import Selection
from riskseg.pipeline.session import (
    LOAD,
    begin,
    locked,
    open_checked,
    scratch_engine,
    set_apart,
)
from riskseg.pipeline.side_by_side import side_by_side
from riskseg.pipeline.stages import ForEach, Job, Plan, Progress, Stage
from riskseg.pipeline.work_on_buckets import score_bucket
from riskseg.results.runs import Scores
from riskseg.sources.unchanged import while_unchanged
from riskseg.store import sinks
from riskseg.store.records import RunRecord
from riskseg.store.sinks import Dated, InMemory, Written
from riskseg.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    from riskseg.learning.artefact import Model

WRITE = Stage("write", "the probabilities beside their place, then in it; then the journal")


class _Scoring(Job):
    """What a run of `score` holds while it is carried out."""

    ranges: Sequence[tuple[int, int]] = ()
    passes: Sequence[Pass] = ()
    schema: pa.Schema

    def __init__(
        self,
        workspace: Workspace,
        as_of: date,
        target: str | InMemory,
        *,
        names: Sequence[str],
        accounts_from: Path | None,
        accept_feeds: bool,
        selection: Selection,
        spark: str | None,
        at: datetime | None,
        progress: Progress | None,
    ) -> None:
        super().__init__(progress)
        self.accept_feeds = accept_feeds
        self.selection, self.spark_master, self.at = selection, spark, at
        self.workspace, self.as_of, self.target = workspace, as_of, target
        self.names, self.accounts_from = names, accounts_from

    def load(self) -> None:
        workspace, accounts_from = self.workspace, self.accounts_from
        self.opened.enter_context(locked(workspace))
        self.engine = self.opened.enter_context(scratch_engine(workspace, lasting=True))
        self.models = self._models()
        for scored_model, model in self.models.items():
            if warning := hindsight(model, self.as_of):
                self.progress.warn(f"{scored_model}: {warning}")
        models = self.models.values()
        check_given(self.engine, workspace, accounts_from, models)
        # Rows that bills name need their ids as they are written.
        self.at_issue = any(
            loaded_model.manifest.spec.observe.at == "issue" for loaded_model in models
        )
        self.session = session = begin(workspace, self.engine, texts=self.at_issue)
        session.answers(self.as_of)
        self.accepted = check_feeds(
            session,
            self.as_of,
            accept=self.accept_feeds,
            progress=self.progress,
            # What is expected is said of the feed, and not of a file that is given in its place.
            other_than=("accounts",) if accounts_from else (),
        )
        set_apart(session, self.progress)
        check_features(accounts_from, models, session.facts)
        self.given = fingerprint(accounts_from)
        self.scoring = self._scoring()
        # How many rows each model has scored so far.
        self.counts = dict.fromkeys(self.models, 0)
        self.ranges = session.partitions()
        if self.spark_master is None:
            self.passes = self.scoring.passes(self.ranges)
            return
        spark = spark_at(self.spark_master)
        self.ranges = ranges_for(spark, session)
        in_common = bucket_ledger(session)
        work = partial(score_bucket, self.scoring, in_common)
        self.buckets = on_spark(spark, session, in_common, self.ranges, work)

    def _scoring(self) -> Scoring:
        """What accounts are scored with. Raises RS501 for columns that there are none of."""
        facts, billed = self.session.facts, self.session.ledger.billed
        bill = ("bill_id",) if self.at_issue else ()
        of_models = [f"{part}_{name}" for name in self.models for part in ("p", "version")]
        usual = ["account_id", "as_of", *bill, *of_models]
        scorers = {name: scorer(model, facts, billed=billed) for name, model in self.models.items()}
        problems = Problems()
        self.selection.check_columns(usual, facts, problems)
        problems.raise_if_any()
        return Scoring(
            self.as_of,
            scorers,
            facts,
            self.selection.shown(usual),
            self.selection.more(usual),
            self.at_issue,
            {
                name: model.watch(accounts=self.session.ledger.accounts)
                for name, model in self.models.items()
            },
        )

    def _models(self) -> dict[str, Model]:
        workspace = self.workspace
        with read_journal(workspace) as journal:
            trained = [model_name for model_name in _known(workspace) if journal.models(model_name)]
            wanted = (
                list(self.names)
                or [model_name for model_name in trained if journal.champion(model_name)]
                or trained
            )
            if not wanted:
                hint = "Run `riskseg train`."
                raise problem("RS401", "No model has been trained here.", hint=hint)
            return load_champions(
                workspace, {model_name: model_name for model_name in wanted}, journal
            )

    @classmethod
    def scoring_passes(cls, into: Stage) -> ForEach:
        """The stages to probabilities, of several ranges of accounts at a time; `into` takes all of
        them, in the order of account ids."""
        how = side_by_side(
            lambda run, session: ScoringPass(session, run.scoring),
            lambda run, job: run.take([job.scored]),
        )
        stages = ScoringPass.stages()
        return ForEach("partition", lambda job: job.passes, stages, into=into, side_by_side=how)

    @classmethod
    def scoring_on_spark(cls, into: Stage) -> ForEach:
        """The same probabilities, of ranges of accounts that executors score."""
        stages = (SCORE.by(lambda job, _: job.take(next(job.buckets))),)
        return ForEach("bucket", lambda job: job.ranges, stages, into=into)

    def take(self, passes: Iterable[ScoredPass]) -> Iterator[pa.RecordBatch]:
        """The probabilities of the next range, and what was counted beside them."""
        for scored in passes:
            for name, watch in self.scoring.watches.items():
                self.counts[name] += scored.counts[name]
                watch.include(scored.watches[name])
            self.schema = scored.rows.schema
            yield from scored.rows.to_batches()

    def write(self, scores: Iterator[pa.RecordBatch]) -> None:
        first_batch = list(islice(scores, 1))
        unchanged = while_unchanged(
            chain(first_batch, scores), self.workspace, self.session.ledger.stamps
        )
        written = sinks.write(
            self.target,
            self.schema,
            unchanged,
            token=self.run_id,
            # A model observed at issue has rows for bills, and a row for the account without one.
            dated=Dated(
                self.as_of,
                ("account_id",)
                if "account_id" in self.scoring.columns and not self.at_issue
                else (),
            ),
        )
        for scored_name, applied in self.scoring.scorers.items():
            if applied.at_issue and not self.counts[scored_name]:
                note = (
                    f"{scored_name}: no bill that it covers was issued on {self.as_of}, so no row"
                )
                self.progress.note(note)
        self.done = Scores(
            place=written.place,
            rows=written.rows,
            models={
                model_name: scored_model.version for model_name, scored_model in self.models.items()
            },
            scored=self.counts,
            differences=note_differences(
                self.session, self.models, self.scoring.watches, self.progress
            ),
            drift=drift_figures(self.scoring.watches),
            accounts_from=self.given,
            of_bills=self.at_issue,
            accepted_feeds=self.accepted,
            sha256=written.sha256,
        )
        if self.at is not None:
            self._record(written, self.at)

    @property
    def run_id(self) -> str:
        return f"score-{self.as_of}"

    def _record(self, written: Written, at: datetime) -> None:
        """Let the journal know where the probabilities are."""
        arguments: dict[str, Any] = {"models": list(self.names)}
        if self.accepted:
            arguments["accepted_feeds"] = list(self.accepted)
        record = RunRecord(
            run_id=self.run_id,
            command="score",
            at=at,
            riskseg_version=riskseg.__version__,
            as_of=self.as_of,
            arguments=arguments,
            output=written.output,
            output_sha256=written.sha256,
            rows=written.rows,
            models=dict(self.done.models),
            sources={},
        )
        with open_journal(self.workspace) as journal:
            journal.record_run(record)


def plan(root: Path, names: Sequence[str] = (), *, spark: bool = False) -> Plan:
    """What `score` carries out, in this process or on Spark. Raises RS401 as it does."""
    problems = Problems()
    _check_names(open_checked(root), names, problems)
    problems.raise_if_any()
    return _stages(spark=spark)


def _stages(*, spark: bool) -> Plan:
    write = WRITE.by(_Scoring.write)
    return [
        LOAD.by(_Scoring.load),
        _Scoring.scoring_on_spark(write) if spark else _Scoring.scoring_passes(write),
    ]


def score(
    root: Path,
    as_of: date,
    target: str | InMemory,
    *,
    names: Sequence[str] = (),
    accounts_from: Path | None = None,
    accept_feeds: bool = False,
    selection: Selection | None = None,
    spark: str | None = None,
    at: datetime | None = None,
    progress: Progress | None = None,
) -> Scores:
    """Write account_id, as_of and, for each model, p_MODEL and its version.

    `accounts_from` names a file that is read instead of the workspace's own account file, through
    the same mapping. Of the `selection` the columns count. `spark` names the master of a
    Spark cluster whose executors score: the rows are the same, to the byte.

    With a moment `at`, the journal notes where they were written. Raises RS650 for sources that are
    not as expected, unless it is to `accept_feeds`.

    A model observed at issue has a row for each bill issued on the date, named by `bill_id`; the
    others have a row for each account, whose `bill_id` is null.
    """
    workspace = with_accounts_from(open_checked(root), accounts_from)
    problems = Problems()
    if isinstance(target, str):
        check_target(workspace, target, problems)
    _check_names(workspace, names, problems)
    problems.raise_if_any()
    job = _Scoring(
        workspace,
        as_of,
        target,
        names=names,
        accounts_from=accounts_from,
        accept_feeds=accept_feeds,
        selection=selection or Selection(),
        spark=spark,
        at=at,
        progress=progress,
    )
    job.carry_out(_stages(spark=spark is not None))
    job.done.holding(target)
    return job.done


def _check_names(workspace: Workspace, names: Iterable[str], problems: Problems) -> None:
    """Add RS401 for each name of no model."""
    known = _known(workspace)
    for requested_model in names:
        if requested_model not in known:
            problems.add(
                "RS401",
                f'There is no model "{requested_model}".',
                hint=did_you_mean(requested_model, known),
            )


def _known(workspace: Workspace) -> list[str]:
    return sorted({*spec_files(workspace), *without_spec(workspace)})
