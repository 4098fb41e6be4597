from __future__ import annotations

from typing import Any

import pytest

from riskseg.learning.artefact import Model
from riskseg.learning.evidence.model import Evidence
from riskseg.learning.evidence.stability import stability
from riskseg.learning.evidence.verdict import predicted, too_weak, verdict
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.show import summary
from riskseg.learning.spec import Target
from riskseg.results.interval import Interval
from tests.support.manifests import manifest_of

RULE = [
    ("well above chance", 0.70, [0.70, 0.65, 0.75], False),
    ("few outcomes, and an interval above chance", 0.60, [0.60, 0.51, 0.69], False),
    ("certain and weak", 0.549, [0.549, 0.54, 0.558], True),
    ("an interval that holds chance", 0.62, [0.62, 0.49, 0.75], True),
    ("an interval that ends at chance", 0.62, [0.62, 0.5, 0.74], True),
    ("turned", 0.40, [0.40, 0.30, 0.50], True),
    ("no interval", 0.56, None, False),
    ("no interval, weak", 0.54, None, True),
    ("nothing measured", None, None, False),
]


@pytest.mark.parametrize(("what", "auc", "interval", "weak"), RULE, ids=[r[0] for r in RULE])
def test_what_is_barely_better_than_chance(
    what: str, auc: float | None, interval: list[float] | None, weak: bool
) -> None:
    manifest = manifest_of(metrics={"scorecard": {"out_of_fold": None, "hold_out": {"auc": auc}}})
    evidence = Evidence.of_no_outcomes([]).model_copy(
        update={"intervals": {"auc": interval and Interval(*interval)}}
    )
    assert bool(too_weak(manifest, evidence)) is weak, what


def test_a_verdict_says_how_it_ranks_and_what_came_true(scorecard: Model) -> None:
    found = verdict(scorecard.manifest, scorecard.evidence)
    assert found.ranking.startswith("It ranks ")
    assert "on average" in found.calibration and "came true" in found.calibration
    assert "bad outcomes" in found.certainty and "checks hold" in found.certainty
    assert len({check.topic for check in found.checks}) == len(found.checks) >= 8
    assert found.too_weak == ""


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (
            {"event": "late"},
            "The probability that a bill falling due in the next 60 days is still unpaid 14 days "
            "after it was due",
        ),
        (
            {"event": "default", "days_past_due": 60, "horizon_days": 120},
            "The probability that an account reaches 60 days past due, or is written off, in the "
            "next 120 days",
        ),
        ({"column": "bad"}, "The probability of the bad outcome in the column “bad”"),
        (
            {"column": "bad", "positive": "yes", "horizon_days": 90},
            "The probability of the bad outcome in the column “bad”, where it is yes in the next "
            "90 days",
        ),
    ],
)
def test_what_is_predicted_in_words(target: dict[str, Any], said: str) -> None:
    assert predicted(Target.model_validate(target)) == said


def test_what_ships_is_said_in_a_sentence(scorecard: Model) -> None:
    reported = summary(scorecard)
    assert reported["why"] == "It is the only learner that was trained."
    assert reported["predicts"] == "The probability of the bad outcome in the column “bad”"


def test_the_psi_is_that_of_the_function_that_ships(model: Model, frame: TrainingFrame) -> None:
    training, held = frame.where(~frame.held_out), frame.where(frame.held_out)
    facts = [fact for fact in frame.features if fact.name in model.scorer.features]
    fitted, beyond = (model.predict(part.rows) for part in (training, held))
    assert model.evidence.stability == stability(facts, training, fitted, held, beyond)
