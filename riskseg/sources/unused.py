"""Columns of a source that nothing reads, and what they may be meant for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

from riskseg.domain.facts import folded
from riskseg.ledger.contract import contract_of
from riskseg.ledger.mapping import UnusedColumn
from riskseg.sources.mapping import Given

# How alike two names are, from 0 to 1, where the one may be meant for the other.
_ALIKE = 0.75
# Other words for columns of the contract, in the order in which they are tried.
_MEANT: Mapping[str, tuple[str, ...]] = {
    "due": ("due_on",),
    "due_date": ("due_on",),
    "invoice_date": ("issued_on",),
    "bill_date": ("issued_on",),
    "issue_date": ("issued_on",),
    "invoice_no": ("bill_id",),
    "invoice_id": ("bill_id",),
    "invoice_number": ("bill_id",),
    "bill_no": ("bill_id",),
    "invoice": ("bill_id",),
    "transaction_id": ("payment_id", "ref"),
    "receipt_no": ("payment_id",),
    "reference": ("ref", "payment_id"),
    "posted_on": ("recorded_on",),
    "booked_on": ("recorded_on",),
    "posting_date": ("recorded_on",),
    "created_at": ("recorded_on",),
    "payment_method": ("method",),
    "state": ("status",),
    "payment_status": ("status",),
    "reversal_of": ("reverses",),
    "reversed_payment_id": ("reverses",),
    "refund_of": ("reverses",),
    "cancelled": ("cancelled_on",),
    "disputed": ("disputed_amount",),
    "note": ("ref",),
    "end_date": ("until",),
    "type": ("kind",),
}


def unused_columns(
    table: str,
    given: Iterable[Given],
    columns: Mapping[str, str],
    others: Collection[str],
    headers: Iterable[str],
) -> tuple[UnusedColumn, ...]:
    """The `headers` that no line of riskseg.toml (`given`) reads, that fill no column of the
    contract (`columns`, by their SQL) and are none of the `others` (attributes, row numbers)."""
    contract = contract_of(table)
    read = {name for line in given for name in line.reads}
    read |= {folded(name) for name in others}
    free = [column.name for column in contract.columns if column.name not in columns]
    taken = {folded(sql.strip('"')) for sql in columns.values()}
    return tuple(
        UnusedColumn(header, _near(folded(header), free))
        for header in headers
        if folded(header) not in read and folded(header) not in taken
    )


def _near(name: str, free: list[str]) -> str | None:
    """The column of the contract that a name may be meant for, among those that nothing fills."""
    meant = [column for column in _MEANT.get(name, ()) if column in free]
    close = meant or get_close_matches(name, free, n=1, cutoff=_ALIKE)
    return close[0] if close else None
