"""What a question about segments is answered with."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from operator import itemgetter
from typing import NamedTuple, Protocol, TypeVar

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


def with_months(question: str, as_of: date) -> str:
    """The command that looks at days of which it is known by now what came after them."""
    return (
        f"`riskseg insight {question} --as-of {as_of} --months 12` decides past months again, of "
        "which more is known."
    )


class Observed(Protocol):
    """A group, with the ends of the 95% interval of what was observed of it."""

    @property
    def low(self) -> Decimal | None: ...

    @property
    def high(self) -> Decimal | None: ...


Group = TypeVar("Group", bound=Observed)


def clearly_apart(
    groups: Iterable[Group], share: Callable[[Group], Decimal | None]
) -> tuple[Group, Group] | None:
    """The groups of the largest and of the smallest share; None where there are no two, or where
    their intervals overlap, so that chance may have put them in this order."""
    known = [(value, group) for group in groups if (value := share(group)) is not None]
    if len(known) < 2:
        return None
    (_, most), (_, least) = (pick(known, key=itemgetter(0)) for pick in (max, min))
    return (most, least) if (most.low or 0) > (least.high or 0) else None


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
