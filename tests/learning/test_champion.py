"""The preferred learner ships unless the whole interval of another's gain is above what it must
gain."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from riskseg.learning import champion
from riskseg.learning.spec import ModelSpec

ROWS = 40


def chosen(
    monkeypatch: pytest.MonkeyPatch, gain: tuple[float, float, float], needed: float
) -> champion.Choice:
    monkeypatch.setattr(champion, "auc_gain", lambda *_, **__: gain)
    rule = {"prefer": "scorecard", "unless_auc_gain": needed}
    spec = ModelSpec.model_validate({"name": "m", "target": {"column": "x"}, "champion": rule})
    label = np.arange(ROWS) % 2
    training: Any = SimpleNamespace(label=label, weight=np.ones(ROWS), group=np.arange(ROWS))
    margins: Any = {"scorecard": np.arange(ROWS) * 1.0, "lightgbm": label * 1.0}
    return champion.choose(spec, training, margins)


def test_a_gain_that_may_be_too_small_ships_nothing_new(monkeypatch: pytest.MonkeyPatch) -> None:
    choice = chosen(monkeypatch, (0.05, 0.005, 0.095), 0.01)
    assert choice.learner == "scorecard"
    assert "not all of it above 0.01" in choice.why


def test_the_low_end_must_be_above_and_not_at_what_is_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert chosen(monkeypatch, (0.05, 0.01, 0.09), 0.01).learner == "scorecard"
    assert chosen(monkeypatch, (0.05, 0.0101, 0.09), 0.01).learner == "lightgbm"
