"""A model at a glance, for people: plain data, nothing learned anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskseg.learning.artefact import Model
from riskseg.learning.boosted import Boosted
from riskseg.learning.scorecard import Scorecard

HEADLINE = ("auc", "gini", "ks", "brier", "log_loss", "expected_calibration_error")


def summary(model: Model) -> dict[str, Any]:
    """What a trained model is and how good it is.

    Keys: name, version, question, learner, why, training, hold_out, learners (headline metrics
    on the hold-out), metrics (all of the champion's), features (the strongest first), dropped.
    """
    told = model.manifest
    scorer = model.scorer
    features = _by_gain(scorer) if isinstance(scorer, Boosted) else _by_points(scorer)
    left_out: Mapping[str, str] = {} if isinstance(scorer, Boosted) else scorer.dropped
    words = {fact.name: fact.words for fact in model.facts}
    return {
        "name": model.name,
        "version": model.version,
        "question": told["spec"]["question"],
        "learner": model.learner,
        "why": told["champion"]["why"],
        "training": told["training"],
        "hold_out": told["hold_out"],
        "learners": {
            name: {key: metrics["hold_out"][key] for key in HEADLINE}
            for name, metrics in told["metrics"].items()
        },
        "metrics": told["metrics"][model.learner],
        "features": [feature | {"words": words[feature["feature"]]} for feature in features],
        "dropped": {**told["dropped"], **left_out},
    }


def _by_gain(trees: Boosted) -> list[dict[str, Any]]:
    ranked = sorted(trees.columns, key=lambda column: (-column.gain, column.name))
    return [{"feature": column.name, "gain": column.gain} for column in ranked]


def _by_points(card: Scorecard) -> list[dict[str, Any]]:
    """The widest range of points first."""
    shown = []
    for row in card.as_json()["features"]:
        points = [float(held["points"]) for held in row["bins"]]
        shown.append(
            {
                "feature": row["feature"],
                "least": min(points),
                "most": max(points),
                "bins": row["bins"],
            }
        )
    return sorted(shown, key=lambda row: (row["least"] - row["most"], row["feature"]))
