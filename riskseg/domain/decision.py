"""The decision on an account: its columns, what each holds and where it comes from.

One row per account. Whatever makes, compares, proves, writes or documents decisions reads the
columns from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from riskseg.domain.facts import Kind


class Origin(StrEnum):
    """Where a column comes from: the account's own facts, the strategy's SQL, or the run."""

    ACCOUNT = "account"
    STRATEGY = "strategy"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class DecisionColumn:
    """One column of a decision.

    An `outcome` is what strategies are compared by first. A `treatment` is part of what is done
    for the account: where one is different, the account is treated differently. `proved` columns
    are worked out by proofs too, independently of the SQL. `explains` says that the column tells
    how the decision came about, and not what it is.
    """

    name: str
    kind: Kind
    origin: Origin
    description: str = ""
    outcome: bool = False
    treatment: bool = False
    proved: bool = False
    explains: bool = False


def _of_account(name: str, kind: Kind, description: str = "") -> DecisionColumn:
    return DecisionColumn(name, kind, Origin.ACCOUNT, description)


def _decided(name: str, kind: Kind, description: str = "", **roles: bool) -> DecisionColumn:
    return DecisionColumn(name, kind, Origin.STRATEGY, description, **roles)


def _of_run(name: str, description: str) -> DecisionColumn:
    return DecisionColumn(name, Kind.TEXT, Origin.RUN, description, explains=True)


# The action of an account for which nothing is due.
NO_ACTION = "none"

# In the order in which they are written. The probabilities, bands and tiers of the strategy stand
# after `LAST_BEFORE_LEVELS`, under names of the strategy's own.
COLUMNS: tuple[DecisionColumn, ...] = (
    _of_account("account_id", Kind.TEXT),
    _of_account("as_of", Kind.DATE, "the as-of date"),
    _of_account(
        "lifecycle",
        Kind.TEXT,
        "live, final_billed, closed_in_debt, written_off, in_credit or no_history",
    ),
    _decided("segment", Kind.TEXT, outcome=True, treatment=True, proved=True),
    _decided(
        "path",
        Kind.TEXT,
        "the path in force; after `then`, the one that follows",
        outcome=True,
        treatment=True,
        proved=True,
    ),
    _decided(
        "path_day",
        Kind.INTEGER,
        "the day of that path; null where day 0 is unknown or the path has ended",
        proved=True,
    ),
    _decided(
        "step",
        Kind.INTEGER,
        "which step of the path is due, from 1; null where nothing is, or a duty",
        treatment=True,
        proved=True,
    ),
    _decided(
        "due_action",
        Kind.TEXT,
        "the action of the step, or duty, that is due, before any guard; `none` where none is",
        treatment=True,
        proved=True,
    ),
    _decided(
        "action",
        Kind.TEXT,
        "what to do; `none` where nothing is due",
        outcome=True,
        treatment=True,
        proved=True,
    ),
    _decided("channel", Kind.TEXT, "the action's channel", treatment=True),
    _decided(
        "template",
        Kind.TEXT,
        "the step's template; null where a guard changed the action",
        treatment=True,
    ),
    _decided("next_action", Kind.TEXT, "the next step's action, before any guard", treatment=True),
    _decided("next_on", Kind.DATE, "and its date", treatment=True),
    _decided("priority", Kind.DECIMAL, "the strategy's number; larger comes first"),
    _of_account("balance_overdue", Kind.DECIMAL, "null without bills"),
    _of_account("days_past_due", Kind.INTEGER, "of the oldest overdue bill"),
    _decided(
        "guards",
        Kind.TEXT,
        "those in force, joined by `;`; one that is in force because data is missing ends in `?`",
        treatment=True,
    ),
    _of_run("reasons", "what raises the probability of the first band most, in words"),
    _decided("rows_matched", Kind.TEXT, "the row that fired in each table", explains=True),
    _of_run("strategy_version", "a hash of the strategy's content, less examples and comments"),
    _of_run("model_versions", "`model=version`, joined by `;`"),
    _of_run("facts_hash", "a hash of every fact the strategy read of the account"),
)
LAST_BEFORE_LEVELS = "lifecycle"

# What comes next for an account: see `riskseg.treatment.outlook`.
Outlook = Literal["due", "later", "finished", "held", "untreated"]

NAMES = tuple(column.name for column in COLUMNS)
# What the strategy's SQL makes, beside bands and tiers.
DECIDED = tuple(c.name for c in COLUMNS if c.origin is Origin.STRATEGY)
# Names that are no facts: a rule that named an attribute of such a name could be read in two ways.
NOT_FACTS = frozenset(c.name for c in COLUMNS if c.origin is not Origin.ACCOUNT)
OUTCOMES = tuple(c.name for c in COLUMNS if c.outcome)
TREATMENT = tuple(c.name for c in COLUMNS if c.treatment)
PROVED = tuple(c.name for c in COLUMNS if c.proved)
# What is decided of an account, less how it came about.
RESULT = tuple(c.name for c in COLUMNS if c.origin is Origin.STRATEGY and not c.explains)


def decision_names(probabilities: Sequence[str], levels: Sequence[str]) -> list[str]:
    """The columns of a decision file: `probabilities` are the names of a strategy's `uses`, and
    `levels` those of its bands, then of its tier schemes."""
    end = NAMES.index(LAST_BEFORE_LEVELS) + 1
    return [*NAMES[:end], *probabilities, *levels, *NAMES[end:]]
