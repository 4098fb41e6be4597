"""What the training window looked like, and how a later batch differs from it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from riskseg.domain.facts import Fact
from riskseg.learning.canonical import fixed
from riskseg.learning.evidence.metrics import GROUPS
from riskseg.learning.evidence.stability import MOST_LEVELS, psi_of, significant, weighted_quantiles

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from riskseg.learning.frame import Floats

MOST_SEEN = 1_000
# Rows of one batch that are enough to see a shift by.
ENOUGH_ROWS = 100_000


def reference(
    rows: pd.DataFrame, features: Sequence[Fact], probability: Floats, weight: Floats
) -> dict[str, Any]:
    """Shares of the population between the deciles of each feature and of the champion's
    probability.

    A number: `cuts` (a group holds its lower cut and not its upper) and `shares`, one more than
    cuts. Text: the share of each of the commonest levels; the rest is `other`. `missing` is the
    share of nulls among all; the other shares are of all too. `seen` are all levels, or null if
    there are too many to keep.
    """
    return {
        "rows": len(rows),
        "probability": _numbers(probability, weight),
        "features": {
            fact.name: _levels(rows[fact.name], weight)
            if fact.kind.is_textual
            else _numbers(rows[fact.name].to_numpy(dtype="float64", na_value=math.nan), weight)
            for fact in features
        },
    }


def _numbers(values: Floats, weight: Floats) -> dict[str, Any]:
    import numpy as np

    known = ~np.isnan(values)
    cuts = weighted_quantiles(values[known], weight[known], GROUPS)
    groups = np.searchsorted(cuts, values[known], side="right")
    counts = np.bincount(groups, weights=weight[known], minlength=len(cuts) + 1)
    whole = weight.sum()
    return {
        "cuts": [float(cut) for cut in cuts],
        "shares": [fixed(count / whole) for count in counts],
        "missing": fixed(weight[~known].sum() / whole),
    }


def _levels(values: pd.Series, weight: Floats) -> dict[str, Any]:
    import numpy as np
    import pandas as pd

    codes, levels = pd.factorize(values)
    whole = weight.sum()
    counts = np.bincount(codes[codes >= 0], weights=weight[codes >= 0], minlength=len(levels))
    ranked = sorted(
        zip(map(str, levels), counts, strict=True), key=lambda item: (-item[1], item[0])
    )
    common = ranked[:MOST_LEVELS]
    return {
        "levels": {level: fixed(count / whole) for level, count in common},
        "other": fixed(sum(count for _, count in ranked[MOST_LEVELS:]) / whole),
        "missing": fixed(weight[codes < 0].sum() / whole),
        "seen": sorted(map(str, levels)) if len(levels) <= MOST_SEEN else None,
    }


class Watch:
    """Counts what batches hold of `features`, as they are scored, and tells how that differs from
    training."""

    def __init__(self, told: Mapping[str, Any], features: Sequence[str]) -> None:
        import numpy as np

        self._trained = int(told["rows"])
        self._spreads = {"": told["probability"], **{n: told["features"][n] for n in features}}
        self._rows = 0
        self._counts = {
            name: np.zeros(_groups(spread), dtype=np.int64)
            for name, spread in self._spreads.items()
        }
        self._nulls = dict.fromkeys(features, 0)
        self._seen = {
            name: frozenset(spread["seen"])
            for name, spread in self._spreads.items()
            if spread.get("seen") is not None
        }
        self._strange = dict.fromkeys(self._seen, 0)

    def see(self, batch: pd.DataFrame, probability: Floats) -> None:
        """Takes note of a batch and its probabilities."""
        import numpy as np
        import pandas as pd

        self._rows += len(batch)
        stride = -(-len(batch) // ENOUGH_ROWS) or 1
        for name, spread in self._spreads.items():
            values = batch[name] if name else pd.Series(probability)
            null = values.isna().to_numpy()
            if name:
                self._nulls[name] += int(null.sum())
            if "levels" in spread:
                codes, found = pd.factorize(values)
                if name in self._seen:
                    strange = [str(level) not in self._seen[name] for level in found]
                    self._strange[name] += int(np.array([*strange, False])[codes].sum())
                place = {level: n for n, level in enumerate(spread["levels"])}
                last = len(place)
                groups = np.array([*(place.get(str(v), last) for v in found), last + 1])[codes]
            else:
                numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)[::stride]
                groups = np.searchsorted(spread["cuts"], numbers, side="right")
                groups[np.isnan(numbers)] = len(spread["shares"])
            self._counts[name] += np.bincount(groups, minlength=len(self._counts[name]))

    def told(self) -> list[str]:
        """What a person should know of all that was seen, in plain sentences; none if all is as
        it was in training."""
        found: list[str] = []
        for name, spread in self._spreads.items():
            what = name or "the probability"
            if name and self._nulls[name] and not spread["missing"]:
                told = _share(self._nulls[name], self._rows)
                found.append(f"{what} is unknown for {told}; in training it was always known")
            if self._strange.get(name):
                told = _share(self._strange[name], self._rows)
                found.append(f"{what} has a level that training never saw in {told}")
            psi, by_chance = _psi(spread, self._counts[name], self._trained)
            if significant(psi, by_chance):
                found.append(f"{what} is spread otherwise than in training (PSI {psi:.2f})")
        return found


def _groups(spread: Mapping[str, Any]) -> int:
    return (len(spread["levels"]) + 2) if "levels" in spread else len(spread["shares"]) + 1


def _share(rows: int, whole: int) -> str:
    accounts = "1 account" if rows == 1 else f"{rows:,} accounts"
    return f"{accounts} ({100 * rows / whole:.2g}%)"


def _psi(spread: Mapping[str, Any], counts: NDArray[np.int64], trained: int) -> tuple[float, float]:
    """(PSI against training, what chance alone gives on average)."""
    import numpy as np

    shares = [
        *(spread["levels"].values() if "levels" in spread else spread["shares"]),
        *([spread["other"]] if "levels" in spread else []),
        spread["missing"],
    ]
    if not counts.sum():
        return 0.0, 0.0
    return psi_of(np.asarray(shares) * trained, counts.astype(np.float64))
