"""Whether a model that is asked about a past day knows what came after it."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from riskseg.learning.scorecard.edits import Edit
from riskseg.pipeline.hindsight import hindsight
from riskseg.run.train import edits_lost

TARGET = {"event": "late", "column": None, "days_past_due": 14, "horizon_days": 60}
PARTS = {"training": {"until": "2025-03-01"}, "hold_out": {"until": "2025-08-01"}}


@pytest.mark.parametrize(
    ("target", "parts", "as_of", "told"),
    [
        (TARGET, PARTS, "2025-01-01", "learned from outcomes up to 2025-05-14"),
        (TARGET, PARTS, "2025-05-13", "learned"),
        (TARGET, PARTS, "2025-05-14", ""),
        (TARGET, PARTS, "2025-10-14", ""),
        (TARGET, PARTS | {"refit": {"until": "2025-08-01"}}, "2025-10-13", "learned"),
        (TARGET | {"event": "default"}, PARTS, "2025-04-30", ""),
        ({"event": None, "column": "bad", "horizon_days": None}, PARTS, "2025-02-28", "learned"),
        ({"event": None, "column": "bad", "horizon_days": None}, PARTS, "2025-08-01", ""),
        (TARGET, {"training": {"until": None}, "hold_out": {"until": None}}, "2025-01-01", ""),
    ],
)
def test_a_day_whose_outcomes_are_known_is_told(
    target: dict[str, Any], parts: dict[str, Any], as_of: str, told: str
) -> None:
    model: Any = SimpleNamespace(name="m", manifest={"spec": {"target": target}, **parts})
    found = hindsight(model, date.fromisoformat(as_of))
    assert (found or "").startswith(told) and bool(found) == bool(told)


def test_edits_of_what_is_left_out_are_told() -> None:
    edits = {"income": Edit(max_bins=3), "office": Edit(drop=True), "late": Edit(max_bins=3)}
    card = SimpleNamespace(scorecard=SimpleNamespace(edits=edits))
    model: Any = SimpleNamespace(manifest={"dropped": {"income": "as chance", "office": "by hand"}})
    (told,) = edits_lost(SimpleNamespace(spec=card), model)  # type: ignore[arg-type]
    assert told.startswith("the edits of income change nothing, since it is left out: as chance.")
