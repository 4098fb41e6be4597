"""What the question `promises` gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from riskseg.results.insights.answer import Answer, KeyFigure
from riskseg.results.insights.arrangements import Arrangements, kept_in_words
from riskseg.results.part import Part


class PromisesKept(Answer):
    """What came of the promises to pay of the last twelve months."""

    total: Arrangements | None
    """All of them together; null where there are none."""
    segments: tuple[Arrangements, ...]
    channels: tuple[Arrangements, ...]
    months: tuple[Arrangements, ...]
    """The latest first."""

    def words(self) -> str:
        return kept_in_words(self.total, self.segments, "promise")

    def key_figures(self) -> Sequence[KeyFigure]:
        if self.total is None or self.total.share_kept is None:
            return ()
        return (KeyFigure(f"{self.total.share_kept:.0%}", "of promises kept, in twelve months"),)

    def tables(self) -> Mapping[str, Sequence[Part]]:
        return {
            "Promises by segment": self.segments,
            "Promises by channel": self.channels,
            "Promises by month": self.months,
        }
