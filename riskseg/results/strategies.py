"""What asking of a strategy gives: checked, shown, tested, proved, compared, activated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

import pyarrow as pa
from pydantic import BeforeValidator, ConfigDict, Field, SerializeAsAny, WithJsonSchema

from riskseg.domain.decision import OUTCOMES
from riskseg.domain.words import counted
from riskseg.results.base import (
    Cells,
    PartOfDecision,
    ProblemField,
    Result,
    Rows,
    Scalar,
    Single,
    records,
)
from riskseg.results.part import Part

# The days on which something is done, in words; null where that is every day.
CalendarShown = Annotated[
    str | None, BeforeValidator(lambda calendar: None if calendar is None else str(calendar))
]
UnknownCounts = Literal["match", "skip"]
ProofVerdict = Literal["proved", "refuted", "unproved"]


class StrategyVersion(Part):
    """A strategy's name, and a hash of its content."""

    name: str
    version: str


class IdleRule(Part):
    """A pack's rule that does not apply: no action of the strategy is of these kinds."""

    rule: str
    kinds: tuple[str, ...]


class PackInUse(Part):
    """A guard pack: the rules that apply, and those that speak of kinds of action the strategy has
    none of."""

    name: str
    applying: tuple[str, ...]
    idle: tuple[IdleRule, ...]


class StrategyCheck(Single):
    """A strategy that was checked without a Problem."""

    strategy: str
    version: str
    from_data: bool
    """Whether the facts are those of data, or merely declared."""
    notes: tuple[str, ...]
    packs: tuple[PackInUse, ...]
    problems: tuple[ProblemField, ...] = ()
    """Always empty: with Problems there is no result."""

    def _title(self) -> str:
        head = f"{self.strategy} {self.version}: no problems."
        return "\n".join([head, *_without_data(self.from_data), *self.notes])


class Level(Part):
    """A band's level: the probabilities below `below` that no earlier level has."""

    level: str
    below: Decimal


class BandShown(Part):
    """A band: ranges of a probability."""

    name: str
    of: str
    cuts: tuple[Level, ...]


class TierShown(Part):
    """A row of a tier scheme; `when` is null where it takes everything."""

    tier: str
    when: str | None
    unknown: UnknownCounts | None
    """What an unknown condition counts as; null where it is never unknown."""


class SchemeShown(Part):
    """A tier scheme: the first row that holds wins."""

    name: str
    rows: tuple[TierShown, ...]


class SegmentRowShown(Part):
    """A row of the table of segments, a cell for each of its columns."""

    id: str
    match: tuple[Literal["any"] | tuple[str | bool, ...], ...]
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
    calendar: CalendarShown = None


class AfterShown(Part):
    """What a step waits for: another step, issued so many days ago."""

    step: str
    days: int
    unanswered: bool
    """Whether no outcome of it may have been recorded since."""


class StepShown(Part):
    """A step of a path."""

    day: int
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
        return "\n".join([head, *_without_data(self.from_data), *self.notes])


class TestedExample(Part):
    """An example and what is decided for it."""

    example: str
    decision: PartOfDecision | None
    """Null where one of the strategy's examples is faulty: then none is decided."""
    as_expected: bool | None
    """Null where it was not decided, and has no fault of its own."""


class TestedPackExample(Part):
    """An account just inside a guard of a pack, or just outside it."""

    guard: str
    example: str
    forbidden: bool
    as_expected: bool


class StrategyTest(Result):
    """A strategy's examples, decided by the SQL that decides real accounts."""

    strategy: str
    version: str
    from_data: bool
    """Whether the facts are those of data, or merely declared."""
    examples: tuple[TestedExample, ...]
    pack_examples: tuple[TestedPackExample, ...]
    problems: tuple[ProblemField, ...]
    """A Problem for each example that does not come out as expected."""

    def to_arrow(self) -> pa.Table:
        """example, as_expected, segment, path, action."""
        columns = {"example": pa.string(), "as_expected": pa.bool_()}
        outcomes = dict.fromkeys(OUTCOMES, pa.string())
        return records(
            columns | outcomes,
            (
                {"example": e.example, "as_expected": e.as_expected}
                | {name: e.decision and e.decision[name] for name in outcomes}
                for e in self.examples
            ),
        )

    def _title(self) -> str:
        lines = [f"{self.strategy} {self.version}: {counted(len(self.examples), 'example')}."]
        return "\n".join([*lines, *_without_data(self.from_data), *map(str, self.problems)])


class ProofResult(Part):
    """A property, and what was found of it."""

    claim: str
    """The kind of property."""
    subject: str
    """The part of the strategy it is claimed of."""
    verdict: ProofVerdict
    fault: str
    """What is wrong, in words."""
    accounts: tuple[Mapping[str, Scalar], ...]
    """The account that breaks it, or two that should not differ as they do."""
    file: str | None
    line: int | None

    @property
    def name(self) -> str:
        return f"{self.claim} {self.subject}"


class ProofNote(Part):
    """What is no fault and worth knowing: where the order of rows decides, and for whom."""

    subject: str
    what: str
    file: str | None
    line: int | None


