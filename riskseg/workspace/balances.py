"""[source.balances]: what its statuses mean, and how far ahead its outcomes look."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from riskseg.domain.documents import Document
from riskseg.domain.problems import Problems

BALANCES, STATUSES, OUTCOMES = "balances", "statuses", "outcomes"
_DAYS = re.compile(r"(?P<first>\d+)\s*(?:-\s*(?P<last>\d+)|\+)")
# What a status may mean beside a range of days.
CURRENT, NONE = "current", "none"
MOST_MONTHS = 60


@dataclass(frozen=True)
class Balances:
    """Monthly balances or statuses that stand in place of a ledger. `statuses` gives for each
    status the first of its days past due: 0 for current, None where nothing is owed that could be
    late. `roll` and `default` are the months that the outcomes look ahead."""

    statuses: Mapping[str, int | None]
    roll: int
    default: int


def read_balances(written: Mapping[str, Any], document: Document, problems: Problems) -> Balances:
    """What [source.balances.statuses] and [source.balances.outcomes] say. Adds RS003 and RS004."""
    statuses: dict[str, int | None] = {}
    for status, meaning in written.get(STATUSES, {}).items():
        days = _DAYS.fullmatch(meaning.strip()) if isinstance(meaning, str) else None
        if days is not None:
            statuses[status] = int(days["first"])
        elif meaning in (CURRENT, NONE):
            statuses[status] = 0 if meaning == CURRENT else None
        else:
            problems.add(
                "RS004",
                f'The status "{status}" cannot mean {meaning!r}.',
                hint='Give the days past due, as "30-59" or "150+", or "current", or "none" where '
                "nothing is owed.",
                **document.at("source", BALANCES, STATUSES, status),
            )
    months = {"roll": 3, "default": 12}
    for outcome, ahead in written.get(OUTCOMES, {}).items():
        at = document.at("source", BALANCES, OUTCOMES, outcome)
        if outcome not in months:
            hint = f"Outcomes are {' and '.join(months)}."
            problems.add("RS003", f'There is no outcome "{outcome}".', hint=hint, **at)
        elif not isinstance(ahead, int) or isinstance(ahead, bool) or not 1 <= ahead <= MOST_MONTHS:
            hint = f"Give a number of months from 1 to {MOST_MONTHS}."
            problems.add("RS004", f"{outcome} cannot look ahead {ahead!r}.", hint=hint, **at)
        else:
            months[outcome] = ahead
    return Balances(statuses, months["roll"], months["default"])
