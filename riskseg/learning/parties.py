"""Rows that belong together: what several rows of one party tell, and how to shuffle them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskseg.learning.frame import Codes


def party_codes(group: NDArray[Any]) -> Codes | None:
    """The party of each row as a number from 0; None where every row is a party of its own."""
    import numpy as np
    import pandas as pd

    codes, parties = pd.factorize(group)
    return None if len(parties) == len(codes) else codes.astype(np.int64)
