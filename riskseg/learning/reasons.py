"""Why an account's probability is what it is, in words, for any number of accounts at once.

Contributions (SHAP values, or points lost) say how much each feature moved the probability away
from the average. They are added over families and ranked; then each candidate is put to the test:
with the family's features at ordinary values, the model's own margin must move the way the reason
says. What fails is no reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from riskseg.domain.facts import Fact, Kind, worded

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

    from riskseg.learning.frame import Floats

    Margin = Callable[[pd.DataFrame], Floats]

# Contributions closer than this are equal, and the order of the features decides.
DIGITS = 6
# A margin that moves less has not moved: additions in another order differ by less.
LEAST_MOVE = 1e-9
# Adverse candidates beyond those wanted, tried where one fails its test.
SPARE = 2
# Fewer rows are not worth a thread of their own.
LEAST_SHARE = 10_000


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that moved a probability; `contribution` is that of the feature's whole family:
    points lost in a scorecard, log-odds in boosted trees, positive where the risk is raised.
    `feature` is the family's member that moved it most, `value` the account's own value of it."""

    feature: str
    contribution: float
    value: Any
    words: str


@dataclass(frozen=True)
class Reasons:
    """The reasons of a batch: `places` and `contributions` have a row an account, and columns for
    the adverse reasons, strongest first, then one for the strongest favourable one. A place is
    that of a fact in `facts`; -1 where there is no such reason."""

    facts: tuple[Fact, ...]
    batch: pd.DataFrame
    places: NDArray[np.int16]
    contributions: Floats

    def of(self, row: int) -> tuple[Reason, ...]:
        """One account's reasons, the favourable one last."""
        found = []
        for place, contribution in zip(self.places[row], self.contributions[row], strict=True):
            if place >= 0:
                fact = self.facts[place]
                values = self.batch[fact.name].iloc[[row]]
                value = None if values.isna().iloc[0] else values.iloc[0]
                words = _phrases(values, fact)[0].as_py()
                found.append(Reason(fact.name, float(contribution), value, words))
        return tuple(found)

    def texts(self) -> pa.Array:
        """Each account's reasons as one line: the adverse ones, then what speaks in its favour."""
        import pyarrow.compute as pc

        adverse = [self._column(column) for column in range(self.places.shape[1] - 1)]
        favourable = pc.binary_join_element_wise("in favour: ", self._column(-1), "")
        joined: pa.Array = pc.binary_join_element_wise(
            *adverse, favourable, "; ", null_handling="skip"
        )
        return joined

    def _column(self, column: int) -> pa.Array:
        """The words of one reason of every account; null where it has none."""
        import numpy as np
        import pyarrow as pa

        places = self.places[:, column]
        parts, rows = [pa.nulls(int((places < 0).sum()), pa.string())], [np.flatnonzero(places < 0)]
        for place, fact in enumerate(self.facts):
            here = np.flatnonzero(places == place)
            if len(here):
                parts.append(_phrases(self.batch[fact.name].iloc[here], fact))
                rows.append(here)
        order = np.argsort(np.concatenate(rows), kind="stable")
        return pa.concat_arrays(parts).take(pa.array(order))


@dataclass(frozen=True)
class Ordinary:
    """By feature, the value nearest to the average account's risk: of those no riskier than it
    (`safer`), and of those no safer (`riskier`). None stands for a null."""

    safer: Mapping[str, Any]
    riskier: Mapping[str, Any]

    @classmethod
    def of(cls, effects: Sequence[Mapping[str, Any]]) -> Ordinary:
        """From the effects of a model's evidence: the mean margin at some values of a feature,
        and how common each is."""
        safer, riskier = {}, {}
        for effect in effects:
            points = effect["points"]
            share = sum(p["share"] for p in points) or 1.0
            average = sum(p["margin"] * p["share"] for p in points) / share
            below = [p for p in points if p["margin"] <= average] or points
            above = [p for p in points if p["margin"] >= average] or points
            safer[effect["feature"]] = max(below, key=lambda p: p["margin"])["value"]
            riskier[effect["feature"]] = min(above, key=lambda p: p["margin"])["value"]
        return cls(safer, riskier)


