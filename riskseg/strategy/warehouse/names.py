"""Names that a person reads, and that every database takes, for the columns of an exported query.

Within riskseg the first character of a column says what it holds, so that no name a person chose
can stand for another column. A warehouse wants plain names instead: each gets one of its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from riskseg.rules.holding import counted_days
from riskseg.rules.model import Strategy

# PostgreSQL keeps 63 characters of a name.
_LONGEST = 60
_PREFIX = {"#": "{}_row", "!": "{}_applies", "?": "{}_unknown", "~": "{}", "=": "{}", "@": "{}"}
# What leads to a decision has short names within riskseg.
_WORDS = {
    "leg": "path_of_route",
    "day": "day_of_path",
    "first": "first_path",
    "begun_ago": "days_since_route_began",
    "came_ago": "days_since_account_came",
    "ended": "path_has_ended",
    "must": "must_step",
    "latest": "latest_step",
    "reached_order": "reached_step",
    "due_round": "round_due",
    "due_order": "due_step_of_route",
    "next_order": "next_step_of_route",
    "waits": "waits_for_open_day",
    "due_step": "number_of_due_step",
    "asks": "duty_comes_first",
}


def plain(text: str) -> str:
    """A text as a plain name: small letters, digits and underscores."""
    decomposed = unicodedata.normalize("NFKD", text).lower()
    words = re.findall(r"[a-z0-9]+", decomposed.encode("ascii", "ignore").decode())
    name = "_".join(words) or "column"
    name = f"n_{name}" if name[0].isdigit() else name
    if len(name) > _LONGEST:
        name = name[:_LONGEST].rpartition("_")[0] or name[:_LONGEST]
    return name


def fact_names(strategy: Strategy, facts: Iterable[str], outputs: Iterable[str]) -> dict[str, str]:
    """The column of the table of facts for each fact, apart from those of the `outputs`."""
    by_rule = {
        fact.name: f"{rule.name} {fact.name.partition('{')[0]}"
        for rule in reversed(strategy.rules)
        for fact in rule.state_facts()
        if "{" in fact.name or ":" in fact.name
    }
    names = Names(["account_id", *outputs])
    given = {}
    for fact in sorted(facts, key=lambda fact: (plain(fact) != fact, fact)):
        if (held := counted_days(fact)) is not None:
            later = f" {held.offset}" if held.offset else ""
            given[fact] = names.new(f"days held since {held.since}{later}")
        else:
            given[fact] = names.new(by_rule.get(fact, fact))
    return given


class Names:
    """Names that are given once each, whatever their letter case."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {name.lower() for name in taken}

    def new(self, text: str) -> str:
        """A plain name for a text; with a number where it is taken."""
        first = name = plain(text)
        number = 1
        while name in self._taken:
            number += 1
            name = f"{first}_{number}"
        self._taken.add(name)
        return name


def output_names(strategy: Strategy, decided: Iterable[str]) -> dict[str, str]:
    """The column that the query gives for each band and tier scheme, and for what is `decided`."""
    decided = [*decided]
    names = Names(["account_id", "as_of", *decided])
    return {level: names.new(level) for level in strategy.levels} | {n: n for n in decided}


def column_names(
    columns: Iterable[str], facts: Iterable[str], outputs: Mapping[str, str]
) -> dict[str, str]:
    """A name for each column that a chain adds, apart from those of facts. `outputs` are the
    columns that the query gives, by name: what is replaced later is called so (`action_before`)."""
    names = Names(["account_id", *facts, *outputs.values()])
    given = {}
    for column in columns:
        if column in outputs:
            given[column] = outputs[column]
            continue
        prefix, rest = column[0], column[1:]
        if prefix not in _PREFIX:
            prefix, rest = "~", column
        word = _WORDS.get(rest, rest) if prefix == "~" else rest
        before = "_before" if rest in outputs.values() and prefix == "=" else ""
        given[column] = names.new(_PREFIX[prefix].format(word) + before)
    return given
