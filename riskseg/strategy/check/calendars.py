"""Calendars: of the whole strategy, an action or a path."""

from __future__ import annotations

from riskseg.domain.problems import did_you_mean
from riskseg.rules.calendar import WEEKDAYS, Calendar
from riskseg.strategy.check.scope import Scope
from riskseg.strategy.shapes import AuthoredCalendar
from riskseg.treatment.calendar import is_known, known_holidays


def check_calendar(
    scope: Scope, written: AuthoredCalendar | None, file: str, *path: str | int
) -> Calendar | None:
    """The calendar that stands below `path`, or None where none does, or after its Problems."""
    if written is None:
        return None
    calendar_path = (*path, "calendar")
    if written.days == []:
        message = "The calendar has no day of the week: nothing would ever be done."
        scope.add_problem(
            "RS226", message, file, *calendar_path, "days", hint="Name the days that are worked."
        )
        return None
    holiday_code = written.holidays
    if holiday_code is not None and not is_known(holiday_code):
        country, _, region = holiday_code.partition("-")
        known_regions = known_holidays().get(country)
        message = f'There is no calendar of holidays "{holiday_code}".'
        hint = did_you_mean(country, known_holidays())
        if known_regions is not None:
            hint = did_you_mean(region, known_regions) or f"Write {country}."
        scope.add_problem("RS226", message, file, *calendar_path, "holidays", hint=hint)
        return None
    return Calendar(tuple(written.days or WEEKDAYS), holiday_code, written.closed)
