"""The tables that one package builds and another reads: keys, columns, kinds and guarantees.

A relation of one of these names is held against its declaration when it is built. Guarantees are
expressions over the columns that hold for every row; proofs take them for granted, and tests hold
them against tables that were really built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from riskseg.domain.facts import Kind

# Numbers of accounts and snapshots count from 1. `snap` numbers the snapshots of a run: an
# account as of a date. Amounts are in minor units (pence, cents).


@dataclass(frozen=True, slots=True)
class Column:
    """`kind` is None for an id that is only ever compared: a text, or a hash of one. One that is
    `optional` is there where the sources have what it is made from."""

    name: str
    kind: Kind | None
    nullable: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """No two rows have the same `key`. An `extensible` table has more columns, of names that the
    workspace or the strategy chose."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    guarantees: tuple[str, ...] = ()
    extensible: bool = False

    def misfits(self, kinds: Mapping[str, Kind]) -> list[str]:
        """What is wrong with the columns of a relation of this name, in words."""
        declared = {column.name: column for column in self.columns}
        wrong = [
            f"{column_name} is missing"
            for column_name, column in declared.items()
            if column_name not in kinds and not column.optional
        ]
        for column_name, kind in kinds.items():
            if (column := declared.get(column_name)) is None:
                if not self.extensible:
                    wrong.append(f"{column_name} is not declared")
            elif column.kind not in (None, kind):
                wrong.append(f"{column_name} is {kind}, not {column.kind}")
        return wrong


class ContractError(AssertionError):
    """A relation is not as its declaration says: a fault of riskseg's own."""

    def __init__(self, table: Table, misfits: list[str]) -> None:
        super().__init__(f"{table.name} is not as declared: {'; '.join(misfits)}")


_SNAP = Column("snap", Kind.INTEGER)
_ACCOUNT_NO = Column("account_no", Kind.INTEGER)
_AS_OF = Column("as_of", Kind.DATE)
_KNOWN_ON = Column("known_on", Kind.DATE)
_BILL_ID = Column("bill_id", None)
_FOCUS_BILL = Column("focus_bill", None, optional=True)
# Of the rows of a source: the number of the check that a bad row fails, and its place.
_STAGED = (
    Column("fault", Kind.INTEGER, nullable=True, optional=True),
    Column("row_no", Kind.INTEGER, optional=True),
)

LEDGER_ACCOUNTS = Table(
    "ledger_accounts",
    ("account_no", "valid_from", "observed_on"),
    (
        _ACCOUNT_NO,
        Column("party_id", Kind.TEXT, nullable=True),
        Column("premise_id", Kind.TEXT, nullable=True),
        Column("opened_on", Kind.DATE, nullable=True),
        Column("closed_on", Kind.DATE, nullable=True),
        Column("written_off_on", Kind.DATE, nullable=True),
        Column("valid_from", Kind.DATE, nullable=True),
        Column("observed_on", Kind.DATE, nullable=True),
        *_STAGED,
    ),
    guarantees=(
        "closed_on is null or opened_on is null or opened_on <= closed_on",
        "written_off_on is null or opened_on is null or opened_on <= written_off_on",
    ),
    extensible=True,
)

LEDGER_BILLS = Table(
    "ledger_bills",
    ("account_no", "bill_id"),
    (
        _ACCOUNT_NO,
        _BILL_ID,
        Column("issued_on", Kind.DATE),
        Column("due_on", Kind.DATE),
        Column("amount_minor", Kind.INTEGER),
        _KNOWN_ON,
        Column("cancelled_on", Kind.DATE, nullable=True),
        Column("disputed", Kind.INTEGER),
        *_STAGED,
    ),
    guarantees=("issued_on <= due_on", "issued_on <= known_on", "disputed >= 0"),
    extensible=True,
)

# `pending` is no money yet, `refund` was paid out, or came back where it `reverses` one, and a
# reversal that `won_back` gives back what another took. `part_id` is the payment, or its part for
# one of several bills; `undoes` is that of the one which a reversal takes back. There is no key: a
# reversal of others may both take back and give back of one payment.
LEDGER_PAYMENTS = Table(
    "ledger_payments",
    (),
    (
        _ACCOUNT_NO,
        Column("paid_on", Kind.DATE),
        Column("amount_minor", Kind.INTEGER),
        _KNOWN_ON,
        Column("settled", Kind.BOOLEAN),
        Column("pending", Kind.BOOLEAN),
        Column("refund", Kind.BOOLEAN),
        Column("won_back", Kind.BOOLEAN),
        Column("payment_id", None, nullable=True),
        Column("bill_id", None, nullable=True),
        Column("reverses", None, nullable=True),
        Column("part_id", None, nullable=True),
        Column("undoes", None, nullable=True),
        Column("method", Kind.TEXT, nullable=True),
        *_STAGED,
    ),
    guarantees=("paid_on <= known_on", "amount_minor >= 0"),
)

