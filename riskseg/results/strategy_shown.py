"""A strategy as `strategy show` gives it: bands, tiers, segments, paths, guards, guard packs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

import pyarrow as pa
from pydantic import BeforeValidator, ConfigDict, Field

from riskseg.results.base import (
    Result,
    Scalar,
    records,
)
from riskseg.results.part import Part
from riskseg.results.strategies import PackInUse, without_data

# The days on which something is done, in words; null where that is every day.
CalendarShown = Annotated[
    str | None, BeforeValidator(lambda calendar: None if calendar is None else str(calendar))
]


UnknownCounts = Literal["match", "skip"]


class Level(Part):
    """A band's level: the probabilities below `below` that no earlier level has."""

    level: str
    below: Decimal
    constant: str | None
    """The constant that the number is written as; null where it stands there itself."""


class BandShown(Part):
    """A band: ranges of a probability."""

    name: str
    of: str
    cuts: tuple[Level, ...]


# A row of a decision table, a cell for each of its columns.
Match = tuple[Literal["any"] | tuple[str | bool, ...], ...]


class TierShown(Part):
    """A row of a tier scheme; `when` is null where it takes everything."""

    tier: str
    when: str | None
    unknown: UnknownCounts | None
    """What an unknown condition counts as; null where it is never unknown."""
    match: Match | None
    """Its cells, where the scheme is a table; `when` says the same as a condition."""
    cells: tuple[str, ...] = ()
    """The same cells in words, with the constants that their numbers are written as."""


class SchemeShown(Part):
    """A tier scheme: the first row that holds wins."""

    name: str
    columns: tuple[str, ...]
    """Those of a scheme that is a table; empty where its rows are conditions."""
    rows: tuple[TierShown, ...]


class SegmentRowShown(Part):
    """A row of the table of segments, a cell for each of its columns."""

    id: str
    match: Match
    cells: tuple[str, ...] = ()
    """The same cells in words, with the constants that their numbers are written as."""
    segment: str


class ActionShown(Part):
    """An action. One that helps is an offer, and no harsher than none."""

    name: str
    channel: str
    contact: bool
    significant: bool
    four_eyes: bool
    """Whether two people must approve of it."""
    automatic: bool
    """Whether it is issued without a person's approval, significant as it is."""
    helps: bool
    cost: Decimal | None
    """What taking it once costs, where the strategy says so."""
    constant: str | None = None
    """The constant that the cost is written as; null where it stands there itself."""
    calendar: CalendarShown = None


class AfterShown(Part):
    """What a step waits for: another step, issued so many days ago."""

    step: str
    days: int
    constant: str | None = None
    """The constant that the days are written as; null where they stand there themselves."""
    unanswered: bool
    """Whether no outcome of it may have been recorded since."""


class StepShown(Part):
    """A step of a path."""

    day: int
    constant: str | None
    """The constant that the day is written as; null where it stands there itself."""
    action: str
    template: str | None
    must: bool
    """Whether later steps wait until it is issued."""
    when: str | None
    """Its condition; while that does not hold, the step is passed over."""
    after: AfterShown | None
    """The step it waits for; `day` is then the earliest there can be."""
    calendar: CalendarShown = None


class RepeatShown(Part):
    """The steps of a path that come again, from the one called `start` on."""

    every: int
    """Days from one occurrence of a step to the next."""
    start: str
    at_most: int | None
    """How often they come again; null where they do so without end."""
    constants: Mapping[str, str] = {}
    """Of `every` and `at_most`, the constant that the number is written as, if it is."""


class PathShown(Part):
    """A collections path: its segments, the date of its day 0, and its steps."""

    name: str
    for_: tuple[str, ...] = Field(alias="for")
    starts: str
    steps: tuple[StepShown, ...]
    repeat: RepeatShown | None
    """Which steps come again after the last one; null where none do."""
    then: str
    """The path that follows the last step, or `stay`."""
    ends_when: str | None
    due_for: int | None
    """Days for which a step stays due; null where it does until it is issued or overtaken."""
    backlog: Literal["latest_step", "from_start", "at_day"]
    """What is done first for an account that comes to the path in arrears."""
    on_change: Literal["continue", "restart", "stay"]
    """What happens where the segment of an account on the path changes in an episode."""
    hold_for: int | None
    """Days for which an account stays on the path, whatever its segment; null where it does not."""
    constants: Mapping[str, str] = {}
    """Of `due_for` and `hold_for`, the constant that the number is written as, if it is."""
    at_once: bool
    """Whether an account whose segment leads to the path comes at once, wherever it stays."""
    effective_from: date | None
    effective_to: date | None


