"""What `ageing` gives: receivables by age, and how they tie to the ledger and to the source."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pyarrow as pa

from riskseg.domain.ageing import BUCKETS
from riskseg.domain.words import counted, money
from riskseg.results.base import Result
from riskseg.results.part import Part
from riskseg.results.runs import Written


class BucketTotal(Part):
    """What an ageing bucket holds."""

    bucket: str
    """`current`, `1-30`, `31-60`, `61-90` or `90+` days past due."""
    accounts: int
    """The accounts that belong to the bucket: the oldest bill that is not paid does."""
    holding: int
    """The accounts of which any amount is in the bucket."""
    amount: Decimal
    """What is unpaid of the bills whose age lies in the bucket."""


class AgedGroup(Part):
    """What accounts owe, by age."""

    value: str | None
    """The value of the attribute that all of these accounts have; null where it is not known."""
    accounts: int
    buckets: tuple[BucketTotal, ...]
    overdue: Decimal
    """What is past due: all buckets but `current`."""
    disputed: Decimal
    """What is not owed of the bills: in dispute, or found not to be owed."""
    credit: Decimal
    """Money that no bill takes: credits and payments that are not allocated."""
    balance: Decimal
    """All buckets and what is disputed, less credit."""


class LedgerTotal(Part):
    """The balance once more, added up from the rows of bills and payments."""

    billed: Decimal
    cancelled: Decimal
    """Bills that are cancelled."""
    credited: Decimal
    """Negative bills."""
    paid: Decimal
    taken_back: Decimal
    """What of the payments was reversed."""
    paid_out: Decimal
    """What was refunded, less what came back."""
    balance: Decimal
    """Billed, less cancelled, credited and paid, and what was taken back and paid out."""
    difference: Decimal
    """The balance by age less this one: 0."""
    accounts: int
    """The accounts whose two balances differ: 0."""


class AgedTotals(Part):
    """Every account there is as of a date, by age and by group, against the ledger."""

    total: AgedGroup
    groups: tuple[AgedGroup, ...]
    """By the values of an attribute, where one is asked for, in their order."""
    ledger: LedgerTotal


class TieBucket(Part):
    """An ageing bucket beside the source's own."""

    bucket: str
    amount: Decimal
    source: Decimal
    difference: Decimal
    accounts: int
    """The accounts whose amounts differ."""


class TieCause(Part):
    """What explains the differences of some accounts."""

    cause: str
    words: str
    accounts: int
    difference: Decimal


class TieDifference(Part):
    """An account whose balance at the source is another, and the row that would explain it."""

    account_id: str
    balance: Decimal
    """Its balance here; 0 for an account that is not known here."""
    source: Decimal | None
    """Its balance at the source; null where the source has none."""
    difference: Decimal
    """The source's balance less the one here."""
    cause: str
    words: str
    """The likely explanation."""
    table: str | None
    """The table of the row that explains it; null where it is no single row."""
    row: str | None
    """The id of that bill or payment, the number of the quarantined row, or how many rows explain
    it together."""
    day: date | None
    others: int
    """How many other rows would explain it as well."""


class TieOut(Part):
    """The balances compared with those of the source."""

    against: str
    """The file, or the column of accounts, that has the source's balances."""
    compared: int
    """The accounts that have a balance on either side."""
    agree: int
    differ: int
    absent: int
    """The accounts with a balance here, and none at the source; of those that differ."""
    unknown: int
    """The accounts of the source that are not known here; of those that differ."""
    balance: Decimal
    source: Decimal
    difference: Decimal
    """The source's balances less those here: the sum of all differences."""
    explained: int
    """The accounts that differ and of which a likely explanation was found."""
    causes: tuple[TieCause, ...]
    largest: tuple[TieDifference, ...]
    """The largest differences."""
    buckets: tuple[TieBucket, ...]
    """Each bucket that the source has too."""
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.agree:,} of {counted(self.compared, 'account')} agree with {self.against}; "
            f"the differences of the others add up to {self.difference:,}."
        )


class AgedAccountRows(Written):
    """A row for each account: its buckets, balance and, where balances were compared, the
    source's balance and what explains the difference."""

    def _title(self) -> str:
        return f"{counted(self.rows, 'account')} in {self.place}."


class Ageing(Result):
    """Receivables by age as of a date, as they were known then."""

    as_of: date
    by: str | None
    """The attribute of accounts by which they are grouped."""
    currency: str
    scale: int
    """The decimals of an amount."""
    total: AgedGroup
    groups: tuple[AgedGroup, ...]
    """By the values of the attribute, where one is asked for, in their order."""
    ledger: LedgerTotal
    quarantined: Mapping[str, int]
    """The bad rows of each table, which are in no amount."""
    tie: TieOut | None
    """How it ties to the source's own balances, where they were given."""
    accounts: AgedAccountRows | None
    """The rows of the accounts, where they were written or kept in memory."""

    def _title(self) -> str:
        total = self.total
        text = (
            f"Ageing as of {self.as_of}: {counted(total.accounts, 'account')}, "
            f"{money(total.overdue, self.currency, self.scale)} overdue, balance "
            f"{money(total.balance, self.currency, self.scale)}, difference to the ledger "
            f"{money(self.ledger.difference, scale=self.scale)}."
        )
        return f"{text}\n{self.tie}" if self.tie else text

    def to_arrow(self) -> pa.Table:
        """A row for each group, or one for all, with a column for each bucket."""
        return pa.Table.from_pylist([self._row(group) for group in self.groups or (self.total,)])

    def _row(self, group: AgedGroup) -> dict[str, object]:
        columns = {bucket.label: bucket.column for bucket in BUCKETS}
        row: dict[str, object] = {"group": group.value} if self.by else {}
        row["accounts"] = group.accounts
        row |= {columns[bucket.bucket]: bucket.amount for bucket in group.buckets}
        for name in ("overdue", "disputed", "credit", "balance"):
            row[name] = getattr(group, name)
        return row
