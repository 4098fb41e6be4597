"""What the training window looked like, and how a later batch differs from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from riskseg.domain.facts import Fact
from riskseg.learning.canonical import fixed
from riskseg.learning.evidence.stability import Groups, psi_of, significant

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
    import pandas as pd

    return {
        "rows": len(rows),
        "probability": _spread(pd.Series(probability), None, weight),
        "features": {fact.name: _spread(rows[fact.name], fact, weight) for fact in features},
    }


def _spread(values: pd.Series, fact: Fact | None, weight: Floats) -> dict[str, Any]:
    """How some values are spread; `fact` None: a number that is never null."""
    import numpy as np

    groups = Groups.of(values, fact, weight)
    counts = np.bincount(groups.places(values), weights=weight, minlength=groups.count)
    *known, missing = (fixed(count / weight.sum()) for count in counts)
    if groups.cuts is not None:
        return {"cuts": [float(cut) for cut in groups.cuts], "shares": known, "missing": missing}
    levels = sorted(values.dropna().astype(str).unique())
    return {
        "levels": dict(zip(groups.levels, known[:-1], strict=True)),
        "other": known[-1],
        "missing": missing,
        "seen": levels if len(levels) <= MOST_SEEN else None,
    }


class Watch:
    """Counts what batches hold of `features`, as they are scored, and tells how that differs from
    training."""

    def __init__(self, told: Mapping[str, Any], features: Sequence[str]) -> None:
        import numpy as np

        self._trained = int(told["rows"])
        self._spreads = {"": told["probability"], **{n: told["features"][n] for n in features}}
        self._groups = {name: _groups(spread) for name, spread in self._spreads.items()}
        self._rows = 0
        self._counts = {
            name: np.zeros(groups.count, dtype=np.int64) for name, groups in self._groups.items()
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
        for name, groups in self._groups.items():
            values = batch[name] if name else pd.Series(probability)
            if name:
                self._nulls[name] += int(values.isna().sum())
            if name in self._seen:
                codes, found = pd.factorize(values)
                strange = [str(level) not in self._seen[name] for level in found]
                self._strange[name] += int(np.array([*strange, False])[codes].sum())
            places = groups.places(values.iloc[::stride])
            self._counts[name] += np.bincount(places, minlength=groups.count)

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


def _groups(spread: Mapping[str, Any]) -> Groups:
    """The groups whose shares a spread tells."""
    import numpy as np

    if "levels" in spread:
        return Groups(None, tuple(spread["levels"]), True)
    return Groups(np.asarray(spread["cuts"]), (), True)


def _share(rows: int, whole: int) -> str:
    accounts = "1 account" if rows == 1 else f"{rows:,} accounts"
    share = 100 * rows / whole
    return f"{accounts} ({share:{'.2g' if share < 10 else '.0f'}}%)"


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
