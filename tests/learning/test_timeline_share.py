"""A history too short to hold out its last days: a share of the parties is offered instead."""

from __future__ import annotations

from riskseg.domain.problems import Problems
from riskseg.learning.timeline import timeline
from tests.learning.test_timeline import FIRST, authored, last_day

HALF_A_YEAR = """\
target: {event: late, days_past_due: 30, horizon_days: 60}
observe: {every: 30 days, for: 300 days, history: 60 days}
"""


def advice(days: int) -> str:
    problems = Problems()
    assert timeline(authored(HALF_A_YEAR), FIRST, last_day(days), problems) is None
    (problem,) = problems
    assert problem.code == "RS405"
    return problem.hint


def test_where_no_last_days_can_be_held_out() -> None:
    reported = advice(160)
    assert "share: 0.25" in reported and "last:" not in reported
    suggested = (
        "target: {event: late, days_past_due: 30, horizon_days: 60}\nhold_out: {share: 0.25}\n"
        "observe: {every: 30 days, for: 30 days, history: 40 days}"
    )
    assert "for: 30 days, history: 40 days" in reported and "horizon_days: 60" in reported
    assert timeline(authored(suggested), FIRST, last_day(160), Problems()) is not None


def test_where_the_question_would_have_to_be_shortened() -> None:
    reported = advice(200)
    assert "last: 30 days" in reported and "share: 0.25" in reported


def test_where_the_question_can_stay_as_it_is() -> None:
    assert "share" not in advice(400)
