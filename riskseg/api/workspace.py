"""A workspace, its models and its strategy, or a strategy by itself."""

from __future__ import annotations

import getpass
import logging
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import get_args

from riskseg.domain.problems import Problems, ProblemsError
from riskseg.domain.words import is_one_line
from riskseg.pipeline.decisions import Reasons
from riskseg.pipeline.proving import SECONDS
from riskseg.pipeline.stages import Progress
from riskseg.pipeline.strategy_versions import found
from riskseg.results.models import Comparison, ModelSummary, ModelVersions, Promotion, Training
from riskseg.results.runs import Decisions, Explanation, Scores
from riskseg.results.strategies import StrategyCheck, StrategyProof, StrategyShown, StrategyTest
from riskseg.results.workspace import Check
from riskseg.run import assign as run_assign
from riskseg.run import check as run_check
from riskseg.run import compare as run_compare
from riskseg.run import explain as run_explain
from riskseg.run import models as run_models
from riskseg.run import prove as run_prove
from riskseg.run import rules as run_rules
from riskseg.run import score as run_score
from riskseg.run import train as run_train
from riskseg.store.sinks import InMemory
from riskseg.workspace import find, open_workspace

Day = date | str
Place = str | os.PathLike[str]

_log = logging.getLogger("riskseg")


def open(folder: Place | None = None) -> Workspace:
    """Open the workspace in a folder; without one, the nearest upward from where you are.

    Raises RS001 where there is none. The workspace is read anew by every call of a method.
    """
    root = find(Path.cwd()) if folder is None else Path(folder).resolve()
    problems = Problems()
    open_workspace(root, problems)
    # What else is wrong is for `check` to say.
    missing = [p for p in problems if p.code == "RS001"]
    if missing:
        raise ProblemsError(missing)
    return Workspace(root)


