"""What the question `performance` gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from operator import itemgetter

from riskseg.domain.words import counted
from riskseg.results.insights.answer import Answer, too_few
from riskseg.results.part import Part
from riskseg.results.units import MoneyOrNone, RatioOrNone, ShareOrNone


class Followed(Part):
    """What followed the actions of a group. Anything follows the last action before it."""

    by: str
    """`segment`, `path`, `step`, `action` or `version`."""
    group: str
    actions: int
    """The actions that were issued; one for several accounts of a party counts once."""
    accounts: int
    in_arrears: int
    """Those of the actions on whose day anything was overdue."""
    paid: ShareOrNone = None
    """The share of those that were followed by a payment. Null, as all that follows, for too few
    accounts."""
    low: ShareOrNone = None
    """The lower end of the 95% interval of `paid`, by parties."""
    high: ShareOrNone = None
    cured: ShareOrNone = None
    """The share of those that were followed by the end of the arrears."""
    days_to_cure: RatioOrNone = None
    """The median days from the action until then."""
    collected: MoneyOrNone = None
    """What was paid after all of the actions, at most what was overdue on their days."""
    cost: MoneyOrNone = None
    """What the actions cost; null where the strategy does not say so of any of them."""
    net: MoneyOrNone = None
    """`collected` less `cost`."""

    @property
    def net_of_each(self) -> Decimal | None:
        """The net value of an action, on average; null where most of them came before arrears."""
        return (
            None
            if self.net is None or 2 * self.in_arrears < self.actions
            else (self.net / self.actions)
        )


class RecordedOutcomes(Part):
    """The outcomes that were recorded of the actions of a group."""

    by: str
    group: str
    actions: int
    answered: int
    """The actions of which an outcome was recorded: the shares are of these."""
    reached: ShareOrNone = None
    """The share of which somebody was spoken to; null where no outcome is known, or for too few
    accounts."""
    promised: ShareOrNone = None
    refused: ShareOrNone = None
    complaints: int | None
    """The complaints that followed; null where none is known of any account, or for too few."""


class Performance(Answer):
    """What followed the actions that were issued. Observed: no effect of an action."""

    followed: tuple[Followed, ...]
    outcomes: tuple[RecordedOutcomes, ...]
    first: date
    """The first day of actions that are looked at."""
    last: date
    within: int
    """Days after an action in which what happens follows it."""
    later: int
    """Actions issued after `last`, of which it is not yet known what follows."""
    least: int
    """The accounts that a group needs for its figures to be shown."""

    def words(self) -> str:
        later = f"{counted(self.later, 'action')} issued after {self.last}"
        if not self.followed:
            if self.later:
                return (
                    f"It is too early to say: {later}, and what follows an action is looked at "
                    f"{self.within} days later."
                )
            return (
                f"No action was issued from {self.first} to {self.last}, so there is nothing to "
                "follow. `riskseg worklist issue` records what is done, `riskseg worklist done` "
                "what came of it."
            )
        actions = sum(row.actions for row in self.followed if row.by == "segment")
        sentences = [
            f"From {self.first} to {self.last}, worklists issued {counted(actions, 'action')}. "
            f"What came within {self.within} days and before the next action is said to follow it.",
            *self._furthest("step", lambda row: row.paid, self._often),
            *self._furthest("segment", lambda row: row.paid, self._often),
            *self._furthest("version", lambda row: row.paid, self._often),
            *self._furthest("segment", lambda row: row.net_of_each, self._worth),
            "All this is observed: different accounts get different actions, so none of it is the "
            "effect of an action.",
        ]
        if not any(row.answered for row in self.outcomes):
            sentences.append(
                "No outcome of these actions is recorded: `riskseg worklist done` reads them."
            )
        few = too_few(
            (r.group for r in self.followed if r.collected is None), "Left out", of_total=True
        )
        sentences += [few.strip()] if few else []
        if self.later:
            sentences.append(f"What follows {later} is not known yet.")
        return " ".join(sentences)

    def _furthest(
        self,
        by: str,
        figure: Callable[[Followed], Decimal | None],
        sentence: Callable[[str, Followed, Followed], str],
    ) -> Iterator[str]:
        """A sentence on the groups with the largest and the smallest figure, if there are two."""
        of_kind = [row for row in self.followed if row.by == by]
        figures = [(value, row) for row in of_kind if (value := figure(row)) is not None]
        if len(figures) > 1:
            (_, best), (_, worst) = (pick(figures, key=itemgetter(0)) for pick in (max, min))
            yield sentence(by, best, worst)

    @staticmethod
    def _often(by: str, best: Followed, worst: Followed) -> str:
        return (
            f'By {by}, a payment followed most often in "{best.group}" ({best.paid:.0%} of '
            f'{best.in_arrears:,} actions in arrears) and least often in "{worst.group}" '
            f"({worst.paid:.0%} of {worst.in_arrears:,})."
        )

    @staticmethod
    def _worth(by: str, best: Followed, worst: Followed) -> str:
        return (
            f'By {by}, what was collected less cost was highest in "{best.group}" '
            f'({best.net_of_each:,.2f} an action) and lowest in "{worst.group}" '
            f"({worst.net_of_each:,.2f})."
        )

    def tables(self) -> Mapping[str, Sequence[Part]]:
        return {"What followed actions": self.followed, "Outcomes of actions": self.outcomes}
