"""The worklist of a day, as a table of its actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskseg.cli.show.tables import number, table
from riskseg.cli.terminal import stdout
from riskseg.domain.words import counted

if TYPE_CHECKING:
    from riskseg.results.worklist import Worklist


def worklist(done: Worklist) -> None:
    """How often each action is due, and what happened to it."""
    console = stdout()
    columns = ("action", "channel", "listed", "needs approval", "over capacity")
    made = table(*columns, right=columns[2:])
    for action in done.actions:
        made.add_row(
            action.action,
            action.channel,
            number(action.listed),
            number(action.needs_approval),
            number(action.left),
        )
    console.print(f"[bold]{done.strategy.name}: what is due on {done.as_of}[/]")
    console.print(made)
    activated = "" if done.activated else " (the strategy is not activated)"
    console.print(f"{counted(done.rows, 'action')} in {done.place}{activated}.")
    if done.issued is not None:
        again = done.issued - done.new
        before = f", {number(again)} of them before" if again else ""
        console.print(f"{counted(done.issued, 'action')} issued{before}.")
    if done.waiting:
        they = "it is" if done.waiting == 1 else "they are"
        console.print(
            f"{counted(done.waiting, 'action')} not issued before {they} approved: "
            "riskseg worklist approve."
        )
    if done.held_back:
        console.print(
            f"{counted(done.held_back, 'account')} had another action that day and "
            f"{'is' if done.held_back == 1 else 'are'} left out."
        )
