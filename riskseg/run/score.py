"""`score`: a probability for each model and account, as of a date."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from riskseg.domain.problems import Problems, did_you_mean, problem
from riskseg.domain.relations import fact_column, literal, quoted
from riskseg.engine import Batches
from riskseg.features.snapshots import as_of_snapshots, at_issue_snapshots
from riskseg.pipeline.account_file import (
    check_features,
    check_given,
    fingerprint,
    with_accounts_from,
)
from riskseg.pipeline.contracts import build
from riskseg.pipeline.decisions import SCORE, drift_figures, note_differences
from riskseg.pipeline.facts import facts
from riskseg.pipeline.hindsight import hindsight
from riskseg.pipeline.models import load_champions, scorer, spec_files, without_spec
from riskseg.pipeline.open_journal import read_journal
from riskseg.pipeline.outputs import check_target
from riskseg.pipeline.scoring import PROBABILITY
from riskseg.pipeline.scoring import score as score_model
from riskseg.pipeline.selection import Selection
from riskseg.pipeline.session import (
    LOAD,
    begin,
    locked,
    open_checked,
    scratch_engine,
    set_apart,
)
from riskseg.pipeline.stages import ForEach, Job, Plan, Progress, Stage
from riskseg.results.runs import Scores
from riskseg.sources.unchanged import while_unchanged
from riskseg.store import sinks
from riskseg.store.sinks import Dated, InMemory
from riskseg.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    from riskseg.learning.artefact import Model

FACTS = Stage("facts", "allocate payments, aggregate features")
WRITE = Stage("write", "the probabilities beside their place, then in it")


@dataclass(frozen=True)
class _Pass:
    """A range of accounts, first and last included, and whether it is their bills of the date that
    are scored, or the accounts."""

    first: int
    last: int
    of_bills: bool


class _Scoring(Job):
    """What a run of `score` holds while it is carried out."""

    passes: Sequence[_Pass] = ()
    schema: pa.Schema

    def __init__(
        self,
        workspace: Workspace,
        as_of: date,
        target: str | InMemory,
        *,
        names: Sequence[str],
        accounts_from: Path | None,
        selection: Selection,
        progress: Progress | None,
    ) -> None:
        super().__init__(progress)
        self.selection = selection
        self.workspace, self.as_of, self.target = workspace, as_of, target
        self.names, self.accounts_from = names, accounts_from

    def load(self) -> None:
        workspace, accounts_from = self.workspace, self.accounts_from
        self.opened.enter_context(locked(workspace))
        self.engine = self.opened.enter_context(scratch_engine(workspace, lasting=True))
        self.models = self._models()
        for scored_model, model in self.models.items():
            if warning := hindsight(model, self.as_of):
                self.progress.note(f"{scored_model}: {warning}")
        models = self.models.values()
        check_given(self.engine, workspace, accounts_from, models)
        # Rows that bills name need their ids as they are written.
        self.at_issue = any(
            loaded_model.manifest.spec.observe.at == "issue" for loaded_model in models
        )
        self.session = session = begin(workspace, self.engine, texts=self.at_issue)
        session.answers(self.as_of)
        set_apart(session, self.progress)
        check_features(accounts_from, models, session.facts)
        billed = session.ledger.billed
        self.scorers = {
            model_name: scorer(loaded_model, session.facts, billed=billed)
            for model_name, loaded_model in self.models.items()
        }
        self.counts = dict.fromkeys(self.scorers, 0)
        self._check_columns()
        self.watches = {
            model_name: loaded_model.watch() for model_name, loaded_model in self.models.items()
        }
        self.given = fingerprint(accounts_from)
        looks_needed = {ready_scorer.at_issue for ready_scorer in self.scorers.values()}
        self.passes = [
            _Pass(first, last, of_bills)
            for first, last in session.partitions()
            for of_bills in sorted(looks_needed)
        ]

    def _check_columns(self) -> None:
        """Raise RS501 for columns that there are none of."""
        bill = ("bill_id",) if self.at_issue else ()
        of_models = [f"{part}_{name}" for name in self.models for part in ("p", "version")]
        usual = ["account_id", "as_of", *bill, *of_models]
        problems = Problems()
        self.selection.check_columns(usual, self.session.facts, problems)
        problems.raise_if_any()
        self.more, self.columns = self.selection.more(usual), self.selection.shown(usual)

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

    def facts(self, looked_at: _Pass) -> None:
        ledger, session = self.session.ledger, self.session
        snapshots = as_of_snapshots(
            self.as_of,
            looked_at.first,
            looked_at.last,
            listed=ledger.listed,
            dated=ledger.dated,
        )
        if looked_at.of_bills:
            snapshots = at_issue_snapshots(snapshots)
        scorers_of_look = [
            scorer for scorer in self.scorers.values() if scorer.at_issue is looked_at.of_bills
        ]
        relations = facts(
            ledger,
            session.catalogue,
            session.scale,
            frozenset(self.more).union(*(scorer.reads for scorer in scorers_of_look)),
            snapshots,
            focus=looked_at.of_bills,
        )
        build(self.engine, relations)

    def score(self, looked_at: _Pass) -> Batches:
        """The rows of a pass, in the order of account ids."""
        rows = self.engine.batches(self._scored(looked_at.of_bills))
        self.schema = rows.schema
        return rows

    def _scored(self, of_bills: bool) -> str:
        """Score `facts` with the models that look at bills, or at accounts; a select of its rows
        with every model's columns, and the bill's id where a model is observed at issue."""
        score_columns, score_joins = "", ""
        if self.at_issue:
            score_columns = (
                f", {'f.focus_bill' if of_bills else 'cast(null as varchar)'} as bill_id"
            )
        for scored_model, applied in self.scorers.items():
            probability = f"cast(null as {PROBABILITY})"
            if applied.at_issue is of_bills:
                looks = replace(applied, population=applied.of_bills or applied.population)
                scores_table = score_model(
                    self.engine, scored_model, looks, self.session.facts, self.watches[scored_model]
                )
                self.counts[scored_model] += self.engine.value(
                    f"select count(*) from {scores_table}"
                )
                score_joins += f" left join {scores_table} on {scores_table}.snap = f.snap"
                probability = f"{scores_table}.p"
            score_columns += f", {probability} as {quoted('p_' + scored_model)}"
            score_columns += (
                f", {literal(applied.model.version)} as {quoted('version_' + scored_model)}"
            )
        score_columns += "".join(f", f.{fact_column(name)} as {quoted(name)}" for name in self.more)
        columns = ", ".join(map(quoted, self.columns))
        return f"""
            select {columns}
            from (
                select i.account_id, f.as_of{score_columns},
                    f.account_no as "~no", f.snap as "~snap"
                from facts f
                join account_ids i on i.account_no = f.account_no{score_joins}
            )
            order by "~no", "~snap"
            """

    def write(self, scores: Iterator[pa.RecordBatch]) -> None:
        first_batch = list(islice(scores, 1))
        unchanged = while_unchanged(
            chain(first_batch, scores), self.workspace, self.session.ledger.stamps
        )
        written = sinks.write(
            self.target,
            self.schema,
            unchanged,
            token=f"score-{self.as_of}",
            # A model observed at issue has rows for bills, and a row for the account without one.
            dated=Dated(
                self.as_of,
                ("account_id",) if "account_id" in self.columns and not self.at_issue else (),
            ),
        )
        for scored_name, applied in self.scorers.items():
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
            differences=note_differences(self.session, self.models, self.watches, self.progress),
            drift=drift_figures(self.watches),
            accounts_from=self.given,
            of_bills=self.at_issue,
            sha256=written.sha256,
        )


def plan(root: Path, names: Sequence[str] = ()) -> Plan:
    """What `score` carries out. Raises RS401 as it does."""
    problems = Problems()
    _check_names(open_checked(root), names, problems)
    problems.raise_if_any()
    return _stages()


def _stages() -> Plan:
    return [
        LOAD.by(_Scoring.load),
        ForEach(
            "partition",
            lambda job: job.passes,
            (FACTS.by(_Scoring.facts), SCORE.by(_Scoring.score)),
            into=WRITE.by(_Scoring.write),
        ),
    ]


def score(
    root: Path,
    as_of: date,
    target: str | InMemory,
    *,
    names: Sequence[str] = (),
    accounts_from: Path | None = None,
    selection: Selection | None = None,
    progress: Progress | None = None,
) -> Scores:
    """Write account_id, as_of and, for each model, p_MODEL and its version.

    `accounts_from` names a file that is read instead of the workspace's own account file, through
    the same mapping. Of the `selection` the columns count.

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
        selection=selection or Selection(),
        progress=progress,
    )
    job.carry_out(_stages())
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
