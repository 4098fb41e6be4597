"""What fills each column of a table, once its file is known: by names, then by the rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from riskseg.domain.relations import quoted
from riskseg.engine import Engine
from riskseg.ledger.contract import CONTRACT, Holds
from riskseg.sources.matching.columns import Match
from riskseg.sources.matching.evidence import share_in_order, share_unique
from riskseg.sources.matching.found import Found
from riskseg.sources.matching.names import REORDERED, dictionary, likeness
from riskseg.sources.matching.profile import NEARLY_ALL, Profile, amount_sql, day_as, day_sql
from riskseg.sources.matching.proposal import SURE, ColumnProposal, TableProposal

# How sure a key is that is put together of columns which are unique together; an id that is the
# only one there; and what nothing but the look of values speaks for.
COMPOSED, ONLY_ID, BY_VALUES = 0.9, 0.85, 0.6
DOUBTED = 0.5
_COMMA = re.compile(r"\d,\d+$")


def filled(engine: Engine, table: str, found: Found, pairs: Mapping[str, Match]) -> TableProposal:
    """The proposal for a table from the matches of its columns."""
    contract = CONTRACT[table]
    proposals = {
        name: _from_match(table, name, found, pairs[name])
        for name in dictionary().columns[table]
        if name in pairs
    }
    whole = TableProposal(table, found, found.loaded_from, proposals)
    for column in contract.columns:
        if column.needed and column.name not in proposals:
            whole = whole.with_column(_missing(engine, whole, column.name))
    return _in_doubt(engine, whole)


def _from_match(table: str, name: str, found: Found, match: Match) -> ColumnProposal:
    profile = found.profiles[match.header]
    column = CONTRACT[table].column(name)
    assert column is not None
    proposal = ColumnProposal(
        name,
        quoted(match.header),
        match.score,
        _why(match),
        needed=column.needed,
        options=match.rivals,
        header=match.header,
    )
    if column.holds is Holds.MONEY:
        return _amount(proposal, profile)
    if column.holds is not Holds.DATE:
        return proposal
    day = day_sql(profile)
    if day is not None:
        return _with(proposal, day)
    if profile.written:
        # 03/04 is a day in March or in April: no value among them tells which.
        written = _with(proposal, day_as(profile, profile.written[0]))
        why = f'"{match.header}" may be day/month or month/day: no value shows which'
        return written.doubted(DOUBTED, why)
    return proposal.doubted(DOUBTED, f'"{match.header}" has values that are not dates')


def _amount(proposal: ColumnProposal, profile: Profile) -> ColumnProposal:
    """A proposal of an amount, its numbers made such where they have a decimal comma."""
    expression = amount_sql(profile)
    if expression is None:
        return proposal
    shown = next((v for v in (profile.greatest, profile.least) if _COMMA.search(v)), None)
    example = f", as {shown} has" if shown else ""
    why = f"{proposal.why}, and has decimal commas{example}"
    return replace(_with(proposal, expression), why=why)


def _with(proposal: ColumnProposal, expression: str) -> ColumnProposal:
    return ColumnProposal(**{**vars(proposal), "expression": expression})


def _why(match: Match) -> str:
    if match.is_same_name:
        return "it has this name"
    if match.rivals:
        return "as likely as another"
    if match.score >= REORDERED - 0.1:
        return f'"{match.header}" is a usual name for it'
    return f'"{match.header}" is like a usual name for it'


def _missing(engine: Engine, whole: TableProposal, name: str) -> ColumnProposal:
    """A proposal for a needed column that no name speaks for."""
    if whole.table == "bills" and name == "bill_id":
        composed = _composed(engine, whole)
        if composed is not None:
            return composed
    if whole.table == "accounts" and name == "account_id":
        return _only_id(whole.found)
    column = CONTRACT[whole.table].column(name)
    assert column is not None
    options = _by_values(whole, column.holds)
    if len(options) == 1:
        why = f'"{options[0]}" is the only column left that holds {column.holds}'
        only = ColumnProposal(name, quoted(options[0]), BY_VALUES, why, True, header=options[0])
        profile = whole.found.profiles[options[0]]
        return _amount(only, profile) if column.holds is Holds.MONEY else only
    why = "no column is called so"
    return ColumnProposal(name, None, 0.0, why, True, options=tuple(options))


def _by_values(whole: TableProposal, holds: Holds) -> list[str]:
    """Columns that nothing has taken and whose values are of a kind."""
    taken = {p.header for p in whole.columns.values() if p.confidence >= SURE}
    free = [p for name, p in whole.found.profiles.items() if name not in taken]
    match holds:
        case Holds.MONEY:
            numbers = [p for p in free if p.suits("money")]
            return [p.name for p in numbers if p.decimals] or [p.name for p in numbers]
        case Holds.DATE:
            return [p.name for p in free if p.is_date]
        case Holds.ID:
            return [p.name for p in free if p.suits("id") and p.distinct > 1 and not p.is_flag]
        case Holds.WORD:
            return [p.name for p in free if p.words]


def _composed(engine: Engine, whole: TableProposal) -> ColumnProposal | None:
    """A bill's id made of its account and a column that is unique with it."""
    account = whole.columns.get("account_id")
    if account is None or account.expression is None:
        return None
    for profile in _may_complete_a_key(whole.found, account.header):
        part = day_sql(profile) if profile.is_date else quoted(profile.name)
        if part is None:
            continue
        if profile.type.family in ("date", "timestamp"):
            part = f"cast({part} as date)"
        if share_unique(engine, whole.found.relation, (account.expression, part)) == 1:
            expression = f"concat_ws('-', {account.expression}, {part})"
            why = f'"{account.header}" and "{profile.name}" are unique together'
            return ColumnProposal("bill_id", expression, COMPOSED, why, True)
    return None


