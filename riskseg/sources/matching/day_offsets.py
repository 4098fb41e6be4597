"""Instalments whose days are counted from a day that the file does not name.

A select turns them into bills and payments; the day they count from is a person's to say.
"""

from __future__ import annotations

from collections.abc import Sequence

from riskseg.domain.relations import quoted
from riskseg.sources.matching.found import Found
from riskseg.sources.matching.names import likeness, tokens
from riskseg.sources.matching.profile import Profile
from riskseg.sources.matching.proposal import SURE, ColumnProposal, TableProposal

# The day from which days are counted until a person says another: in a row of one date, so that it
# is found and changed once a select.
COUNTED_FROM = "2020-01-01"
_PAID_WORDS = {"payment", "paid", "entry", "received"}


def from_day_offsets(tables: Sequence[Found]) -> dict[str, TableProposal]:
    """Bills and payments from the first file that has an account, a day due and a day of payment
    as numbers of days, and the amounts of both; nothing where none has."""
    for found in tables:
        proposals = {} if found.in_database or found.in_select is None else _from(found)
        if proposals:
            return proposals
    return {}


def _from(found: Found) -> dict[str, TableProposal]:
    offsets = [p for p in found.profiles.values() if p.is_day_offset and "days" in tokens(p.name)]
    amounts = [p for p in found.profiles.values() if "amount" in tokens(p.name) and p.is_number]
    account = max(
        found.profiles.values(), key=lambda p: likeness(p.name).get("account", 0), default=None
    )
    paid_day, due_day = _pair(offsets)
    paid, billed = _pair(amounts)
    if account is None or likeness(account.name).get("account", 0) < SURE:
        return {}
    if paid_day is None or due_day is None or paid is None or billed is None:
        return {}
    taken = {account.name, paid_day.name, due_day.name, paid.name, billed.name}
    key = [p for name, p in found.profiles.items() if name not in taken and p.suits("id")]
    return _proposals(found, account, key, due_day, billed, paid_day, paid)


def _pair(profiles: Sequence[Profile]) -> tuple[Profile | None, Profile | None]:
    """The column of what was paid and that of what was due, where each is one alone."""
    paid = [p for p in profiles if _PAID_WORDS & {*tokens(p.name)}]
    others = [p for p in profiles if p not in paid]
    return (paid[0], others[0]) if len(paid) == len(others) == 1 else (None, None)


def _proposals(
    found: Found,
    account: Profile,
    key: Sequence[Profile],
    due_day: Profile,
    billed: Profile,
    paid_day: Profile,
    paid: Profile,
) -> dict[str, TableProposal]:
    file = found.in_select
    parts = ", ".join(quoted(p.name) for p in key)
    bill_id = f"concat_ws('-', {parts})"
    who = quoted(account.name)
    # Several payments may share an instalment: it is one bill.
    bills = (
        f"select {who} as account_id, {bill_id} as bill_id, "
        f"date '{COUNTED_FROM}' + cast(max({quoted(due_day.name)}) as integer) as due_on, "
        f"max({quoted(billed.name)}) as amount from {file} group by all"
    )
    payments = (
        f"select {who} as account_id, {bill_id} as bill_id, "
        f"date '{COUNTED_FROM}' + cast({quoted(paid_day.name)} as integer) as paid_on, "
        f"{quoted(paid.name)} as amount from {file} "
        f"where {quoted(paid_day.name)} is not null and {quoted(paid.name)} > 0"
    )
    note = (
        f"Its days are numbers, counted from a day that the file does not name: say which in place "
        f"of {COUNTED_FROM}."
    )
    why = "the select names it"

    def proposal(table: str, select: str, amount: Profile, columns: Sequence[str]) -> TableProposal:
        headers = {"account_id": account.name, "amount": amount.name}
        named = {
            name: ColumnProposal(name, quoted(name), 1.0, why, True, header=headers.get(name))
            for name in columns
        }
        return TableProposal(table, found, select, named, from_decided=False, note=note)

    return {
        "bills": proposal("bills", bills, billed, ("account_id", "bill_id", "due_on", "amount")),
        "payments": proposal(
            "payments", payments, paid, ("account_id", "bill_id", "paid_on", "amount")
        ),
    }
