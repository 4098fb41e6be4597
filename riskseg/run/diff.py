"""`strategy diff`: what is different between two versions of a strategy. Reads only.

Which rows changed comes from the files (`strategy/changes.py`). Who moves comes from deciding
every account twice, from the very same facts and probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from riskseg.domain.problems import Problems, problem
from riskseg.insight.decided_twice import DECIDE, DecidedTwice
from riskseg.insight.insight import insights_about
from riskseg.insight.migration import MIGRATION, movers
from riskseg.pipeline.fact_source import is_from_data
from riskseg.pipeline.outputs import check_target
from riskseg.pipeline.proving import SECONDS, usual, warranted
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import ForEach, Plan, Progress, Stage
from riskseg.pipeline.strategy_versions import InForceOn, VersionsJob, checking
from riskseg.results.strategy_difference import (
    AccountMigration,
    ChangeInMeaning,
    ComparedVersion,
    InsightAnswer,
    MoverRows,
    RuleChange,
    StrategyDifference,
)
from riskseg.rules.model import Strategy
from riskseg.store import sinks
from riskseg.store.sinks import InMemory
from riskseg.strategy.changes import changes
from riskseg.strategy.proof.ask import Asker
from riskseg.strategy.proof.difference import meaning

READ = Stage("read", "read and check both strategies, compare their rows")
MEAN = Stage("mean", "ask for an account that gets another segment, path or action")
PREPARE = Stage("models", "load the champions of both strategies' models")
ANSWER = Stage("insights", "who moves, and what else is asked of accounts decided by both")


class _Comparing(VersionsJob):
    """What a run of `strategy diff` holds while it is carried out."""

    ranges: Sequence[tuple[int, int]] = ()
    seconds: float
    as_of: date | None
    moves: AccountMigration | None = None
    target: str | InMemory | None = None
    movers: MoverRows | None = None
    insights: tuple[InsightAnswer, ...] = ()

    @property
    def needs_data(self) -> bool:
        return self.as_of is not None

    def check_target(self) -> None:
        """Raises RS010 where the accounts that move cannot be written."""
        problems = Problems()
        if isinstance(self.target, str) and self.workspace is not None:
            check_target(self.workspace, self.target, problems)
        problems.raise_if_any()

    def compare_meaning(self) -> None:
        old, new = self.strategies = tuple(edition.strategy for edition in self.editions)
        granted = warranted(self.source, self.strategies)
        self.meaning = meaning(old, new, granted, Asker(self.seconds, usual(new)))

    def prepare(self) -> None:
        assert isinstance(self.source, Session) and self.as_of is not None
        old, new = self.strategies
        self.decided = DecidedTwice(self.source, (old, new), self.as_of)
        self.ranges = self.source.partitions()

    def decide(self, accounts: tuple[int, int]) -> None:
        self.decided.add(*accounts)

    def answer(self) -> None:
        """Who moves has a field of its own in the result; every other insight is in one list."""
        self.moves = MIGRATION.answer(self.decided)
        self.insights = tuple(
            InsightAnswer(
                name=insight.name, question=insight.question, answer=insight.answer(self.decided)
            )
            for insight in insights_about(self.decided)
            if insight is not MIGRATION
        )
        if self.target is not None:
            batches = self.decided.engine.batches(movers(self.decided))
            written = sinks.write(self.target, batches.schema, batches, token="diff")
            self.movers = MoverRows(place=written.place, rows=written.rows, sha256=written.sha256)
            self.movers.holding(self.target)


def plan(
    root: Path | None,
    old: str | None = None,
    new: str | None = None,
    *,
    here: Path,
    on: date | None = None,
    data: bool = True,
    accounts: bool = True,
) -> Plan:
    """What `strategy diff` carries out; with `data`, a workspace's are loaded, and with `accounts`
    decided as of a date. Raises RS230 for a version that cannot be found."""
    job = _Comparing(root, [InForceOn(on) if old is None else old, new], here, data=data)
    return _stages(data=job.data, accounts=accounts)


def _stages(*, data: bool, accounts: bool) -> Plan:
    decide = ForEach("partition", lambda job: job.ranges, (DECIDE.by(_Comparing.decide),))
    stages: Plan = checking(_Comparing, data=data, read=READ)
    decided: Plan = (
        [PREPARE.by(_Comparing.prepare), decide, ANSWER.by(_Comparing.answer)] if accounts else []
    )
    return [*stages, MEAN.by(_Comparing.compare_meaning), *decided]


def diff(
    root: Path | None,
    old: str | None = None,
    new: str | None = None,
    *,
    here: Path,
    as_of: date | None = None,
    on: date | None = None,
    out: str | InMemory | None = None,
    data: bool = True,
    seconds: float = SECONDS,
    progress: Progress | None = None,
) -> StrategyDifference:
    """Compare two versions (see :mod:`riskseg.pipeline.strategy_versions`); without `new`, the old
    one with the workspace's own; without `old`, the one that is in force as of the date, or else
    `on` a day. `out` is where a row goes for each account that moves. Without a workspace
    (`root`) or `data` the facts are those that are declared, and no accounts could move.

    Raises the Problems of both together, RS230 for a version that cannot be found, RS605 where
    none is in force, and RS602 for
    a date without data.
    """
    if as_of is not None and (root is None or not data):
        message = "Movements as of a date need accounts, and there are none here."
        hint = "Leave --as-of out, or name a workspace with its data."
        raise problem("RS602", message, hint=hint)
    in_force = InForceOn(as_of or on)
    job = _Comparing(
        root, [in_force if old is None else old, new], here, data=data, progress=progress
    )
    job.as_of, job.seconds, job.target = as_of, seconds, out
    job.check_target()
    job.carry_out(_stages(data=job.data, accounts=as_of is not None))
    was, is_ = job.editions
    return StrategyDifference(
        old=_version(was.strategy),
        new=_version(is_.strategy),
        changes=tuple(map(RuleChange.model_validate, changes(was, is_))),
        meaning=ChangeInMeaning.model_validate(job.meaning),
        moves=job.moves,
        movers=job.movers,
        insights=job.insights,
        from_data=is_from_data(job.source),
    )


def _version(strategy: Strategy) -> ComparedVersion:
    return ComparedVersion(
        name=strategy.name, fingerprint=strategy.fingerprint, where=strategy.folder
    )
