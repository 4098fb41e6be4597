"""A workspace: begun, opened, and what can be done in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import get_args

from riskseg import run as use_cases
from riskseg.api.arguments import (
    Day,
    Place,
    day,
    day_or_none,
    measured,
    moment,
    path_or_none,
    person,
    progress,
    target,
)
from riskseg.api.models import Models
from riskseg.api.strategy import Strategy
from riskseg.api.treatment import Treatment
from riskseg.domain.problems import Problems, ProblemsError
from riskseg.pipeline.asked import Asked
from riskseg.pipeline.decisions import Reasons
from riskseg.pipeline.selection import Selection
from riskseg.results.ageing import Ageing
from riskseg.results.contract import DataContract
from riskseg.results.insights.report import SegmentReport
from riskseg.results.insights.result import InsightResult
from riskseg.results.journal import Erasure, JournalEntries, JournalMove, Pruning
from riskseg.results.models import Training
from riskseg.results.replay import Replay
from riskseg.results.runs import Decisions, Explanation, Scores
from riskseg.results.workspace import Check, FactList, NewWorkspace, Portfolio
from riskseg.workspace import find, open_workspace


def init(
    folder: Place, strategy: str | None = None, *, source: Place | None = None
) -> NewWorkspace:
    """Make a new workspace in a folder, with specs and a starter strategy.

    With `source`, a folder of files or one file, the mapping is proposed from what is there; what
    is not sure is marked in riskseg.toml, and `check` lists it.
    """
    if source is None:
        return use_cases.init.init(Path(folder), strategy or use_cases.init.STARTER)
    use_cases.init.check_new(Path(folder))
    matching = use_cases.match.match(Path(folder), str(source), strategy=strategy)
    new = use_cases.init.init(Path(folder), matching.strategy, toml=matching.toml)
    return new.model_copy(update={"layout": matching.layout, "matched": matching.tables})


def generate(
    folder: Place,
    *,
    accounts: int = 20_000,
    months: int = 24,
    seed: int = 7,
    until: Day = "2026-06-30",
) -> Portfolio:
    """Write a synthetic billing history with its truth to a new or empty folder."""
    return use_cases.generate.generate(
        Path(folder),
        accounts=accounts,
        months=months,
        seed=seed,
        until=day(until),
        progress=progress(),
    )


def open(folder: Place | None = None) -> Workspace:
    """Open the workspace in a folder; without one, the nearest upward from where you are.

    Raises RS001 where there is none. The workspace is read anew by every call of a method.
    """
    root = find(Path.cwd()) if folder is None else Path(folder).resolve()
    problems = Problems()
    open_workspace(root, problems)
    # What else is wrong is for `check` to say.
    no_workspace = [problem_found for problem_found in problems if problem_found.code == "RS001"]
    if no_workspace:
        raise ProblemsError(no_workspace)
    return Workspace(root)


class Workspace(Treatment):
    """A workspace. An as-of date is a `date` or text such as "2026-06-30"; `at`, the time that the
    journal keeps, is now unless it is given; `by` is you unless somebody is named."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __repr__(self) -> str:
        return f'riskseg.open("{self.root}")'

    @property
    def models(self) -> Models:
        """The trained versions of its models."""
        return Models(self.root)

    def strategy(self, name: str | None = None) -> Strategy:
        """Its strategy; or the one in a folder, or the version in the journal, that is named."""
        return Strategy(self.root, name, self.root)

    def check(self, *, reread: bool = False) -> Check:
        """Check the data contract, the specs and the strategy. Writes nothing, raises no Problem:
        `problems` holds all that were found. With `reread`, sources in databases are read as a
        whole, and not only what was added or changed."""
        return use_cases.check.check(self.root, reread=reread, progress=progress())

    def contract(
        self, out: Place | None = None, *, name: str | None = None, version: str = "1.0.0"
    ) -> DataContract:
        """The data contract of the sources (ODCS), also as a .yaml file where `out` names one."""
        return use_cases.contract.contract(self.root, path_or_none(out), name=name, version=version)

    def features(self) -> FactList:
        """Every fact that a rule may name here, and the features that lack a source."""
        return use_cases.features.features(self.root)

    def train(
        self,
        *models: str,
        as_of: Day | None = None,
        only: str | None = None,
        promote: bool = False,
        accept_feeds: bool = False,
        spark: str | None = None,
        at: datetime | None = None,
        metrics: Place | None = None,
    ) -> Training:
        """Train the models that are named, or all; with `as_of`, from what was known by that day.

        `only` names one learner of the spec. The first version of a model becomes the champion,
        unless it ranks barely better than chance; a later one where `promote` is set. `spark` is
        the master of a Spark cluster whose executors work out the rows that models learn from.
        `accept_feeds` and `metrics` are as in `assign`.
        """
        on = day_or_none(as_of, self.root)
        return measured(
            "train",
            self.root,
            metrics,
            lambda shown: use_cases.train.train(
                self.root,
                models,
                at=moment(at),
                only=only,
                as_of=on,
                promote=promote,
                accept_feeds=accept_feeds,
                spark=spark,
                progress=shown,
            ),
        )

    def score(
        self,
        *models: str,
        as_of: Day,
        out: Place | None = None,
        accounts_from: Place | None = None,
        accept_feeds: bool = False,
        columns: Sequence[str] = (),
        spark: str | None = None,
        at: datetime | None = None,
        metrics: Place | None = None,
    ) -> Scores:
        """A probability for each account and model that is named, or each trained model.

        The rows stay in memory, or are written to `out`. `accounts_from` is a file of accounts to
        read instead of the workspace's own. `accept_feeds`, `columns`, `spark` and `metrics` are
        as in `assign`.
        """
        on = day(as_of, self.root)
        return measured(
            "score",
            self.root,
            metrics,
            lambda shown: use_cases.score.score(
                self.root,
                on,
                target(out),
                names=models,
                accounts_from=path_or_none(accounts_from),
                accept_feeds=accept_feeds,
                selection=Selection.of(columns=columns),
                spark=spark,
                at=moment(at),
                progress=shown,
            ),
        )

    def assign(
        self,
        *,
        as_of: Day,
        out: Place | None = None,
        reasons: Reasons = "due",
        keep: bool = True,
        draft: bool = False,
        accounts_from: Place | None = None,
        accept_feeds: bool = False,
        columns: Sequence[str] = (),
        due: bool = False,
        actions: Sequence[str] = (),
        segments: Sequence[str] = (),
        spark: str | None = None,
        at: datetime | None = None,
        metrics: Place | None = None,
    ) -> Decisions:
        """Decide every account and journal the run.

        The decisions stay in memory, or are written to `out`: a file or a database's table.
        `reasons` are worked out for accounts with an action "due", for "all", or for "none". `keep`
        what replay needs. A `draft` is decided by the folder's strategy, whatever is in force. With
        `accept_feeds`, sources that are not as riskseg.toml expects them are used all the same.

        All accounts are decided. `due`, `actions` and `segments` say which of the decisions are
        given. `columns` are those to give, attributes of accounts and features too; where only
        these are named, they are added to the usual ones. `spark` is the master of a Spark cluster
        whose executors decide; it gives all of them.

        `metrics` is a file, .json, .prom or .txt, to which what the run measured is written for a
        monitoring system, also if it fails.
        """
        if reasons not in get_args(Reasons):
            raise ValueError(f"reasons is one of {', '.join(get_args(Reasons))}.")
        on = day(as_of, self.root)
        return measured(
            "assign",
            self.root,
            metrics,
            lambda shown: use_cases.assign.assign(
                self.root,
                on,
                target(out),
                at=moment(at),
                reasons=reasons,
                keep=keep,
                draft=draft,
                accounts_from=path_or_none(accounts_from),
                accept_feeds=accept_feeds,
                selection=Selection.of(
                    columns=columns, due=due, actions=actions, segments=segments
                ),
                spark=spark,
                progress=shown,
            ),
        )

    def ageing(
        self,
        *,
        as_of: Day,
        by: str | None = None,
        tie_to: Place | None = None,
        out: Place | None = None,
    ) -> Ageing:
        """What accounts owe by age, as it was known on a date, tied to the ledger.

        `by` is an attribute of accounts, `tie_to` a column of accounts or a file that has the
        source's own balances. The rows of the accounts stay in memory, or are written to `out`.
        """
        return use_cases.ageing.ageing(
            self.root,
            day(as_of, self.root),
            by=by,
            tie_to=None if tie_to is None else str(tie_to),
            here=Path.cwd(),
            target=target(out),
            progress=progress(),
        )

    def insight(
        self,
        question: str,
        *,
        as_of: Day,
        compare: Day | None = None,
        months: int = 0,
        out: Place | None = None,
    ) -> InsightResult:
        """A question about the segments, answered: `size` for one. The page on insights in the
        guide has all of them.

        The decisions are those of the journal's runs, and of the ends of the last `months` months;
        `compare` is the earlier day that movement is seen from. The first table of the answer stays
        in memory, or is written to `out`.
        """
        return use_cases.insight.insight(
            self.root,
            question,
            Asked(day(as_of, self.root), day_or_none(compare, self.root), months),
            target=None if out is None else target(out),
            progress=progress(),
        )

    def report(
        self,
        *,
        as_of: Day,
        compare: Day | None = None,
        months: int = 0,
        out: Place | None = None,
    ) -> SegmentReport:
        """Every question about the segments, answered; `out` is an .html page or an .xlsx workbook
        to write it to. Days are as for :meth:`insight`."""
        return use_cases.report.report(
            self.root,
            Asked(day(as_of, self.root), day_or_none(compare, self.root), months),
            out=path_or_none(out),
            progress=progress(),
        )

    def explain(
        self,
        account: str,
        *,
        as_of: Day | None = None,
        run: str | None = None,
        fresh: bool = False,
        draft: bool = False,
    ) -> Explanation:
        """One account's whole story: as the latest run of the date decided it, or the `run` that
        is named; with `fresh`, or where no run did, by the sources as they are now."""
        if as_of is None and run is None:
            raise ValueError("Give as_of or run.")
        if run is not None and (fresh or draft):
            raise ValueError("run shows what was decided: fresh and draft do not.")
        return use_cases.explain.explain(
            self.root,
            account,
            day_or_none(as_of, self.root),
            run=run,
            fresh=fresh,
            draft=draft,
            progress=progress(),
        )

    def replay(self, run: str = "last", *, from_source: bool = False) -> Replay:
        """Decide a journalled run again from what it kept, and compare; with `from_source`, say
        also what has changed at the source since. `run` is an id, or the beginning of one."""
        return use_cases.replay.replay(self.root, run, from_source=from_source, progress=progress())

    def journal(self, limit: int | None = None) -> JournalEntries:
        """Runs that decided accounts, and accounts that were erased: all, or the last so many."""
        return use_cases.retention.listed(self.root, limit=limit)

    def move_journal(
        self,
        to: str,
        *,
        schema: str | None = None,
        by: str | None = None,
        at: datetime | None = None,
    ) -> JournalMove:
        """Move the journal to a PostgreSQL database that machines share, or back into the file
        ".riskseg/journal.db". `settings` is what riskseg.toml has to say from then on."""
        return use_cases.journal_move.move(
            self.root, to, schema=schema, by=person(by), at=moment(at), progress=progress()
        )

    def prune(
        self, older_than: str, *, dry_run: bool = False, at: datetime | None = None
    ) -> Pruning:
        """Remove the inputs that runs of more than "90 days" or "24 months" before `at` have kept;
        a `dry_run` only counts them. The journal's entries stay."""
        return use_cases.retention.prune(self.root, older_than, at=moment(at), dry_run=dry_run)

    def erase(self, account: str, *, by: str | None = None, at: datetime | None = None) -> Erasure:
        """Take an account out of everything riskseg keeps. What runs wrote elsewhere stays;
        `problems` names the runs that could not be searched."""
        return use_cases.retention.erase(self.root, account, by=person(by), at=moment(at))
