"""A column that begins or ends within the training window is said to be new or gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.learning.evidence.checks import checks
from riskseg.learning.evidence.model import Evidence
from riskseg.learning.evidence.stability import stability
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.selection import usable
from riskseg.learning.spec import AuthoredSpec
from tests.support.manifests import manifest_of

ADDED = Fact("added", Kind.NUMBER, nullable=True)


@pytest.mark.parametrize(("change", "later"), [("new", True), ("gone", False)])
def test_in_the_halves_of_training(
    frame: TrainingFrame, author: Callable[[str], AuthoredSpec], change: str, later: bool
) -> None:
    is_later = frame.as_of > frame.as_of.min()
    values = np.where(is_later == later, np.random.default_rng(0).random(len(frame)), np.nan)
    wide = replace(frame, rows=frame.rows.assign(added=values), features=(*frame.features, ADDED))
    _, dropped, _ = usable(author(""), wide, Problems())
    assert dropped["added"].startswith(f"is {change}: always null in the ")


def test_in_the_hold_out(frame: TrainingFrame) -> None:
    values = np.where(frame.held_out, np.nan, np.random.default_rng(0).random(len(frame)))
    wide = replace(frame, rows=frame.rows.assign(added=values))
    training, held = wide.where(~wide.held_out), wide.where(wide.held_out)
    chance = np.full(len(wide), 0.2)
    reported = stability([ADDED], training, chance[~wide.held_out], held, chance[wide.held_out])
    counts = {"bad": 300, "rows": 900, "stands_for": 900.0, "parties": 900}
    counts |= {"from": None, "until": None}
    manifest = manifest_of(training=counts, hold_out=counts)
    topic = "Scores and features are distributed as in training"
    evidence = Evidence.of_no_outcomes([]).model_copy(update={"stability": reported})
    (found,) = [check.found for check in checks(manifest, evidence) if check.topic == topic]
    assert found == "added is gone."
