"""What a question about segments is answered with."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from riskseg.results.part import Part

# The rule for small numbers, the same in every question: of a group of fewer accounts it is shown
# how many there are and what they owe in all, so that totals add up, and no share, mean or amount
# paid. Those could be figures of persons who can be recognised, and chance decides them.
FEWEST = 10


def too_few(groups: Iterable[str], hidden: str = "Not shown") -> str:
    """Which groups that rule hides figures of, as a sentence after others; nothing if none."""
    names = ", ".join(dict.fromkeys(groups))
    return f" {hidden}, with fewer than {FEWEST} accounts: {names}." if names else ""


class KeyFigure(NamedTuple):
    """A figure that a report begins with: how it is shown, and what it is."""

    figure: str
    name: str


class Answer(Part):
    """The answer to a question: a sentence or two, and tables."""

    @abstractmethod
    def words(self) -> str:
        """The answer in a sentence or two."""

    def key_figures(self) -> Sequence[KeyFigure]:
        """The figures that a report begins with, if any."""
        return ()

    @abstractmethod
    def tables(self) -> Mapping[str, Sequence[Part]]:
        """Its tables by their titles; the rows of each are of one class. The first one is the
        answer, and is what is written to a file."""


class InsightDay(Part):
    """A day on which accounts were decided, and by what."""

    day: date
    run: str | None
    """The run of the journal; null where it was decided for this answer, by the strategy in force
    on that day."""
    strategy: str
    """The version of the strategy."""
    accounts: int
