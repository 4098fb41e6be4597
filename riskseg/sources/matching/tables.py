"""Which file is which table of the contract: by its columns, its name, and how the tables meet."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from riskseg.domain.relations import quoted
from riskseg.engine import Engine
from riskseg.ledger.contract import CONTRACT
from riskseg.sources.matching.assignment import best_pairs
from riskseg.sources.matching.columns import Match, matches
from riskseg.sources.matching.day_offsets import from_day_offsets
from riskseg.sources.matching.evidence import share_met
from riskseg.sources.matching.fill import DOUBTED, ONLY_ID, filled
from riskseg.sources.matching.found import Found
from riskseg.sources.matching.names import dictionary, event_kind, likeness, table_word
from riskseg.sources.matching.proposal import SURE, ColumnProposal, Proposal, TableProposal
from riskseg.sources.matching.same_file import payments_in_bills

# Columns without which a file is not this table; the least score that each must have; the least
# fit that makes a file a table; and how much the name of the file is worth.
_TELLING = {
    "bills": ("account_id", "due_on"),
    "payments": ("account_id", "paid_on"),
    "events": ("account_id", "happened_on", "kind"),
    "instalments": ("account_id", "plan_id", "due_on"),
}
LEAST_SCORE, LEAST_FIT, OF_NAME = 0.6, 0.5, 0.25
# The share of the accounts of bills that a list of accounts has to have.
NEARLY_EVERY = 0.999
_TABLES = ("bills", "payments", "events", "instalments", "accounts")


def propose(engine: Engine, tables: Sequence[Found]) -> Proposal:
    """What these tables are likely to be, and what fills the columns of each."""
    pairs = [{table: matches(table, found.profiles) for table in _TABLES} for found in tables]
    fits = [
        [_fit(table, found, pairs[number][table]) for number, found in enumerate(tables)]
        for table in _TABLES
    ]
    chosen = {_TABLES[row]: column for row, column in best_pairs(fits, LEAST_FIT).items()}
    proposals = {
        table: filled(engine, table, tables[number], pairs[number][table])
        for table, number in chosen.items()
    }
    if "bills" in proposals and "payments" not in proposals:
        in_bills = payments_in_bills(engine, proposals["bills"])
        if in_bills is not None:
            proposals["payments"] = in_bills
    left = [found for number, found in enumerate(tables) if number not in chosen.values()]
    if "bills" not in proposals:
        proposals |= from_day_offsets(left)
    if "bills" not in proposals:
        proposals = _accounts_alone(proposals, tables)
    proposals = _met(engine, proposals)
    if "events" in proposals:
        proposals["events"] = _with_kinds(proposals["events"])
    if "accounts" in proposals:
        proposals["accounts"] = _with_flags(proposals["accounts"])
    read = {proposal.found.place for proposal in proposals.values()}
    return Proposal(
        {table: proposals[table] for table in CONTRACT if table in proposals},
        unused=tuple(
            (found.place, _unused(found, [row[number] for row in fits]))
            for number, found in enumerate(tables)
            if found.place not in read
        ),
        currency=_currency(proposals),
        scale=_scale(proposals),
    )


def _fit(table: str, found: Found, pairs: Mapping[str, Match]) -> float:
    """How well a file would be this table; 0 where it cannot be."""
    if not found.rows:
        return 0.0
    if table == "accounts":
        fit = _fit_of_accounts(found, pairs)
    else:
        scores = {
            name: pairs[name].score if name in pairs else 0.0 for name in CONTRACT_NAMES[table]
        }
        lacking = _lacking(table, pairs)
        if len(lacking) > (1 if _is_called(table, found, pairs) else 0):
            return 0.0
        needed = [column.name for column in CONTRACT[table].columns if column.needed]
        fit = sum(max(scores[name], 0.4) for name in needed) / len(needed)
        if table == "payments" and _has(found, "due"):
            fit -= 0.3  # a list of bills that says when each was paid
    if fit <= 0:
        return 0.0
    said = table_word(found.name)
    return fit + (OF_NAME if said == table else -OF_NAME / 2 if said else 0.0)


def _lacking(table: str, pairs: Mapping[str, Match]) -> list[str]:
    """The telling columns of a table that a file has not."""
    return [n for n in _TELLING[table] if n not in pairs or pairs[n].score < LEAST_SCORE]


def _is_called(table: str, found: Found, pairs: Mapping[str, Match]) -> bool:
    """Whether a file is called as bills or payments are, and has amounts: it is not passed over for
    want of one column, which a person names. Days that are counted have a select of their own."""
    if any(profile.is_day_offset for profile in found.profiles.values()):
        return False
    amount = pairs.get("amount")
    has_amount = amount is not None and amount.score >= LEAST_SCORE
    return table in ("bills", "payments") and has_amount and table_word(found.name) == table


CONTRACT_NAMES = {table: tuple(columns) for table, columns in dictionary().columns.items()}


def _fit_of_accounts(found: Found, pairs: Mapping[str, Match]) -> float:
    account = pairs.get("account_id")
    if account is not None and account.score >= LEAST_SCORE:
        return 0.7 if found.profiles[account.header].is_unique else 0.0
    ids = [p for p in found.profiles.values() if p.is_unique and p.suits("id")]
    return 0.55 if any(likeness(p.name).get("row", 0) >= SURE for p in ids) else 0.0


def _has(found: Found, meaning: str) -> bool:
    kind = dictionary().meanings[meaning].kind
    return any(
        likeness(name).get(meaning, 0) >= SURE and profile.suits(kind)
        for name, profile in found.profiles.items()
    )


def _accounts_alone(
    proposals: Mapping[str, TableProposal], tables: Sequence[Found]
) -> dict[str, TableProposal]:
    """Accounts and what is known of them, where there are no bills. Where no file has an id, the
    rows of the largest may be numbered: whether they are accounts, a person says."""
    kept = {table: p for table, p in proposals.items() if table in ("accounts", "events")}
    readable = [found for found in tables if found.in_select is not None and not found.in_database]
    if "accounts" in kept or not readable:
        return kept
    largest = max(readable, key=lambda found: (found.rows, len(found.headers)))
    select = f"select row_number() over () as account_id, * from {largest.in_select}"
    why = "the number of the row: no column has another value in every row"
    numbered = ColumnProposal("account_id", '"account_id"', 1.0, why, True)
    note = "No column is an id of accounts. The rows may be numbered, where each is an account."
    columns = {"account_id": numbered}
    proposal = TableProposal("accounts", largest, select, columns, from_decided=False, note=note)
    return {**kept, "accounts": proposal}


def _met(engine: Engine, proposals: dict[str, TableProposal]) -> dict[str, TableProposal]:
    """The proposals with what is known from how their ids meet."""
    bills = proposals.get("bills")
    theirs = None if bills is None else _ids(bills, "account_id")
    # Of some rows of two large tables nothing is known of how the tables meet.
    if bills is None or theirs is None or any(p.found.partial for p in proposals.values()):
        return proposals
    met = dict(proposals)
    accounts, payments = proposals.get("accounts"), proposals.get("payments")
    if accounts is not None and (own := _ids(accounts, "account_id")) is not None:
        met["accounts"] = _with_accounts_met(accounts, share_met(engine, theirs, own))
    if payments is not None and payments.from_decided:
        for name, others in (("account_id", theirs), ("bill_id", _ids(bills, "bill_id"))):
            ids, column = _ids(payments, name), payments.columns.get(name)
            if ids is None or others is None or column is None:
                continue
            share = share_met(engine, ids, others)
            if share < DOUBTED:
                why = f"only {share:.0%} of its values meet those of the bills"
                met["payments"] = met["payments"].with_column(column.doubted(DOUBTED, why))
    return met


def _ids(proposal: TableProposal, name: str) -> tuple[str, str] | None:
    """What gives the ids of a column, and the relation that it is of."""
    column = proposal.columns.get(name)
    if column is None or column.expression is None:
        return None
    read = column.expression if column.header is None else quoted(column.header)
    return read, proposal.found.relation


def _with_accounts_met(accounts: TableProposal, share: float) -> TableProposal:
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


def _with_kinds(events: TableProposal) -> TableProposal:
    """Events whose own words are not the contract's are left to a person: what a word means, no
    file says."""
    kind = events.columns["kind"]
    if kind.header is None:
        return events
    contract = CONTRACT["events"].column("kind")
    assert contract is not None
    words = events.found.profiles[kind.header].words
    if words and {*words} <= {*contract.words}:
        return events
    arms = " ".join(
        f"when '{word.replace(chr(39), chr(39) * 2)}' then '{event_kind(word) or '?'}'"
        for word in words
    )
    expression = f"case {quoted(kind.header)} {arms} end" if words else kind.expression
    why = "what each word means is for you to say"
    decided = ColumnProposal("kind", expression, DOUBTED, why, True, header=kind.header)
    return TableProposal(
        "events",
        events.found,
        events.loaded_from,
        {**events.columns, "kind": decided},
        decided=False,
        note="Its words are not those of the contract: say what each means, then take the marks "
        "away.",
    )


def _with_flags(accounts: TableProposal) -> TableProposal:
    """Columns that are called `is_…` or `has_…` and hold 1 and 0 are true and false."""
    for name, profile in accounts.found.profiles.items():
        is_bit = profile.type.is_integer and {profile.least, profile.greatest} == {"0", "1"}
        if is_bit and re.match(r"(is|has)_", name.lower()):
            why = f'"{name}" is 1 or 0'
            flag = ColumnProposal(name, f"{quoted(name)} = 1", SURE + 0.1, why, header=name)
            accounts = accounts.with_column(flag)
    return accounts


def _unused(found: Found, fits: Sequence[float]) -> str:
    """Why a file is not read."""
    if not found.rows:
        return "it has no rows"
    likely = [table for table, fit in zip(_TABLES, fits, strict=True) if fit >= LEAST_FIT]
    if not likely:
        return "it is like no table of the contract"
    return f"it could be {' or '.join(likely)} too; another file suits better"


def _currency(proposals: Mapping[str, TableProposal]) -> str | None:
    """The currency that a column of bills or payments names, where it names one alone."""
    named = {
        word
        for table in ("bills", "payments")
        if table in proposals
        for header, profile in proposals[table].found.profiles.items()
        if likeness(header).get("currency", 0) >= SURE
        for word in profile.words
    }
    return named.pop() if len(named) == 1 and all(len(word) == 3 for word in named) else None


def _scale(proposals: Mapping[str, TableProposal]) -> int:
    """The decimals of amounts: two, or as many up to four as there are."""
    decimals = [
        proposal.found.profiles[column.header].decimals
        for proposal in proposals.values()
        for name, column in proposal.columns.items()
        if name == "amount" and column.header is not None
    ]
    most = max(decimals, default=2)
    return most if 2 <= most <= 4 else 2
