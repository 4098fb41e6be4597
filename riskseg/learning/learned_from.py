"""Which rows a version learned from. It is judged, and recalibrated, by others alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from riskseg.learning.spec import HELD_SHARE, HoldOut, ModelSpec, Observe, Target

if TYPE_CHECKING:
    from riskseg.learning.frame import Mask, TrainingFrame


def unseen(manifest: Mapping[str, Any], frame: TrainingFrame) -> Mask:
    """Marks the rows that a version learned nothing from, neither them nor an outcome that
    overlaps theirs.

    A version of a hold-out by share knows the rows of all parties but those it held out, up to
    its last date; one of a hold-out by date, and one fitted once more to all rows (`refit`), knows
    every party's. Where the accounts have no dates there is no later row.
    """
    import numpy as np

    from riskseg.learning.split import held_out_by_party

    if learned_nothing(manifest):
        return np.ones(len(frame), dtype=np.bool_)
    new: Mask = np.zeros(len(frame), dtype=np.bool_)
    if (first := first_unseen(manifest)) is not None:
        new |= frame.as_of >= np.datetime64(first)
    if (share := held_share(manifest)) is not None:
        new |= held_out_by_party(frame.group, share, manifest["spec"]["seed"])
    return new


def first_unseen(manifest: Mapping[str, Any]) -> date | None:
    """The first day whose rows are new to a version whoever they are of: a full label after the
    last that it learned from. None where days say nothing of that."""
    spec, learned = _asked(manifest), manifest.get("refit") or manifest["training"]
    # A column of accounts looked at once is the same outcome on whatever day it is looked at.
    once = spec.target.column is not None and learned["from"] == learned["until"]
    if learned["until"] is None or once:
        return None
    return date.fromisoformat(learned["until"]) + timedelta(days=max(1, spec.label_days))


def held_share(manifest: Mapping[str, Any]) -> float | None:
    """The share of parties that a version knows on no day; None where it knows them all."""
    spec = _asked(manifest)
    if refitted(manifest) or spec.hold_out_days is not None:
        return None
    return spec.hold_out_share or HELD_SHARE


def refitted(manifest: Mapping[str, Any]) -> bool:
    """Whether what ships learned from the hold-out too."""
    return bool(manifest.get("refit"))


def learned_nothing(manifest: Mapping[str, Any]) -> bool:
    """Whether no outcome of this workspace made it: it was imported."""
    return not manifest["training"]["rows"]


def _asked(manifest: Mapping[str, Any]) -> ModelSpec:
    """The parts of a version's spec that say what it held out."""
    told = manifest["spec"]
    at = told["observe"].get("at")
    return ModelSpec.model_construct(
        name=manifest["spec"]["name"],
        target=Target.model_construct(**told["target"]),
        observe=Observe.model_construct(at=at if at in (None, "issue") else date.fromisoformat(at)),
        hold_out=HoldOut.model_construct(**told["hold_out"]) if told.get("hold_out") else None,
    )
