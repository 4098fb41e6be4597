"""Whether a model that is asked about a past day knows what came after it."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from riskseg.learning.scorecard.edits import Edit
from riskseg.learning.scorecard.learner import ScorecardLearner, ScorecardSettings
from riskseg.pipeline.hindsight import hindsight
from tests.support.manifests import COUNTS, manifest_of

TARGET = "{event: late, days_past_due: 14, horizon_days: 60}"
DEFAULT = "{event: default, days_past_due: 14, horizon_days: 60}"
PARTS = {"training": "2025-03-01", "hold_out": "2025-08-01"}


@pytest.mark.parametrize(
    ("target", "parts", "as_of", "reported"),
    [
        (TARGET, PARTS, "2025-01-01", "learned from outcomes up to 2025-05-14"),
        (TARGET, PARTS, "2025-05-13", "learned"),
        (TARGET, PARTS, "2025-05-14", ""),
        (TARGET, PARTS, "2025-10-14", ""),
        (TARGET, PARTS | {"refit": "2025-08-01"}, "2025-10-13", "learned"),
        (DEFAULT, PARTS, "2025-04-30", ""),
        ("{column: bad}", PARTS, "2025-02-28", "learned"),
        ("{column: bad}", PARTS, "2025-08-01", ""),
        (TARGET, {"training": None, "hold_out": None}, "2025-01-01", ""),
    ],
)
def test_a_day_whose_outcomes_are_known_is_reported(
    target: str, parts: dict[str, str | None], as_of: str, reported: str
) -> None:
    counts = {part: {**COUNTS, "from": last, "until": last} for part, last in parts.items()}
    manifest = manifest_of(f"target: {target}", **counts)
    model: Any = SimpleNamespace(name="m", manifest=manifest)
    found = hindsight(model, date.fromisoformat(as_of))
    assert (found or "").startswith(reported) and bool(found) == bool(reported)


def test_edits_of_what_is_left_out_are_reported() -> None:
    edits = {"income": Edit(max_bins=3), "office": Edit(drop=True), "late": Edit(max_bins=3)}
    settings = ScorecardSettings(edits=edits)
    dropped = {"income": "as chance", "office": "by hand"}
    (reported,) = ScorecardLearner().without_effect(settings, dropped)
    assert reported.startswith(
        "the edits of income change nothing, since it is left out: as chance."
    )
