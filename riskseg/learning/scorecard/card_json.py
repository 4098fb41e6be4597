"""What scorecard.json must hold, by type and bound."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from riskseg.learning.scorecard.tables import Bins, CardForm, Scale
from riskseg.learning.stored import Count, Points, Stored


class ScaleHeld(Stored):
    score: float
    odds_good_to_bad: float
    points_to_double_odds: float

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if not Scale(self.score, self.odds_good_to_bad, self.points_to_double_odds).is_usable:
            raise ValueError("no probability can be worked out by the scale")
        return self


class BinHeld(Stored):
    """The values of a bin: the keys that `Bins.described` writes."""

    from_: float | None = Field(default=None, alias="from")
    to: float | None = None
    levels: list[str] | None = None
    other: Literal[True] | None = None
    missing: Literal[True] | None = None


class BinOfTable(BinHeld):
    count: Count
    bad: Count | None
    points: Points
    woe: float | None = None


def _bins(name: str, kind: str, bins_held: list[Any]) -> Bins:
    """The bins, if they follow on each other without a gap. Raises ValueError."""
    keys = set(BinHeld.model_fields)
    described = [
        bin_.model_dump(by_alias=True, include=keys, exclude_unset=True) for bin_ in bins_held
    ]
    bins = Bins.from_described(name, kind, described)
    rising = all(low < high for low, high in pairwise(bins.cuts)) or kind == "levels"
    levels = bins.levels or ()
    if bins.described() != described or not rising or len(set(levels)) < len(levels):
        raise ValueError(f"the bins of {name} do not follow on each other")
    return bins


Kind = Literal["number", "levels"]


class TableHeld(Stored):
    feature: str
    kind: Kind
    bins: list[BinOfTable]

    @model_validator(mode="after")
    def _follow(self) -> Self:
        _bins(self.feature, self.kind, self.bins)
        return self


class PairHeld(Stored):
    features: Annotated[list[str], Field(min_length=2, max_length=2)]
    kinds: Annotated[list[Kind], Field(min_length=2, max_length=2)]
    bins: Annotated[list[list[BinHeld]], Field(min_length=2, max_length=2)]
    count: list[list[Count]]
    bad: list[list[Count]]
    points: list[list[Points]]

    @model_validator(mode="after")
    def _of_one_size(self) -> Self:
        first_bins, second_bins = (
            _bins(*pair_side)
            for pair_side in zip(self.features, self.kinds, self.bins, strict=True)
        )
        for grid in (self.count, self.bad, self.points):
            if [len(grid_row) for grid_row in grid] != [second_bins.count] * first_bins.count:
                raise ValueError("a two-way table has not one entry for each pair of bins")
        return self


class Card(Stored):
    """scorecard.json"""

    form: CardForm
    scale: ScaleHeld
    base: Points
    dropped: dict[str, str]
    notes: list[str]
    features: list[TableHeld]
    pairs: list[PairHeld]
