"""Which column of a file fills which column of the contract: one to one, by the best whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from riskseg.domain.facts import folded
from riskseg.sources.matching.assignment import best_pairs
from riskseg.sources.matching.names import dictionary, likeness, tokens
from riskseg.sources.matching.profile import Profile

# How much less certain each later meaning of a column is than the one before.
LATER = 0.04
# What a header is worth at most that is as like to, or more like to, something else.
ELSEWHERE, AMBIGUOUS = 0.5, 0.75
# How close in likeness two are between which a person has to decide.
CLOSE = 0.079
# The least that makes a pair.
LEAST = 0.35
# From this likeness on, it is known what a column is.
KNOWN = 0.8
# Columns that tell the rows of a table apart, and the least share of different values in them.
_KEYS = {("bills", "bill_id"), ("payments", "payment_id")}
LEAST_DIFFERENT = 0.5


@dataclass(frozen=True)
class Match:
    """A column of a file for one of the contract: how sure it is, whether it has the very name, and
    other columns that are as likely."""

    header: str
    score: float
    is_same_name: bool
    rivals: tuple[str, ...] = ()


def matches(table: str, profiles: Mapping[str, Profile]) -> dict[str, Match]:
    """The best match for each column of a contract table that has one."""
    wanted = dictionary().columns[table]
    headers, columns = list(profiles), list(wanted)
    scores = [
        [
            min(_score(column, wanted[column], profiles[h]), _at_most(table, column, profiles[h]))
            for h in headers
        ]
        for column in columns
    ]
    pairs = best_pairs(scores, LEAST)
    taken = {header: scores[column][header] for column, header in pairs.items()}
    found = {}
    for column, header in pairs.items():
        score, name = scores[column][header], headers[header]
        general = _is_general(wanted[columns[column]], profiles[name])
        close = ELSEWHERE + 0.01 if general else max(LEAST, score - CLOSE)
        free = [
            o for o in range(len(headers)) if o != header and scores[column][o] > taken.get(o, 0)
        ]
        rivals = tuple(headers[other] for other in free if scores[column][other] >= close)
        unexplained = general and any(
            profiles[other].type.family == profiles[name].type.family
            and _is_unexplained(profiles[other], wanted[columns[column]])
            for number, other in enumerate(headers)
            if number not in taken
        )
        if rivals or unexplained:
            score = min(score, AMBIGUOUS)
        found[columns[column]] = Match(name, score, folded(name) == columns[column], rivals)
    return found


def _at_most(table: str, column: str, profile: Profile) -> float:
    """What a column's values allow it at most: an id of rows has many values."""
    is_key = (table, column) in _KEYS
    return AMBIGUOUS if is_key and profile.distinct < LEAST_DIFFERENT * profile.filled else 1.0


def _is_general(meanings: tuple[str, ...], profile: Profile) -> bool:
    """Whether a header is only a general name for a column, as `date` is for the day of payment."""
    alike = likeness(profile.name)
    return alike.get(meanings[0], 0.0) < max(alike.get(meaning, 0.0) for meaning in meanings)


def _is_unexplained(profile: Profile, meanings: tuple[str, ...]) -> bool:
    """Whether a column of values that would suit is like nothing that is known, and does not say
    by its name that it is of what was paid."""
    if "paid" in tokens(profile.name):
        return False
    suits = profile.suits(dictionary().meanings[meanings[0]].kind)
    return suits and max(likeness(profile.name).values(), default=0.0) < KNOWN


def _score(column: str, meanings: tuple[str, ...], profile: Profile) -> float:
    """How sure it is that a column of a file is this column of the contract."""
    known = dictionary().meanings
    if folded(profile.name) == column:
        return 1.0 if profile.suits(known[meanings[0]].kind) else ELSEWHERE
    alike = {
        name: value
        for name, value in likeness(profile.name).items()
        if profile.suits(known[name].kind)
    }
    score = 0.0
    for place, meaning in enumerate(meanings):
        score = max(score, alike.get(meaning, 0.0) - LATER * place)
    if score <= 0:
        return 0.0
    best_elsewhere = max((v for name, v in alike.items() if name not in meanings), default=0.0)
    own = max(alike.get(meaning, 0.0) for meaning in meanings)
    if best_elsewhere > own:
        return min(score, ELSEWHERE)
    if best_elsewhere > own - CLOSE:
        return min(score, AMBIGUOUS)
    return score
