"""Features that cannot be learned from, and the reason given for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.selection import usable
from riskseg.learning.spec import AuthoredSpec

Author = Callable[[str], AuthoredSpec]


def dropped(authored: AuthoredSpec, frame: TrainingFrame, *facts: Fact, **columns: Any) -> Any:
    """Why each of the added features is dropped."""
    wide = replace(frame, rows=frame.rows.assign(**columns), features=(*frame.features, *facts))
    problems = Problems()
    _, why, _ = usable(authored, wide, problems)
    problems.raise_if_any()
    return why


def number(name: str, *, static: bool = False) -> Fact:
    return Fact(name, Kind.NUMBER, nullable=True, static=static)


def test_what_never_differs(frame: TrainingFrame, author: Author) -> None:
    rows = len(frame)
    flag = np.where(np.random.default_rng(0).random(rows) < 0.5, 1.0, np.nan)
    why = dropped(
        author(""),
        frame,
        *map(number, ("null", "constant", "or_null")),
        null=np.full(rows, np.nan),
        constant=np.ones(rows),
        or_null=flag,  # whether it is known may tell something
    )
    assert why == {"null": "always null", "constant": "always the same"}


@pytest.mark.parametrize("value", [1.0, np.nan])
def test_what_differs_in_the_hold_out_alone_never_differs(
    frame: TrainingFrame, author: Author, value: float
) -> None:
    seen = np.where(frame.held_out, np.arange(len(frame)), value)
    assert set(dropped(author(""), frame, number("seen"), seen=seen)) == {"seen"}


def test_the_hold_out_is_not_looked_at_for_doubles(frame: TrainingFrame, author: Author) -> None:
    random = np.random.default_rng(0).random(len(frame))
    late = frame.rows["late_bills_6m"].to_numpy()
    same = np.where(frame.held_out, random * 10, late)
    assert set(dropped(author(""), frame, number("same"), same=same)) == {"same"}


def test_a_static_feature_must_be_listed(frame: TrainingFrame, author: Author) -> None:
    today = np.random.default_rng(0).random(len(frame))
    fact = number("today", static=True)
    assert dropped(author(""), frame, fact, today=today) == {"today": "known only as of today"}
    listed = author("features: {static: [today]}\n")
    assert dropped(listed, frame, fact, today=today) == {}
    excluded = author("features: {static: [today], exclude: [today]}\n")
    assert dropped(excluded, frame, fact, today=today) == {"today": "excluded by the spec"}


def test_a_date_is_none(frame: TrainingFrame, author: Author) -> None:
    days = pd.to_datetime("2024-01-01") + pd.to_timedelta(np.arange(len(frame)), unit="D")
    assert dropped(author(""), frame, Fact("day", Kind.DATE), day=days) == {"day": "a date"}


def test_of_two_that_say_the_same_the_fuller_stays_wherever_it_is(
    frame: TrainingFrame, author: Author
) -> None:
    full = np.random.default_rng(0).random(len(frame))
    holed = np.where(np.arange(len(frame)) % 500 == 0, np.nan, full)
    facts = [number("holed"), number("full")]  # the fuller one comes later
    why = dropped(author(""), frame, *facts, holed=holed, full=full)
    assert set(why) == {"holed"}
