"""What every use case that asks about segments does first: gather the accounts of many days."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from riskseg.domain.decision import NAMES
from riskseg.domain.facts import folded
from riskseg.domain.problems import ProblemsError, problem
from riskseg.domain.relations import Relation
from riskseg.insight.insight import Insight
from riskseg.insight.portfolio import READ, CohortKind, DecidedDay, Portfolio
from riskseg.insight.portfolio_tables import TABLES
from riskseg.insight.portfolio_tables.receivables import account_days
from riskseg.insight.portfolio_tables.table import PortfolioTable
from riskseg.ledger.accounts import account_rows
from riskseg.pipeline.account_file import outcome_columns
from riskseg.pipeline.asked import Asked
from riskseg.pipeline.contracts import build
from riskseg.pipeline.decision_columns import decision_select
from riskseg.pipeline.decisions import (
    DECIDE,
    FACTS,
    Decider,
    decide_scored,
    prepare,
)
from riskseg.pipeline.facts import ALWAYS, OVERDUE
from riskseg.pipeline.facts_of_day import have_facts, have_scores
from riskseg.pipeline.feed_checks import source_notes
from riskseg.pipeline.feed_notes import MONEY
from riskseg.pipeline.hindsight import hindsight
from riskseg.pipeline.kept_decisions import decisions_of, whole_runs
from riskseg.pipeline.open_journal import read_journal
from riskseg.pipeline.session import LOAD, Session, begin, scratch_engine
from riskseg.pipeline.stages import ForEach, Job, Plan, Progress, Stage
from riskseg.pipeline.strategy_in_force import strategy_in_force
from riskseg.results.insights.answer import with_months
from riskseg.rules.model import Strategy
from riskseg.sources.describe import fingerprints
from riskseg.store.records import RunRecord
from riskseg.workspace import Workspace

RUNS = Stage("runs", "the decisions of the journal's runs", weight=2)
GATHER = Stage("gather", "the accounts of every day in one table")

# As-of dates that are looked back on.
DAYS = 13


class GatheringJob(Job):
    """A job that has the accounts of several days as a :class:`Portfolio`."""

    session: Session
    portfolio: Portfolio
    anew: Sequence[tuple[date, tuple[int, int]]] = ()
    ranges: Sequence[tuple[int, int]] = ()

    def __init__(
        self,
        workspace: Workspace,
        insights: Iterable[Insight[Portfolio, Any]],
        asked: Asked,
        progress: Progress | None,
    ) -> None:
        super().__init__(progress)
        self.workspace, self.asked = workspace, asked
        self.reads_sources = any(table.is_of_accounts for table in _tables(workspace, insights))
        self.notes: list[str] = []
        self._decisions: dict[date, list[pa.Table]] = {}
        self._decided: dict[date, tuple[str | None, str]] = {}
        self._deciders: dict[date, Decider] = {}
        self._not_kept: set[date] = set()

    @classmethod
    def gathering(cls, workspace: Workspace, insights: Iterable[Insight[Portfolio, Any]]) -> Plan:
        """The stages from sources and journal to the portfolio, those that the insights need. Which
        days are decided anew is known once the runs are read."""
        needed = _tables(workspace, insights)
        anew = ForEach(
            "day that no run has decided, and partition",
            lambda job: job.anew,
            (FACTS.by(cls.facts), DECIDE.by(cls.decide)),
        )
        stages = tuple(table.stage.by(_adding(table)) for table in needed)
        return [
            LOAD.by(cls.load),
            RUNS.by(cls.read_runs),
            anew,
            GATHER.by(cls.gather),
            *([ForEach("partition", lambda job: job.ranges, stages)] if stages else []),
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
        until = self.asked.as_of
        self.runs = [
            r for r in self.journal.decided_runs() if r.as_of is not None and r.as_of <= until
        ]
        self.session = begin(self.workspace, self.engine)
        self.session.answers(self.asked.as_of)
        self.notes += source_notes(self.session, self.asked.as_of, lambda: self.runs)

    def read_runs(self) -> None:
        """The decisions of the journal's runs, and the days that have to be decided anew."""
        for run in self._looked_at():
            assert run.as_of is not None
            decisions = decisions_of(
                self.workspace, run, self.journal, self.progress, unread={*NAMES} - {*READ}
            )
            if decisions is None:
                self._not_kept.add(run.as_of)
                again = ": it was decided for this answer" if run.as_of in self.asked.days else ""
                self.notes.append(
                    f"The decisions of {run.as_of} (run {run.run_id}) are not kept in this "
                    f"workspace{again}."
                )
                continue
            self._decisions[run.as_of] = [decisions]
            self._decided[run.as_of] = (run.run_id, run.strategy or "")
        days = sorted(self.asked.days - set(self._decisions))
        self.anew = [(day, accounts) for day in days for accounts in self.session.partitions()]

    def _looked_at(self) -> list[RunRecord]:
        """The runs of the journal whose decisions are looked at."""
        found = whole_runs(self.runs, self.asked.as_of, DAYS)
        if (compare := self.asked.compare) is not None:
            found += [r for r in whole_runs(self.runs, compare, 1) if r.as_of == compare]
        return found

    def facts(self, item: tuple[date, tuple[int, int]]) -> None:
        day, accounts = item
        if day not in self._deciders:
            self._deciders[day] = self._decider(day)
        by = self._deciders[day]
        read = by.read_by_rules.union(ALWAYS, OVERDUE)
        have_facts(self.session, by.wanted, day, accounts, read)

    def _decider(self, day: date) -> Decider:
        ready = self._ready(day)
        self.notes += ready.unscored_notes()
        self._decided[day] = (None, ready.strategy.fingerprint)
        return ready

    def _note_days_anew(self) -> None:
        """Say which days were decided for this answer, and which models knew what came after."""
        days = sorted(self._deciders)
        without = [day for day in days if day not in self._not_kept]
        if len(without) == 1:
            self.notes.append(f"No run decided {without[0]}: it was decided for this answer.")
        elif without:
            self.notes.append(
                f"No run decided {len(without)} days from {without[0]} to {without[-1]}: they were "
                "decided for this answer."
            )
        days_of: dict[tuple[str, str], list[date]] = {}
        for day in days:
            for key, scorer in self._deciders[day].scorers.items():
                days_of.setdefault((key, scorer.model.version), []).append(day)
        for (key, _), days_asked in days_of.items():
            model = self._deciders[days_asked[0]].scorers[key].model
            if warning := hindsight(model, *days_asked):
                self.notes.append(f"{key}: {warning}")

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
        day, accounts = item
        ready = self._deciders[day]
        scores = have_scores(self.session, ready.wanted, ready.scorers, ready.facts, day, accounts)
        decide_scored(self.engine, ready, scores)
        self._decisions.setdefault(day, []).append(self.engine.arrow(decision_select(ready)))

    def _note_other_sources(self) -> None:
        """Say where the run of the as-of date read other bills or payments than the ledger that
        this answer is worked out from. Those of earlier days read what there was then."""
        run_id, _ = self._decided[self.asked.as_of]
        run = next((run for run in self.runs if run.run_id == run_id), None)
        if run is None or not self.reads_sources:
            return
        now = fingerprints(self.engine, self.workspace)
        changed = [table for table in MONEY if run.sources.get(table, "") != now.get(table, "")]
        if changed:
            self.notes.append(
                f"The run of {run.as_of} ({run.run_id}) read other {' and '.join(changed)} than "
                "there are now: segments and overdue balances are those of the run, and all else "
                "is worked out from the sources as they are now."
            )

    def gather(self) -> None:
        self._note_days_anew()
        self._note_other_sources()
        settings, days = self.workspace.settings, sorted(self._decisions)
        of, of_default = self._as_decided_last()
        self.portfolio = portfolio = Portfolio(
            self.engine,
            currency=settings.currency,
            scale=settings.scale,
            sources=frozenset(self.session.ledger.sources),
            of=of,
            of_default=of_default,
            specs=self._specs,
        )
        portfolio.runs = self.runs
        portfolio.models = self._models
        portfolio.strategy = self._strategy_then
        self._find_parties(days)
        for day in days:
            decisions = pa.concat_tables(self._decisions.pop(day))
            run, strategy = self._decided[day]
            portfolio.add(
                DecidedDay(day, run, strategy, decisions.num_rows),
                decisions,
                dated=self.session.ledger.dated,
            )
        portfolio.complete()
        earlier = [day for day in days if day < self.asked.as_of]
        portfolio.compare = self.asked.compare or (earlier[-1] if earlier else None)
        self._describe()
        self.ranges = self.session.partitions()

    def _find_parties(self, days: list[date]) -> None:
        """Make `parties`, which :meth:`Portfolio.add` reads."""
        ledger = self.session.ledger
        # Without dates an account is the same party's on every day.
        looked_at = days if ledger.dated else days[-1:]
        build(
            self.engine,
            [
                account_days(looked_at, 1, ledger.accounts),
                account_rows([], dated=ledger.dated),
                Relation("parties", _PARTIES, materialized=True),
            ],
        )

    def _describe(self) -> None:
        """The facts that accounts have, and those of them that treatment is compared by."""
        session, portfolio = self.session, self.portfolio
        names = [
            *session.catalogue.available(),
            *(name for name in session.ledger.attributes if name in session.facts),
        ]
        outcomes = {*map(folded, outcome_columns(self.workspace)), *session.ledger.outcomes}
        portfolio.outcomes = tuple(name for name in names if name in outcomes)
        portfolio.facts = {
            name: session.facts[name]
            for name in names
            if name in session.facts and name not in outcomes
        }
        portfolio.used, portfolio.legal_frame = self._used, self.workspace.settings.fairness_frame
        for name, kind in self._compared:
            if name in portfolio.facts:
                portfolio.cohorts.setdefault(name, set()).add(kind)
        for name, fact in portfolio.facts.items():
            if fact.protected:
                portfolio.cohorts.setdefault(name, set()).add("protected")

    def _as_decided_last(self) -> tuple[str | None, bool]:
        """Take note of the strategy of the as-of date. Returns the name, in decisions, of the
        probability that is shown: that of a default if the strategy uses one, else that of its
        first band; and whether it is that of a default."""
        as_of = self.asked.as_of
        ready = self._deciders[as_of] if as_of in self._deciders else self._ready(as_of)
        strategy = ready.strategy
        self._strategy_then = strategy
        self._models = {key: scorer.model for key, scorer in ready.scorers.items()}
        specs = {key: scorer.model.manifest.spec for key, scorer in ready.scorers.items()}
        self._specs = {key: spec.asked for key, spec in specs.items()}
        self._used = ready.wanted
        protective = (*strategy.protective, *strategy.special_category)
        self._compared: list[tuple[str, CohortKind]] = [(name, "protective") for name in protective]
        for spec in specs.values():
            self._compared += [(name, "named") for name in spec.fairness.by]
            self._compared += [(name, "protected") for name in spec.fairness.protected]
        of_default = [key for key, spec in specs.items() if spec.target.event == "default"]
        return (of_default[0], True) if of_default else (ready.of, False)


