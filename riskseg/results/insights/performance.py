"""What the question `performance` gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from riskseg.domain.words import counted
from riskseg.results.insights.answer import Answer, clearly_apart, too_few
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
            *self._often("step", "segment", "version"),
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

    def _often(self, *kinds: str) -> Iterator[str]:
        """After the actions of which groups a payment followed most and least often, where that is
        clear; and by what the groups do not differ clearly."""
        alike = []
        for by in kinds:
            rows = [row for row in self.followed if row.by == by and row.paid is not None]
            if (apart := clearly_apart(rows, lambda row: row.paid)) is not None:
                best, worst = apart
                yield (
                    f'By {by}, a payment followed most often in "{best.group}" ({best.paid:.0%} of '
                    f'{best.in_arrears:,} actions in arrears) and least often in "{worst.group}" '
                    f"({worst.paid:.0%} of {worst.in_arrears:,})."
                )
            elif len(rows) > 1:
                alike.append(by)
        if alike:
            yield (
                f"By {' and '.join(alike)}, how often a payment followed does not differ clearly: "
                "the intervals overlap."
            )

    def tables(self) -> Mapping[str, Sequence[Part]]:
        return {"What followed actions": self.followed, "Outcomes of actions": self.outcomes}
