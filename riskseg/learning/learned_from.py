"""Which rows a version learned from. It is judged, and recalibrated, by others alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from riskseg.learning.manifest import Manifest

if TYPE_CHECKING:
    from riskseg.learning.frame import Mask, TrainingFrame


def unseen(manifest: Manifest, frame: TrainingFrame) -> Mask:
    """Marks the rows that a version learned nothing from, neither them nor an outcome that
    overlaps theirs.

    A version of a hold-out by share knows the rows of all parties but those it held out, up to
    its last date; one of a hold-out by date, and one fitted once more to all rows (`refit`), knows
    every party's. Where the accounts have no dates there is no later row.
    """

    from riskseg.learning.split import held_out_by_party

    if manifest.learned_nothing:
        return np.ones(len(frame), dtype=np.bool_)
    is_new: Mask = np.zeros(len(frame), dtype=np.bool_)
    if (first_unseen := manifest.first_unseen) is not None:
        is_new |= frame.as_of >= np.datetime64(first_unseen)
    if (held_share := manifest.held_share) is not None:
        is_new |= held_out_by_party(frame.group, held_share, manifest.spec.seed)
    return is_new
