"""What the training window looked like, so that later batches can be compared with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from riskseg.domain.facts import Fact
from riskseg.learning.canonical import fixed

if TYPE_CHECKING:
    import pandas as pd

    from riskseg.learning.frame import Floats

GROUPS = 10
MOST_LEVELS = 20


def reference(rows: pd.DataFrame, features: Sequence[Fact], probability: Floats) -> dict[str, Any]:
    """Shares of rows between the deciles of each feature and of the champion's probability.

    A number: `cuts` (a group holds its lower cut and not its upper) and `shares`, one more than
    cuts. Text: the share of each of the commonest levels; the rest is `other`. `missing` is the
    share of nulls among all rows; the other shares are of all rows too.
    """
    return {
        "rows": len(rows),
        "probability": _numbers(probability),
        "features": {
            fact.name: _levels(rows[fact.name])
            if fact.kind.is_textual
            else _numbers(rows[fact.name].to_numpy(dtype="float64", na_value=float("nan")))
            for fact in features
        },
    }


def _numbers(values: Floats) -> dict[str, Any]:
    import numpy as np

    known = values[~np.isnan(values)]
    cuts = np.unique(np.quantile(known, np.arange(1, GROUPS) / GROUPS, method="lower"))
    counts = np.bincount(np.searchsorted(cuts, known, side="right"), minlength=len(cuts) + 1)
    return {
        "cuts": [float(cut) for cut in cuts],
        "shares": [fixed(count / len(values)) for count in counts],
        "missing": fixed(1 - len(known) / len(values)),
    }


def _levels(values: pd.Series) -> dict[str, Any]:
    known = [str(value) for value in values[values.notna()]]
    common = sorted(Counter(known).items(), key=lambda item: (-item[1], item[0]))[:MOST_LEVELS]
    return {
        "levels": {level: fixed(count / len(values)) for level, count in common},
        "other": fixed((len(known) - sum(count for _, count in common)) / len(values)),
        "missing": fixed(1 - len(known) / len(values)),
    }
