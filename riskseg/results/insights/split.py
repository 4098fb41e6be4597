"""What the question `split` gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from riskseg.domain.words import counted, first_few
from riskseg.results.insights.answer import Answer, with_months
from riskseg.results.part import Part
from riskseg.results.units import Code, Hidden, Share


class Split(Part):
    """The split of a segment that separates its outcomes most. Its rates, intervals and gain are of
    the half of the accounts that it was not found on."""

    segment: str
    apart: str
    """The accounts that would be a segment of their own, as an expression of rules."""
    fact: Hidden
    fact_in_words: str
    static: bool
    """Whether the fact is known only as of today: what it was on the day is not known."""
    accounts: int
    """The accounts of the segment that would be apart, of both halves."""
    measured: int
    """Those of them in the half that the split was not found on: `rate` is of these."""
    rate: Share
    """The share of them of which the outcome came true."""
    low: Share
    """The lower end of the 95% interval of `rate`, by party."""
    high: Share
    others: int
    """The accounts that would stay, those of which the fact is not known among them."""
    others_measured: int
    """Those of them in that half: `other_rate` is of these."""
    other_rate: Share
    other_low: Share
    other_high: Share
    gain: Share
    """The part of the variance of the outcome in the segment that the split explains."""


class Change(Part):
    """What is written in which file, so that a segment is split."""

    segment: str
    file: str
    what: str
    """Where the text goes, in words."""
    text: Code
    whole: Hidden
    """The whole file as it would be, less its comments, where more than the text is changed; else
    empty."""


class Pair(Part):
    """Two segments that are treated much alike, and whose outcomes do not differ clearly."""

    first: str
    second: str
    treatment: str
    """What their paths have in common."""
    first_accounts: int
    first_rate: Share
    second_accounts: int
    second_rate: Share
    low: Share
    """The lower end of the 95% interval of the first rate less the second, by party."""
    high: Share


class Unreached(Part):
    """A segment in which no account was on any of the days."""

    segment: str
    rows: str
    """The rows of the segment table that give it, with their lines."""


class Structure(Answer):
    """Which segments could be split, merged or retired. Observed of accounts that were treated."""

    outcome: str | None
    """What is looked for, in words; null where it is not known of any day yet."""
    day: date | None
    """The day that the accounts are looked at."""
    splits: tuple[Split, ...]
    """The clear ones, the largest gain first."""
    changes: tuple[Change, ...]
    """In the order in which they are pasted: each split is written for the strategy with those
    before it."""
    pairs: tuple[Pair, ...]
    unreached: tuple[Unreached, ...]
    looked_at: int
    """The days that were looked at for segments that nobody reached."""
    not_clear: tuple[str, ...]
    """The segments in which no split is clear."""
    too_few: tuple[str, ...]
    """The segments of too few accounts whose outcome is known."""
    least: int
    left_out: tuple[str, ...]
    """The facts that no split may be made by: they are protected, or protect accounts."""
    as_of: date

    def words(self) -> str:
        return " ".join(sentence for sentence in (*self._of_splits(), *self._besides()) if sentence)

    def _of_splits(self) -> Sequence[str]:
        if self.day is None:
            return [
                "No outcome is known yet of any day that is looked at, so nothing is said of "
                f"splits. {with_months('split', self.as_of)}"
            ]
        sentences = [f"Looked for: {self.outcome}; accounts as of {self.day}."]
        if self.splits:
            best = self.splits[0]
            sentences.append(
                f'"{best.segment}" is worth splitting most: {best.rate:.1%} where {best.apart}, '
                f"{best.other_rate:.1%} of the others."
            )
            if any(split.static for split in self.splits):
                sentences.append(
                    "Attributes that are known only as of today may have changed since then."
                )
            sentences.append("This was observed; it does not show an effect.")
        else:
            sentences.append("No split of a segment separates its outcomes clearly.")
        if self.not_clear and self.splits:
            sentences.append(f"No clear split: {', '.join(self.not_clear)}.")
        if self.too_few:
            sentences.append(f"Too few accounts to look for one: {', '.join(self.too_few)}.")
        if self.left_out:
            sentences.append(
                f"Left out, as protected or as a cohort of fairness: {first_few(self.left_out)}."
            )
        return sentences

    def _besides(self) -> Sequence[str]:
        pairs = [f"{pair.first} and {pair.second}" for pair in self.pairs]
        merge = (
            f"Treated much alike, and not clearly different in outcome: {'; '.join(pairs)}."
            if pairs
            else ""
        )
        names = ", ".join(row.segment for row in self.unreached)
        days = counted(self.looked_at, "day")
        return [merge, f"Looked at {days}, and no account is in: {names}." if names else ""]

    def tables(self) -> Mapping[str, Sequence[Part]]:
        return {
            "Splits of segments": self.splits,
            "How to split": self.changes,
            "Segments that could be one": self.pairs,
            "Segments nobody reached": self.unreached,
        }
