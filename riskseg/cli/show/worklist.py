"""The worklist of a day, as a table of its actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskseg.cli.show.tables import number, table
from riskseg.cli.terminal import stdout
from riskseg.domain.words import counted

if TYPE_CHECKING:
    from riskseg.results.worklist import Approvals, RecordedOutcomes, Worklist


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
    for duty in done.duties:
        late = f"; [bold]past the deadline for {number(duty.late)}[/]" if duty.late else ""
        left = f"; nothing is done about it today for {number(duty.left)}" if duty.left else ""
        console.print(f"Duty {duty.duty}: open for {counted(duty.open, 'account')}{late}{left}.")


def outcomes(done: RecordedOutcomes) -> None:
    """How often each outcome was recorded."""
    made = table("outcome", "rows", right=("rows",))
    for word, count in done.outcomes.items():
        made.add_row(word, number(count))
    if done.outcomes:
        stdout().print(made)
    before = f"; {number(done.known)} were recorded before" if done.known else ""
    print(f"{counted(done.new, 'outcome')} recorded on {done.recorded_on}{before}.")
    if done.contacts:
        print(
            f"{counted(done.contacts, 'conversation')}, {counted(done.promises, 'promise')} to pay."
        )
    if done.bad:
        print(f"{counted(done.bad, 'bad row')} left out: see {done.quarantine}.")


def approvals(done: Approvals) -> None:
    """How often each action was approved or rejected."""
    new: dict[str, int] = {}
    for action in done.actions:
        new[action.action] = new.get(action.action, 0) + action.new
    made = table("action", done.outcome, right=(done.outcome,))
    for name, count in sorted(new.items()):
        made.add_row(name, number(count))
    if new:
        stdout().print(made)
    before = len(done.actions) - sum(new.values())
    said = f"; {number(before)} {'was' if before == 1 else 'were'} so before" if before else ""
    print(f"{counted(sum(new.values()), 'action')} {done.outcome} by {done.by}{said}.")
    if waiting := sum(action.waiting > 0 for action in done.actions):
        wait = "waits" if waiting == 1 else "wait"
        print(f"{counted(waiting, 'action')} still {wait} for a second person's approval.")
