"""Probabilities of a range of accounts, or of their bills, from the rows of a ledger: for a run of
`score`, and for each of the buckets that executors score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from riskseg.domain.facts import Fact
from riskseg.domain.relations import fact_column, literal, quoted
from riskseg.engine import Engine
from riskseg.features.snapshots import as_of_snapshots, at_issue_snapshots
from riskseg.pipeline.contracts import build
from riskseg.pipeline.decisions import SCORE
from riskseg.pipeline.facts import facts
from riskseg.pipeline.models import Scorer
from riskseg.pipeline.scoring import PROBABILITY, score
from riskseg.pipeline.session import LedgerInEngine, Session
from riskseg.pipeline.stages import Job, Stage

if TYPE_CHECKING:
    import pyarrow as pa

    from riskseg.learning.drift import Watch

FACTS = Stage("facts", "allocate payments, aggregate features")


@dataclass(frozen=True)
class Scoring:
    """What accounts are scored with, as of a date. `facts` are those of the workspace; `columns`
    are written, of which `more` name facts. With `of_bills`, a model is observed at issue, and each
    row says which bill it is of. `watches` take note of how accounts differ from those that a model
    was trained on."""

    as_of: date
    scorers: Mapping[str, Scorer]
    facts: Mapping[str, Fact]
    columns: Sequence[str]
    more: Sequence[str]
    of_bills: bool
    watches: Mapping[str, Watch]

    def unwatched(self) -> Scoring:
        """The same, with watches that have seen no account yet."""
        return replace(self, watches={k: watch.anew() for k, watch in self.watches.items()})

    def passes(self, ranges: Sequence[tuple[int, int]]) -> list[Pass]:
        """What is gone through for ranges of accounts, in the order of the rows written."""
        kinds = sorted({scorer.at_issue for scorer in self.scorers.values()})
        return [Pass(first, last, of_bills) for first, last in ranges for of_bills in kinds]


@dataclass(frozen=True)
class Pass:
    """A range of accounts, first and last included, and whether it is their bills of the date that
    are scored, or the accounts."""

    first: int
    last: int
    of_bills: bool


@dataclass(frozen=True)
class ScoredPass:
    """The probabilities of a pass in the order of account ids, how many rows each model has scored,
    and watches that have seen these accounts and no others."""

    rows: pa.Table
    counts: Mapping[str, int]
    watches: Mapping[str, Watch]


class ScoringPass(Job):
    """A job that goes through one range of accounts from the rows of a ledger, into `scored`."""

    scored: ScoredPass

    def __init__(self, source: Session | LedgerInEngine, scoring: Scoring) -> None:
        super().__init__(None)
        self.source, self.scoring = source, scoring.unwatched()
        self.counts = dict.fromkeys(scoring.scorers, 0)

    @classmethod
    def stages(cls) -> tuple[Stage, ...]:
        """The stages from a ledger to probabilities, each of which takes the pass."""
        return FACTS.by(cls.facts), SCORE.by(cls.score)

    def facts(self, looked_at: Pass) -> None:
        source, scoring = self.source, self.scoring
        ledger = source.ledger
        snapshots = as_of_snapshots(
            scoring.as_of,
            looked_at.first,
            looked_at.last,
            listed=ledger.listed,
            dated=ledger.dated,
        )
        if looked_at.of_bills:
            snapshots = at_issue_snapshots(snapshots)
        scorers_of_look = [
            scorer for scorer in scoring.scorers.values() if scorer.at_issue is looked_at.of_bills
        ]
        relations = facts(
            ledger,
            source.catalogue,
            source.scale,
            frozenset(scoring.more).union(*(scorer.reads for scorer in scorers_of_look)),
            snapshots,
            focus=looked_at.of_bills,
        )
        build(source.engine, relations)

    def score(self, looked_at: Pass) -> None:
        """Score the accounts, or their bills."""
        engine = self.source.engine
        rows = engine.arrow(self._scored(engine, looked_at.of_bills))
        self.scored = ScoredPass(rows, self.counts, self.scoring.watches)

    def _scored(self, engine: Engine, of_bills: bool) -> str:
        """Score `facts` with the models that look at bills, or at accounts; a select of its rows
        with every model's columns, and the bill's id where a model is observed at issue."""
        scoring, score_columns, score_joins = self.scoring, "", ""
        if scoring.of_bills:
            score_columns = (
                f", {'f.focus_bill' if of_bills else 'cast(null as varchar)'} as bill_id"
            )
        for scored_model, applied in scoring.scorers.items():
            probability = f"cast(null as {PROBABILITY})"
            if applied.at_issue is of_bills:
                looks = replace(applied, population=applied.of_bills or applied.population)
                scores_table = score(
                    engine, scored_model, looks, scoring.facts, scoring.watches[scored_model]
                )
                self.counts[scored_model] += engine.value(f"select count(*) from {scores_table}")
                score_joins += f" left join {scores_table} on {scores_table}.snap = f.snap"
                probability = f"{scores_table}.p"
            score_columns += f", {probability} as {quoted('p_' + scored_model)}"
            score_columns += (
                f", {literal(applied.model.version)} as {quoted('version_' + scored_model)}"
            )
        score_columns += "".join(
            f", f.{fact_column(name)} as {quoted(name)}" for name in scoring.more
        )
        columns = ", ".join(map(quoted, scoring.columns))
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
