"""What the questions `promises` and `plans` give alike."""

from __future__ import annotations

from collections.abc import Sequence

from riskseg.domain.words import counted
from riskseg.results.insights.answer import too_few
from riskseg.results.part import Part
from riskseg.results.units import MoneyOrNone, ShareOrNone

# What a group is called whose accounts were in no segment yet, or whose channel nothing says.
NOT_DECIDED, NOT_KNOWN = "not decided before", "not known"


class Arrangements(Part):
    """The promises, or plans, of a group, and what came of them, which is null for fewer than 10
    accounts. Shares and amounts are of those whose time is `over`; they are null where these are of
    fewer than 10 accounts."""

    group: str
    """The segment in which the account was decided last before, the channel, the month, or all."""
    made: int
    open: int | None
    kept: int | None
    partly_kept: int | None
    broken: int | None
    ended: int | None
    """Cancelled, or another took its place."""
    over: int | None
    """Those kept, partly kept or broken whose last day, and the days of grace, are over."""
    share_kept: ShareOrNone
    low: ShareOrNone
    """The lower end of the 95% interval of the share, by party."""
    high: ShareOrNone
    amount: MoneyOrNone
    share_paid: ShareOrNone
    """Of the amount, what was paid in time."""


def kept_in_words(total: Arrangements | None, segments: Sequence[Arrangements], noun: str) -> str:
    """How many of them were kept, in which segment most and in which least."""
    if total is None:
        return f"No {noun} of the last 12 months is known."
    text = f"{counted(total.made, noun)} of the last 12 months"
    if total.share_kept is not None:
        text += f"; of {total.over:,} whose time is over, {total.share_kept:.0%} were kept"
    known = [
        (row.share_kept, row.group)
        for row in segments
        if row.share_kept is not None and row.group != NOT_DECIDED
    ]
    if len(known) > 1:
        (most, best), (least, worst) = max(known), min(known)
        text += (
            f'. Most were kept in "{best}" ({most:.0%}), fewest in "{worst}" ({least:.0%}): '
            "observed, and no effect of how segments are treated"
        )
    return f"{text}." + too_few(
        (row.group for row in segments if row.over != 0 and row.share_kept is None), of_total=True
    )
