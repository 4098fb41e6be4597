"""What deciding accounts gives: decisions, scores, an account's explanation."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import AliasChoices, Field, PrivateAttr, computed_field

from riskseg.domain.decision import Outlook
from riskseg.domain.problems import problem
from riskseg.domain.words import counted
from riskseg.results.base import SHOWN, Cells, Decision, Result, Scalar, records
from riskseg.results.control_totals import ControlTotals
from riskseg.results.part import Part
from riskseg.results.strategies import StrategyVersion


class AccountFile(Part):
    """A file of accounts that was read instead of the workspace's own."""

    file: str
    sha256: str


class Written(Result):
    """A result whose rows were written: to a file, to a table of a database, or to memory."""

    place: str
    """Where the rows are: a path, a database's address without its password, or `memory`."""
    rows: int
    sha256: str | None
    """The hash of the file's bytes; null for a table of a database."""
    accounts_from: AccountFile | None = None
    """The file of accounts that was given with `--from`, if one was."""
    _parquet: pa.Buffer | None = PrivateAttr(None)

    def holding(self, target: object) -> None:
        """Keep the rows of a target in memory, which has them as `parquet`; nothing of any other
        target."""
        self._parquet = getattr(target, "parquet", None)

    @property
    def readable(self) -> bool:
        """Whether the rows can be read back: from memory, or from a Parquet file."""
        return self._parquet is not None or self.place.lower().endswith(".parquet")

    def parquet(self) -> pq.ParquetFile:
        """The rows as they were written. Raises ValueError where they are in another form, and
        RS610 where the file is not what was written any more."""
        if self._parquet is not None:
            return pq.ParquetFile(pa.BufferReader(self._parquet))
        if not self.readable:
            raise ValueError(
                f"The rows are in {self.place}: read them there, or leave `out` out, or name a "
                ".parquet file."
            )
        if not self._unchanged():
            raise problem(
                "RS610",
                "The file no longer holds the rows that were written.",
                file=self.place,
                hint="Run it again, without `out` to keep the rows in memory.",
            )
        return pq.ParquetFile(self.place)

    def _unchanged(self) -> bool:
        if not Path(self.place).is_file():
            return False
        with open(self.place, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == self.sha256

    def to_arrow(self) -> pa.Table:
        """The rows that were written, in the order of account ids."""
        return self.parquet().read()

    def _shown(self) -> tuple[Sequence[str], Cells]:
        """The first rows; none where they cannot be read back."""
        if self._parquet is None and not (self.readable and self._unchanged()):
            return (), ()
        file = self.parquet()
        batch = next(file.iter_batches(SHOWN), None)
        rows = [] if batch is None else [[*row.values()] for row in batch.to_pylist()]
        return file.schema_arrow.names, rows


class OutlookTotal(Part):
    """Accounts of which the same comes next."""

    accounts: int
    overdue: Decimal | None
    """The balance overdue of these accounts; null without bills."""


class SegmentTotal(Part):
    """What a segment holds."""

    segment: str
    paths: Mapping[str, int]
    """How many accounts are on each path."""
    accounts: int
    overdue: Decimal | None
    """The balance overdue of these accounts; null without bills."""
    scored: int
    """How many accounts have a probability."""
    probability: Decimal | None
    """The mean probability of the accounts that have one; null where none has."""
    due: int
    """How many accounts have an action due."""
    finished: int
    """How many accounts have taken the last step there is for them: nothing further comes."""
    outlook: Mapping[Outlook, OutlookTotal]
    """What comes next; every account is in exactly one. `due`: an action is due today. `later`: a
    step comes later. `finished`: nothing further comes. `held`: a rule forbids what is due, or a
    hold pauses the path. `untreated`: the path has no steps, has not begun or has ended."""


class DriftFigure(Part):
    """How a feature of the accounts that were scored, or their probability, differs from training
    at the same points of the billing cycle."""

    model: str
    """The model, as the strategy or the command names it."""
    feature: str | None
    """Null for the probability."""
    psi: float
    """The population stability index."""
    by_chance: float
    """What chance alone gives on average."""
    differs: bool
    """Whether it is a shift beyond chance."""


class Selected(Part):
    """Which of the decisions were written, and which columns of them."""

    rows: int
    """How many of the decisions were written."""
    columns: tuple[str, ...]
    due: bool
    """Whether only those with an action due were written."""
    actions: tuple[str, ...]
    """The actions of those that were written; any where there is none."""
    segments: tuple[str, ...]


class Decisions(Written):
    """The decisions of a run, one for each account, and its totals by segment."""

    run_id: str
    as_of: date
    selection: Selected | None = None
    """What of the decisions was written; null where all of them were. `sha256` is the hash of the
    file that was written, and `rows` counts all decisions."""
    activated: bool
    """Whether the strategy was in force, and not only the folder's."""
    kept: bool
    """Whether the run kept what it decided from, so that it can be replayed."""
    strategy: StrategyVersion
    default_values: Mapping[str, Scalar]
    """The value that stood for each fact the workspace lacks."""
    models: Mapping[str, str]
    """The model and version that gave each probability."""
    segments: tuple[SegmentTotal, ...]
    """In the order of the strategy's table."""
    actions: Mapping[str, int]
    """How often each action is due."""
    quarantined: Mapping[str, int]
    """The bad rows of each table, which were set apart."""
    control_totals: ControlTotals | None = None
    """What was read, used and set apart, and what became of the money."""
    accepted_feeds: tuple[str, ...] = ()
    """What was not as expected of the sources, and accepted."""
    unmatched: tuple[str, ...] = ()
    """Ids that name nothing there is, in words: how many, and why that is likely."""
    of: str | None
    """The probability that `segments` give the mean of."""
    currency: str
    scale: int
    """The decimals of an amount."""
    differences: Mapping[str, Sequence[str]]
    """How the accounts differ from those each model was trained on."""
    drift: tuple[DriftFigure, ...] = ()
    """The figures behind `differences`."""
    definitions: Mapping[str, str]
    """A hash of the definition of each fact that was read."""
    redefined: tuple[str, ...]
    """The facts whose definition has changed since the strategy was activated."""

    def _title(self) -> str:
        activated = "" if self.activated else ", not activated"
        return (
            f"{self.strategy.name} as of {self.as_of}: {counted(self.rows, 'decision')} in "
            f"{self.place} (run {self.run_id}{activated})."
        )

    def _shown(self) -> tuple[Sequence[str], Cells]:
        columns = ("segment", "accounts", f"overdue ({self.currency})", *filter(None, [self.of]))
        rows = [
            [
                s.segment,
                s.accounts,
                s.overdue,
                *([s.probability] if self.of else ()),
                s.due,
                s.finished,
            ]
            for s in self.segments
        ]
        return (*columns, "due today", "nothing further"), rows


class Scores(Written):
    """The probabilities of a run, one for each account and model."""

    models: Mapping[str, str]
    """The version of each model."""
    scored: Mapping[str, int]
    """How many rows have a probability of each model."""
    differences: Mapping[str, Sequence[str]]
    """How what was scored differs from what each model was trained on."""
    drift: tuple[DriftFigure, ...] = ()
    """The figures behind `differences`."""
    of_bills: bool = False
    """Whether a model is observed at issue, so that there are rows for bills too."""
    accepted_feeds: tuple[str, ...] = ()
    """What of the sources is not as riskseg.toml expects, and was accepted."""

    def _title(self) -> str:
        scored = ", ".join(f"p_{name}: {count:,} scored" for name, count in self.scored.items())
        return f"{counted(self.rows, 'row')} in {self.place}. {scored}."


class ExplainedBill(Part):
    """A bill as of the date. Amounts are in the workspace's currency."""

    bill_id: str
    issued_on: date | None
    due_on: date
    amount: Decimal
    paid: Decimal
    overdue: Decimal
    disputed: Decimal
    """What of it is in dispute: it is not overdue."""
    cleared_on: date | None
    days_past_due: int


class Reason(Part):
    """One thing that moved a probability; a positive contribution raised it."""

    feature: str
    contribution: float
    value: Scalar
    words: str


class ExplainedScore(Part):
    """A probability and what moved it."""

    key: str
    """The strategy's name for the probability."""
    model: str
    version: str
    learner: str
    p: Decimal | None
    """Null where the account is outside the model's population."""
    reasons: tuple[Reason, ...]
    reasons_text: str = Field(validation_alias=AliasChoices("reasons_text", "told"))
    """The reasons as a decision holds them."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def told(self) -> str:
        """The same as `reasons_text`, under its name in earlier versions."""
        return self.reasons_text


class MatchedRow(Part):
    """A table's row that fired, in the file's own words."""

    table: str
    result: str
    row: str
    text: str
    line: int | None


class GuardState(Part):
    """A guard, hold or requirement, and whether it is in force for the account."""

    name: str
    kind: str
    state: Literal["in force", "in force: unknown", "not in force"]
    forbids: tuple[str, ...]
    stops_everything: bool
    """Whether nothing at all is done while it is in force."""
    source: str | None
    called: str
    """What messages call its kind."""
    words: str
    """When it is in force, in words."""
    until: date | None
    """The first day on which it is in force no more, where that is known."""
    event: str | None
    """The kind of event that brings it about while one lasts, if one does."""


class Waiting(Part):
    """What is due on the day and not done as it is, and what it waits for."""

    action: str
    until: date | None
    """The first day on which it may be done; null where that is not known."""
    instead: str | None
    """What is done in its place, if anything is."""
    rules: tuple[str, ...]
    """The guards, holds and contact rules that forbid it."""
    calendar: str | None
    """The calendar by which the day is closed, if it is."""
    because: tuple[str, ...] = ()
    """The same in words, and until when."""


class DutyState(Part):
    """A duty, and whether it is open for the account."""

    name: str
    open: bool
    since: date | None
    """The date that its days count from, while it is open."""
    deadline: date | None
    """The last day on which it is met in time, while it is open."""
    due: bool
    """Whether it is the one that is due on the day: the path waits for it."""
    actions: tuple[str, ...]
    issued_on: date | None
    """The day on which one of its actions was last issued."""
    when: str
    source: str | None


class PathStep(Part):
    """A step of the account's path; `on` is null where day 0 is not known, and where the step waits
    for another that was not issued yet (`waits_for`); `day` is then the earliest."""

    day: int
    on: date | None
    action: str
    template: str | None
    path: str
    when: Literal["past", "today", "waits", "ahead"]
    """`waits` is a step that is due, while on the day something else is done, or nothing."""
    waits_for: str | None = None
    """The action that has to be issued before the days until this step begin to count."""
    issued_on: date | None
    """The day on which it was last issued."""
    elsewhere_on: date | None = None
    """The day on which the same was done on another path, and counts for this step."""
    issued_by: str | None = None
    approved_by: tuple[str, ...] = ()
    """Who approved of it then."""
    outcomes: tuple[str, ...] = ()
    """What came of it, as far as it was recorded."""


class Held(Part):
    """What holds an account: a hold, a complaint or the like that lasts on the day."""

    kind: str
    since: date
    until: date | None
    """Its last day; null where that is not known yet."""
    reason: str | None
    made_by: str | None
    """Who recorded it; null where a source says so."""


class ChangeSince(Part):
    """A fact, or part of a decision, that the sources give otherwise now than when a run
    decided."""

    name: str
    then: Scalar
    now: Scalar


class FactForm(Part):
    """How a fact's value is written: its kind, and its unit if it has one."""

    kind: str
    unit: str


class Explanation(Result):
    """One account's decision and all that led to it."""

    decision: Decision
    facts: Mapping[str, Scalar]
    """The facts the rules read."""
    words: Mapping[str, str]
    """What each fact means; `{value}` stands for the account's own value."""
    forms: Mapping[str, FactForm]
    default_values: Mapping[str, Scalar]
    """The value that stood for each fact the workspace lacks."""
    bills: tuple[ExplainedBill, ...]
    """The last bills, by the sources as they are now."""
    set_apart: tuple[str, ...] = ()
    """The account's bad rows, by the sources as they are now: what is known of it lacks them."""
    scores: tuple[ExplainedScore, ...]
    matched: tuple[MatchedRow, ...]
    steps: tuple[PathStep, ...]
    placement: str | None = None
    """How the account came to its path, or why it stays there; null where nothing is recorded."""
    step_due: str
    """The action of the step that is due, before any guard."""
    guards: tuple[GuardState, ...]
    waits: Waiting | None
    """What is due and not done as it is; null where nothing waits."""
    duties: tuple[DutyState, ...]
    contact_hours: str | None
    """The hours of the day at which the action is lawful, and the time zone they are by; null
    where no rule says hours."""
    held: tuple[Held, ...] = ()
    """What lasts on the day that can hold an account: guards say whether it does."""
    strategy: str
    """The version of the strategy."""
    currency: str
    scale: int
    """The decimals of an amount."""
    run: str | None = None
    """The journalled run that decided so; null where it was decided from the sources now."""
    decided_at: datetime | None = None
    changes: tuple[ChangeSince, ...] = ()
    """What is different by the sources as they are now."""
    notes: tuple[str, ...] = ()

    def to_arrow(self) -> pa.Table:
        """The rows of the strategy that matched: table, result, row, text, line."""
        columns = dict.fromkeys(("table", "result", "row", "text"), pa.string())
        return records(columns | {"line": pa.int64()}, self.matched)

    def _title(self) -> str:
        d = self.decision
        title_lines = [
            f"{d['account_id']} as of {d['as_of']}: {d['lifecycle']}, segment {d['segment']}, "
            f"path {d['path']}, action {d['action']}."
        ]
        for score in self.scores:
            probability_text = "none" if score.p is None else f"{100 * score.p:.2f}%"
            title_lines.append(f"{score.key}: {probability_text} ({score.model} {score.version})")
            title_lines += [
                f"  {reason.contribution:+.2f}  {reason.words}" for reason in score.reasons
            ]
        guards = [guard.name for guard in self.guards if guard.state != "not in force"]
        title_lines += [f"Guards in force: {', '.join(guards)}."] if guards else []
        if self.waits is not None:
            title_lines += [f"{self.waits.action} waits: {reason}" for reason in self.waits.because]
        return "\n".join([*title_lines, *self.notes])
