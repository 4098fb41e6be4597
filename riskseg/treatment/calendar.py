"""Which days are open, and how many closed ones lie around a day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import cache
from itertools import count
from typing import Any

import z3

from riskseg.domain.relations import fact_column
from riskseg.rules.calendar import WEEKDAYS, Calendar, counted_by
from riskseg.rules.elements import Action
from riskseg.rules.model import Path
from riskseg.rules.proof_account import Account
from riskseg.rules.quiet import counted_periods, quiet_days_left

# More days in a row are never closed; a calendar that has no open day among them is no calendar.
_LONGEST = 60


def known_holidays() -> dict[str, list[str]]:
    """The countries whose public holidays are known, each with the parts that have their own."""
    import holidays  # loaded where a calendar has holidays, and only there

    return holidays.list_supported_countries()


def is_known(code: str) -> bool:
    """Whether the public holidays of a country, or of a part of it such as GB-ENG, are known."""
    import holidays

    country, _, part = code.partition("-")
    if country not in holidays.registry.EntityLoader.get_country_codes():
        return False
    # To list them all would load every country's.
    return not part or part in getattr(holidays, country).subdivisions


@cache
def _holidays(code: str, year: int) -> frozenset[date]:
    import holidays

    country, _, part = code.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year))


def is_open(calendar: Calendar, day: date) -> bool:
    """Whether a day is open."""
    if WEEKDAYS[day.weekday()] not in calendar.days:
        return False
    return calendar.holidays is None or day not in _holidays(calendar.holidays, day.year)


def _closed_days(calendar: Calendar, day: date, step: int) -> int:
    """How many closed days there are in a row from a day on, forward (1) or backward (-1)."""
    for closed in count():
        if closed == _LONGEST or is_open(calendar, day + timedelta(days=step * closed)):
            return closed
    raise AssertionError


def calendar_facts(names: Iterable[str], as_of: date) -> dict[str, int]:
    """The value, on a day, of those of the facts that count by a calendar, or the days left of
    quiet periods."""
    found = {}
    for name in names:
        if periods := counted_periods(name):
            found[name] = quiet_days_left(periods, as_of)
        if (counted := counted_by(name)) is None:
            continue
        counts, calendar = counted
        match counts:
            case "until_open":
                found[name] = _closed_days(calendar, as_of, 1)
            case "closed_before":
                found[name] = _closed_days(calendar, as_of - timedelta(days=1), -1)
            case _:
                open_today = is_open(calendar, as_of)
                after = _closed_days(calendar, as_of + timedelta(days=1), 1)
                found[name] = after if open_today else 0
    return found


def moved(calendar: Calendar, as_of: date, days: int) -> Sequence[int]:
    """For what falls on each of the next `days` days, from the as-of date on, after how many days
    it is done."""
    found = []
    for ahead in range(days):
        day = as_of + timedelta(days=ahead)
        back = _closed_days(calendar, day, -1) if calendar.closed == "previous" else 0
        earlier = 0 < back <= ahead
        found.append(ahead - back if earlier else ahead + _closed_days(calendar, day, 1))
    return found


def calendar_names(paths: Iterable[Path], actions: Iterable[Action]) -> set[str]:
    """The facts that count by the calendars of steps and actions."""
    names = {a.calendar.until_open for a in actions if a.calendar is not None}
    for path in paths:
        for calendar in {step.calendar for step in path.steps if step.calendar is not None}:
            names.add(calendar.until_open)
            if path.due_for is not None:
                names.add(calendar.closed_before)
            if calendar.closed == "previous":
                names.add(calendar.closed_after)
    return names


def closed_sql(calendar: Calendar | None) -> str:
    """Whether the as-of date is closed."""
    return "false" if calendar is None else f"{fact_column(calendar.until_open)} > 0"


def closed_term(calendar: Calendar | None, account: Account) -> Any:
    """That the as-of date is closed."""
    if calendar is None:
        return z3.BoolVal(False)
    return account.terms[calendar.until_open].value > 0
