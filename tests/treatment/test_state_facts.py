"""Which facts are the state of an account's treatment is known from their names alone."""

from __future__ import annotations

import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.expressions import check
from riskseg.rules.action_facts import last_issued_fact
from riskseg.rules.calendar import WEEKDAYS, Calendar
from riskseg.rules.contact_hours import ContactHours, Hours
from riskseg.rules.contacting import ContactLimit
from riskseg.rules.holding import held_days, lasts
from riskseg.rules.quiet import QuietPeriod, quiet_fact
from riskseg.rules.state import is_state
from riskseg.rules.step_facts import issued_fact, occurrence_fact, outcome_fact

DATES = {"started_on": Fact("started_on", Kind.DATE)}


def held() -> str:
    starts = check("started_on", DATES, Problems(), expect="value")
    assert starts is not None
    counted = held_days(starts, ["hold", "complaint"])
    assert counted is not None
    return counted.fact


HOURS = ContactHours((Hours(480, 1260, WEEKDAYS),), "timezone", ("US",))
STATE = {
    "issued": issued_fact("collection", "letter#2"),
    "occurrence": occurrence_fact("collection", "letter"),
    "outcome": outcome_fact("collection", "call"),
    "lasting": lasts("breathing_space").text,
    "held": held(),
    "until open": Calendar(holidays="GB-ENG").until_open,
    "closed before": Calendar(("mon", "fri")).closed_before,
    "closed after": Calendar().closed_after,
    "last issued": last_issued_fact("call"),
    "hours": HOURS.window,
    "days until hours": HOURS.wait,
    "quiet": quiet_fact([QuietPeriod("12-24", "12-26")]),
    "limit": ContactLimit(("call",), ("phone",), at_most=7, within=7).fact,
}


@pytest.mark.parametrize("fact", STATE.values(), ids=STATE)
def test_what_was_done_and_what_holds_is_state(fact: str) -> None:
    assert is_state(fact)


@pytest.mark.parametrize(
    "fact", ["meter type", "is vulnerable", "outcome", "issued_on", "as_of", "open_promise"]
)
def test_an_attribute_is_none_whatever_its_name(fact: str) -> None:
    assert not is_state(fact)
