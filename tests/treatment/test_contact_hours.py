"""Contact hours: those of a zone that is known, and those common to all that are possible."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from riskseg.rules.calendar import WEEKDAYS
from riskseg.rules.contact_hours import ContactHours, Hours, hours_of
from riskseg.treatment.contact_hours import (
    contact_hours_facts,
    days_until,
    known_zones,
    lawful_hours,
    zones_among,
)

WORKED = WEEKDAYS[:5]
WINTER, SUMMER = date(2026, 1, 15), date(2026, 7, 15)


def hours(
    *zones: str, first: int = 8, last: int = 21, days: Sequence[str] = WEEKDAYS
) -> ContactHours:
    return ContactHours((Hours(first * 60, last * 60, tuple(days)),), "timezone", zones)


COMMON = {
    "one zone": (hours("GB"), WINTER, "08:00 21:00 Europe/London"),
    # From 8 in Honolulu until 21 in New York, where it is an hour later in summer.
    "a country in winter": (hours("US"), WINTER, "13:00 21:00 America/New_York"),
    "a country in summer": (hours("US"), SUMMER, "14:00 21:00 America/New_York"),
    "the day summer time begins": (hours("US"), date(2026, 3, 8), "14:00 21:00 America/New_York"),
    "the day it ends": (hours("US"), date(2026, 11, 1), "13:00 21:00 America/New_York"),
    "by the first zone's clock": (
        hours("America/Los_Angeles", "America/New_York"),
        WINTER,
        "08:00 18:00 America/Los_Angeles",
    ),
    # In Tokyo it is the next morning.
    "over the date line": (
        hours("America/New_York", "Asia/Tokyo"),
        WINTER,
        "18:00 21:00 America/New_York",
    ),
    "no hour in common": (hours("US", "Asia/Tokyo", first=10, last=18), WINTER, None),
}


@pytest.mark.parametrize(("asked", "day", "expected"), COMMON.values(), ids=COMMON)
def test_the_hours_common_to_all_zones(
    asked: ContactHours, day: date, expected: str | None
) -> None:
    assert lawful_hours(asked, day) == expected


def test_in_a_zone_that_is_known_the_hours_are_by_its_own_clock() -> None:
    asked = hours("US")
    given = {"timezone": "Pacific/Honolulu"}
    facts = contact_hours_facts([asked.wait, asked.window, "balance"], WINTER, given)
    assert facts == {asked.wait: 0, asked.window: "08:00 21:00 Pacific/Honolulu"}
    for unknown in ("Hawaii time", None):
        facts = contact_hours_facts([asked.window], WINTER, {"timezone": unknown})
        assert facts == {asked.window: "13:00 21:00 America/New_York"}


def test_a_day_without_hours_waits_for_one_that_has_some() -> None:
    saturday = date(2026, 1, 17)
    asked = hours("GB", days=WORKED)
    assert [days_until(asked, saturday + timedelta(days=n), known=True) for n in range(3)] == [
        2,
        1,
        0,
    ]
    assert days_until(hours("US", "JP", first=10, last=12), saturday, known=False) is None


def test_a_fact_says_what_it_is_of() -> None:
    asked = hours("US", days=WORKED)
    assert hours_of(asked.wait) == (asked, True)
    assert hours_of(asked.window) == (asked, False)
    assert hours_of("contact_hours") is None


def test_a_country_has_all_its_zones() -> None:
    assert zones_among(["GB", "Europe/Paris", "GB"]) == ("Europe/London", "Europe/Paris")
    assert len(zones_among(["US"])) == 29
    assert {*zones_among(["US", "CA", "AU"])} <= {*known_zones()}


@pytest.mark.parametrize("seed", range(8))
def test_a_moment_is_lawful_where_every_clock_says_so(seed: int) -> None:
    """Against a look at every quarter of an hour of the day, zone by zone."""
    rng = random.Random(seed)  # noqa: S311
    zones = rng.sample(["America/New_York", "Pacific/Honolulu", "Asia/Tokyo", "Europe/London"], 2)
    first = rng.randint(0, 12)
    asked = ContactHours(
        (
            Hours(first * 60, (first + 11) * 60, WEEKDAYS),
            Hours(0, 24 * 60, tuple(rng.sample(WEEKDAYS, 2))),
        ),
        None,
        tuple(zones),
    )
    day = date(2026, 3, 1) + timedelta(days=rng.randint(0, 40))
    lawful = [moment for moment in _quarters(day, zones[0]) if _is_lawful(asked, moment)]
    stretches: list[list[datetime]] = []
    for moment in lawful:
        if stretches and moment - stretches[-1][-1] == timedelta(minutes=15):
            stretches[-1].append(moment)
        else:
            stretches.append([moment])
    longest = max(stretches, key=len, default=None)
    expected = None
    if longest is not None:
        last = longest[-1] + timedelta(minutes=15)
        ends = [f"{end.astimezone(ZoneInfo(zones[0])):%H:%M}" for end in (longest[0], last)]
        expected = f"{ends[0]} {'24:00' if ends[1] == '00:00' else ends[1]} {zones[0]}"
    assert lawful_hours(asked, day) == expected


def _quarters(day: date, zone: str) -> list[datetime]:
    """Every quarter of an hour of a day in a zone."""
    midnight = datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
    moments = (midnight + timedelta(minutes=15 * n) for n in range(30 * 4))
    return [m for m in moments if m.astimezone(ZoneInfo(zone)).date() == day]


def _is_lawful(asked: ContactHours, moment: datetime) -> bool:
    def in_zone(zone: str) -> bool:
        shown = moment.astimezone(ZoneInfo(zone))
        minute = shown.hour * 60 + shown.minute
        return any(
            one.first <= minute < one.last and WEEKDAYS[shown.weekday()] in one.days
            for one in asked.hours
        )

    return all(map(in_zone, asked.zones))