class Workspace:
    """A workspace. An as-of date is a `date` or text such as "2026-06-30"; `at`, the time that the
    journal keeps, is now unless it is given."""

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

    def check(self) -> Check:
        """Check the data contract, the specs and the strategy. Writes nothing, raises no Problem:
        `problems` holds all that were found."""
        return run_check.check(self.root, progress=_progress())

    def train(
        self,
        *models: str,
        as_of: Day | None = None,
        only: str | None = None,
        promote: bool = False,
        at: datetime | None = None,
    ) -> Training:
        """Train the models that are named, or all; with `as_of`, from what was known by that day.

        `only` names one learner of the spec. The first version of a model becomes the champion,
        unless it ranks barely better than chance; a later one where `promote` is set.
        """
        return run_train.train(
            self.root,
            models,
            at=_at(at),
            only=only,
            as_of=None if as_of is None else _day(as_of),
            promote=promote,
            progress=_progress(),
        )

    def score(
        self,
        *models: str,
        as_of: Day,
        out: Place | None = None,
        accounts_from: Place | None = None,
    ) -> Scores:
        """A probability for each account and model that is named, or each trained model.

        The rows stay in memory, or are written to `out`. `accounts_from` is a file of accounts to
        read instead of the workspace's own.
        """
        return run_score.score(
            self.root,
            _day(as_of),
            InMemory() if out is None else str(out),
            names=models,
            accounts_from=None if accounts_from is None else Path(accounts_from),
            progress=_progress(),
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
        at: datetime | None = None,
    ) -> Decisions:
        """Decide every account and journal the run.

        The decisions stay in memory, or are written to `out`: a file or a database's table.
        `reasons` are worked out for accounts with an action "due", for "all", or for "none". `keep`
        what replay needs. A `draft` is decided by the folder's strategy, whatever is in force.
        """
        if reasons not in get_args(Reasons):
            raise ValueError(f"reasons is one of {', '.join(get_args(Reasons))}.")
        return run_assign.assign(
            self.root,
            _day(as_of),
            InMemory() if out is None else str(out),
            at=_at(at),
            reasons=reasons,
            keep=keep,
            draft=draft,
            accounts_from=None if accounts_from is None else Path(accounts_from),
            progress=_progress(),
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
        day = None if as_of is None else _day(as_of)
        return run_explain.explain(
            self.root, account, day, run=run, fresh=fresh, draft=draft, progress=_progress()
        )


class Models:
    """The trained versions of a workspace's models."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def list(self) -> ModelVersions:
        """Every trained version, the latest first."""
        return run_models.versions(self._root)

    def show(self, model: str, version: str | None = None) -> ModelSummary:
        """What a version is and how good it is: the champion, or the one that is named by its
        beginning."""
        return run_models.show(self._root, model, version)

    def compare(self, first: str, second: str, *, cut: float | None = None) -> Comparison:
        """Two versions on accounts that neither learned from. Each is MODEL (its champion) or
        MODEL@VERSION; `cut` is the probability from which an account is treated."""
        return run_compare.compare(self._root, first, second, cut=cut, progress=_progress())

    def promote(
        self,
        model: str,
        version: str,
        *,
        by: str | None = None,
        reason: str = "",
        at: datetime | None = None,
    ) -> Promotion:
        """Make a version the champion. `by` is you if left out."""
        if not (is_one_line(by or "") and is_one_line(reason)):
            raise ValueError("by and reason are one line each, without control characters.")
        return run_models.promote(
            self._root, model, version, at=_at(at), by=by or getpass.getuser(), reason=reason
        )


class Strategy:
    """A strategy: with a workspace, against the facts of its data; by itself, against those that
    riskseg declares and the rules expect."""

    def __init__(self, root: Path | None, name: str | None, here: Path) -> None:
        self._root, self._name, self._here = root, name, here

    @classmethod
    def read(cls, folder: Place) -> Strategy:
        """The strategy in a folder, without a workspace. Raises RS230 where there is none."""
        problems = Problems()
        found(None, Path.cwd(), str(folder), problems)
        problems.raise_if_any()
        return cls(None, str(folder), Path.cwd())

    def __repr__(self) -> str:
        if self._root is None:
            return f'riskseg.Strategy.read("{self._name}")'
        name = "" if self._name is None else f'"{self._name}"'
        return f'riskseg.open("{self._root}").strategy({name})'

    def check(self) -> StrategyCheck:
        """Check it. Raises its Problems."""
        return run_rules.check(self._root, self._name, here=self._here)

    def show(self) -> StrategyShown:
        """The strategy as it is understood; its rows are those of the table of segments."""
        return run_rules.show(self._root, self._name, here=self._here)

    def test(self) -> StrategyTest:
        """Decide its examples; `problems` holds those that do not come out as expected."""
        return run_rules.test(self._root, self._name, here=self._here)

    def prove(self, *, seconds: float = SECONDS, notes: bool = False) -> StrategyProof:
        """Prove every property for all accounts there could be, each within `seconds`. With
        `notes`, work out also where the order of rows decides."""
        return run_prove.prove(
            self._root,
            self._name,
            here=self._here,
            seconds=seconds,
            with_notes=notes,
            progress=_progress(),
        )


def _day(value: Day) -> date:
    if isinstance(value, datetime):
        return value.date()
    return date.fromisoformat(value) if isinstance(value, str) else value


def _at(value: datetime | None) -> datetime:
    """The time to be journalled. The clock is read here and in `cli/`, and nowhere else."""
    if value is None:
        return datetime.now(UTC).replace(microsecond=0)
    if value.tzinfo is None:
        raise ValueError("at needs a time zone, for instance datetime.now(UTC).")
    return value


def _progress() -> Progress:
    """Remarks that a person should see are warnings of the logger `riskseg`; its information is
    how far a stage is, and that of `riskseg.stages` which one it is."""
    return Progress(
        within=lambda share, text: _log.info("%s", text) if text else None,
        note=lambda text: _log.warning("%s", text),
    )
