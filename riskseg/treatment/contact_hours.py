"""Contact hours by time zone: which hours of a day are lawful where somebody lives, and which are
lawful wherever in a country they might live.

Time zones and their summer times are those of the package `tzdata`, never the machine's.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from riskseg.domain.relations import fact_column, literal
from riskseg.rules.calendar import WEEKDAYS
from riskseg.rules.contact_hours import DAY, ContactHours, Hours, clock, hours_of

# Hours are by the weekday: what no day of a week has, no day has.
_WEEK = 8
# A first minute and the one after the last, counted from midnight of a day in UTC.
_Span = tuple[int, int]


@cache
def known_zones() -> tuple[str, ...]:
    """The time zones that are known, by their names."""
    text = (files("tzdata") / "zones").read_text(encoding="utf-8")
    return tuple(sorted(text.split()))


@cache
def zones_by_country() -> Mapping[str, tuple[str, ...]]:
    """The time zones of each country, by its two letters, the most populous first."""
    text = (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            country, _, zone, *_ = line.split("\t")
            found.setdefault(country, []).append(zone)
    return {country: tuple(zones) for country, zones in found.items()}


def zones_among(names: Iterable[str]) -> tuple[str, ...]:
    """The time zones that names of zones and of countries stand for."""
    countries = zones_by_country()
    return tuple(dict.fromkeys(zone for name in names for zone in countries.get(name, (name,))))


def contact_hours_sql(
    names: Iterable[str], as_of: date, attributes: Container[str]
) -> dict[str, str]:
    """SQL of those of the facts that are of contact hours, on a day, over `account_rows` a.
    `attributes` are those that accounts have: without that of the zone, it is unknown of all."""
    zones = ", ".join(map(literal, known_zones()))
    columns = {}
    for name in names:
        if (found := hours_of(name)) is None:
            continue
        hours, counts = found
        known, common = lawful_hours(hours, as_of, known=True), lawful_hours(hours, as_of)
        if counts:
            values = [_integer(days_until(hours, as_of, known=one)) for one in (True, False)]
        else:
            zone = "null" if hours.zone is None else f"a.{fact_column(hours.zone)}"
            values = ["null" if known is None else f"{literal(known + ' ')} || {zone}"]
            values.append("cast(null as varchar)" if common is None else literal(common))
        if hours.zone is None or hours.zone not in attributes:
            columns[name] = values[1]
        else:
            in_zone = f"a.{fact_column(hours.zone)} in ({zones})"
            columns[name] = f"case when {in_zone} then {values[0]} else {values[1]} end"
    return columns


def contact_hours_facts(
    names: Iterable[str], as_of: date, given: Mapping[str, object]
) -> dict[str, int | str | None]:
    """The values, on a day, of those of the facts that are of contact hours, of an account with
    the attributes `given`."""
    values: dict[str, int | str | None] = {}
    for name in names:
        if (found := hours_of(name)) is None:
            continue
        hours, counts = found
        zone = given.get(hours.zone) if hours.zone is not None else None
        known = zone in known_zones()
        if counts:
            values[name] = days_until(hours, as_of, known=known)
        else:
            window = lawful_hours(hours, as_of, known=known)
            values[name] = f"{window} {zone}" if known and window is not None else window
    return values


def days_until(hours: ContactHours, as_of: date, *, known: bool) -> int | None:
    """In how many days there is a lawful hour; None where there never is. `known` says that the
    zone is."""
    for days in range(_WEEK):
        if lawful_hours(hours, as_of + timedelta(days=days), known=known) is not None:
            return days
    return None


def lawful_hours(hours: ContactHours, day: date, *, known: bool = False) -> str | None:
    """The longest stretch of lawful hours of a day, the first of those that are as long; None where
    there is none. In a zone that is `known` they are by its own clock; else they are followed by
    the zone whose clock they are by."""
    if known:
        spans = [
            (one.first, one.last) for one in hours.hours if WEEKDAYS[day.weekday()] in one.days
        ]
        return _longest([*map(_clocks, _together(spans))], _together(spans))
    zones = zones_among(hours.zones)
    midnight, next_midnight = (_minutes(zones[0], day, minute, day) for minute in (0, DAY))
    common = [(midnight, next_midnight)]
    for zone in zones:
        common = _both(common, _together(_spans(hours.hours, zone, day)))
    said = [f"{_clocks(_local(zones[0], day, span))} {zones[0]}" for span in common]
    return _longest(said, common)


def _longest(said: Sequence[str], spans: Sequence[_Span]) -> str | None:
    """The words of the longest span."""
    if not spans:
        return None
    return said[max(range(len(spans)), key=lambda n: (spans[n][1] - spans[n][0], -n))]


def _clocks(span: _Span) -> str:
    return f"{clock(span[0])} {clock(span[1])}"


def _spans(hours: Sequence[Hours], zone: str, day: date) -> list[_Span]:
    """The lawful hours in a zone around a day: when it is the day there, the one before or the one
    after."""
    spans = []
    for days in (-1, 0, 1):
        local = day + timedelta(days=days)
        spans += [
            (_minutes(zone, local, one.first, day), _minutes(zone, local, one.last, day))
            for one in hours
            if WEEKDAYS[local.weekday()] in one.days
        ]
    return spans


def _together(spans: Iterable[_Span]) -> list[_Span]:
    """The spans in order, those that meet or overlap as one."""
    merged: list[_Span] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], last)
        elif first < last:
            merged.append((first, last))
    return merged


def _both(some: Iterable[_Span], others: Sequence[_Span]) -> list[_Span]:
    """What spans and others have in common, in order."""
    pairs = (
        (max(first, other_first), min(last, other_last))
        for first, last in some
        for other_first, other_last in others
    )
    return [span for span in pairs if span[0] < span[1]]


def _minutes(zone: str, day: date, minute: int, since: date) -> int:
    """When a clock in a zone shows a minute of a day, counted from midnight of another in UTC."""
    shown = datetime.combine(day, time()) + timedelta(minutes=minute)
    moment = shown.replace(tzinfo=_zone(zone)).astimezone(UTC)
    return int((moment - datetime.combine(since, time(), UTC)).total_seconds()) // 60


def _local(zone: str, day: date, span: _Span) -> _Span:
    """The minutes of a day that a clock in a zone shows at the ends of a span."""
    midnight = datetime.combine(day, time())
    ends = []
    for minutes in span:
        moment = datetime.combine(day, time(), UTC) + timedelta(minutes=minutes)
        shown = moment.astimezone(_zone(zone)).replace(tzinfo=None)
        ends.append(int((shown - midnight).total_seconds()) // 60)
    return ends[0], ends[1]


@cache
def _zone(name: str) -> ZoneInfo:
    with (files("tzdata") / "zoneinfo" / name).open("rb") as file:
        return ZoneInfo.from_file(file, name)


def _integer(value: int | None) -> str:
    return "cast(null as bigint)" if value is None else f"cast({value} as bigint)"
