"""What a rehearsal of strategies gives."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pyarrow as pa

from riskseg.domain.words import counted
from riskseg.results.base import Result, records
from riskseg.results.interval import Interval
from riskseg.results.part import Part
from riskseg.results.strategies import StrategyVersion


class RehearsedAction(Part):
    """How often an action would have been taken."""

    action: str
    channel: str
    issued: int
    cost: Decimal | None
    """What that costs; null where the strategy does not say what the action costs."""
    most_a_day: int
    """How often on the day on which it was taken most often."""
    left: int
    """How often it was due and left, since the day's capacity was used up; each day is counted."""


class RehearsedDay(Part):
    """How often an action was issued on a day: the workload."""

    day: date
    action: str
    channel: str
    issued: int


class RehearsedWeek(Part):
    """The accounts on a path on the last day of a week, and what was done for them in it."""

    strategy: str
    week_from: date
    week_until: date
    path: str
    accounts: int
    in_arrears: int | None
    """Null without bills."""
    overdue: Decimal | None
    """The balance overdue of these accounts; null without bills."""
    actions: int
    contacts: int
    significant: int
    cost: Decimal | None
    cures: int | None
    """How many arrears episodes of accounts on the path ended; null without bills."""


class RehearsedStrategy(Part):
    """A strategy, and what would have come of it."""

    strategy: StrategyVersion
    name: str
    """What it was called by."""
    accounts: int
    """The accounts there are on the last day."""
    issued: int
    contacts: int
    significant: int
    cost: Decimal | None
    """What the actions cost of which the strategy says so; null where it does so of none."""
    cures: int | None
    """How many arrears episodes ended; null without bills."""
    paid: Decimal | None
    """What accounts paid on these days, less what was taken back; null without payments."""
    overdue: Decimal | None
    """The balance overdue on the last day; null without bills."""
    contacted_often: int
    """The accounts that had more contacts than `more_than`."""
    actions: tuple[RehearsedAction, ...]
    days: tuple[RehearsedDay, ...]


class RehearsedDifference(Part):
    """What the second strategy has more of than the first, over all accounts."""

    measure: str
    """contacts, actions, significant, cost, cures, paid or overdue, of those that are known."""
    difference: Interval
    """With its 95% interval: the parties are the units, each compared with itself."""


class Rehearsal(Result):
    """One or two strategies, carried out day by day without anything being recorded."""

    first: date
    last: date
    every: int
    """From one worklist to the next, in days."""
    generated: int | None
    """The accounts of the generated portfolio; null over the past of the workspace."""
    more_than: int
    currency: str
    scale: int
    strategies: tuple[RehearsedStrategy, ...]
    differences: tuple[RehearsedDifference, ...]
    weeks: tuple[RehearsedWeek, ...]
    place: str | None
    """Where the weeks were written, if they were."""

    def to_arrow(self) -> pa.Table:
        """The weeks, a row for each strategy, week and path."""
        return records(WEEK_COLUMNS, self.weeks)

    def _title(self) -> str:
        names = " and ".join(strategy.name for strategy in self.strategies)
        issued = " and ".join(counted(s.issued, "action") for s in self.strategies)
        return f"{names} from {self.first} to {self.last}: {issued}"


_MONEY = pa.decimal128(18, 4)
WEEK_COLUMNS = {
    "strategy": pa.string(),
    "week_from": pa.date32(),
    "week_until": pa.date32(),
    "path": pa.string(),
    "accounts": pa.int64(),
    "in_arrears": pa.int64(),
    "overdue": _MONEY,
    "actions": pa.int64(),
    "contacts": pa.int64(),
    "significant": pa.int64(),
    "cost": _MONEY,
    "cures": pa.int64(),
}
