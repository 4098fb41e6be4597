"""What `strategy diff` gives: how two versions of a strategy differ, and which accounts move."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

import pyarrow as pa
from pydantic import SerializeAsAny, WithJsonSchema

from riskseg.domain.words import counted
from riskseg.results.base import (
    Result,
    Scalar,
    records,
)
from riskseg.results.part import Part
from riskseg.results.runs import Written
from riskseg.results.strategies import without_data


class ComparedVersion(Part):
    """One of two versions; `where` is its folder, or the version as the journal knows it."""

    name: str
    fingerprint: str
    where: str


class RuleChange(Part):
    """One difference between the files of two versions."""

    file: str
    item: str
    kind: Literal["added", "removed", "moved", "changed", "renamed"]
    part: str
    """Empty for an entry that says one thing only."""
    was: str | None
    """The value as the old file writes it; of an entry that went, what it said."""
    now: str | None
    old_line: int | None
    new_line: int | None
    reaches: tuple[str, ...] = ()
    """Of a constant with another value, the entries that use it."""
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
    without_models: Mapping[str, int] = {}
    """Of each model that was never trained, and that riskseg.toml does without, how many accounts
    have no probability for that reason: all."""
    protective: tuple[str, ...]
    default_values: Mapping[str, Scalar]
    notes: tuple[str, ...]
    currency: str
    scale: int


class MoverRows(Written):
    """A row for each account that moves: from which segment, path and action to which, its overdue
    balance, and whether a protective flag is true."""

    def _title(self) -> str:
        return f"{counted(self.rows, 'account')} that move in {self.place}."


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
    movers: MoverRows | None = None
    """Where the accounts that move were written, if they were asked for."""
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
        return "\n".join([*lines, *without_data(self.from_data)])
