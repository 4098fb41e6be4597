"""Whether a model that is asked about a past day knows what came after it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from riskseg.learning.artefact import Model


def hindsight(model: Model, as_of: date) -> str | None:
    """A sentence for a date on which some outcomes that the model learned from were still to come;
    None where it knew none of them, or nothing says when it was."""
    known_on = model.manifest.last_label_known_on
    if known_on is None or as_of >= known_on:
        return None
    return (
        f"learned from outcomes up to {known_on}, and {as_of} is before that: probabilities of "
        f"that day are no back-test. `riskseg train {model.name} --as-of {as_of}` makes a "
        "version for one"
    )
