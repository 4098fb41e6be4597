"""How one account's decision is explained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from riskseg.cli.show.tables import default_values, money, table
from riskseg.cli.terminal import stdout
from riskseg.domain.facts import Kind, worded
from riskseg.domain.words import NOTHING_RAISES_RISK
from riskseg.domain.words import money as money_text

if TYPE_CHECKING:
    from datetime import date

    from riskseg.results.runs import DutyState, Explanation, FactForm, Waiting


def show_explanation(explanation: Explanation) -> None:
    """An account's decision, then what led to it, then what has changed since."""
    console = stdout()
    _decision(console, explanation)
    _probabilities(console, explanation)
    _rules_matched(console, explanation)
    _last_bills(console, explanation)
    for row in explanation.set_apart:
        console.print(f"[bold]Set apart[/]: {escape(row)}", soft_wrap=True)
    _facts(console, explanation)
    if explanation.default_values:
        console.print(f"[dim]{escape(default_values(explanation.default_values))}[/]")
    for note in explanation.notes:
        console.print(f"Note: {escape(note)}.")
    _since_the_run(console, explanation)


def _decision(console: Console, explanation: Explanation) -> None:
    """What was decided, and what is owed."""
    decision = explanation.decision
    template = f" ({escape(decision['template'])})" if decision["template"] else ""
    path_day = f" day {decision['path_day']}" if decision["path_day"] is not None else ""
    console.print(
        f"[bold]{escape(str(decision['account_id']))}[/] as of {decision['as_of']}: "
        f"{decision['lifecycle']}, segment [bold]{decision['segment']}[/], "
        f"path [bold]{escape(decision['path'])}[/]{path_day}, "
        f"action [bold]{decision['action']}[/]{template}"
    )
    if decision["balance_overdue"] is not None:
        next_on = f" on {decision['next_on']}" if decision["next_on"] else ""
        owed = money_text(decision["balance_overdue"], explanation.currency, explanation.scale)
        console.print(
            f"{owed} overdue, "
            f"{decision['days_past_due']} days past due; "
            f"next: {decision['next_action'] or 'nothing'}{next_on}"
        )


def _probabilities(console: Console, explanation: Explanation) -> None:
    """Each probability with its reasons."""
    for score in explanation.scores:
        if score.p is None:
            outside = f"the account is outside the population of {score.model}"
            console.print(f"\n[bold]{escape(score.key)}[/]: none; {outside}.")
            continue
        unit = "points" if score.learner == "scorecard" else "log-odds"
        scored_by = f"{score.model} {score.version} ({score.learner}; in {unit}, + is riskier)"
        console.print(f"\n[bold]{escape(score.key)} {100 * score.p:.2f}%[/] by {scored_by}")
        if not any(reason.contribution > 0 for reason in score.reasons):
            console.print(f"  {NOTHING_RAISES_RISK}")
        for reason in score.reasons:
            console.print(f"  {reason.contribution:+.2f}  {escape(reason.words)}")


def _rules_matched(console: Console, explanation: Explanation) -> None:
    """The rows that matched, the steps of the path, and the guards."""
    row_table = table("table", "gives", "row", "because", "line", title="Which rows matched")
    for row in explanation.matched:
        row_table.add_row(row.table, row.result, row.row, row.text, str(row.line or ""))
    console.print()
    console.print(row_table)
    if explanation.steps:
        columns = ("day", "on", "path", "action", "template", "when", "issued", "what came of it")
        step_table = table(*columns, title="The path")
        for step in explanation.steps:
            to_come = f"after {step.waits_for}" if step.waits_for else ""
            step_mark = to_come if step.when == "ahead" else step.when
            day_cells = (str(step.day), str(step.on or ""))
            by = f" by {step.issued_by}" if step.issued_by else ""
            by += f", approved by {', '.join(step.approved_by)}" if step.approved_by else ""
            issued = f"{step.issued_on}{by}" if step.issued_on else ""
            if step.elsewhere_on:
                issued = f"{step.elsewhere_on}, on another path"
            outcomes = ", ".join(step.outcomes).replace("_", " ")
            step_cells = (step.path, step.action, step.template or "")
            step_table.add_row(*day_cells, *step_cells, step_mark, issued, outcomes)
        console.print(step_table)
    if explanation.placement:
        console.print(f"{escape(explanation.placement)}.")
    for event in explanation.held:
        until = f" until {event.until}" if event.until else ", no end known"
        reason_text = f": {event.reason}" if event.reason else ""
        by = f" ({event.made_by})" if event.made_by else ""
        lasting = f"{event.kind.replace('_', ' ')} since {event.since}{until}{reason_text}{by}"
        console.print(f"Lasting on this day: {escape(lasting)}")
    if explanation.guards:
        guard_table = table("guard", "kind", "state", "forbids", "source", title="Guards")
        for guard in explanation.guards:
            state = Text(guard.state, style="dim" if guard.state == "not in force" else "bold")
            forbids = "everything" if guard.stops_everything else ", ".join(guard.forbids)
            guard_table.add_row(guard.name, guard.kind, state, forbids, guard.source or "")
        console.print(guard_table)
    for duty in explanation.duties:
        if duty.open:
            first = "; it comes before the path's step" if duty.due else ""
            console.print(
                f"Duty {duty.name} {_how_open(duty, explanation.decision['as_of'])}{first}."
            )
    if explanation.contact_hours is not None:
        action = explanation.decision["action"]
        console.print(f"[bold]{action}[/] is lawful from {escape(explanation.contact_hours)}.")
    if explanation.waits is not None:
        _waits(console, explanation.waits)


