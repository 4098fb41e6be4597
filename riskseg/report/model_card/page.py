"""The page of a model card. Its words are in templates/."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment

from riskseg.learning import words
from riskseg.learning.evidence import checks, estimates
from riskseg.learning.evidence.model import Evidence
from riskseg.learning.evidence.verdict import predicted
from riskseg.learning.manifest import Manifest
from riskseg.learning.reference import Reference
from riskseg.report.drawing import MOST_BARS
from riskseg.report.model_card import charts, charts_of_features, charts_of_groups, charts_of_time
from riskseg.report.model_card.material import Material, days, meaning, points, usual_values
from riskseg.report.pages import rendered, templates

# With more features than this, tables of bins and small charts are folded away.
OPEN_FEATURES = 12


def card(
    manifest: Manifest,
    evidence: Evidence,
    scorecard: Mapping[str, Any] | None,
    reference: Reference,
) -> str:
    """A model card as one HTML page: inline styles and SVG, no script, nothing fetched.

    `manifest`, `evidence` and `reference` are those of the artefact, `scorecard` its table of
    points, or None where another learner ships. The same data give the same text.
    """
    model = Material(manifest, evidence, scorecard, reference)
    return rendered(_templates(), m=model)


@cache
def _templates() -> Environment:
    """The templates of the card, with what they may call."""
    environment = templates("riskseg.report.model_card")
    environment.filters |= {
        "day": words.date,
        "days": days,
        "figure": words.figure,
        "held": words.held,
        "interval": words.interval,
        "learner": words.learner,
        "listed": words.listed,
        "month": words.month,
        "number": words.count,
        "percent": words.percent,
        "percent_interval": words.percent_interval,
        "plural": words.plural,
        "points": points,
        "sentence": words.sentence,
        "the_learner": words.the_learner,
        "value": words.value,
    }
    environment.globals |= {
        "MOST_BARS": MOST_BARS,
        "OPEN_FEATURES": OPEN_FEATURES,
        "charts": charts,
        "charts_of_features": charts_of_features,
        "charts_of_groups": charts_of_groups,
        "charts_of_time": charts_of_time,
        "enumerate": enumerate,
        "exp": math.exp,
        "meaning": meaning,
        "predicted": predicted,
        "usual_values": usual_values,
        "checks": checks,
        "estimates": estimates,
        "zip": zip,
    }
    return environment
