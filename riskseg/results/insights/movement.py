"""What the question `movement` gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from riskseg.results.insights.answer import Answer, KeyFigure, too_few
from riskseg.results.part import Part
from riskseg.results.units import MoneyOrNone, RatioOrNone, Share, ShareOrNone


class Flow(Part):
    """The accounts that went from one segment to another between two days."""

    before: str
    """`absent` where the account was not there."""
    after: str
    """`absent` where the account is not there any more; `not shown` of a segment of fewer than 10
    accounts, whose flows are one."""
    accounts: int
    share: ShareOrNone
    """Of the accounts that were in the segment before; null where these were fewer than 10."""
    overdue_before: MoneyOrNone
    """Null, as `overdue_after`, where it is of fewer than 10 accounts, or would say what those
    owe, and where nothing is known of what is owed."""
    overdue_after: MoneyOrNone


class Driver(Part):
    """A band or tier that changed for accounts which went from one segment to another."""

    before: str
    after: str
    fact: str
    change: str
    accounts: int
    share: Share
    """Of the accounts that went so."""


class Movement(Answer):
    """How accounts move between segments."""

    first: date
    last: date
    flows: tuple[Flow, ...]
    drivers: tuple[Driver, ...]
    """What changed for the accounts of the largest flows between two segments, of 10 or more."""
    moved: int
    """The accounts that are in another segment, of those there on both days."""
    stayed: int
    stability_index: RatioOrNone
    """The population stability index of the shares of segments: 0 where they are the same. Null
    where there were no accounts."""
    stability_by_chance: RatioOrNone
    """What it would be on average if the accounts of both days were drawn at random from one
    population."""
    strategies: tuple[str, str]
    """The version of the strategy that decided either day."""

    def words(self) -> str:
        both = self.moved + self.stayed
        share = Decimal(self.moved) / both if both else Decimal(0)
        words = (
            f"Between {self.first} and {self.last}, {self.moved:,} of {both:,} accounts "
            f"({share:.1%}) went to another segment."
        ) + too_few(
            (flow.before for flow in self.flows if flow.share is None),
            "Where accounts went is not shown",
            of_total=True,
        )
        before, after = self.strategies
        if before != after:
            words += (
                f" The rules changed in between (version {before}, then {after}): accounts moved "
                "because of that, too."
            )
        return words

    def key_figures(self) -> Sequence[KeyFigure]:
        both = self.moved + self.stayed
        if not both:
            return ()
        name = f"of accounts in another segment than on {self.first}"
        return (KeyFigure(f"{Decimal(self.moved) / both:.1%}", name),)

    def tables(self) -> Mapping[str, Sequence[Part]]:
        return {"Flows": self.flows, "What changed": self.drivers}
