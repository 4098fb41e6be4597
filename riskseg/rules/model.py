"""A checked strategy: every name resolved, every expression typed, nothing left to doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal, TypeVar

from riskseg.domain.facts import Fact
from riskseg.domain.problems import problem
from riskseg.expressions import Expression
from riskseg.rules.calendar import Calendar
from riskseg.rules.demand import Demand
from riskseg.rules.elements import Action, Condition, Constant, in_force
from riskseg.rules.holding import HeldDays
from riskseg.rules.placing import ENTERED_ON
from riskseg.rules.rule import Restriction, Rule

UNSCORED = "unscored"

R = TypeVar("R", bound=Rule)

Backlog = Literal["latest_step", "from_start", "at_day"]
OnChange = Literal["continue", "restart", "stay"]


@dataclass(frozen=True)
class Band:
    """Half-open ranges [from, to) of a probability; the last one ends at 1, included."""

    name: str
    of: str
    cuts: tuple[tuple[str, Decimal], ...]

    @property
    def levels(self) -> tuple[str, ...]:
        return (*(level for level, _ in self.cuts), UNSCORED)


# The cells of a row of a decision table, one a column: None matches anything, else one of the
# levels must.
Cells = tuple[frozenset[str | bool] | None, ...]


@dataclass(frozen=True)
class TierRow:
    """A row of a tier scheme. Where the scheme is a table, `cells` are the row's and `when` is what
    they say as a condition."""

    tier: str
    when: Condition | None  # None: takes everything
    line: int | None
    cells: Cells | None = None


@dataclass(frozen=True)
class Scheme:
    """Behavioural tiers: read top to bottom, the first row that holds wins. Where it is written as
    a table, `columns` are what its cells are about."""

    name: str
    rows: tuple[TierRow, ...]
    columns: tuple[str, ...] = ()

    @property
    def levels(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(row.tier for row in self.rows))


@dataclass(frozen=True)
class SegmentRow:
    """A row of the table of segments."""

    id: str
    cells: Cells
    segment: str
    line: int | None


@dataclass(frozen=True)
class After:
    """A step waits until another of its path, the one called `step`, was issued so many days ago;
    with `unanswered`, and no outcome of it was recorded since."""

    step: str
    days: int
    unanswered: bool

    def __str__(self) -> str:
        return f"{self.days} days after {self.step}{' without outcome' if self.unanswered else ''}"


@dataclass(frozen=True)
class Step:
    """A step is due from its day until it is issued, or overtaken by a later step of its path; one
    that `must` be taken is never overtaken. `key` names it among the steps of its path: its action,
    with a number where the path has the action more than once. It is due on the open days of its
    `calendar`, if it has one, and passed over while its condition `when` does not hold. One that
    comes `after` another has as its day the earliest there can be, and is passed over until then.
    """

    day: int
    action: str
    template: str | None
    line: int | None
    key: str = ""
    must: bool = False
    calendar: Calendar | None = None
    when: Condition | None = None
    after: After | None = None


@dataclass(frozen=True)
class Repeat:
    """The steps of a path from the one with the key `start` on come again every so many days,
    `at_most` so often; None: without end."""

    every: int
    start: str
    at_most: int | None

    def __str__(self) -> str:
        end = "" if self.at_most is None else f", at most {self.at_most} times"
        return f"every {self.every} days from {self.start}{end}"


@dataclass(frozen=True)
class Path:
    """`starts` is the date of day 0. With `due_for`, a step is due for no more than so many days,
    whether it was issued or not. The path is in force from its first to its last effective day,
    both included. The days that `held` counts do not count on the path.

    `backlog` says what is done first where an account comes to it in arrears; `on_change` and
    `hold_for` what happens where the segment of an account on it changes in an episode. What
    follows from them, and from those of the other paths, are expressions: `begins` is day 0 of an
    account whose segment leads to the path, and where `lifted` holds it is no earlier than the day
    on which the account came, from when on `held_since_entry` counts; where `passes_over` holds,
    steps of earlier days than that are passed over; where `stays` holds, an account stays on the
    path unless its segment leads to one that is taken `at_once`.
    """

    name: str
    segments: tuple[str, ...]
    starts: Expression
    steps: tuple[Step, ...]
    then: str | None
    ends_when: Condition | None
    due_for: int | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    repeat: Repeat | None = None
    held: HeldDays | None = None
    backlog: Backlog = "latest_step"
    on_change: OnChange = "continue"
    hold_for: int | None = None
    at_once: bool = False
    begins: Expression | None = None
    lifted: Expression | None = None
    passes_over: Expression | None = None
    stays: Expression | None = None
    held_since_entry: HeldDays | None = None

    @property
    def day_0(self) -> Expression:
        """The date of day 0 of an account whose segment leads to the path."""
        return self.begins or self.starts

    @property
    def starts_on_entry(self) -> bool:
        """Whether day 0 is the day on which the account comes to the path."""
        return self.starts.text == ENTERED_ON

    @property
    def idle(self) -> bool:
        """Whether nothing is ever done on the path."""
        return not self.steps and self.then is None

    @property
    def repeated(self) -> tuple[Step, ...]:
        """The steps that come again."""
        if self.repeat is None:
            return ()
        keys = [step.key for step in self.steps]
        return self.steps[keys.index(self.repeat.start) :]


@dataclass(frozen=True)
class Example:
    """`given` are facts; `day` is the day of its path on which the account stands, if it is to be
    worked out from that when the path started."""

    name: str
    given: Mapping[str, object]
    expect: Mapping[str, object]
    file: str
    line: int | None
    day: int | None = None


@dataclass(frozen=True)
class PackExample:
    """An account just inside a rule of a pack, or just outside it: a guard forbids its actions
    there, a duty is owed. `words` say so, as the file does."""

    guard: str
    text: str
    forbidden: bool
    given: Mapping[str, object]
    file: str
    line: int | None
    words: tuple[str, str] = ("forbidden", "allowed")

    @property
    def name(self) -> str:
        return f"{self.guard}: {self.text}"


@dataclass(frozen=True)
class Strategy:
    """`facts` are the facts its expressions and columns read; `default_values` those of them that
    this workspace lacks, with the value that stands for them (None: unknown). `expects` are the
    default values as written, type and value, for every fact read that has one. `segments_file` is
    where its rows stand: segments.yaml, or a sheet. `rules` are those of guards.yaml, with
    those that its packs bring. Where it treats the `party`, an action that reaches the customer
    stands for all accounts of the party of which it is due. `notes` are remarks for its authors.
    `read` are the bands, tier schemes and (as "segment") the segment that conditions read.
    `special_category` are flags of special categories of personal data: no significant decision
    that depends on one is taken without a person."""

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
    special_category: tuple[str, ...]
    paths: tuple[Path, ...]
    rules: tuple[Rule, ...]
    priority: Expression | None
    examples: tuple[Example, ...]
    facts: Mapping[str, Fact]
    default_values: Mapping[str, object]
    fingerprint: str
    folder: str
    segments_file: str
    expects: Mapping[str, tuple[str, object]] = field(default_factory=dict)
    treat: Literal["account", "party"] = "account"
    notes: tuple[str, ...] = ()
    constants: tuple[Constant, ...] = ()
    read: tuple[str, ...] = ()

    def of(self, kind: type[R]) -> tuple[R, ...]:
        """Its rules of a kind, in their order."""
        return tuple(rule for rule in self.rules if isinstance(rule, kind))

    @property
    def guards(self) -> tuple[Restriction, ...]:
        """The rules that forbid actions."""
        return self.of(Restriction)

    @property
    def duties(self) -> tuple[Demand, ...]:
        """The rules that ask for actions."""
        return tuple(rule for rule in self.rules if isinstance(rule, Demand))

    @property
    def levels(self) -> tuple[str, ...]:
        """The names of its bands, then of its tier schemes: a column of decisions each."""
        return (*(band.name for band in self.bands), *(scheme.name for scheme in self.schemes))

    @property
    def segments(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(row.segment for row in self.rows))

    def paths_of(self, segment: str) -> tuple[Path, ...]:
        """Every path for the segment, each in force in a period of its own."""
        return tuple(path for path in self.paths if segment in path.segments)

    def path_of(self, segment: str, as_of: date) -> Path:
        """The segment's path in force as of a date. Raises RS210 for a date on which the strategy
        does not hold, where there need be none."""
        for path in in_force(self.paths_of(segment), as_of):
            return path
        message = f'No path of "{self.name}" is in force for the segment "{segment}" on {as_of}.'
        raise problem("RS210", message, file=f"{self.folder}/paths.yaml")

    def holds(self, as_of: date) -> bool:
        """Whether the date is one of the strategy's own."""
        return bool(in_force([self], as_of))

    def action(self, name: str) -> Action | None:
        return next((a for a in self.actions if a.name == name), None)
