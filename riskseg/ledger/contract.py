"""The data contract: which tables and columns the ledger takes, and what each must hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum

from riskseg.domain.ageing import BUCKETS


class Holds(StrEnum):
    """What a contract column holds."""

    ID = "text"
    DATE = "a date"
    MONEY = "an amount of money"
    WORD = "a word"


class Attributes(Enum):
    """Which columns of a source that are not of the contract are its attributes."""

    NONE = "none"
    NAMED = "those that riskseg.toml names"
    ALL = "every other column"


@dataclass(frozen=True, slots=True)
class Column:
    """`aliases` are other names under which a source's column is taken for this one, with or
    without what stands between their words."""

    name: str
    holds: Holds
    needed: bool = False
    words: tuple[str, ...] = ()
    negative: bool = False
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """`key`: the columns that together are unique, where none of those `named_by` is null. `order`:
    pairs (earlier, later) of dates."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    named_by: tuple[str, ...] = ()
    order: tuple[tuple[str, str], ...] = ()
    attributes: Attributes = Attributes.NONE

    def column(self, name: str) -> Column | None:
        return next((c for c in self.columns if c.name == name), None)


# An overlay adds its attributes to accounts by its key.
OVERLAY = Table(
    "overlay",
    (Column("key", Holds.ID, needed=True), Column("valid_from", Holds.DATE)),
    key=("key", "valid_from"),
    attributes=Attributes.ALL,
)


# Monthly balances stand in place of accounts and bills.
BALANCES = Table(
    "balances",
    (
        Column("account_id", Holds.ID, needed=True),
        Column("as_of", Holds.DATE, needed=True),
        Column("status", Holds.WORD),
        Column("days_past_due", Holds.WORD),
        Column("overdue", Holds.MONEY),
        *(Column(bucket.column, Holds.MONEY) for bucket in BUCKETS),
    ),
    key=("account_id", "as_of"),
    attributes=Attributes.ALL,
)


def contract_of(table: str) -> Table:
    """What a table of [source] must hold; `overlays.NAME` is an overlay."""
    if table == BALANCES.name:
        return BALANCES
    return OVERLAY if table.startswith("overlays.") else CONTRACT[table]


# Kinds of events that can hold an account while they last, from `happened_on` to `until`.
HOLDS = ("hold", "complaint", "bereavement", "breathing_space", "adviser")
# The outcome of the event that ends another of its kind: both have the same `ref`.
ENDED = "ended"

_ACCOUNT = Column("account_id", Holds.ID, needed=True)
_RECORDED = Column("recorded_on", Holds.DATE)
# Held against the workspace's currency; kept nowhere. The aliases are what systems call the
# currency that amounts are in; `waers` is SAP's, `currencyisocode` that of Salesforce.
_CURRENCY = Column(
    "currency",
    Holds.WORD,
    aliases=(
        "currency_code",
        "curr",
        "ccy",
        "waers",
        "document_currency",
        "doc_currency",
        "transaction_currency",
        "invoice_currency",
        "bill_currency",
        "billing_currency",
        "payment_currency",
        "currency_iso_code",
        "iso_currency",
        "iso_currency_code",
        "currency_key",
        "ccy_code",
        "curr_code",
        "waehrung",
        "währung",
        "devise",
        "moneda",
    ),
)

CONTRACT: Mapping[str, Table] = {
    table.name: table
    for table in (
        Table(
            "accounts",
            (
                _ACCOUNT,
                Column("party_id", Holds.ID),
                Column("premise_id", Holds.ID),
                Column("opened_on", Holds.DATE),
                Column("closed_on", Holds.DATE),
                Column("written_off_on", Holds.DATE),
                Column("valid_from", Holds.DATE),
                Column("observed_on", Holds.DATE),
            ),
            key=("account_id", "valid_from", "observed_on"),
            order=(("opened_on", "closed_on"), ("opened_on", "written_off_on")),
            attributes=Attributes.ALL,
        ),
        Table(
            "bills",
            (
                _ACCOUNT,
                Column("bill_id", Holds.ID, needed=True),
                Column("due_on", Holds.DATE, needed=True),
                Column("amount", Holds.MONEY, needed=True, negative=True),
                Column("issued_on", Holds.DATE),
                _RECORDED,
                # Instalments are a table of their own: as bills they would be a second debt beside
                # the bills that their plan covers.
                Column("kind", Holds.WORD, words=("charge",)),
                Column("disputed_amount", Holds.MONEY),
                Column("cancelled_on", Holds.DATE),
                _CURRENCY,
            ),
            key=("account_id", "bill_id"),
            named_by=("bill_id",),
            order=(("issued_on", "due_on"), ("issued_on", "cancelled_on")),
            # What a file of bills says besides is often how they were paid, which nobody knew when
            # they were issued: an attribute is what a person says is one.
            attributes=Attributes.NAMED,
        ),
        Table(
            "payments",
            (
                _ACCOUNT,
                Column("paid_on", Holds.DATE, needed=True),
                Column("amount", Holds.MONEY, needed=True),
                Column("payment_id", Holds.ID),
                Column("bill_id", Holds.ID),
                _RECORDED,
                Column("method", Holds.WORD),
                Column(
                    "status",
                    Holds.WORD,
                    words=("settled", "pending", "failed", "reversed", "refund"),
                ),
                Column("reverses", Holds.ID),
                _CURRENCY,
            ),
            # A payment that is booked to several bills has a row for each of them. One without an
            # id cannot be a second copy of another.
            key=("account_id", "payment_id", "bill_id"),
            named_by=("payment_id",),
        ),
        Table(
            "events",
            (
                _ACCOUNT,
                Column("happened_on", Holds.DATE, needed=True),
                Column(
                    "kind",
                    Holds.WORD,
                    needed=True,
                    words=(
                        "contact",
                        "promise",
                        "plan",
                        "dispute",
                        "visit",
                        "action",
                        *HOLDS,
                    ),
                ),
                _RECORDED,
                Column("channel", Holds.WORD),
                Column("outcome", Holds.WORD),
                Column("amount", Holds.MONEY, negative=True),
                Column("until", Holds.DATE),
                Column("ref", Holds.ID),
                Column("bill_id", Holds.ID),
                _CURRENCY,
            ),
            order=(("happened_on", "until"),),
        ),
        Table(
            "instalments",
            (
                _ACCOUNT,
                Column("plan_id", Holds.ID, needed=True),
                Column("due_on", Holds.DATE, needed=True),
                Column("amount", Holds.MONEY, needed=True),
                _RECORDED,
                _CURRENCY,
            ),
            key=("account_id", "plan_id", "due_on"),
            named_by=("plan_id", "due_on"),
        ),
    )
}