class ProofResults(Part):
    """Every property by itself."""

    results: tuple[ProofResult, ...]
    notes: tuple[ProofNote, ...]

    @property
    def verdict(self) -> ProofVerdict:
        """The worst: a refuted property outweighs an unproved one."""
        if self.of("refuted"):
            return "refuted"
        return "unproved" if self.of("unproved") else "proved"

    def of(self, verdict: ProofVerdict) -> tuple[ProofResult, ...]:
        return tuple(result for result in self.results if result.verdict == verdict)


class StrategyProof(Result):
    """What is proved of a strategy for every account there could be; a row for each property."""

    strategy: StrategyVersion
    verdict: ProofVerdict
    """The worst of all properties."""
    from_data: bool
    """Whether the facts are those of data, or merely declared."""
    granted: tuple[str, ...]
    """What was taken for granted of every account, in words."""
    proofs: ProofResults
    decisions: Mapping[str, tuple[PartOfDecision, ...]]
    """What is decided for the accounts of each result that has any, by its claim and subject."""
    margin: str = Field(default="  ", exclude=True)
    """What entries of the strategy's examples.yaml begin with."""

    def to_arrow(self) -> pa.Table:
        """The properties: claim, subject, verdict, fault, file, line."""
        columns = dict.fromkeys(("claim", "subject", "verdict", "fault", "file"), pa.string())
        return records(columns | {"line": pa.int64()}, self.proofs.results)

    def _title(self) -> str:
        count = len(self.proofs.results)
        parts = [f"{len(self.proofs.of(v))} {v}" for v in ("proved", "refuted", "unproved")]
        head = f"{self.strategy.name} {self.strategy.version}: of {count} properties "
        return "\n".join([head + ", ".join(parts) + ".", *_without_data(self.from_data)])

    def _shown(self) -> tuple[Sequence[str], Cells]:
        """What is not proved."""
        faults = [*self.proofs.of("refuted"), *self.proofs.of("unproved")]
        rows = [(r.verdict, r.claim, r.subject, r.fault, f"{r.file}:{r.line}") for r in faults]
        return ("verdict", "claim", "subject", "fault", "where"), rows


class ComparedVersion(Part):
    """One of two versions; `where` is its folder, or the version as the journal knows it."""

    name: str
    fingerprint: str
    where: str


class RuleChange(Part):
    """One difference between the files of two versions."""

    file: str
    item: str
    kind: Literal["added", "removed", "moved", "changed"]
    part: str
    """Empty for an entry that says one thing only."""
    was: str | None
    """The value as the old file writes it; of an entry that went, what it said."""
    now: str | None
    old_line: int | None
    new_line: int | None
    text: str
    """The whole in one line."""


class ChangedOutcome(Part):
    """Accounts, of all there could be, that get another outcome."""

    outcome: str
    before: str
    after: str
    regions: tuple[tuple[str, ...], ...]
    """Which accounts they are, each region by its conditions."""
    complete: bool
    """Whether the regions hold all of them."""
    example: Mapping[str, Scalar]
    """One such account."""


class ChangeInMeaning(Part):
    """What two versions do otherwise for every account there could be."""

    turns: tuple[ChangedOutcome, ...]
    unsure: tuple[str, ...] = ()
    """What could not be settled in time."""


class Outcome(Part):
    """What is decided for an account."""

    segment: str
    path: str
    action: str


class MovedAccounts(Part):
    """Accounts that go from one outcome to another."""

    old: Outcome
    new: Outcome
    accounts: int
    overdue: Decimal | None
    protected: int
    """Those for which a protective flag of either strategy is true."""
    unknown: int
    """Those for which none is, and one is unknown."""
    examples: tuple[str, ...]


class MovedLevel(Part):
    """Accounts that a band or tier scheme of both versions puts elsewhere."""

    name: str
    old: str
    new: str
    accounts: int
    overdue: Decimal | None


class ChangedAction(Part):
    """An action due that day: how often with each version, and for how many accounts it is added
    or removed."""

    channel: str
    action: str
    old: int
    new: int
    added: int
    removed: int


class AccountMigration(Part):
    """Two versions on the accounts there are as of a date. Balances are null without bills."""

    as_of: date
    accounts: int
    moved: int
    """Accounts with another segment, path or action."""
    different: int
    """Accounts in whose decision any column differs."""
    overdue: Decimal | None
    protected: int
    unknown: int
    moves: tuple[MovedAccounts, ...]
    levels: tuple[MovedLevel, ...]
    actions: tuple[ChangedAction, ...]
    columns: Mapping[str, int]
    """The accounts in which each column of a decision differs."""
    models: Mapping[str, str]
    protective: tuple[str, ...]
    default_values: Mapping[str, Scalar]
    notes: tuple[str, ...]
    currency: str
    scale: int


class InsightAnswer(Part):
    """What an insight about a change of strategy answers."""

    name: str
    question: str
    answer: Annotated[SerializeAsAny[Part], WithJsonSchema({"type": "object"})]
    """Its keys are those of the insight."""


