"""A model at a glance, for people: plain data, nothing learned anew."""

from __future__ import annotations

from typing import Any

from riskseg.learning.artefact import Model
from riskseg.learning.evidence.verdict import predicted, verdict
from riskseg.learning.words import sentence

HEADLINE = ("auc", "gini", "ks", "brier", "log_loss", "expected_calibration_error")


def summary(model: Model) -> dict[str, Any]:
    """What a trained model is and how good it is.

    Keys: name, version, parent, question, imported (from where, if it was), learner, form,
    calibration (its kind), why, notes, known_by, training, hold_out, learners (headline metrics
    on the hold-out), metrics (all of the champion's), intervals (of the champion's on the
    hold-out), features (the strongest first), dropped, protected, verdict (in words, with every
    check). `question` is what the spec asks, `predicts` what it predicts, in words of ours.
    """
    manifest = model.manifest
    features = model.learned_by.strengths(model)
    meant = {
        fact.name: {
            "words": fact.words,
            "direction": fact.direction,
            "labels": dict(fact.labels),
            "special_values": list(fact.special_values),
        }
        for fact in model.facts
    }
    return {
        "name": model.name,
        "version": model.version,
        "question": manifest.spec.question,
        "predicts": predicted(manifest.spec.target),
        "parent": manifest.parent,
        "imported": manifest.imported and manifest.imported.as_json(),
        "learner": model.learner,
        "form": manifest.form,
        "calibration": model.calibration.kind,
        "why": sentence(manifest.champion.why),
        "notes": manifest.notes,
        "known_by": manifest.known_by and manifest.known_by.isoformat(),
        "training": manifest.training.as_json(),
        "hold_out": manifest.hold_out.as_json(),
        "learners": {
            learner_name: {
                metric_name: (metrics.hold_out or {}).get(metric_name) for metric_name in HEADLINE
            }
            for learner_name, metrics in manifest.metrics.items()
        },
        "metrics": manifest.shipped_metrics.as_json(),
        "intervals": model.evidence.intervals,
        "features": [feature | meant[feature["feature"]] for feature in features],
        "dropped": {**manifest.dropped, **model.scorer.dropped},
        "protected": model.evidence.protected,
        "verdict": verdict(manifest, model.evidence),
    }