class GuardShown(Part):
    """A guard, a hold, a requirement, or another kind of rule that forbids actions. It has its
    condition once more under the key of its kind: `when`, or what a requirement `needs`."""

    model_config = ConfigDict(extra="allow")

    name: str
    kind: str
    never: tuple[str, ...]
    """The actions it forbids."""
    instead: str | None
    source: str | None
    effective_from: date | None
    effective_to: date | None
    condition: str
    """When it is in force, in words."""
    forbids: str
    """What it forbids, in words."""


class DutyShown(Part):
    """A duty: what must be done within so many days of a date, while its condition holds."""

    name: str
    when: str
    unknown: UnknownCounts | None
    """What an unknown counts as; null where it is never unknown."""
    since: str
    action: tuple[str, ...]
    """The actions that fulfil it; the first lawful one is due."""
    within: int
    """The days until its deadline."""
    constant: str | None = None
    """The constant that these days are written as; null where they stand there themselves."""
    template: str | None
    source: str | None
    effective_from: date | None
    effective_to: date | None


class PackShown(PackInUse):
    """A guard pack, what is left out of it, and what it does not cover."""

    title: str
    for_: str = Field(alias="for")
    note: str
    without: tuple[str, ...]
    reason: str | None
    not_covered: tuple[str, ...]


class PropertyShown(Part):
    """A property to be proved of every account."""

    name: str
    that: str
    unknown: UnknownCounts | None
    """What an unknown counts as; null where it is never unknown."""
    source: str | None


class ExamplePlace(Part):
    """An example, and where it stands."""

    name: str
    file: str
    line: int | None


class ConstantShown(Part):
    """A value with a name."""

    name: str
    value: Scalar
    unit: str | None
    description: str | None


class StrategyShown(Result):
    """A strategy as it is understood. Expressions are text."""

    name: str
    version: str
    purpose: str
    owner: str
    effective_from: date | None
    effective_to: date | None
    folder: str
    uses: Mapping[str, str]
    """The model that gives each probability."""
    constants: tuple[ConstantShown, ...]
    """The values that expressions use as `$name`."""
    bands: tuple[BandShown, ...]
    tiers: tuple[SchemeShown, ...]
    columns: tuple[str, ...]
    """The columns of the table of segments."""
    rows: tuple[SegmentRowShown, ...]
    """The rows of the table of segments."""
    actions: tuple[ActionShown, ...]
    """From mild to harsh."""
    protective: tuple[str, ...]
    special_category: tuple[str, ...]
    """Flags of special categories of personal data."""
    paths: tuple[PathShown, ...]
    guards: tuple[GuardShown, ...]
    duties: tuple[DutyShown, ...]
    packs: tuple[PackShown, ...]
    properties: tuple[PropertyShown, ...]
    priority: str | None
    treat: Literal["account", "party"] = "account"
    """Whether an action that reaches the customer stands for all accounts of a party."""
    examples: tuple[ExamplePlace, ...]
    facts: tuple[str, ...]
    """The facts that its expressions and columns read."""
    defaults: Mapping[str, Scalar]
    """The value that stands for each fact the workspace lacks."""
    notes: tuple[str, ...]
    from_data: bool
    """Whether the facts are those of data, or merely declared."""

    def to_arrow(self) -> pa.Table:
        """The table of segments: row, the bands and tiers it matches on, segment."""
        columns = ("row", *self.columns, "segment")
        return records(
            dict.fromkeys(columns, pa.string()),
            (
                dict(zip(columns, (r.id, *map(_levels, r.match), r.segment), strict=True))
                for r in self.rows
            ),
        )

    def _title(self) -> str:
        head = f"{self.name} {self.version}: {self.purpose}".rstrip()
        return "\n".join([head, *without_data(self.from_data), *self.notes])


def _levels(cell: Literal["any"] | Sequence[str | bool]) -> str:
    return cell if isinstance(cell, str) else " or ".join(map(str, cell))
