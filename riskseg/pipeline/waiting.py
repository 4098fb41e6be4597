"""Why something that is due is not done on the day: which rule, hold or calendar it waits for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from riskseg.results.runs import DutyState, Explanation, GuardState, Held, Waiting
from riskseg.rules.action_facts import last_issued_fact
from riskseg.rules.elements import NO_ACTION, in_force
from riskseg.rules.model import Strategy
from riskseg.treatment.routes import RouteStep


def waiting(
    strategy: Strategy,
    row: Mapping[str, Any],
    guards: Sequence[GuardState],
    steps: Sequence[RouteStep],
) -> Waiting | None:
    """What is due of the account that the row of `decided` is of, and not done as it is, with what
    it waits for; None where nothing waits. `steps` are those of its route."""
    due, action = row["=due_action"], row["=action"]
    calendar: str | None = None
    rules: tuple[str, ...] = ()
    if due == NO_ACTION:
        closed = _closed(strategy, row, steps)
        if closed is None:
            return None
        due, calendar = closed
    elif action == due:
        return None
    else:
        rules = tuple(g.name for g in guards if g.state != "not in force" and due in g.forbids)
    until = row["=next_on"] if action == NO_ACTION and row["=next_action"] == due else None
    waits = Waiting(
        action=due,
        until=until,
        instead=None if action == NO_ACTION else action,
        rules=rules,
        calendar=calendar,
    )
    return in_words(waits, guards, ())


def _closed(
    strategy: Strategy, row: Mapping[str, Any], steps: Sequence[RouteStep]
) -> tuple[str, str] | None:
    """The action that waits for an open day, and by which calendar; None where none does."""
    if (duty_due := row.get("~duty")) is not None:
        (duty,) = (duty for duty in strategy.duties if duty.name == duty_due)
        first = strategy.action(duty.actions[0])
        assert first is not None
        return first.name, str(first.calendar)
    reached = row["~reached_order"]
    if reached is None or row["~due_order"] is not None:
        return None
    step = next(of_route.step for of_route in steps if of_route.order == reached)
    return step.action, str(step.calendar)


def with_held(explanation: Explanation, held: Sequence[Held]) -> dict[str, Any]:
    """What is to be updated of an explanation once it is known what lasts on the day."""
    waits = explanation.waits
    worded = None if waits is None else in_words(waits, explanation.guards, held)
    return {"held": tuple(held), "waits": worded}


def in_words(waits: Waiting, guards: Sequence[GuardState], held: Sequence[Held]) -> Waiting:
    """The same with the reasons in words: each rule with what it says, and until when. `held` is
    what lasts on the day."""
    states = {guard.name: guard for guard in guards}
    because = [_rule(states[name], held) for name in waits.rules]
    if waits.calendar is not None:
        because.append(f"the day is closed by the calendar {waits.calendar}")
    return waits.model_copy(update={"because": tuple(because)})


def _rule(guard: GuardState, held: Sequence[Held]) -> str:
    effect = "stops everything" if guard.stops_everything else "forbids it"
    until = f" until {guard.until - timedelta(days=1)}" if guard.until is not None else ""
    lasting = [each for each in held if each.kind == guard.event]
    if lasting:
        last_days = [each.until for each in lasting]
        latest = max((day for day in last_days if day is not None), default=None)
        until = ", no end known" if None in last_days else f" until {latest}"
    unknown = ", because a fact is unknown" if guard.state == "in force: unknown" else ""
    return f"the {guard.called} {guard.name} {effect}{until}{unknown}: {guard.words}"


def duty_states(strategy: Strategy, as_of: date, row: Mapping[str, Any]) -> tuple[DutyState, ...]:
    """Of each duty in force, whether it is open for the account of a row of `decided`."""
    states = []
    for duty in in_force(strategy.duties, as_of):
        deadline = row[f"~deadline {duty.name}"]
        issued = [row[f"@{last_issued_fact(action)}"] for action in duty.actions]
        states.append(
            DutyState(
                name=duty.name,
                open=deadline is not None,
                since=None if deadline is None else deadline - timedelta(days=duty.days_within),
                deadline=deadline,
                due=row["~duty"] == duty.name,
                actions=duty.actions,
                issued_on=max((day for day in issued if day is not None), default=None),
                when=duty.when.expression.explained,
                source=duty.source,
            )
        )
    return tuple(states)
