"""What the question `feeds` gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from riskseg.domain.words import counted
from riskseg.results.insights.answer import Answer
from riskseg.results.part import Part
from riskseg.results.units import RatioOrNone


class Feed(Part):
    """A source, and how fresh and how large it is."""

    source: str
    newest: date | None
    """The last day up to the as-of date on which anything of it became known; null without
    dates."""
    days_ago: int | None
    rows: int
    """All its rows, those known only after the as-of date too."""
    rows_before: int | None
    """The median of earlier runs; null where none had another input."""
    set_apart: int
    """Rows that fail the contract, and do not count."""
    last_30_days: int | None
    """The rows that became known in the 30 days up to the as-of date."""
    usual: int | None
    """The median of the twelve times 30 days before, as far as it goes back."""
    of_usual: RatioOrNone
    """`last_30_days` as a multiple of `usual`."""
    breach: str | None
    """What is not as `[source.NAME.expect]` in riskseg.toml says."""

    @property
    def remark(self) -> str:
        """What is unusual, in words; empty where nothing is. Bounds of one's own say it better."""
        if self.breach:
            return self.breach.rstrip(".")
        if unusual := unusual_rows(self.source, self.rows, self.rows_before):
            return unusual
        if self.last_30_days == 0 and self.usual:
            return f"{self.source}: nothing came in 30 days, where {self.usual:,} rows are usual"
        if self.usual and not _is_usual(self.last_30_days or 0, self.usual):
            return (
                f"{self.source}: {counted(self.last_30_days or 0, 'row')} came in 30 days, where "
                f"{self.usual:,} are usual"
            )
        return ""


# Volumes beyond these, as multiples of what is usual, are named.
LEAST_OF_USUAL, MOST_OF_USUAL = 0.5, 2


def _is_usual(rows: int, usual: int) -> bool:
    return LEAST_OF_USUAL <= rows / usual <= MOST_OF_USUAL


def unusual_rows(source: str, rows: int, before: int | None) -> str:
    """What is said of a source that has far fewer, or far more, rows than earlier runs read; empty
    where nothing is."""
    if not before or _is_usual(rows, before):
        return ""
    return f"{source}: {counted(rows, 'row')}, where earlier runs read {before:,}"


class Feeds(Answer):
    """Whether the sources are fresh and complete."""

    feeds: tuple[Feed, ...]

    def words(self) -> str:
        remarks = [feed.remark for feed in self.feeds if feed.remark]
        dated = [feed for feed in self.feeds if feed.days_ago is not None]
        sentences = [f"{remark}." for remark in remarks]
        if not remarks:
            sentences.append("No source is unusually small, large or old.")
        oldest = max(dated, key=lambda feed: feed.days_ago or 0, default=None)
        if oldest is not None and not oldest.days_ago:
            sentences.append("Every source with dates goes up to the as-of date.")
        elif oldest is not None:
            sentences.append(
                f"The newest row of {oldest.source} is of {oldest.newest}, "
                f"{counted(oldest.days_ago or 0, 'day')} before the as-of date; no source is older."
            )
        apart = [f"{feed.set_apart:,} of {feed.source}" for feed in self.feeds if feed.set_apart]
        if apart:
            sentences.append(f"Rows set apart as faulty: {', '.join(apart)}.")
        return " ".join(sentences)

    def tables(self) -> Mapping[str, Sequence[Part]]:
        return {"Feeds": self.feeds}
