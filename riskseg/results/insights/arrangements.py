"""What the questions `promises` and `plans` give alike."""

from __future__ import annotations

from collections.abc import Sequence

from riskseg.domain.words import counted
from riskseg.results.insights.answer import clearly_apart, too_few
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
    decided = [row for row in segments if row.group != NOT_DECIDED]
    apart = clearly_apart(decided, lambda row: row.share_kept)
    if apart is not None:
        best, worst = apart
        text += (
            f'. Most were kept in "{best.group}" ({best.share_kept:.0%}), fewest in '
            f'"{worst.group}" ({worst.share_kept:.0%}): observed, and no effect of how segments '
            "are treated"
        )
    return f"{text}." + too_few(
        (row.group for row in segments if row.over != 0 and row.share_kept is None), of_total=True
    )
