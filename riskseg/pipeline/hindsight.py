"""Whether a model that is asked about a past day knows what came after it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from riskseg.learning.artefact import Model


def hindsight(model: Model, *days: date) -> str | None:
    """A sentence for days on which some outcomes that the model learned from were still to come;
    None where it knew none of them, or nothing says when it was."""
    known_on = model.manifest.last_label_known_on
    early = [day for day in days if known_on is not None and day < known_on]
    if not early:
        return None
    if len(early) == 1:
        before, of = f"{early[0]} is before that", "that day"
    else:
        before, of = f"{len(early)} days from {early[0]} on are before that", "those days"
    return (
        f"learned from outcomes up to {known_on}, and {before}: probabilities of {of} are no "
        f"back-test. `riskseg train {model.name} --as-of {early[0]}` makes a version for one"
    )
