"""Bills and payments in one file: a line an invoice, with the day on which it was paid, how much
was paid of it, or both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from riskseg.domain.facts import folded
from riskseg.domain.relations import quoted
from riskseg.engine import Engine
from riskseg.sources.matching.columns import Match, matches
from riskseg.sources.matching.fill import DOUBTED, filled
from riskseg.sources.matching.found import Found
from riskseg.sources.matching.names import likeness, tokens
from riskseg.sources.matching.profile import Profile, amount_sql
from riskseg.sources.matching.proposal import SURE, ColumnProposal, TableProposal

# Words of a header that speak of money which came in.
_PAID_WORDS = {"paid", "payment", "received", "receipt", "settled", "bezahlt", "gezahlt"}
# What the amount of the bill is called in the select, where its own name is that of the contract:
# the name alone would take it as paid before a person said so.
BILLED = "amount_of_bill"


def payments_in_bills(engine: Engine, bills: TableProposal) -> TableProposal | None:
    """The payments that a file of bills tells of; None where it says of no bill when or how much
    was paid."""
    found, rows = bills.found, bills.found.in_select
    amount = bills.columns.get("amount")
    if rows is None or amount is None or "bill_id" not in bills.columns:
        return None
    of_bills = {getattr(bills.columns.get(c), "header", None) for c in ("due_on", "issued_on")}
    if amount.decided:
        of_bills.add(amount.header)
    free = {name: profile for name, profile in found.profiles.items() if name not in of_bills}
    pairs = matches("payments", free)
    day = pairs.get("paid_on")
    # A day of posting or a mere `date` is not one of payment in a list of bills.
    is_paid = day is not None and likeness(day.header).get("paid", 0.0) >= SURE
    day_header = day.header if day is not None and is_paid and day.score >= SURE else None
    taken = {match.header for name, match in pairs.items() if name != "amount"}
    money = [name for name, p in free.items() if name not in taken and _is_paid_money(p)]
    if day_header is None and not money:
        return None
    if day_header is None:
        pairs.pop("paid_on", None)
    payments = filled(engine, "payments", found, pairs)
    bill_id = bills.columns["bill_id"]
    if bill_id.expression is not None:
        same = ColumnProposal("bill_id", bill_id.expression, bill_id.confidence, bill_id.why)
        payments = payments.with_column(same)
    if day_header is None:
        payments = payments.with_column(_day_unknown(bills))
    paid = _paid(found, pairs, money)
    if paid is None:
        payments = payments.with_column(_whole(amount))
    elif paid != getattr(payments.columns.get("amount"), "header", None):
        others = [name for name in money if name != paid]
        payments = payments.with_column(_perhaps_paid(found.profiles[paid], others))
    select = _select(found, rows, day_header, paid)
    payments, select = _not_by_its_name(payments, select)
    note = "Each line with a day of payment is a payment of that day."
    if day_header is None:
        note = "Each line with an amount paid is a payment."
    return TableProposal("payments", found, select, payments.columns, note=note)


def _is_paid_money(profile: Profile) -> bool:
    """Whether a column is an amount that its name says was paid, and is known to be nothing else,
    as the number of a payment is."""
    if not _PAID_WORDS & {*tokens(profile.name)} or not profile.suits("money"):
        return False
    alike = likeness(profile.name)
    paid = max(alike.get("paid_amount", 0.0), alike.get("amount", 0.0))
    return all(value < SURE or value <= paid for value in alike.values())


def _paid(found: Found, pairs: Mapping[str, Match], money: Sequence[str]) -> str | None:
    """The column of the amount paid: one that is called so before one that only may be it."""
    named = pairs.get("amount")
    if named is not None and _is_paid_money(found.profiles[named.header]):
        return named.header
    return money[0] if money else None


def _day_unknown(bills: TableProposal) -> ColumnProposal:
    """The day due, where no column has the day of payment: a person says whether it will do."""
    due = bills.columns.get("due_on")
    why = "no column says when it was paid; the day due is only the next best"
    if due is None or due.expression is None:
        return ColumnProposal("paid_on", None, 0.0, "no column says when it was paid", True)
    return ColumnProposal("paid_on", due.expression, DOUBTED, why, True, header=due.header)


def _perhaps_paid(profile: Profile, others: list[str]) -> ColumnProposal:
    why = f'"{profile.name}" is money, and its name mentions a payment'
    expression = amount_sql(profile) or quoted(profile.name)
    options = tuple(others)
    return ColumnProposal("amount", expression, DOUBTED, why, True, options, header=profile.name)


def _whole(amount: ColumnProposal) -> ColumnProposal:
    """The whole of a bill as paid, where nothing says how much was: for a person to say."""
    why = f'no column says how much was paid; this takes the whole of "{amount.header}" as paid'
    return replace(amount, confidence=DOUBTED, why=why, options=())


def _select(found: Found, rows: str, day: str | None, paid: str | None) -> str:
    """The rows that are payments: those with a day of payment or an amount paid. A row with one of
    the two alone is read too, so that the contract names it."""
    parts = []
    if day is not None:
        column = quoted(day)
        blank = "" if found.in_database else f" and trim(cast({column} as varchar)) <> ''"
        parts.append(f"{column} is not null{blank}")
    if paid is not None:
        column = amount_sql(found.profiles[paid]) or quoted(paid)
        text = f"trim(cast({column} as varchar))"
        parts.append(f"{text} <> '' and coalesce(try_cast({text} as double), 1) <> 0")
    where = " or ".join(f"({part})" for part in parts) if len(parts) > 1 else parts[0]
    return f"select * from {rows} where {where}"


def _not_by_its_name(payments: TableProposal, select: str) -> tuple[TableProposal, str]:
    """The same with a column `amount` under another name, while what was paid is not decided."""
    paid = payments.columns["amount"]
    own = next((h for h in payments.found.headers if folded(h) == "amount"), None)
    if own is None or paid.decided:
        return payments, select
    columns = f"select * exclude ({quoted(own)}), {quoted(own)} as {BILLED} "
    if paid.expression is not None:
        expression = paid.expression.replace(quoted(own), quoted(BILLED))
        payments = payments.with_column(replace(paid, expression=expression))
    return payments, columns + select.removeprefix("select * ")
