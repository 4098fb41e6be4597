"""Columns of an account file that are texts and hold numbers alone: a model must not take each
number for a word."""

from __future__ import annotations

import re

from riskseg.domain.relations import quoted
from riskseg.sources.matching.labels import NAME as OUTCOME
from riskseg.sources.matching.names import likeness
from riskseg.sources.matching.profile import Profile
from riskseg.sources.matching.proposal import SURE, TableProposal

# What a number is a name of, and not a size.
_NAMES = ("account", "party", "premise", "row", "other_id")


def kinds_of_texts(accounts: TableProposal) -> dict[str, str]:
    """The kinds of attributes of accounts that are texts and hold numbers; of the outcome too."""
    profiles = accounts.found.profiles
    mapped = {column.header for column in accounts.columns.values() if column.decided}
    kinds = {
        name: "number"
        for name, profile in profiles.items()
        if name not in mapped and _holds_numbers(profile)
    }
    outcome = accounts.columns.get(OUTCOME)
    of_outcome = None if outcome is None else profiles.get(outcome.header or "")
    if outcome is not None and outcome.decided and of_outcome is not None:
        is_text_of_bits = of_outcome.type.family == "text" and of_outcome.numbers >= 1
        is_bare = outcome.expression == quoted(of_outcome.name)
        kinds |= {OUTCOME: "integer"} if is_text_of_bits and is_bare else {}
    return kinds


def _holds_numbers(profile: Profile) -> bool:
    """Whether a text holds numbers that mean a size: ids, and codes with leading zeros, do not."""
    is_name = any(likeness(profile.name).get(name, 0) >= SURE for name in _NAMES)
    is_code = re.match(r"0\d", profile.least) is not None
    return (
        profile.type.family == "text"
        and profile.filled > 0
        and profile.numbers >= 1
        and not (profile.commas or profile.is_date or is_name or is_code)
    )
