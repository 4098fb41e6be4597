"""Splits by party, decided by a hash of the party's id: the same whatever else is in the data,
whatever the order of the rows."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskseg.learning.timeline import Timeline

if TYPE_CHECKING:
    from riskseg.learning.frame import Folds, Mask


def held_out_by_party(group: NDArray[Any], share: float, seed: int) -> Mask:
    """Marks the rows of about this share of the parties."""
    return _place(group, f"hold-out:{seed}") < share


def held_out_by_date(as_of: NDArray[np.datetime64], dates: Timeline) -> tuple[Mask, Mask]:
    """(used, held out): rows in neither window, the embargo's among them, are not used."""

    def within(start: Any, end: Any) -> Mask:
        return (as_of >= np.datetime64(start)) & (as_of <= np.datetime64(end))

    held = within(dates.hold_from, dates.hold_until)
    return within(dates.train_from, dates.train_until) | held, held


def folds_by_party(group: NDArray[Any], count: int, seed: int) -> Folds:
    """The fold of each row, 0 to count - 1; a party's rows share one."""
    return np.asarray(_place(group, f"fold:{seed}") * count, dtype=np.int8)


def _place(group: NDArray[Any], salt: str) -> NDArray[np.float64]:
    """A number in [0, 1) for each row, uniform over parties."""
    codes, parties = pd.factorize(group)
    salt_key = salt.encode()[:64]
    digests = (
        hashlib.blake2b(str(party).encode(), digest_size=6, key=salt_key).digest()
        for party in parties
    )
    positions = np.array([int.from_bytes(digest) / 2**48 for digest in digests])
    return positions[codes]
