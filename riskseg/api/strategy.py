"""A strategy: a workspace's, or one by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from riskseg import run as use_cases
from riskseg.api.arguments import (
    Day,
    Place,
    day,
    day_or_none,
    moment,
    one_line,
    path_or_none,
    person,
    progress,
    target,
    today,
)
from riskseg.domain.problems import Problems
from riskseg.pipeline.proving import SECONDS
from riskseg.pipeline.strategy_versions import find_version
from riskseg.results.sheets import SheetExport, SheetImport
from riskseg.results.strategies import (
    Activation,
    Activations,
    EditorSchemas,
    StrategyCheck,
    StrategyProof,
    StrategyTest,
)
from riskseg.results.strategy_difference import StrategyDifference
from riskseg.results.strategy_export import FactTable, StrategyExport
from riskseg.results.strategy_shown import StrategyShown


class Strategy:
    """A strategy: with a workspace, against the facts of its data; by itself, against those that
    riskseg declares and the rules expect."""

    def __init__(self, root: Path | None, name: str | None, here: Path) -> None:
        self._root, self._name, self._here = root, name, here

    @classmethod
    def read(cls, folder: Place) -> Strategy:
        """The strategy in a folder, without a workspace. Raises RS230 where there is none."""
        problems = Problems()
        find_version(None, Path.cwd(), str(folder), problems)
        problems.raise_if_any()
        return cls(None, str(folder), Path.cwd())

    def __repr__(self) -> str:
        if self._root is None:
            return f'riskseg.Strategy.read("{self._name}")'
        name = "" if self._name is None else f'"{self._name}"'
        return f'riskseg.open("{self._root}").strategy({name})'

    def check(self) -> StrategyCheck:
        """Check it. Raises its Problems."""
        return use_cases.strategy.check(self._root, self._name, here=self._here)

    def show(self) -> StrategyShown:
        """The strategy as it is understood; its rows are those of the table of segments."""
        return use_cases.strategy.show(self._root, self._name, here=self._here)

    def test(self) -> StrategyTest:
        """Decide its examples; `problems` holds those that do not come out as expected."""
        return use_cases.strategy.test(self._root, self._name, here=self._here)

    def prove(self, *, seconds: float = SECONDS, notes: bool = False) -> StrategyProof:
        """Prove every property for all accounts there could be, each within `seconds`. With
        `notes`, work out also where the order of rows decides."""
        return use_cases.prove.prove(
            self._root,
            self._name,
            here=self._here,
            seconds=seconds,
            with_notes=notes,
            progress=progress(),
        )

    def diff(
        self, new: Place | None = None, *, as_of: Day | None = None, out: Place | None = None
    ) -> StrategyDifference:
        """This strategy beside a new one, a folder or a version in the journal; beside the
        workspace's own where none is named. Of a strategy without a name, the version in force
        (as of the date, or today) beside the new one. With `as_of`, which accounts move; `out` is
        then where a row goes for each of them."""
        if out is not None and as_of is None:
            raise ValueError("Give as_of: the day as of which accounts move.")
        return use_cases.diff.diff(
            self._root,
            self._name,
            None if new is None else str(new),
            here=self._here,
            as_of=day_or_none(as_of, self._root),
            on=today(as_of, self._root),
            out=None if out is None else str(out),
            progress=progress(),
        )

    def export(
        self,
        to: str,
        *,
        out: Place | None = None,
        dbt: bool = False,
        as_of: Day | None = None,
        table: str = "facts",
        years: Sequence[int] = (),
    ) -> StrategyExport:
        """The strategy as one SQL query for `to` (duckdb, postgres, snowflake, bigquery, spark)
        over the table of facts `table`: in `sql`, or in a new folder `out`, with a test of it, or
        as a `dbt` package. `as_of` is needed where the rules in force change on a day. With
        `years`, what calendars say of each of their days is written too."""
        return use_cases.strategy_export.export(
            self._root,
            self._name,
            to,
            path_or_none(out),
            here=self._here,
            as_of=day_or_none(as_of, self._root),
            table=table,
            dbt=dbt,
            years=years,
        )

    def facts(
        self, *, as_of: Day, out: Place | None = None, accept_feeds: bool = False
    ) -> FactTable:
        """The table of facts that the exported query reads, a row an account as of a day, in
        memory or written to `out`. `accept_feeds` is as in `assign`."""
        return use_cases.strategy_facts.facts(
            self._workspace(),
            self._name,
            day(as_of, self._root),
            target(out),
            here=self._here,
            accept_feeds=accept_feeds,
            progress=progress(),
        )

    def activate(
        self,
        *,
        by: str,
        effective_from: Day | None = None,
        unproved: bool = False,
        reason: str = "",
        at: datetime | None = None,
    ) -> Activation:
        """Put the folder's strategy, or the version in the journal that was named, in force from a
        day on: from today if it is left out. `unproved` activates it although not all of it
        is proved, and needs a reason."""
        if unproved and not reason.strip():
            raise ValueError("Give reason: why a strategy is activated that is not fully proved.")
        time = moment(at)
        return use_cases.activate.activate(
            self._workspace(),
            self._name,
            effective_from=today(effective_from, self._root),
            by=person(by),
            at=time,
            unproved=unproved,
            reason=one_line(reason),
            progress=progress(),
        )

    def activations(self) -> Activations:
        """Which strategies were put in force, from when and by whom, the latest first."""
        return use_cases.activate.versions(self._workspace())

    def schemas(self, out: Place) -> EditorSchemas:
        """Write JSON Schemas of a strategy's files to a folder, for an editor."""
        return use_cases.schemas.write(self._root, Path(out))

    def to_sheets(self, out: Place) -> SheetExport:
        """Write the workspace's segments and tiers to an .xlsx file, or a folder of CSV files."""
        return use_cases.sheets.export(self._workspace(), str(out))

    def from_sheets(self, place: Place, *, dry_run: bool = False) -> SheetImport:
        """Check sheets and the strategy they would make, then write its segments and tiers."""
        return use_cases.sheets.import_(
            self._workspace(), Path(place), dry_run=dry_run, progress=progress()
        )

    def _workspace(self) -> Path:
        if self._root is None:
            raise ValueError("This needs a workspace: riskseg.open(FOLDER).strategy().")
        return self._root
