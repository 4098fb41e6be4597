from __future__ import annotations

import re
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskseg.domain.problems import Problems
from riskseg.learning.spec import AuthoredSpec, parse_spec
from riskseg.learning.split import held_out_by_date
from riskseg.learning.timeline import Timeline, days_needed, timeline

FIRST = date(2020, 1, 1)


def authored(text: str) -> AuthoredSpec:
    problems = Problems()
    reported = parse_spec(f"name: m\n{text}", "m.yaml", problems)
    assert reported is not None, list(problems)
    return reported


def last_day(days: int) -> date:
    return FIRST + timedelta(days=days - 1)


def test_the_dates_of_the_example() -> None:
    reported = authored("target: {event: late}")
    assert days_needed(reported.spec) == 180 + 360 + 74
    dates = timeline(reported, FIRST, last_day(614), Problems())
    assert dates is not None
    assert dates.train_from == FIRST + timedelta(days=180)
    assert dates.hold_until + timedelta(days=74) == last_day(614)
    assert (dates.hold_until - dates.hold_from).days + 1 == 90
    assert dates.train_until + timedelta(days=74) == dates.hold_from
    assert dates.every == 30
    assert timeline(reported, FIRST, last_day(613), Problems()) is None


def test_more_history_moves_the_window_to_the_end() -> None:
    reported = authored("target: {event: late}")
    dates = timeline(reported, FIRST, last_day(900), Problems())
    assert dates is not None and dates.hold_until == last_day(900) - timedelta(days=74)


def test_a_share_needs_no_embargo() -> None:
    reported = authored("target: {event: late}\nhold_out: {share: 0.25}")
    dates = timeline(reported, FIRST, last_day(614), Problems())
    assert dates is not None
    assert (dates.train_from, dates.train_until) == (dates.hold_from, dates.hold_until)


@pytest.mark.parametrize(
    ("at", "fits"),
    [("2020-06-28", False), ("2020-06-29", True), ("2020-10-18", True), ("2020-10-19", False)],
)
def test_one_date(at: str, fits: bool) -> None:
    reported = authored(f"target: {{event: late}}\nobserve: {{at: {at}}}")
    problems = Problems()
    dates = timeline(reported, FIRST, date(2020, 12, 31), problems)
    assert (dates is not None) == fits
    if dates is None:
        (problem,) = problems
        assert problem.code == "RS405"
        assert "from 2020-06-29 to 2020-10-18" in problem.hint


@given(
    days=st.integers(1, 700),
    every=st.integers(1, 60),
    extra=st.integers(0, 400),
    history=st.integers(1, 400),
    held=st.integers(0, 200),
    horizon=st.integers(1, 200),
    event=st.sampled_from(["late", "default"]),
    share=st.booleans(),
)
def test_what_is_suggested_fits(
    days: int,
    every: int,
    extra: int,
    history: int,
    held: int,
    horizon: int,
    event: str,
    share: bool,
) -> None:
    label = horizon + (14 if event == "late" else 0)
    window = every + extra if share else every + held + label + every - 1 + extra
    hold_out = "{share: 0.2}" if share else f"{{last: {every + held} days}}"
    reported = authored(
        f"target: {{event: {event}, horizon_days: {horizon}}}\nhold_out: {hold_out}\n"
        f"observe: {{every: {every} days, for: {window} days, history: {history} days}}\n"
    )
    problems = Problems()
    if timeline(reported, FIRST, last_day(days), problems) is not None:
        assert days_needed(reported.spec) <= days
        return
    (problem,) = problems
    assert problem.code == "RS405" and f"there are {days} " in problem.what
    advice = re.search(
        r"observe: (\{.*?\})(?:, hold_out: (\{.*?\}))?, horizon_days: (\d+)", problem.hint
    )
    if advice is None:
        shortest_label = min(horizon, 14) + label - horizon
        shortest_window = every if share else every + shortest_label + every - 1
        assert days < min(history, 30) + shortest_window + shortest_label
        return
    again = authored(
        f"target: {{event: {event}, horizon_days: {advice[3]}}}\n"
        f"hold_out: {advice[2] or '{share: 0.2}'}\nobserve: {advice[1]}\n"
    )
    dates = timeline(again, FIRST, last_day(days), Problems())
    assert dates is not None
    assert dates.train_until - dates.train_from >= timedelta(days=every - 1)
    # It is the longest: one more day of observing fits only where the spec asked for no more.
    spec = again.spec
    assert days_needed(spec) == days or spec.observe.for_ == reported.spec.observe.for_


def test_rows_of_the_embargo_are_not_used() -> None:
    dates = Timeline(date(2024, 1, 1), date(2024, 1, 31), date(2024, 3, 1), date(2024, 3, 31), 30)
    as_of = np.array(
        ["2023-12-31", "2024-01-01", "2024-01-31", "2024-02-15", "2024-03-01", "2024-04-01"],
        dtype="datetime64[D]",
    )
    used, held = held_out_by_date(as_of, dates)
    assert used.tolist() == [False, True, True, False, True, False]
    assert held.tolist() == [False, False, False, False, True, False]
