"""What a question about segments is answered with."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from riskseg.results.part import Part

# The rule for small numbers, the same in every question: of a group of fewer accounts it is shown
# how many there are and what they owe in all, so that totals add up, and nothing else: no share, no
# mean, no amount paid, and not what became of them. Those could be figures of persons who can be
# recognised, and chance decides them. Where a total less the other groups would say what is left
# out, the next smallest group is left out too.
FEWEST = 10

# Where the accounts of a group went of which that is not shown.
NOT_SHOWN = "not shown"


def too_few(groups: Iterable[str], hidden: str = "Not shown", *, of_total: bool = False) -> str:
    """Which groups that rule hides figures of, as a sentence after others; nothing if none.
    `of_total` says that they are parts of a total that is shown."""
    names = ", ".join(dict.fromkeys(groups))
    if not names:
        return ""
    beside = ", or because such a group could be worked out from them" if of_total else ""
    return f" {hidden}, with fewer than {FEWEST} accounts{beside}: {names}."


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
