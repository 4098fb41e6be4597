"""A checked strategy: every name resolved, every expression typed, nothing left to doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from riskseg.domain.facts import Fact
from riskseg.expressions import Expression

UNSCORED = "unscored"
NO_ACTION = "none"
# What every decision has, beside its probabilities, bands and tiers: names those cannot take.
COLUMNS = (
    *("account_id", "as_of", "lifecycle", "segment", "path", "path_day", "step", "action"),
    *("channel", "template", "next_action", "next_on", "priority", "balance_overdue"),
    *("days_past_due", "guards", "reasons", "rows_matched", "strategy_version"),
    *("model_versions", "facts_hash"),
)


@dataclass(frozen=True)
class Band:
    """Half-open ranges [from, to) of a probability; the last one ends at 1, included."""

    name: str
    of: str
    cuts: tuple[tuple[str, Decimal], ...]

    @property
    def levels(self) -> tuple[str, ...]:
        return (*(level for level, _ in self.cuts), UNSCORED)


@dataclass(frozen=True)
class Condition:
    """An expression and what an unknown counts as."""

    expression: Expression
    unknown: bool = False


@dataclass(frozen=True)
class TierRow:
    tier: str
    when: Condition | None  # None: takes everything
    line: int | None


@dataclass(frozen=True)
class Scheme:
    """Behavioural tiers: read top to bottom, the first row that holds wins."""

    name: str
    rows: tuple[TierRow, ...]

    @property
    def levels(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(row.tier for row in self.rows))


@dataclass(frozen=True)
class SegmentRow:
    """One cell a column: None matches anything, else one of the levels must."""

    id: str
    cells: tuple[frozenset[str | bool] | None, ...]
    segment: str
    line: int | None


@dataclass(frozen=True)
class Action:
    """`rank` counts from mild to harsh."""

    name: str
    channel: str
    contact: bool
    significant: bool
    rank: int


@dataclass(frozen=True)
class Step:
    day: int
    action: str
    template: str | None
    line: int | None


@dataclass(frozen=True)
class Path:
    """`starts` is the date of day 0. A step is due from its day for `due_for` days."""

    name: str
    segments: tuple[str, ...]
    starts: Expression
    steps: tuple[Step, ...]
    then: str | None
    ends_when: Condition | None
    due_for: int


@dataclass(frozen=True)
class Guard:
    """While `when` holds, none of `never` is emitted; `instead`, where lawful, stands for it.

    A `hold` forbids every action. A `requirement` forbids its action while what it needs is
    not surely so: its `when` is the need, turned round.
    """

    name: str
    kind: Literal["guard", "hold", "requirement"]
    when: Condition
    negated: bool
    never: frozenset[str]
    instead: str | None
    source: str | None
    effective_from: date | None
    effective_to: date | None
    line: int | None


@dataclass(frozen=True)
class Property:
    """What the strategy's owner wants proved: `that`, over facts and what is decided, holds for
    every account. `that.unknown` says whether an unknown counts as holding."""

    name: str
    that: Condition
    source: str | None
    line: int | None


@dataclass(frozen=True)
class Example:
    name: str
    given: Mapping[str, object]
    expect: Mapping[str, object]
    file: str
    line: int | None


@dataclass(frozen=True)
class Strategy:
    """`facts` are the facts its expressions and columns read; `stand_ins` those of them that this
    workspace lacks, with the value that stands for them (None: unknown)."""

    name: str
    purpose: str
    owner: str
    effective_from: date | None
    effective_to: date | None
    uses: Mapping[str, str]
    bands: tuple[Band, ...]
    schemes: tuple[Scheme, ...]
    columns: tuple[str, ...]
    rows: tuple[SegmentRow, ...]
    actions: tuple[Action, ...]
    protective: tuple[str, ...]
    paths: tuple[Path, ...]
    guards: tuple[Guard, ...]
    properties: tuple[Property, ...]
    priority: Expression | None
    examples: tuple[Example, ...]
    facts: Mapping[str, Fact]
    stand_ins: Mapping[str, object]
    fingerprint: str
    folder: str

    @property
    def segments(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(row.segment for row in self.rows))

    def path_of(self, segment: str) -> Path:
        return next(path for path in self.paths if segment in path.segments)

    def action(self, name: str) -> Action | None:
        return next((a for a in self.actions if a.name == name), None)
