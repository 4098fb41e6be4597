"""What the worklist and the commands that record events give."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Literal

import pyarrow as pa

from riskseg.domain.words import counted
from riskseg.results.base import Result, Single, records
from riskseg.results.part import Part
from riskseg.results.runs import Written
from riskseg.results.strategies import StrategyVersion

Decided = Literal["approved", "rejected"]


class WorklistAction(Part):
    """How often an action is on the list, and how often it was left off it."""

    action: str
    channel: str
    listed: int
    needs_approval: int
    """How many of those listed a person must approve before they are issued."""
    left: int
    """How many more are due than the capacity of the day allows."""


class WorklistDuty(Part):
    """How many accounts a duty is open for on the day."""

    duty: str
    open: int
    late: int
    """For how many of them its deadline is over."""
    left: int
    """For how many nothing on the list fulfils it: rules forbid it, or the day is closed."""


class IssuedAction(Part):
    """An action that was issued."""

    id: str
    account_id: str
    action: str


class Worklist(Written):
    """The actions that are due: those that meet a duty, then in order of priority; `issued` of them
    are recorded as issued."""

    as_of: date
    activated: bool
    """Whether the strategy was in force, and not only the folder's."""
    strategy: StrategyVersion
    actions: tuple[WorklistAction, ...]
    issued: int | None
    """How many actions stand in the journal as issued; null where the list is only shown."""
    new: int
    """How many of them this command recorded: issuing again adds nothing."""
    waiting: int
    """How many wait for a person's approval."""
    no_longer_due: tuple[IssuedAction, ...]
    """What was issued for the day before and is no longer due, as payments and events are known
    now: it is not on the list, and may still be stopped."""
    held_back: int
    """How many were left out because another action was issued to the account that day."""
    duties: tuple[WorklistDuty, ...]
    """The duties that are open for some account."""
    models: Mapping[str, str]
    """The model and version that gave each probability."""
    accepted_feeds: tuple[str, ...] = ()
    """What of the sources is not as riskseg.toml expects, and was accepted."""

    def _title(self) -> str:
        due = f"{counted(self.rows, 'action')} due on {self.as_of}, in {self.place}."
        return due if self.issued is None else f"{due} {self.issuing}"

    @property
    def issuing(self) -> str:
        """How many actions were issued, by this command and before, in a sentence."""
        new, before = self.new, (self.issued or 0) - self.new
        now = f"{counted(new, 'action')} issued"
        return f"{now} now, {before:,} before." if before else f"{now}."


class RecordedOutcomes(Single):
    """The outcomes of issued actions that a file gave, as they were recorded."""

    file: str
    recorded_on: date
    rows: int
    """How many rows the file has."""
    new: int
    """How many outcomes this command recorded."""
    known: int
    """How many were recorded before."""
    bad: int
    """How many rows could not be recorded: they are in the quarantine."""
    quarantine: str | None
    """The file that holds them, each with its reason."""
    outcomes: Mapping[str, int]
    """How often each word stands in the rows that are recorded."""
    contacts: int
    """How many of them are conversations."""
    promises: int

    def _title(self) -> str:
        bad = f", {counted(self.bad, 'bad row')} left out" if self.bad else ""
        return (
            f"{counted(self.new, 'outcome')} of {self.file} recorded on {self.recorded_on}, "
            f"{self.known:,} known before{bad}."
        )


class DecidedAction(Part):
    """An action that a person approved of, or rejected."""

    id: str
    account_id: str
    action: str
    new: bool
    """Whether this command recorded it; not where the person had said so before."""
    waiting: int
    """How many more people must approve of it before it is issued."""


class Approvals(Result):
    """What a person said of actions on the list of a day."""

    as_of: date
    outcome: Decided
    by: str
    reason: str
    actions: tuple[DecidedAction, ...]

    def to_arrow(self) -> pa.Table:
        """The actions: id, account_id, action, new, waiting."""
        columns = dict.fromkeys(("id", "account_id", "action"), pa.string())
        return records(columns | {"new": pa.bool_(), "waiting": pa.int64()}, self.actions)

    def _title(self) -> str:
        return f"{counted(len(self.actions), 'action')} {self.outcome} by {self.by}."


class RecordedEvent(Single):
    """What a person recorded of an account."""

    account_id: str
    kind: str
    happened_on: date
    until: date | None
    """The last day of it, or the day by which something is to be paid."""
    amount: Decimal | None
    outcome: str | None
    """`ended` or `cancelled` where something recorded before is; what came of a dispute."""
    reason: str | None
    recorded_on: date
    made_by: str
    ref: str | None
    """By which it, and its end, are known."""
    bill_id: str | None
    """The bill that a dispute is about."""
    new: bool
    """Whether this command recorded it; not where the same was recorded before."""

    def _title(self) -> str:
        until = f" until {self.until}" if self.until else ""
        outcome = f" {self.outcome}" if self.outcome else ""
        outcome += f" about bill {self.bill_id}" if self.bill_id else ""
        before_text = "" if self.new else "; it was recorded before"
        return (
            f"{self.account_id}: {self.kind}{outcome} from {self.happened_on}{until}, recorded on "
            f"{self.recorded_on} by {self.made_by}{before_text}."
        )


class HistoryEntry(Part):
    """One thing that happened to an account, or was recorded or decided of it."""

    kind: str
    day: date
    recorded_on: date
    """The day from which it was known."""
    words: str
    """What happened, in a line."""
    amount: Decimal | None
    until: date | None
    """When a bill is due, the last day of a hold, the day by which something is promised."""
    channel: str | None
    action: str | None
    step: str | None
    path: str | None
    outcome: str | None
    """What came of it. Of a promise or a plan riskseg works out `open`, `running`, `kept`,
    `partly_kept` or `broken`, of an instalment `missed`; each is an entry of its own."""
    ref: str | None
    """What it is of: a bill's or payment's id, the id of an action, what a hold is ended by."""
    reason: str | None
    made_by: str | None
    bill_id: str | None
    """The bill that a dispute is about."""
    by_riskseg: bool
    """Whether riskseg recorded or decided it; not where a source says it."""


class History(Result):
    """All that was known of an account by the close of a day, in the order of time."""

    account_id: str
    as_of: date
    entries: tuple[HistoryEntry, ...]
    currency: str
    scale: int
    notes: tuple[str, ...]
    place: str | None
    """The page that was written, if one was."""

    def to_arrow(self) -> pa.Table:
        """The entries: day, recorded_on, kind, words, made_by, ref."""
        columns = {"day": pa.date32(), "recorded_on": pa.date32()}
        texts = dict.fromkeys(("kind", "words", "made_by", "ref"), pa.string())
        return records(columns | texts, self.entries)

    def _title(self) -> str:
        known = counted(len(self.entries), "entry", "entries")
        return "\n".join([f"{self.account_id} as of {self.as_of}: {known}.", *self.notes])