_PARTIES = """
        select i.account_id, s.as_of as day, r.party_id
        from account_rows r
        join snapshots s on s.snap = r.snap
        join account_ids i on i.account_no = s.account_no
        """


def why_unanswered(insight: Insight[Portfolio, Any], portfolio: Portfolio) -> ProblemsError | None:
    """Why a question cannot be answered of this portfolio; None where it can."""
    if insight.needs_earlier_day and portfolio.compare is None:
        return problem(
            "RS643",
            f"No decisions of an earlier day than {portfolio.as_of} are kept in this workspace.",
            hint=f"`--compare DAY` decides an earlier day again. "
            f"{with_months(insight.name, portfolio.as_of)}",
        )
    needed = {source for name in insight.needs for source in TABLES[name].needs}
    if needed - portfolio.sources:
        lacks = "no payments" if portfolio.billed else "none"
        hint = (
            "A workspace of an account file alone has none by design: ask it `size`, `profile`, "
            "`movement`, `coverage`, `drift` or `feeds`. Where there are bills, add a "
            "[source.bills] and a [source.payments]."
        )
        if portfolio.billed:
            hint = "Add a [source.payments] with the file or the table that holds them."
        return problem(
            "RS640",
            f"This question needs bills and payments, and this workspace has {lacks}.",
            file="riskseg.toml",
            hint=hint,
        )
    return None


def _tables(
    workspace: Workspace, insights: Iterable[Insight[Portfolio, Any]]
) -> list[PortfolioTable]:
    """The tables that insights need, less those that this workspace has no sources for."""
    names = dict.fromkeys(
        name for insight in insights for name in (*insight.needs, *insight.may_read)
    )
    return [
        TABLES[name] for name in names if workspace.settings.sources.keys() >= {*TABLES[name].needs}
    ]


def _adding(table: PortfolioTable) -> Callable[[GatheringJob, tuple[int, int]], None]:
    """What carries out a table's stage."""
    return lambda job, accounts: table.add(job.portfolio, job.session, accounts)