LEDGER_EVENTS = Table(
    "ledger_events",
    (),
    (
        _ACCOUNT_NO,
        Column("happened_on", Kind.DATE),
        Column("kind", Kind.TEXT),
        _KNOWN_ON,
        Column("amount_minor", Kind.INTEGER, nullable=True),
        Column("channel", Kind.TEXT, nullable=True),
        Column("outcome", Kind.TEXT, nullable=True),
        Column("until", Kind.DATE, nullable=True),
        Column("ref", Kind.TEXT, nullable=True),
        Column("bill_id", Kind.TEXT, nullable=True),
        *_STAGED,
    ),
    guarantees=("happened_on <= known_on",),
)

# What riskseg itself has issued: `path` and `step` say which step of which path it was.
LEDGER_ACTIONS = Table(
    "ledger_actions",
    ("event_id",),
    (
        _ACCOUNT_NO,
        Column("happened_on", Kind.DATE),
        _KNOWN_ON,
        Column("path", Kind.TEXT),
        Column("step", Kind.TEXT),
        Column("action", Kind.TEXT),
        Column("channel", Kind.TEXT),
        Column("template", Kind.TEXT, nullable=True),
        Column("event_id", None),
    ),
)

# What is to be paid by when under a plan.
LEDGER_INSTALMENTS = Table(
    "ledger_instalments",
    ("account_no", "plan_id", "due_on"),
    (
        _ACCOUNT_NO,
        Column("plan_id", Kind.TEXT),
        Column("due_on", Kind.DATE),
        Column("amount_minor", Kind.INTEGER),
        Column("recorded_on", Kind.DATE, nullable=True),
    ),
)

SNAPSHOTS = Table("snapshots", ("snap",), (_SNAP, _ACCOUNT_NO, _AS_OF, _FOCUS_BILL))

# What allocation makes so of every bill: nothing is past due before its due date is over, and a due
# bill that is not cleared has something overdue on it, for all the days since, or is covered by a
# plan and has nothing.
BILL_FACTS = Table(
    "bill_facts",
    ("snap", "bill_id"),
    (
        _SNAP,
        _AS_OF,
        _BILL_ID,
        Column("issued_on", Kind.DATE),
        Column("due_on", Kind.DATE),
        Column("amount_minor", Kind.INTEGER),
        Column("disputed", Kind.INTEGER),
        Column("paid", Kind.INTEGER),
        Column("cleared_on", Kind.DATE, nullable=True),
        Column("unpaid", Kind.INTEGER),
        Column("overdue", Kind.INTEGER),
        Column("days_past_due", Kind.INTEGER),
    ),
    guarantees=(
        "due_on < as_of or (overdue = 0 and days_past_due = 0)",
        "due_on >= as_of or cleared_on is not null "
        "or (overdue > 0 and days_past_due = days_between(due_on, as_of)) "
        "or (overdue = 0 and days_past_due = 0)",
    ),
)

TOTALS = Table(
    "totals",
    ("snap",),
    (
        _SNAP,
        Column("bills", Kind.INTEGER),
        Column("first_billed_on", Kind.DATE, nullable=True),
        Column("last_billed_on", Kind.DATE, nullable=True),
        Column("open", Kind.INTEGER),
        Column("overdue", Kind.INTEGER),
        Column("paid", Kind.INTEGER),
        Column("has_paid", Kind.BOOLEAN),
        Column("credit", Kind.INTEGER),
    ),
)

EPISODES = Table("episodes", ("snap",), (_SNAP, Column("episode_started_on", Kind.DATE)))

# The facts of a snapshot, by their names; in SQL a fact is the `fact_column` of its name. Between
# the treatment and the features: an episode is on while a bill is past due, and began no later
# than the day after that bill was due. How the two are made says so; see
# `treatment/episodes.py` and `ledger/allocation.py`.
FACTS = Table(
    "facts",
    ("snap",),
    (
        _SNAP,
        _ACCOUNT_NO,
        _AS_OF,
        _FOCUS_BILL,
        Column("since_bill", Kind.INTEGER, nullable=True, optional=True),
    ),
    guarantees=(
        "(days_past_due = 0 and episode_started_on is null) "
        "or (days_past_due > 0 and episode_started_on is not null)",
        "episode_started_on is null or days_past_due <= days_between(episode_started_on, as_of) "
        "+ 1",
    ),
    extensible=True,
)

TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        LEDGER_ACCOUNTS,
        LEDGER_BILLS,
        LEDGER_PAYMENTS,
        LEDGER_EVENTS,
        LEDGER_ACTIONS,
        LEDGER_INSTALMENTS,
        SNAPSHOTS,
        BILL_FACTS,
        TOTALS,
        EPISODES,
        FACTS,
    )
}
