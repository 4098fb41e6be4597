"""The part of files.md about a model's spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reference_pages.markdown import code, table
from riskseg.learning import spec
from riskseg.learning.learners import registered

_SPEC: Mapping[str, str] = {
    "name": "as the file's name, without `.yaml`",
    "question": "what the model is asked, in words",
    "target.event": "`late` or `default`",
    "target.days_past_due": "late: 14 if left out; default: 90",
    "target.horizon_days": "late: 60 if left out; default: 180",
    "target.action": "kept for later; a Problem today",
    "target.column": "a column of accounts, in place of an event",
    "target.positive": "the column's bad value, where it is not true or 1",
    "observe.every": "each account once in so many days, at a phase of its own",
    "observe.for": "the days of training, embargo and hold-out together",
    "observe.history": "days of history before the first observation",
    "observe.at": "`issue` of each bill, or one date, in place of `every`",
    "hold_out.last": "validate on the last days",
    "hold_out.share": "validate on a share of the parties, up to 0.5",
    "population": "a condition an account must meet",
    "features.exclude": "features to leave out",
    "features.static": "undated facts to let in",
    "features.keep": "features to keep though they drift, repeat another or are protected",
    "learners": "`scorecard`, `lightgbm` or both",
    "calibration": "`none`, `sigmoid`, `beta`, `isotonic`, or `auto`: chosen by folds",
    "champion.prefer": "the learner that ships; the first listed if left out",
    "champion.unless_auc_gain": "the AUC another must gain, significantly, to ship in its place",
    "champion.unless_log_loss_gain": "or the share of the log loss that it must save",
    "refit": "after validation, learn what ships once more, from the hold-out too",
    "fairness.by": "attributes by whose levels the model is judged",
    "fairness.protected": "attributes it should not stand in for, nor learn from unless kept",
    "fairness.cut": "the probability from which an account is taken to be treated; the bad rate of "
    "training if left out",
    "sample.goods": "the most good outcomes to learn from; the others are stood for by weights",
    "sample.bads": "the most bad outcomes to learn from; the others are stood for by weights",
    "evidence.learning_curve": "learn from a tenth, a quarter, … of the parties too",
    "seed": "the same seed and data give the same model",
}


def spec_file() -> Iterator[str]:
    """models/NAME.yaml."""
    yield "## A model's spec: models/NAME.yaml"
    yield ""
    yield from table(("key", "default", "what it is"), _spec())


def _spec() -> Iterator[tuple[str, str, str]]:
    inner = {
        "target": spec.Target,
        "observe": spec.Observe,
        "hold_out": spec.HoldOut,
        "features": spec.FeatureChoice,
        "champion": spec.ChampionRule,
        "fairness": spec.Fairness,
        "sample": spec.Sample,
        "evidence": spec.Asked,
    }
    for name, field in spec.ModelSpec.model_fields.items():
        if name == "calibration":
            yield from _learners()
        if name not in inner:
            yield code(name), _spec_default(field), _SPEC[name]
            continue
        for key, part in inner[name].model_fields.items():
            shown = f"{name}.{part.alias or key}"
            days = " days" if name == "observe" and key in ("every", "for_", "history") else ""
            yield code(shown), _spec_default(part, days), _SPEC[shown]


def _learners() -> Iterator[tuple[str, str, str]]:
    for learner in registered():
        for key, field in learner.settings.model_fields.items():
            shown = code(f"{learner.name}.{key}")
            yield shown, _spec_default(field), learner.settings_help[key]


def _spec_default(field: Any, unit: str = "") -> str:
    if field.is_required():
        return "needed"
    default = field.get_default(call_default_factory=True)
    if isinstance(default, tuple):
        return code(f"[{', '.join(default)}]") if default else ""
    if isinstance(default, bool):
        return code(str(default).lower())
    return "" if default in (None, "", {}) else code(f"{default}{unit}")