def _may_complete_a_key(found: Found, account: str | None) -> list[Profile]:
    """Columns that may tell the bills of an account apart: days first, then ids."""
    others = [p for name, p in found.profiles.items() if name != account and p.filled == p.rows]
    days = [p for p in others if p.is_date]
    # The end of what is billed, then the day of issue, then the day it is due.
    order = {"period_end": 0, "issued": 1, "due": 2}
    days.sort(key=lambda p: min((order.get(m, 3) for m in likeness(p.name)), default=3))
    ids = [p for p in others if not p.is_date and p.suits("id") and not p.decimals]
    return days + [p for p in ids if p.distinct > 1]


def _only_id(found: Found) -> ColumnProposal:
    """The account's id where no column is called so: an id of the rows that every row has its own
    of."""
    unique = [p for p in found.profiles.values() if p.is_unique and p.suits("id")]
    named = [p for p in unique if likeness(p.name).get("row", 0) >= SURE]
    if len(named) == 1:
        why = f'"{named[0].name}" is an id, and every row has another'
        expression = quoted(named[0].name)
        return ColumnProposal("account_id", expression, ONLY_ID, why, True, header=named[0].name)
    if unique:
        options = tuple(p.name for p in unique)
        why = "every row has another value of it"
        expression = quoted(options[0])
        return ColumnProposal(
            "account_id", expression, DOUBTED, why, True, options[1:], header=options[0]
        )
    return ColumnProposal("account_id", None, 0.0, "no column has another value in every row", True)


def _in_doubt(engine: Engine, whole: TableProposal) -> TableProposal:
    """The same with what the rows say against it."""
    columns = whole.columns
    issued, due, bill = columns.get("issued_on"), columns.get("due_on"), columns.get("bill_id")
    account = columns.get("account_id")
    if issued and due and issued.expression and due.expression:
        share = share_in_order(engine, whole.found.relation, issued.expression, due.expression)
        if share is not None and share < NEARLY_ALL:
            why = f'"{issued.header}" is after the day due in {1 - share:.0%} of the rows'
            whole = whole.with_column(issued.doubted(DOUBTED, why))
    if whole.table == "bills" and bill and account and bill.header and account.expression:
        assert bill.expression is not None
        share = share_unique(engine, whole.found.relation, (account.expression, bill.expression))
        if share < NEARLY_ALL:
            why = f'"{bill.header}" is not unique: {share:.0%} of the rows have one of their own'
            whole = whole.with_column(bill.doubted(DOUBTED, why))
    return whole
