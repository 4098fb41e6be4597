"""What a question about segments is answered with."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import date

from riskseg.results.part import Part

# A group of fewer accounts is not named in words: chance decides what is said of it.
FEWEST = 10


class Answer(Part):
    """The answer to a question: a sentence or two, and tables."""

    @abstractmethod
    def words(self) -> str:
        """The answer in a sentence or two."""

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
