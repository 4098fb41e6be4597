"""What each question of `insight` is answered with."""

from __future__ import annotations

from collections.abc import Mapping

from riskseg.results.insights.answer import Answer
from riskseg.results.insights.arrears import Arrears
from riskseg.results.insights.calibration import Calibration
from riskseg.results.insights.collected import Collections
from riskseg.results.insights.coverage import Coverage
from riskseg.results.insights.cures import CureRates
from riskseg.results.insights.drift import Drifts
from riskseg.results.insights.fairness import TreatmentByCohort
from riskseg.results.insights.feeds import Feeds
from riskseg.results.insights.movement import Movement
from riskseg.results.insights.performance import Performance
from riskseg.results.insights.plans import PlansKept
from riskseg.results.insights.profile import Profile
from riskseg.results.insights.promises import PromisesKept
from riskseg.results.insights.roll_rates import Roll
from riskseg.results.insights.sizes import SegmentSizes
from riskseg.results.insights.split import Structure
from riskseg.results.insights.vintages import Vintages

# By the name of the question.
ANSWERS: Mapping[str, type[Answer]] = {
    "size": SegmentSizes,
    "profile": Profile,
    "movement": Movement,
    "arrears": Arrears,
    "vintages": Vintages,
    "roll": Roll,
    "cures": CureRates,
    "collected": Collections,
    "promises": PromisesKept,
    "plans": PlansKept,
    "performance": Performance,
    "calibration": Calibration,
    "split": Structure,
    "coverage": Coverage,
    "drift": Drifts,
    "feeds": Feeds,
    "fairness": TreatmentByCohort,
}
