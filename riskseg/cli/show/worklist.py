"""The worklist of a day, as a table of its actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskseg.cli.show.tables import number, table
from riskseg.cli.terminal import stdout
from riskseg.domain.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from riskseg.results.worklist import Approvals, IssuedAction, RecordedOutcomes, Worklist


def worklist(done: Worklist) -> None:
    """How often each action is due, and what happened to it."""
    console = stdout()
    action_columns = ("action", "channel", "listed", "needs approval", "over capacity")
    action_table = table(*action_columns, right=action_columns[2:])
    for action in done.actions:
        action_table.add_row(
            action.action,
            action.channel,
            number(action.listed),
            number(action.needs_approval),
            number(action.left),
        )
    console.print(f"[bold]{done.strategy.name}: what is due on {done.as_of}[/]")
    console.print(action_table)
    activated = "" if done.activated else " (the strategy is not activated)"
    console.print(f"{counted(done.rows, 'action')} in {done.place}{activated}.")
    if done.issued is not None:
        console.print(done.issuing)
        if done.issued > done.rows:
            console.print(
                "An action for several accounts of a party is one row of the list, and is issued "
                "to each of them."
            )
    if done.no_longer_due:
        _no_longer_due(done.no_longer_due)
    if done.waiting:
        they = "it is" if done.waiting == 1 else "they are"
        console.print(
            f"{counted(done.waiting, 'action')} not issued before {they} approved: "
            "riskseg worklist approve."
        )
    if done.held_back:
        console.print(
            f"{counted(done.held_back, 'account')} had another action that day and "
            f"{'is' if done.held_back == 1 else 'are'} left out; `riskseg assign` counts "
            f"{'it' if done.held_back == 1 else 'them'} as due."
        )
    for duty in done.duties:
        late = f"; [bold]past the deadline for {number(duty.late)}[/]" if duty.late else ""
        left = f"; nothing is done about it today for {number(duty.left)}" if duty.left else ""
        console.print(f"Duty {duty.duty}: open for {counted(duty.open, 'account')}{late}{left}.")


def _no_longer_due(actions: Sequence[IssuedAction]) -> None:
    """Say which actions were issued for the day that are not on its list any more."""
    first = actions[0]
    one = len(actions) == 1
    which = "" if one else "such as "
    stdout().print(
        f"{counted(len(actions), 'action')} issued for this day before {'is' if one else 'are'} no "
        f"longer due by what is known now, and not on the list: {which}{first.action} for "
        f"{first.account_id}{'' if one else ' (--json lists all)'}. Stop "
        f"{'it' if one else 'them'} where that is still possible."
    )


def outcomes(done: RecordedOutcomes) -> None:
    """How often each outcome was recorded."""
    outcome_table = table("outcome", "rows", right=("rows",))
    for outcome_word, outcome_count in done.outcomes.items():
        outcome_table.add_row(outcome_word, number(outcome_count))
    if done.outcomes:
        stdout().print(outcome_table)
    before_text = f"; {number(done.known)} were recorded before" if done.known else ""
    print(f"{counted(done.new, 'outcome')} recorded on {done.recorded_on}{before_text}.")
    if done.contacts:
        print(
            f"{counted(done.contacts, 'conversation')}, {counted(done.promises, 'promise')} to pay."
        )
    if done.bad:
        print(f"{counted(done.bad, 'bad row')} left out: see {done.quarantine}.")


def approvals(done: Approvals) -> None:
    """How often each action was approved or rejected."""
    new_actions: dict[str, int] = {}
    for action in done.actions:
        new_actions[action.action] = new_actions.get(action.action, 0) + action.new
    approval_table = table("action", done.outcome, right=(done.outcome,))
    for action_name, count in sorted(new_actions.items()):
        approval_table.add_row(action_name, number(count))
    if new_actions:
        stdout().print(approval_table)
    before_count = len(done.actions) - sum(new_actions.values())
    before_text = (
        f"; {number(before_count)} {'was' if before_count == 1 else 'were'} so before"
        if before_count
        else ""
    )
    print(
        f"{counted(sum(new_actions.values()), 'action')} {done.outcome} by {done.by}{before_text}."
    )
    if waiting := sum(action.waiting > 0 for action in done.actions):
        wait = "waits" if waiting == 1 else "wait"
        print(f"{counted(waiting, 'action')} still {wait} for a second person's approval.")
