"""What calendars, quiet periods and contact hours say of each day of some years: the columns of the
table of facts that are the same for all accounts of a day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from riskseg.expressions.dialects import SqlType
from riskseg.expressions.dialects.forms import DATE
from riskseg.rules.calendar import counted_by
from riskseg.rules.contact_hours import hours_of
from riskseg.rules.quiet import counted_periods
from riskseg.strategy.warehouse.query import SQL_TYPES, Query
from riskseg.treatment.calendar import calendar_facts
from riskseg.treatment.contact_hours import contact_hours_facts


@dataclass(frozen=True)
class Days:
    """A row a day, with the `columns` and their types."""

    columns: Mapping[str, SqlType]
    rows: tuple[Mapping[str, Any], ...]


def days_of(query: Query, years: Iterable[int]) -> Days:
    """The days of the years; no row where no such column is read."""
    read = {fact: column for fact, column in query.facts.items() if _is_of_the_day(fact)}
    kinds = {column: query.strategy.facts[fact].kind for fact, column in read.items()}
    columns = {"as_of": DATE} | {column: SQL_TYPES[kind] for column, kind in kinds.items()}
    rows = []
    for year in sorted(set(years)) if read else ():
        for number in range((date(year + 1, 1, 1) - date(year, 1, 1)).days):
            day = date(year, 1, 1) + timedelta(days=number)
            values = {**calendar_facts(read, day), **contact_hours_facts(read, day, {})}
            rows.append({"as_of": day} | {read[fact]: values[fact] for fact in read})
    return Days(columns, tuple(rows))


def _is_of_the_day(fact: str) -> bool:
    """Whether a fact is known from the day alone: contact hours are not, where they go by the time
    zone of the account."""
    hours = hours_of(fact)
    by_hours = hours is not None and hours[0].zone is None
    return by_hours or bool(counted_by(fact) or counted_periods(fact))