def ranked_reasons(
    batch: pd.DataFrame,
    contributions: Floats,
    facts: Sequence[Fact],
    ordinary: Ordinary,
    margin: Margin,
    top: int,
    threads: int = 1,
) -> Reasons:
    """The `top` families that raised each row's probability most, and the one that lowered it
    most, each tested against the model.

    `contributions` is (rows, facts), positive where the risk is raised. Features of one family
    say much the same, so their contributions are added before they are ranked. `margin` scores a
    batch. A row's reasons hang on nothing but the row, so threads share the rows out.
    """
    import numpy as np

    def part(rows: slice) -> tuple[NDArray[np.int16], Floats]:
        return _ranked(batch.iloc[rows], contributions[rows], facts, ordinary, margin, top)

    # One part a thread: making a model ready to score costs the same for few rows as for many.
    share = max(-(-len(batch) // threads), LEAST_SHARE)
    parts = [slice(begin, begin + share) for begin in range(0, max(len(batch), 1), share)]
    if threads > 1 and len(parts) > 1:
        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(part, parts))
    else:
        found = [part(rows) for rows in parts]
    places = np.concatenate([places for places, _ in found])
    return Reasons(tuple(facts), batch, places, np.concatenate([weights for _, weights in found]))


def _ranked(
    batch: pd.DataFrame,
    contributions: Floats,
    facts: Sequence[Fact],
    ordinary: Ordinary,
    margin: Margin,
    top: int,
) -> tuple[NDArray[np.int16], Floats]:
    """(places, contributions) of a part of the rows, as `Reasons` holds them."""
    import numpy as np

    families = list(dict.fromkeys(fact.family or fact.name for fact in facts))
    members = [
        [n for n, fact in enumerate(facts) if (fact.family or fact.name) == family]
        for family in families
    ]
    totals = np.zeros((len(batch), len(families)))
    loudest = np.zeros((2, len(batch), len(families)), dtype=np.int16)
    for place, own in enumerate(members):
        part = np.round(contributions[:, own], DIGITS)
        totals[:, place] = np.round(part.sum(axis=1), DIGITS)
        loudest[0, :, place] = np.asarray(own)[part.argmax(axis=1)]
        loudest[1, :, place] = np.asarray(own)[part.argmin(axis=1)]

    here = margin(batch)
    columns = [[facts[n].name for n in own] for own in members]
    textual = {fact.name: fact.kind.is_textual for fact in facts}

    def confirmed(rows: NDArray[np.int64], asked: NDArray[Any], sign: int) -> NDArray[np.bool_]:
        """Whether each row's margin moves as it should once the family `asked` of it is ordinary.
        One call for all families: a model takes as long to make ready for few rows as for many."""
        usual = batch.iloc[rows].copy()
        values = ordinary.safer if sign > 0 else ordinary.riskier
        for place in np.unique(asked):
            these = asked == place
            for name in columns[place]:
                value = values[name]
                if textual[name]:
                    usual[name] = usual[name].astype(object).mask(these, value)
                else:
                    column = usual[name].to_numpy(dtype=np.float64, na_value=np.nan).copy()
                    column[these] = np.nan if value is None else float(value)
                    usual[name] = column
        told: NDArray[np.bool_] = sign * (here[rows] - margin(usual)) > LEAST_MOVE
        return told

    places = np.full((len(batch), top + 1), -1, dtype=np.int16)
    weights = np.zeros((len(batch), top + 1))
    for sign, first, wanted in ((1, 0, top), (-1, top, 1)):
        found = np.zeros(len(batch), dtype=np.int64)
        order = np.argsort(-sign * totals, axis=1, kind="stable")
        for rank in range(min(wanted + SPARE, len(families))):
            family = order[:, rank]
            total = np.take_along_axis(totals, family[:, None], axis=1)[:, 0]
            rows = np.flatnonzero((found < wanted) & (sign * total > 0))
            if not len(rows):
                break
            rows = rows[confirmed(rows, family[rows], sign)]
            places[rows, first + found[rows]] = loudest[0 if sign > 0 else 1, rows, family[rows]]
            weights[rows, first + found[rows]] = total[rows]
            found[rows] += 1
    return places, weights


def _phrases(values: pd.Series, fact: Fact) -> pa.Array:
    """The fact's words with each account's own value in them."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    shown, one = _shown(values, fact)
    template = fact.words or f"{fact.name} = {{value}}"

    def filled(words: str) -> pa.Array:
        before, _, after = words.partition("{value}")
        middle = shown if "{value}" in words else pa.array([""] * len(values))
        return pc.binary_join_element_wise(before, middle, after, "")

    several = filled(worded(template, one=False))
    if not one.any():
        return several
    return pc.if_else(pa.array(np.asarray(one)), filled(worded(template, one=True)), several)


def _shown(values: pd.Series, fact: Fact) -> tuple[pa.Array, NDArray[np.bool_]]:
    """(values as text, which of them are exactly one)."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    null = values.isna().to_numpy()
    if fact.kind.is_textual:
        text = pa.array(values.where(~null, None).astype(object), pa.string())
        return pc.fill_null(text, "unknown"), np.zeros(len(values), dtype=bool)
    numbers = np.where(null, 0.0, values.to_numpy(dtype=np.float64, na_value=np.nan))
    if fact.kind is Kind.BOOLEAN:
        known = pc.if_else(pa.array(numbers != 0), "yes", "no")
    elif fact.unit == "share":
        percent = pa.array(np.round(numbers * 100).astype(np.int64)).cast(pa.string())
        known = pc.binary_join_element_wise(percent, "%", "")
    else:
        hundredths = np.round(np.abs(numbers) * 100).astype(np.int64)
        sign = pc.if_else(pa.array((numbers < 0) & (hundredths > 0)), "-", "")
        whole = pa.array(hundredths // 100).cast(pa.string())
        rest = pc.utf8_lpad(pa.array(hundredths % 100).cast(pa.string()), 2, "0")
        exact = pa.array(hundredths % 100 == 0)
        known = pc.if_else(
            exact,
            pc.binary_join_element_wise(sign, whole, ""),
            pc.binary_join_element_wise(pc.binary_join_element_wise(sign, whole, ""), rest, "."),
        )
    return pc.if_else(pa.array(null), "unknown", known), (~null) & (numbers == 1)
