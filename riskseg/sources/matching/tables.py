"""Which file is which table of the contract: by its columns, its name, and how the tables meet."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from riskseg.domain.currencies import code_of
from riskseg.domain.relations import quoted
from riskseg.domain.words import first_few
from riskseg.engine import Engine
from riskseg.ledger.contract import CONTRACT
from riskseg.sources.matching.accounts import (
    NEARLY_EVERY,
    accounts_alone,
    doubted_by_columns,
    fit_of_accounts,
    with_accounts_met,
    with_flags,
)
from riskseg.sources.matching.assignment import best_pairs
from riskseg.sources.matching.columns import Match, matches
from riskseg.sources.matching.day_offsets import from_day_offsets
from riskseg.sources.matching.evidence import share_met
from riskseg.sources.matching.fill import DOUBTED, filled
from riskseg.sources.matching.found import Found, listed
from riskseg.sources.matching.names import dictionary, event_kind, likeness, table_word
from riskseg.sources.matching.proposal import SURE, ColumnProposal, Proposal, TableProposal
from riskseg.sources.matching.same_file import payments_in_bills
from riskseg.sources.matching.same_shape import together

# Columns without which a file is not this table; the least score that each must have; the least
# fit that makes a file a table; and how much the name of the file is worth.
_TELLING = {
    "bills": ("account_id", "due_on"),
    "payments": ("account_id", "paid_on"),
    "events": ("account_id", "happened_on", "kind"),
    "instalments": ("account_id", "plan_id", "due_on"),
}
LEAST_SCORE, LEAST_FIT, OF_NAME = 0.6, 0.5, 0.25
_TABLES = ("bills", "payments", "events", "instalments", "accounts")


def propose(engine: Engine, tables: Sequence[Found]) -> Proposal:
    """What these tables are likely to be, and what fills the columns of each."""
    tables, copies = together(engine, tables)
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
        proposals = accounts_alone(proposals, tables)
    elif "accounts" in proposals:
        proposals["accounts"] = doubted_by_columns(proposals["accounts"], beside_bills=True)
    proposals = _met(engine, proposals)
    others = [(found, pairs[number]) for number, found in enumerate(tables) if found in left]
    proposals = {
        table: _with_its_files_decided(engine, proposal, others)
        for table, proposal in proposals.items()
    }
    if "events" in proposals:
        proposals["events"] = _with_kinds(proposals["events"])
    if "accounts" in proposals:
        proposals["accounts"] = with_flags(proposals["accounts"])
    read = {proposal.found.place for proposal in proposals.values()}
    return Proposal(
        {table: _with_footer(proposals[table]) for table in CONTRACT if table in proposals},
        unused=tuple(
            (found.place, _unused(found, [row[number] for row in fits]))
            for number, found in enumerate(tables)
            if found.place not in read
        )
        + tuple(copies),
        currency=_currency(proposals),
        scale=_scale(proposals),
    )


def _fit(table: str, found: Found, pairs: Mapping[str, Match]) -> float:
    """How well a file would be this table; 0 where it cannot be."""
    if not found.rows:
        return 0.0
    if table == "accounts":
        fit = fit_of_accounts(found, pairs)
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


def _has(found: Found, meaning: str) -> bool:
    """Whether a column is called so, more than anything else: `payment_date` is like the name of a
    day due too."""
    kind = dictionary().meanings[meaning].kind
    return any(
        alike.get(meaning, 0) >= max(SURE, *alike.values()) and profile.suits(kind)
        for name, profile in found.profiles.items()
        if (alike := likeness(name))
    )


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
        met["accounts"] = with_accounts_met(accounts, share_met(engine, theirs, own))
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


def _with_its_files_decided(
    engine: Engine,
    proposal: TableProposal,
    others: Sequence[tuple[Found, Mapping[str, Mapping[str, Match]]]],
) -> TableProposal:
    """The same, its `from` left to a person where several files may be meant: those that are of
    one shape, and those that are as like the table."""
    found = proposal.found
    table = proposal.table
    rivals = [
        other.place
        for other, pairs in others
        if table in pairs and _is_rival(engine, proposal, other, pairs[table])
    ]
    if rivals:
        places = listed([found.place, *rivals])
        note = f"{places} are all like {table}: name the one that is, or a select of all."
    elif found.parts:
        note = (
            f"{found.place} have the same columns. Take the mark away to read them together, or "
            f"name those that are meant. {proposal.note}"
        ).strip()
    else:
        return proposal
    return replace(proposal, from_decided=False, note=note)


def _is_rival(
    engine: Engine, proposal: TableProposal, other: Found, pairs: Mapping[str, Match]
) -> bool:
    """Whether another file has all that this table needs, accounts that it has, and bills that it
    has not: a file of the same bills is the raw export that it was made of, or the like."""
    own, bills = _ids(proposal, "account_id"), _ids(proposal, "bill_id")
    needed = {*_TELLING.get(proposal.table, ()), "amount"}
    if proposal.table not in ("bills", "payments") or own is None:
        return False
    if proposal.table == "payments" and _has(other, "due"):
        return False
    if not all(name in pairs and pairs[name].score >= SURE for name in needed):
        return False
    theirs = quoted(pairs["account_id"].header), other.relation
    if share_met(engine, theirs, own) < DOUBTED:
        return False
    if proposal.table == "bills" and bills is not None and "bill_id" in pairs:
        same_bills = share_met(engine, (quoted(pairs["bill_id"].header), other.relation), bills)
        return same_bills < NEARLY_EVERY
    return True


def _with_footer(proposal: TableProposal) -> TableProposal:
    """The same, with the rows at the end that are not read, in words."""
    rows = proposal.found.footer_rows
    if not rows:
        return proposal
    last = "The last row, below the table, is" if rows == 1 else f"The last {rows} rows are"
    note = f"{last} left out (`footer_rows`). {proposal.note}".strip()
    return replace(proposal, note=note)


def _unused(found: Found, fits: Sequence[float]) -> str:
    """Why a file is not read."""
    if not found.rows:
        return "it has no rows"
    likely = [table for table, fit in zip(_TABLES, fits, strict=True) if fit >= LEAST_FIT]
    if not likely:
        columns = first_few(found.headers)
        return f"it is like no table of the contract, by the names of its columns: {columns}"
    return f"it could be {' or '.join(likely)} too; another one suits better"


def _currency(proposals: Mapping[str, TableProposal]) -> str | None:
    """The currency that a column of bills or payments names, or that is part of the names of the
    columns of amounts, where it is one alone."""
    money = [proposals[table] for table in ("bills", "payments") if table in proposals]
    named = {
        code_of(word) or (word if re.fullmatch("[A-Z]{3}", word) else None)
        for proposal in money
        for header, profile in proposal.found.profiles.items()
        if likeness(header).get("currency", 0) >= SURE
        for word in profile.words
    }
    if not named:
        amounts = [p.columns["amount"].header or "" for p in money if "amount" in p.columns]
        words = [word for header in amounts for word in re.split(r"[\W_\d]+", header)]
        named = {code_of(word) for word in words if len(word) == 3} - {None}
    return named.pop() if len(named) == 1 else None


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