class StrategyDifference(Result):
    """Two versions side by side: what changed in the files, what that means for every account there
    could be, and who moves of those there are."""

    old: ComparedVersion
    new: ComparedVersion
    changes: tuple[RuleChange, ...]
    meaning: ChangeInMeaning
    moves: AccountMigration | None
    """Null where no date was given."""
    insights: tuple[InsightAnswer, ...] = ()
    """What else is asked of the accounts, where a date was given, each decided by both versions."""
    from_data: bool = True
    """Whether the facts are those of data, or merely declared."""

    def to_arrow(self) -> pa.Table:
        """What changed in the files: file, item, kind, part, was, now, old_line, new_line."""
        columns = dict.fromkeys(("file", "item", "kind", "part", "was", "now"), pa.string())
        return records(columns | {"old_line": pa.int64(), "new_line": pa.int64()}, self.changes)

    def _title(self) -> str:
        changes, turns = len(self.changes), len(self.meaning.turns)
        lines = [
            f"{self.old.name} {self.old.fingerprint} to {self.new.name} {self.new.fingerprint}: "
            f"{counted(changes, 'change')}, {counted(turns, 'change')} in meaning."
        ]
        if self.moves is not None:
            accounts = counted(self.moves.accounts, "account")
            lines.append(f"As of {self.moves.as_of}, {self.moves.moved:,} of {accounts} move.")
        return "\n".join([*lines, *_without_data(self.from_data)])


class Proof(Part):
    """How many properties were proved before an activation, and which were not."""

    proved: int
    unproved: tuple[str, ...]


class Activation(Single):
    """A strategy that was put in force."""

    name: str
    version: str
    effective_from: date
    by: str
    new: bool
    """False where the version was in force from that date on already."""
    proof: Proof
    notes: tuple[str, ...]

    def _title(self) -> str:
        already = "" if self.new else " already"
        holds = f"is in force from {self.effective_from}{already}, by {self.by}."
        return "\n".join([f"{self.name} {self.version} {holds}", *self.notes])


class ActivationEntry(Part):
    """One activation, as the journal has it."""

    name: str
    version: str
    effective_from: date
    at: datetime
    by: str
    proof: Proof
    reason: str
    superseded: bool
    """Whether a later one, from the same day or an earlier one, leaves it no day."""


class Activations(Rows[ActivationEntry]):
    """Every activation, the latest first."""

    def to_arrow(self) -> pa.Table:
        """name, version, effective_from, at, by, reason, superseded."""
        columns = {"name": pa.string(), "version": pa.string(), "effective_from": pa.date32()}
        columns |= {"at": pa.timestamp("s", "UTC"), "by": pa.string(), "reason": pa.string()}
        return records(columns | {"superseded": pa.bool_()}, self)

    def _title(self) -> str:
        return f"{counted(len(self), 'activation')}."


class SheetExport(Single):
    """Sheets that were written."""

    strategy: str
    files: tuple[str, ...]
    rows: Mapping[str, int]
    """The rows of each sheet, without its headers."""

    def _title(self) -> str:
        return "\n".join([f"{self.strategy}: {counted(len(self.rows), 'sheet')}.", *self.files])


class SheetChange(Part):
    """What an import changes in one table. Rows go by their id or tier; the second row of a tier
    is `tier (2)`."""

    table: str
    rows: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    moved: bool
    """Whether rows that stay are in another order."""
    columns: bool
    """Whether the columns are others, or in another order."""
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    differs: bool
    """Whether anything changes."""

    @property
    def column_changes(self) -> list[str]:
        """What becomes of the columns, in words."""
        words = {"added": self.columns_added, "dropped": self.columns_removed}
        parts = [f"columns {word}: {', '.join(names)}" for word, names in words.items() if names]
        return parts or (["other columns"] if self.columns else [])


class SheetImport(Result):
    """Tables that were taken from sheets."""

    strategy: str
    version: str
    dry_run: bool
    tables: tuple[SheetChange, ...]
    files: tuple[str, ...]
    """The files that were written, or would be."""
    comments_lost: int
    """Comments of the old files that found no row to stand by."""
    problems: tuple[ProblemField, ...] = ()
    """Always empty: with Problems there is no result."""

    def to_arrow(self) -> pa.Table:
        """What changes: table, rows, added, removed, changed, moved, columns."""
        columns = {"table": pa.string(), "rows": pa.int64()}
        columns |= dict.fromkeys(("added", "removed", "changed"), pa.list_(pa.string()))
        return records(columns | dict.fromkeys(("moved", "columns"), pa.bool_()), self.tables)

    def _title(self) -> str:
        verb = "would be written" if self.dry_run else "written"
        written = f"{counted(len(self.files), 'file')} {verb}"
        return f"{self.strategy} {self.version}: {written}."


def _without_data(from_data: bool) -> list[str]:
    if from_data:
        return []
    return ["Without data: facts are those that riskseg declares and the rules expect."]


def _levels(cell: Literal["any"] | Sequence[str | bool]) -> str:
    return cell if isinstance(cell, str) else " or ".join(map(str, cell))
