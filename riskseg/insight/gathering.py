"""What every use case that asks about segments does first: gather the accounts of many days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from riskseg.domain.problems import ProblemsError, problem
from riskseg.insight.insight import Insight
from riskseg.insight.portfolio import DecidedDay, Portfolio
from riskseg.pipeline.decisions import (
    DECIDE,
    FACTS,
    Decider,
    decide_scored,
    decision_select,
    make_facts,
    prepare,
    score_facts,
)
from riskseg.pipeline.hindsight import hindsight
from riskseg.pipeline.kept_decisions import decisions_of, whole_runs
from riskseg.pipeline.open_journal import read_journal
from riskseg.pipeline.session import LOAD, Session, begin, scratch_engine
from riskseg.pipeline.stages import ForEach, Job, Plan, Progress, Stage
from riskseg.pipeline.strategy_in_force import strategy_in_force
from riskseg.rules.model import Strategy
from riskseg.store.journal import Journal
from riskseg.store.records import RunRecord
from riskseg.workspace import Workspace

RUNS = Stage("runs", "the decisions of the journal's runs", weight=2)
GATHER = Stage("gather", "the accounts of every day in one table")
RECEIVED = Stage("payments", "what accounts paid after each day")
PROFILE = Stage("profile", "every feature and attribute as of the date")

# As-of dates that are looked back on.
DAYS = 13


@dataclass(frozen=True)
class Asked:
    """What is asked about: the accounts as of a date; the day that movement is seen from, or None
    for the one before; and of how many past months the ends are decided anew."""

    as_of: date
    compare: date | None = None
    months: int = 0

    @property
    def days(self) -> set[date]:
        """The days that are wanted, whether a run of the journal decided them or not."""
        compared = [self.compare] if self.compare else []
        return {self.as_of, *compared, *month_ends(self.as_of, self.months)}

    def runs(self, journal: Journal) -> list[RunRecord]:
        """The runs of the journal whose decisions are looked at."""
        runs = journal.runs()
        found = whole_runs(runs, self.as_of, DAYS)
        if self.compare is not None:
            found += [r for r in whole_runs(runs, self.compare, 1) if r.as_of == self.compare]
        return found


class GatheringJob(Job):
    """A job that has the accounts of several days as a :class:`Portfolio`."""

    session: Session
    portfolio: Portfolio
    strategy_name: str
    anew: Sequence[tuple[date, tuple[int, int]]] = ()
    ranges: Sequence[tuple[int, int]] = ()

    def __init__(self, workspace: Workspace, asked: Asked, progress: Progress | None) -> None:
        super().__init__(progress)
        self.workspace, self.asked = workspace, asked
        self.notes: list[str] = []
        self._decisions: dict[date, list[pa.Table]] = {}
        self._decided: dict[date, tuple[str | None, str]] = {}
        self._deciders: dict[date, Decider] = {}

    @classmethod
    def gathering(
        cls, workspace: Workspace, asked: Asked, insights: Iterable[Insight[Portfolio, Any]]
    ) -> Plan:
        """The stages from sources and journal to the portfolio, those that the insights need."""
        insights = [*insights]
        with read_journal(workspace) as journal:
            days_anew = asked.days - {run.as_of for run in asked.runs(journal)}
        each_account = []
        if any(insight.needs_facts for insight in insights):
            each_account.append(PROFILE.by(cls.profile))
        if "bills" in workspace.settings.sources and any(i.needs_payments for i in insights):
            each_account.append(RECEIVED.by(cls.add_received))
        anew = ForEach(
            "day and partition",
            lambda job: job.anew,
            (FACTS.by(cls.facts), DECIDE.by(cls.decide)),
        )
        accounts = ForEach("partition", lambda job: job.ranges, tuple(each_account))
        return [
            LOAD.by(cls.load),
            RUNS.by(cls.read_runs),
            *([anew] if days_anew else []),
            GATHER.by(cls.gather),
            *([accounts] if each_account else []),
        ]

    def load(self) -> None:
        compare = self.asked.compare
        if compare is not None and compare > self.asked.as_of:
            raise problem(
                "RS643",
                f"{compare} is after {self.asked.as_of}: movement is seen from an earlier day.",
                hint="Give --compare a day that is not after --as-of.",
            )
        enter = self.opened.enter_context
        self.engine = enter(scratch_engine(self.workspace))
        self.journal = enter(read_journal(self.workspace))
        self.session = begin(self.workspace, self.engine)
        self.session.answers(self.asked.as_of)

    def read_runs(self) -> None:
        """The decisions of the journal's runs, and the days that have to be decided anew."""
        for run in self.asked.runs(self.journal):
            assert run.as_of is not None
            decisions = decisions_of(self.workspace, run)
            if decisions is None:
                self.notes.append(
                    f"The decisions of {run.as_of} (run {run.run_id}) are not kept any more."
                )
                continue
            self._decisions[run.as_of] = [decisions]
            self._decided[run.as_of] = (run.run_id, run.strategy or "")
        days = sorted(self.asked.days - set(self._decisions))
        self.anew = [(day, accounts) for day in days for accounts in self.session.partitions()]

    def facts(self, item: tuple[date, tuple[int, int]]) -> None:
        day, accounts = item
        if day not in self._deciders:
            self._deciders[day] = self._decider(day)
        make_facts(self.session, self._deciders[day].wanted, day, *accounts)

    def _decider(self, day: date) -> Decider:
        ready = self._ready(day)
        self._decided[day] = (None, ready.strategy.fingerprint)
        self.notes.append(f"No run decided {day}: it was decided for this answer.")
        for key, scorer in ready.scorers.items():
            if warning := hindsight(scorer.model, day):
                self.notes.append(f"{key}: {warning}")
        return ready

    def _ready(self, day: date) -> Decider:
        strategy = self._strategy(day)
        return prepare(self.session, strategy, day, self.journal, reasons="none")

    def _strategy(self, day: date) -> Strategy:
        """The strategy in force on a day; where none was, that of the as-of date."""
        progress = self.progress
        try:
            force = strategy_in_force(
                self.session, day, self.journal, draft=False, progress=progress
            )
        except ProblemsError:
            if day == self.asked.as_of:
                raise
            force = strategy_in_force(
                self.session, self.asked.as_of, self.journal, draft=False, progress=progress
            )
            self.notes.append(f"No strategy was in force on {day}: that of the as-of date is used.")
        return force.strategy

    def decide(self, item: tuple[date, tuple[int, int]]) -> None:
        day, _ = item
        ready = self._deciders[day]
        decide_scored(self.engine, ready, score_facts(self.engine, ready))
        self._decisions.setdefault(day, []).append(self.engine.arrow(decision_select(ready)))

    def gather(self) -> None:
        settings, days = self.workspace.settings, sorted(self._decisions)
        of, of_default = self._as_decided_last()
        self.portfolio = portfolio = Portfolio(
            self.engine,
            currency=settings.currency,
            scale=settings.scale,
            billed=self.session.ledger.billed,
            of=of,
            of_default=of_default,
        )
        portfolio.actions = self._actions
        for day in days:
            decisions = pa.concat_tables(self._decisions.pop(day))
            run, strategy = self._decided[day]
            portfolio.add(DecidedDay(day, run, strategy, decisions.num_rows), decisions)
        portfolio.complete()
        earlier = [day for day in days if day < self.asked.as_of]
        portfolio.compare = self.asked.compare or (earlier[-1] if earlier else None)

        self.ranges = self.session.partitions()

    def profile(self, accounts: tuple[int, int]) -> None:
        """Add the facts of a range of accounts to the table `profiled`."""
        session, portfolio = self.session, self.portfolio
        names = [
            *session.catalogue.available(),
            *(name for name in session.ledger.attributes if name in session.facts),
        ]
        portfolio.facts = {name: session.facts[name] for name in names if name in session.facts}
        protected = (name for name, fact in portfolio.facts.items() if fact.protected)
        wanted = dict.fromkeys((*self._compared, *protected))
        portfolio.cohorts = [name for name in wanted if name in portfolio.facts]
        make_facts(session, portfolio.facts, portfolio.as_of, *accounts)
        portfolio.add_facts()

    def add_received(self, accounts: tuple[int, int]) -> None:
        """Add what the accounts of a range paid."""
        self.portfolio.add_received(self.session.ledger, *accounts)

    def _as_decided_last(self) -> tuple[str | None, bool]:
        """Take note of the strategy of the as-of date. Returns the name, in decisions, of the
        probability that is shown: that of a default if the strategy uses one, else that of its
        first band; and whether it is that of a default."""
        as_of = self.asked.as_of
        ready = self._deciders[as_of] if as_of in self._deciders else self._ready(as_of)
        strategy = ready.strategy
        self.strategy_name, self._actions = strategy.name, strategy.actions
        specs = {key: scorer.model.manifest.spec for key, scorer in ready.scorers.items()}
        self._compared = [*strategy.protective, *strategy.special_category]
        for spec in specs.values():
            self._compared += [*spec.fairness.by, *spec.fairness.protected]
        of_default = [key for key, spec in specs.items() if spec.target.event == "default"]
        return (of_default[0], True) if of_default else (ready.of, False)


def month_ends(until: date, count: int) -> list[date]:
    """The last days of the last `count` whole months before a day, the earliest first."""
    found = []
    first = until.replace(day=1)
    for _ in range(count):
        last = first - timedelta(days=1)
        found.append(last)
        first = last.replace(day=1)
    return found[::-1]
