"""Which file is the list of accounts, and what is known of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from riskseg.domain.relations import literal, quoted
from riskseg.sources.matching.columns import KNOWN, Match
from riskseg.sources.matching.fill import DOUBTED, ONLY_ID
from riskseg.sources.matching.found import Found
from riskseg.sources.matching.labels import outcome_of
from riskseg.sources.matching.names import dictionary, likeness, table_word
from riskseg.sources.matching.profile import Profile
from riskseg.sources.matching.proposal import SURE, ColumnProposal, TableProposal

# The least likeness of an account's id; the share of the accounts of bills that a list has to have.
LEAST_SCORE, NEARLY_EVERY = 0.6, 0.999
# Fits: of a file with a row for each account; of one whose rows have an id that is not called as
# those of accounts are; and what is taken off where its columns speak of bills or payments.
OF_LIST, OF_ROWS, OF_LEDGER = 0.7, 0.55, 0.4
# The flag of the starter strategy that protects accounts.
VULNERABLE = "is_vulnerable"
# Days and amounts of bills, payments and events, as opposed to those of an account.
_DAYS = {"due", "issued", "posted", "period_end", "paid", "happened", "plain_date", "cancelled"}
_MONEY = {"bill_amount", "paid_amount", "amount", "disputed_amount"}


def fit_of_accounts(found: Found, pairs: Mapping[str, Match]) -> float:
    """How well a file would be the list of accounts; 0 where an account has several rows."""
    account = pairs.get("account_id")
    if account is not None and account.score >= LEAST_SCORE:
        fit = OF_LIST if found.profiles[account.header].is_unique else 0.0
    else:
        ids = [p for p in found.profiles.values() if p.is_unique and p.suits("id")]
        fit = OF_ROWS if any(likeness(p.name).get("row", 0) >= SURE for p in ids) else 0.0
    days, amounts = _of_ledger(found)
    return fit - OF_LEDGER if any(map(_is_known, days)) and amounts else fit


def _of_ledger(found: Found) -> tuple[list[Profile], list[Profile]]:
    """The days and the amounts that may be those of bills or payments: called so, or called as
    nothing that is known."""
    days = [p for p in found.profiles.values() if p.is_date and _may_be(p, _DAYS)]
    others = [p for p in found.profiles.values() if p.suits("money") and _may_be(p, _MONEY)]
    amounts = [p for p in others if _is_known(p) or p.decimals or "." in p.least + p.greatest]
    return days, amounts


def _is_known(profile: Profile) -> bool:
    return bool(_known(profile))


def _known(profile: Profile) -> dict[str, float]:
    """What a column is called that its values can be: days are days, whatever else is called so."""
    kinds = {name: meaning.kind for name, meaning in dictionary().meanings.items()}
    return {
        name: value
        for name, value in likeness(profile.name).items()
        if value >= KNOWN
        and profile.suits(kinds[name])
        and (kinds[name] == "date" or not profile.is_date)
    }


def _may_be(profile: Profile, meanings: set[str]) -> bool:
    known = _known(profile)
    return not known or any(known[name] == max(known.values()) for name in known.keys() & meanings)


def doubted_by_columns(accounts: TableProposal, *, beside_bills: bool) -> TableProposal:
    """Accounts whose file has days and amounts as bills and payments have: whether it is their
    list, a person says. Without bills, or where the file is called as lists of accounts are, only
    names that are known speak against it; without bills, an outcome speaks for it."""
    days, amounts = _of_ledger(accounts.found)
    if not beside_bills and outcome_of(accounts.found).header is not None:
        return accounts
    if not beside_bills or table_word(accounts.found.name) == "accounts":
        days, amounts = ([p for p in each if _is_known(p)] for each in (days, amounts))
    if not days or not amounts:
        return accounts
    note = (
        f'"{days[0].name}" and "{amounts[0].name}" may be the day and the amount of a bill or '
        "payment: decide whether this is the list of accounts, with a row for each."
    )
    return replace(accounts, decided=False, note=note)


def accounts_alone(
    proposals: Mapping[str, TableProposal], tables: Sequence[Found]
) -> dict[str, TableProposal]:
    """Accounts and what is known of them, where there are no bills. Where no file is a list of
    accounts, the rows of the largest may be numbered: whether they are accounts, a person says."""
    kept = {table: p for table, p in proposals.items() if table in ("accounts", "events")}
    readable = [found for found in tables if found.in_select is not None and not found.in_database]
    if "accounts" in kept:
        return kept | {"accounts": doubted_by_columns(kept["accounts"], beside_bills=False)}
    if not readable:
        return kept
    largest = max(readable, key=lambda found: (found.rows, len(found.headers)))
    called = [p for p in largest.profiles.values() if likeness(p.name).get("account", 0) >= SURE]
    unique = next((p for p in called if p.is_unique), None)
    if unique is not None:
        why = f'"{unique.name}" is a usual name for it, and every row has another'
        id_ = ColumnProposal("account_id", quoted(unique.name), 1.0, why, True, header=unique.name)
        note = "It is like a list of bills or payments: decide whether each row is an account."
        proposal = TableProposal(
            "accounts", largest, largest.loaded_from, {"account_id": id_}, decided=False, note=note
        )
        return {**kept, "accounts": proposal}
    others = [p for p in largest.profiles.values() if p.is_unique and p.suits("id")]
    if not called and others:
        names = [f'"{profile.name}"' for profile in others]
        why = f"{names[0]} has another value in every row"
        confidence = SURE if len(others) == 1 else DOUBTED
        id_ = ColumnProposal(
            "account_id", quoted(others[0].name), confidence, why, True, tuple(names[1:]),
            header=others[0].name,
        )  # fmt: skip
        note = "No column is called as ids of accounts are: decide whether each row is an account."
        proposal = TableProposal(
            "accounts", largest, largest.loaded_from, {"account_id": id_}, decided=False, note=note
        )
        return {**kept, "accounts": proposal}
    select = f"select row_number() over () as account_id, * from {largest.in_select}"
    why = "the number of the row: no column has another value in every row"
    if called:
        why = f'the number of the row: one value of "{called[0].name}" is in several rows'
        note = (
            f'"{called[0].name}" is called as ids of accounts are, and one of its values is in '
            "several rows. The rows may be numbered, where each is an account."
        )
    else:
        note = "No column is called as ids of accounts are. The rows may be numbered, where each "
        note += "is an account."
    numbered = ColumnProposal("account_id", '"account_id"', 1.0, why, True)
    columns = {"account_id": numbered}
    proposal = TableProposal("accounts", largest, select, columns, from_decided=False, note=note)
    return {**kept, "accounts": proposal}


def with_accounts_met(accounts: TableProposal, share: float) -> TableProposal:
    """Accounts, by the share of the accounts of the bills that are among them. A list that lacks
    some would set their bills aside: whether it is the list, a person says."""
    column = accounts.columns["account_id"]
    if share < DOUBTED:
        why = f"only {share:.0%} of the accounts of the bills are in it"
        return accounts.with_column(column.doubted(DOUBTED, why))
    if share < NEARLY_EVERY:
        note = (
            f"It lacks {1 - share:.1%} of the accounts that have bills, and bills of accounts that "
            "it lacks are set aside: decide whether it is the list of accounts."
        )
        return replace(accounts, decided=False, note=note)
    if column.confidence < ONLY_ID:
        why = f"{share:.0%} of the accounts of the bills are in it"
        return accounts.with_column(replace(column, confidence=ONLY_ID, why=why))
    return accounts


def with_flags(accounts: TableProposal) -> TableProposal:
    """Columns that are called `is_…` or `has_…` and hold 1 and 0 are true and false."""
    for name, profile in accounts.found.profiles.items():
        is_bit = profile.type.is_integer and {profile.least, profile.greatest} == {"0", "1"}
        if is_bit and re.match(r"(is|has)_", name.lower()):
            why = f'"{name}" is 1 or 0'
            flag = ColumnProposal(name, f"{quoted(name)} = 1", SURE + 0.1, why, header=name)
            accounts = accounts.with_column(flag)
    if VULNERABLE not in accounts.columns and VULNERABLE not in accounts.found.profiles:
        for name, profile in accounts.found.profiles.items():
            if likeness(name).get("vulnerable", 0) >= SURE and (means := _means_yes(profile)):
                why = "whether it says who is vulnerable is for you to say"
                protective = ColumnProposal(VULNERABLE, means, DOUBTED, why, header=name)
                return accounts.with_column(protective)
    return accounts


def _means_yes(profile: Profile) -> str | None:
    """SQL that is true where a column of two values says yes; None where neither does."""
    values = [profile.least, profile.greatest]
    yes = [value for value in values if value.lower() in ("y", "yes", "true", "1", "j", "ja")]
    if not profile.is_flag or len(yes) != 1:
        return None
    column = quoted(profile.name)
    if profile.type.family == "boolean":
        return column
    return f"{column} = {literal(yes[0]) if profile.type.family == 'text' else yes[0]}"
