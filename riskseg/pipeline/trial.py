"""A model put to every use its own files decide, before it is taken in from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from riskseg.learning.export.check import check_rows
from riskseg.learning.show import summary
from riskseg.report.model_card import card

if TYPE_CHECKING:
    from riskseg.learning.artefact import Model


def trial(model: Model) -> None:
    """Make its summary and its card, and score, explain and watch made-up accounts.

    Raises whatever a file that is none of ours makes go wrong: what is shown of a model depends on
    its files alone, so that it fails here or never.
    """
    if not model.features:
        raise ValueError("it has no feature")
    summary(model)
    card(model.manifest, model.evidence, model.points_json, model.reference)
    trial_rows = check_rows(model)
    # Reasons first: they read the trees strictly, and LightGBM takes them at their word.
    model.reasons(trial_rows).texts()
    probability = model.predict(trial_rows)
    if not (np.isfinite(probability) & (probability >= 0) & (probability <= 1)).all():
        raise ValueError("it gives made-up accounts no probability")
    watch = model.watch()
    watch.see(trial_rows, probability)
    watch.drift()
