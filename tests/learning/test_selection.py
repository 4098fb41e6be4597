from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.selection import usable
from riskseg.learning.spec import AuthoredSpec

Author = Callable[[str], AuthoredSpec]
PROTECTED = "protected: learned from only where the spec keeps it"


def with_feature(frame: TrainingFrame, name: str, values: Any) -> TrainingFrame:
    fact = Fact(name, Kind.NUMBER)
    return replace(
        frame, rows=frame.rows.assign(**{name: values}), features=(*frame.features, fact)
    )


def dropped(authored: AuthoredSpec, frame: TrainingFrame) -> dict[str, str]:
    problems = Problems()
    kept, why, _ = usable(authored, frame, problems)
    problems.raise_if_any()
    assert {fact.name for fact in kept} | set(why) == set(frame.names)
    return why


def test_a_double_goes_and_the_fuller_one_stays(frame: TrainingFrame, author: Author) -> None:
    late = frame.rows.late_bills_6m
    holed = np.where(np.arange(len(late)) % 50 == 0, np.nan, late)
    wide = with_feature(with_feature(frame, "twin", 3 * late + 1), "holed", holed)
    assert dropped(author(""), wide)["twin"] == ("repeats late_bills_6m (rank correlation 1.000)")
    mirrored = with_feature(frame, "mirror", -late)
    assert "mirror" in dropped(author(""), mirrored)
    assert dropped(author(""), frame) == {}


def test_a_drifting_feature_goes_unless_it_is_kept(frame: TrainingFrame, author: Author) -> None:
    later = frame.as_of > frame.as_of.min()
    random = np.random.default_rng(0).random(len(frame))
    wide = with_feature(frame, "since_launch", random + 2 * later)
    assert dropped(author(""), wide)["since_launch"].startswith("drifts: PSI ")
    assert dropped(author("features: {keep: [since_launch]}\n"), wide) == {}
    # Without dates nothing can be seen to drift.
    dateless = replace(wide, as_of=np.full(len(frame), np.datetime64("NaT", "D")))
    assert dropped(author(""), dateless) == {}


@pytest.mark.parametrize(
    ("declared", "spec", "read"),
    [
        (False, "", True),
        (True, "", False),
        (True, "features: {keep: [has_debit]}\n", True),
        (True, "features: {static: [has_debit]}\n", True),
        (False, "fairness: {protected: [has_debit]}\n", False),
        (False, "fairness: {protected: [has_debit]}\nfeatures: {keep: [has_debit]}\n", True),
    ],
)
def test_what_is_protected_is_read_only_where_the_spec_says_so(
    frame: TrainingFrame, author: Author, declared: bool, spec: str, read: bool
) -> None:
    features = tuple(
        replace(fact, protected=declared and fact.name == "has_debit") for fact in frame.features
    )
    why = dropped(author(spec), replace(frame, features=features))
    assert why.get("has_debit", "") == ("" if read else PROTECTED)


def test_few_rows_do_not_look_like_drift(frame: TrainingFrame, author: Author) -> None:
    assert dropped(author(""), frame.where(np.arange(60))) == {}


def test_a_drifting_feature_that_helps_later_is_kept_with_a_note(
    frame: TrainingFrame, author: Author
) -> None:
    random = np.random.default_rng(4)
    later = frame.as_of > frame.as_of.min()
    moving = later + 2 * frame.label + random.normal(0, 0.5, len(frame))
    rows = frame.rows.assign(moving=moving)
    wide = replace(frame, rows=rows, features=(*frame.features, Fact("moving", Kind.NUMBER)))
    problems = Problems()
    kept, why, notes = usable(author(""), wide, problems)
    assert "moving" in [fact.name for fact in kept] and "moving" not in why
    assert len(notes) == 1 and notes[0].startswith("moving drifts: PSI ")
    assert "AUC in the later half" in notes[0]
