"""What the question `profile` gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from riskseg.results.insights.answer import Answer, too_few
from riskseg.results.part import Part
from riskseg.results.units import Hidden, Ratio, RatioOrNone


class Difference(Part):
    """A feature or attribute in which the accounts of a segment differ from all others."""

    segment: str
    compared: str
    """What holds of the segment, in words: on average, or of the share `here` of its accounts."""
    fact: Hidden
    value: Hidden
    """`mean` of a number; else the value whose share is compared."""
    here: Ratio
    """The mean, or the share of accounts, in the segment."""
    elsewhere: Ratio
    """The same of all other accounts."""
    elsewhere_in_words: Hidden
    index: RatioOrNone
    """`here` in per cent of `elsewhere`; null where that has no meaning."""
    standardised: Ratio
    """The difference in units of the pooled standard deviation."""
    low: Ratio
    """The lower end of the 95% interval of `here` less `elsewhere`."""
    high: Ratio
    """Its upper end."""
    accounts: int
    """The accounts of the segment that the mean, or the share, is of."""
    with_value: int | None
    """Those of them that have the value; null where a mean is compared."""


class Profile(Answer):
    """In what each segment differs most from all other accounts."""

    differences: tuple[Difference, ...]
    """By segment, the largest standardised difference first."""
    suppressed: tuple[str, ...]
    """The segments of too few accounts to be described."""
    least: int
    """The accounts that a segment, or a value in it, needs to be described."""
    left_out: tuple[str, ...]
    """The columns that say what came of accounts, in which nothing is compared: segments are made
    to differ in them."""

    def words(self) -> str:
        largest = max(self.differences, key=lambda d: abs(d.standardised), default=None)
        if largest is None:
            text = "No segment differs from the others in any feature or attribute."
            return text + self._without()
        how_many = "on average" if largest.value == "mean" else f"{largest.here:.0%} of accounts"
        text = (
            f'"{largest.segment}" stands out most: {largest.compared} ({how_many}; elsewhere '
            f"{largest.elsewhere_in_words})."
        )
        return text + self._without() + too_few(self.suppressed)

    def _without(self) -> str:
        """Which columns are not compared, as a sentence after others."""
        if not self.left_out:
            return ""
        return f" What came of accounts is not compared: {', '.join(self.left_out)}."

    def tables(self) -> Mapping[str, Sequence[Part]]:
        return {"Differences": self.differences}