def _how_open(duty: DutyState, as_of: date) -> str:
    """What a duty that is open asks for, and by when."""
    actions = escape(" or ".join(duty.actions))
    if duty.deadline is not None and duty.deadline < as_of:
        return (
            f"is overdue: {actions} had to be issued by {duty.deadline}, counted from "
            f"{duty.since}, and was not"
        )
    return f"is open: {actions} until {duty.deadline}, since {duty.since}"


def _waits(console: Console, waits: Waiting) -> None:
    """What is due and not done as it is, and why."""
    until = f" until {waits.until}" if waits.until is not None else ""
    if waits.instead is not None:
        console.print(f"[bold]{waits.action}[/] is due and not lawful: {waits.instead} instead.")
    else:
        console.print(f"[bold]{waits.action}[/] is due and waits{until}.")
    for reason in waits.because:
        console.print(f"  {escape(reason)}")


def _last_bills(console: Console, explanation: Explanation) -> None:
    if not explanation.bills:
        return
    any_disputed = any(bill.disputed for bill in explanation.bills)
    disputed = ("in dispute",) if any_disputed else ()
    bill_columns = ("bill", "due", "amount", "paid", "overdue", *disputed, "cleared", "days late")
    right = ("amount", "paid", "overdue", *disputed, "days late")
    bills = table(*bill_columns, right=right, title="The last bills")
    for bill in explanation.bills:
        bills.add_row(
            bill.bill_id,
            str(bill.due_on),
            money(bill.amount, explanation.scale),
            money(bill.paid, explanation.scale),
            money(bill.overdue, explanation.scale) if bill.overdue else "",
            *([money(bill.disputed, explanation.scale) if bill.disputed else ""] * any_disputed),
            str(bill.cleared_on or ""),
            str(bill.days_past_due or ""),
        )
    console.print(bills)


def _facts(console: Console, explanation: Explanation) -> None:
    """The facts that the rules read: by name those that rules can name, and in words what was done
    before and what holds the account."""
    # It brings the expression language with it, which `--help` has no need of.
    from riskseg.rules.state import is_state, of_account

    shown = {
        fact: fact_value(explanation.forms.get(fact), value_read, explanation.scale)
        for fact, value_read in explanation.facts.items()
    }
    named = "  ".join(f"{fact}={value}" for fact, value in shown.items() if not is_state(fact))
    console.print(f"[dim]Facts the rules read: {escape(named)}[/]")
    # What was never done, and what does not last, is not worth a word.
    state = dict.fromkeys(
        worded(explanation.words[fact], one=value == "1").replace("{value}", value)
        for fact, value in shown.items()
        if of_account(fact) and explanation.facts[fact] and not _is_over(fact, explanation)
    )
    if state:
        console.print(f"[dim]Done before, and holding: {escape('; '.join(state))}.[/]")


def _is_over(fact: str, explanation: Explanation) -> bool:
    """Whether a fact says from when on contacts are lawful, and that day has come."""
    from riskseg.rules.contacting import limit_of

    return limit_of(fact) is not None and explanation.facts[fact] <= explanation.decision["as_of"]


def _since_the_run(console: Console, explanation: Explanation) -> None:
    """Which run decided so, and what the sources give otherwise now."""
    if explanation.run is not None:
        same = (
            "" if explanation.changes or explanation.notes else " The sources give the same today."
        )
        console.print(
            f"\nDecided by run {explanation.run}, which was made on "
            f"{explanation.decided_at:%Y-%m-%d}.{same}"
        )
    if explanation.changes:
        changes = table("", "then", "now", title="What has changed in the sources since")
        for change in explanation.changes:
            form = explanation.forms.get(change.name)
            then, now = (
                fact_value(form, changed_value, explanation.scale)
                if form or changed_value is not None
                else "none"
                for changed_value in (change.then, change.now)
            )
            changes.add_row(change.name, then, now)
        console.print(changes)
        if explanation.bills:
            console.print("The bills above come from the sources as they are now.")


def fact_value(form: FactForm | None, value: Any, scale: int) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if form is not None and form.unit == "money":
        return money(value, scale)
    if form is not None and form.kind == Kind.DECIMAL:
        return f"{value:f}".rstrip("0").rstrip(".") or "0"
    return str(value)
