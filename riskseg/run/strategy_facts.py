"""`strategy facts`: the table of facts that an exported query reads, of a workspace's accounts as
of a day. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from riskseg.domain.problems import Problems
from riskseg.domain.relations import fact_column, quoted
from riskseg.pipeline.decisions import FACTS, SCORE, prepare, put_scored
from riskseg.pipeline.facts_of_day import have_facts, have_scores
from riskseg.pipeline.feed_checks import check_feeds
from riskseg.pipeline.open_journal import read_journal
from riskseg.pipeline.outputs import check_target
from riskseg.pipeline.session import Session
from riskseg.pipeline.stages import ForEach, Plan, Progress, Stage
from riskseg.pipeline.strategy_versions import VersionsJob, checking
from riskseg.results.strategy_export import FactTable
from riskseg.store import sinks
from riskseg.store.sinks import Dated, InMemory
from riskseg.strategy.described import version_of
from riskseg.strategy.warehouse.period import period_of
from riskseg.strategy.warehouse.query import Query

if TYPE_CHECKING:
    import pyarrow as pa

PREPARE = Stage("models", "load the champions of the strategy's models")
WRITE = Stage("write", "the facts beside their place, then in it")


class _Facts(VersionsJob):
    """What a run of `strategy facts` holds while it is carried out."""

    as_of: date
    target: str | InMemory
    accept_feeds: bool
    ranges: Sequence[tuple[int, int]] = ()
    schema: pa.Schema

    @property
    def needs_data(self) -> bool:
        return True

    def check_target(self) -> None:
        """Raises RS010 where the table cannot be written."""
        problems = Problems()
        if isinstance(self.target, str) and self.workspace is not None:
            check_target(self.workspace, self.target, problems)
        problems.raise_if_any()

    def prepare(self) -> None:
        """Raises RS602 for a date before anything is known, RS210 for one on which the strategy
        does not hold, RS401 for a model never trained and RS650 for a feed."""
        assert isinstance(self.source, Session)
        self.session, strategy = self.source, self.editions[0].strategy
        self.query = Query.of(strategy, period_of(strategy, self.as_of))
        self.accepted = check_feeds(
            self.session, self.as_of, accept=self.accept_feeds, progress=self.progress
        )
        with read_journal(self.session.workspace) as journal:
            self.decider = prepare(self.session, strategy, self.as_of, journal, reasons="none")
        for note in self.decider.unscored_notes():
            self.progress.warn(note)
        self.ranges = self.session.partitions()

    def facts(self, accounts: tuple[int, int]) -> None:
        by = self.decider
        have_facts(self.session, by.wanted, self.as_of, accounts, by.read_by_rules)

    def score(self, accounts: tuple[int, int]) -> Iterator[pa.RecordBatch]:
        """The facts of the accounts of a range, in the order of account ids."""
        by, engine = self.decider, self.session.engine
        scores = have_scores(self.session, by.wanted, by.scorers, by.facts, self.as_of, accounts)
        put_scored(engine, by, scores)
        columns = "".join(
            f", s.{'as_of' if fact == 'as_of' else fact_column(fact)} as {quoted(column)}"
            for fact, column in self.query.facts.items()
        )
        rows = engine.batches(
            f"""
            select i.account_id{columns}
            from scored s
            join account_ids i on i.account_no = s.account_no
            order by s.account_no
            """
        )
        self.schema = rows.schema
        yield from rows

    def write(self, rows: Iterator[pa.RecordBatch]) -> None:
        strategy = self.editions[0].strategy
        first = list(islice(rows, 1))  # their schema is known once the first of them are
        written = sinks.write(
            self.target,
            self.schema,
            chain(first, rows),
            token=f"facts-{self.as_of}",
            dated=Dated(self.as_of, ("account_id",)),
        )
        self.done = FactTable(
            place=written.place,
            rows=written.rows,
            sha256=written.sha256,
            as_of=self.as_of,
            strategy=version_of(strategy),
            columns=tuple(self.schema.names),
            models=self.decider.versions,
            accepted_feeds=self.accepted,
        )
        self.done.holding(self.target)


def plan() -> Plan:
    """What `strategy facts` carries out."""
    per_range = (FACTS.by(_Facts.facts), SCORE.by(_Facts.score))
    return [
        *checking(_Facts, data=True),
        PREPARE.by(_Facts.prepare),
        ForEach("partition", lambda job: job.ranges, per_range, into=WRITE.by(_Facts.write)),
    ]


def facts(
    root: Path,
    name: str | None,
    as_of: date,
    target: str | InMemory,
    *,
    here: Path | None = None,
    accept_feeds: bool = False,
    progress: Progress | None = None,
) -> FactTable:
    """Write the facts that the exported query of a strategy reads, a row an account as of a day:
    of accounts, probabilities, how they were treated and what calendars say.

    The strategy is found and checked as by :func:`riskseg.run.strategy.check`. Raises RS210 where
    it does not hold on the day, RS401 and RS410 for models, RS602 for a date before anything is
    known, and RS650 for sources that are not as expected, unless it is to `accept_feeds`.
    """
    job = _Facts(root, [name], here or Path.cwd(), progress=progress)
    job.as_of, job.target, job.accept_feeds = as_of, target, accept_feeds
    job.check_target()
    job.carry_out(plan())
    return job.done
