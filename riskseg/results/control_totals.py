"""Control totals: that no row and no penny is lost between the sources and the decisions."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from riskseg.results.part import Part


class SourceRows(Part):
    """The rows of a source: read = used + set apart."""

    read: int
    used: int
    set_apart: int


class MoneyIn(Part):
    """The money of the payments, as of the date. Amounts are in the workspace's currency.

    paid_in = settled + pending + failed + later + no_account + set_apart, and
    settled + credit_notes = taken_back + allocated + paid_out + credit.
    """

    paid_in: Decimal
    """All payments of the source, bad rows included as far as their amount can be read."""
    settled: Decimal
    """What was known to be settled."""
    pending: Decimal
    failed: Decimal
    later: Decimal
    """What became known after the date."""
    no_account: Decimal
    """What was paid by accounts that do not exist yet as of the date."""
    set_apart: Decimal
    """Payments that are bad rows."""
    credit_notes: Decimal
    """Negative bills."""
    taken_back: Decimal
    """What reversals took back of it."""
    allocated: Decimal
    """What bills were paid."""
    paid_out: Decimal
    """What was refunded, less what came back."""
    credit: Decimal
    """What waits for bills."""


class ControlTotals(Part):
    """What adds up: a run in which it does not ends as a fault of riskseg's own."""

    rows: Mapping[str, SourceRows]
    money: MoneyIn | None
    """Null in a workspace without bills."""
    overdue_by_account: Decimal | None
    """What allocation left overdue, account by account."""
    overdue_by_segment: Decimal | None
    """What the segments hold."""
    accounts_set_apart: int
    """The accounts decided of which a row was set apart."""
