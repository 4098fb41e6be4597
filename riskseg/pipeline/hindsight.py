"""Whether a model that is asked about a past day knows what came after it."""

from __future__ import annotations

from datetime import date, timedelta

from riskseg.learning.artefact import Model
from riskseg.learning.spec import ModelSpec, Target


def hindsight(model: Model, as_of: date) -> str | None:
    """A sentence for a date on which some outcomes that the model learned from were still to come;
    None where it knew none of them, or nothing says when it was."""
    target = Target.model_construct(**model.manifest["spec"]["target"])
    spec = ModelSpec.model_construct(name=model.name, target=target)
    learned = _known(model, "refit", spec) or _known(model, "training", spec)
    if learned is not None and as_of < learned:
        return (
            f"learned from outcomes up to {learned}, and {as_of} is before that: probabilities of "
            f"that day are no back-test. `riskseg train {model.name} --as-of {as_of}` makes a "
            "version for one"
        )
    return None


def _known(model: Model, part: str, spec: ModelSpec) -> date | None:
    """The day on which the last outcome of a part of the history was known."""
    until = (model.manifest.get(part) or {}).get("until")
    return date.fromisoformat(until) + timedelta(days=spec.label_days) if until else None
