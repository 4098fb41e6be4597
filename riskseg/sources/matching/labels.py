"""The column of an account file that holds the outcome, where there are no bills."""

from __future__ import annotations

from dataclasses import replace

from riskseg.domain.relations import literal, quoted
from riskseg.sources.matching.found import Found
from riskseg.sources.matching.names import likeness
from riskseg.sources.matching.profile import Profile
from riskseg.sources.matching.proposal import SURE, ColumnProposal, TableProposal

# Values that mean the bad outcome, where a column holds words.
_BAD = ("bad", "default", "defaulted", "charged off", "yes", "y", "true")
NAME = "outcome"


def with_outcome_column(accounts: TableProposal) -> TableProposal:
    """The accounts with what fills `outcome`. Where that is made of a column, a select takes the
    column away: beside the outcome it would give the answer."""
    outcome = outcome_of(accounts.found)
    file = accounts.loaded_from
    rows = f"({file})" if file.lower().startswith("select ") else accounts.found.in_select
    is_made = outcome.decided and outcome.expression != quoted(outcome.header or "")
    if not is_made or rows is None or accounts.found.in_database:
        return accounts.with_column(outcome)
    assert outcome.header is not None
    select = (
        f"select * exclude ({quoted(outcome.header)}), {outcome.expression} as {NAME} from {rows}"
    )
    named = replace(outcome, expression=quoted(NAME))
    return replace(accounts, loaded_from=select).with_column(named)


def outcome_of(found: Found) -> ColumnProposal:
    """What fills `outcome`, 1 for the bad one: a flag that is called so."""
    flags = [
        profile
        for profile in found.profiles.values()
        if profile.is_flag and likeness(profile.name).get("label", 0) >= SURE
    ]
    if not flags:
        return ColumnProposal(NAME, None, 0.0, "no column is called as outcomes are")
    expression, why = _bad_is_one(flags[0])
    if len(flags) > 1:
        why += " " + " or ".join(f'"{flag.name}"' for flag in flags[1:]) + " may be meant."
    confidence = SURE if expression is not None and len(flags) == 1 else 0.5
    return ColumnProposal(
        NAME, expression or quoted(flags[0].name), confidence, why, header=flags[0].name
    )


def _bad_is_one(flag: Profile) -> tuple[str | None, str]:
    column = quoted(flag.name)
    if {flag.least, flag.greatest} == {"0", "1"}:
        return column, f'"{flag.name}" is 1 or 0, and called as outcomes are'
    bad = [word for word in (flag.least, flag.greatest) if word.lower() in _BAD]
    if len(bad) == 1:
        why = f'"{flag.name}" is "{flag.least}" or "{flag.greatest}"'
        return f"cast({column} = {literal(bad[0])} as integer)", why
    return None, f'no name says whether "{flag.least}" or "{flag.greatest}" is the bad one'
