"""Bills and payments in one file: a line an invoice, with the day on which it was paid."""

from __future__ import annotations

from dataclasses import replace

from riskseg.domain.relations import quoted
from riskseg.engine import Engine
from riskseg.sources.matching.columns import matches
from riskseg.sources.matching.fill import filled
from riskseg.sources.matching.proposal import SURE, ColumnProposal, TableProposal


def payments_in_bills(engine: Engine, bills: TableProposal) -> TableProposal | None:
    """The payments that a file of bills tells of; None where it says of no bill when it was
    paid."""
    found = bills.found
    bill_id, amount = bills.columns.get("bill_id"), bills.columns.get("amount")
    free = {
        name: profile
        for name, profile in found.profiles.items()
        if name != getattr(bills.columns.get("due_on"), "header", None)
        and name != getattr(bills.columns.get("issued_on"), "header", None)
    }
    pairs = matches("payments", free)
    paid = pairs.get("paid_on")
    rows = found.in_select
    if rows is None or paid is None or paid.score < SURE or bill_id is None or amount is None:
        return None
    payments = filled(engine, "payments", found, pairs)
    if bill_id.expression is not None:
        same = ColumnProposal("bill_id", bill_id.expression, bill_id.confidence, bill_id.why)
        payments = payments.with_column(same)
    paid_amount = payments.columns.get("amount")
    if amount.decided and (paid_amount is None or not paid_amount.decided):
        why = f"no column says how much was paid: the whole of {amount.header} is taken as paid"
        whole = replace(amount, confidence=SURE, why=why, options=())
        payments = payments.with_column(whole)
    column = quoted(paid.header)
    blank = "" if found.in_database else f" and trim(cast({column} as varchar)) <> ''"
    where = f"{column} is not null{blank}"
    select = f"select * from {rows} where {where}"
    return TableProposal(
        "payments",
        found,
        select,
        payments.columns,
        note="Each line with a day of payment is a payment of that day.",
    )
