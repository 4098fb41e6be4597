"""Duties: which one is due, and what it puts in the place of the path's step; as SQL and as terms.

A duty that is open comes before the step of the path, and behind guards and holds: of its actions
the first that is lawful and open on the day is due. Where the step that is due does what the duty
asks for, the step is taken. Of several open duties the one with the earliest deadline is due.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import z3

from riskseg.domain.relations import Relation, fact_column, literal
from riskseg.expressions.smt import both, either, negated
from riskseg.rules.demand import Demand
from riskseg.rules.elements import NO_ACTION, Action, in_force
from riskseg.rules.model import Strategy
from riskseg.rules.proof_account import Account
from riskseg.rules.rule import Restriction
from riskseg.rules.sql import fact_sql, inner, out, text_sql
from riskseg.treatment.calendar import closed_sql, closed_term, moved
from riskseg.treatment.guards import forbidden, forbids_sql, paths_by_calendar


def asked(strategy: Strategy, guards: Sequence[Restriction], as_of: date) -> Relation | None:
    """`asked`, from `forbidden`: what is due where a duty comes before the path's step. Also the
    deadline of each duty that is open (`deadline NAME`), the name and deadline of the one that is
    due (`duty`, `deadline`), and whether it comes before the step (`asks`). None where no duty is
    in force."""
    duties = in_force(strategy.duties, as_of)
    if not duties:
        return None
    deadlines = ", ".join(
        f"case when {duty.open_sql()} then {duty.deadline_sql()} end as {deadline_column(duty)}"
        for duty in duties
    )
    columns = ", ".join(map(deadline_column, duties))

    def by_duty(values: Sequence[str]) -> str:
        arms = (
            f"when {deadline_column(duty)} = {inner('deadline')} then {value}"
            for duty, value in zip(duties, values, strict=True)
        )
        return f"(case {' '.join(arms)} end)"

    asks, due, step_due = inner("asks"), out("due_action"), inner("due_step")
    replaced = {
        due: "asked_action",
        step_due: "null",
        inner("due_template"): by_duty([text_sql(duty.template) for duty in duties]),
        inner("due_path"): by_duty([literal(duty.path) for duty in duties]),
        inner("due_key"): "asked_action",
        inner("due_on"): inner("duty_since"),
        inner("due_day"): "0",
        out("next_action"): _next_action(by_duty([literal(duty.actions[0]) for duty in duties])),
        out("next_on"): _next_on(strategy, by_duty, duties, as_of),
    }
    columns_replaced = ",\n            ".join(
        f"case when {asks} then {value} else {name} end as {name}"
        for name, value in replaced.items()
    )
    return Relation(
        "asked",
        f"""
        with open_duties as (
            select *, {deadlines}
            from forbidden
        ),
        first_duty as (
            select *, least({columns}, null) as {inner("deadline")}
            from open_duties
        ),
        chosen as (
            select *,
                {by_duty([literal(duty.name) for duty in duties])} as {inner("duty")},
                {by_duty([fact_sql(duty.since) for duty in duties])} as {inner("duty_since")},
                {by_duty([_first_lawful(strategy, guards, duty) for duty in duties])}
                    as asked_action,
                {inner("deadline")} is not null
                    and not {by_duty([_done_by_step(guards, duty) for duty in duties])} as {asks}
            from first_duty
        )
        select * exclude (asked_action) replace (
            {columns_replaced}
        )
        from chosen
        """,
    )


def deadline_column(duty: Demand) -> str:
    """The quoted column of the deadline of a duty, while it is open."""
    return inner(f"deadline {duty.name}")


def _done_by_step(guards: Sequence[Restriction], duty: Demand) -> str:
    """Whether the step that is due does what a duty asks for, and is lawful."""
    done = [
        f"({out('due_action')} = {literal(action)} and not {forbids_sql(guards, action)})"
        for action in duty.actions
    ]
    return f"({' or '.join(done)})"


def _first_lawful(strategy: Strategy, guards: Sequence[Restriction], duty: Demand) -> str:
    """The first action of a duty that is open and lawful on the day; else the first that is open,
    so that guards say what becomes of it; else none."""
    actions = _actions(strategy, duty)
    is_open = {action.name: f"not {closed_sql(action.calendar)}" for action in actions}
    arms = [
        f"when {is_open[a.name]} and not {forbids_sql(guards, a.name)} then {literal(a.name)}"
        for a in actions
    ]
    arms += [f"when {is_open[a.name]} then {literal(a.name)}" for a in actions]
    return f"case {' '.join(arms)} else {literal(NO_ACTION)} end"


def _actions(strategy: Strategy, duty: Demand) -> list[Action]:
    by_name = {action.name: action for action in strategy.actions}
    return [by_name[name] for name in duty.actions]


def _next_action(first: str) -> str:
    """What comes next where a duty is asked for: its own action where all of them are closed, else
    the step that it comes before."""
    none = literal(NO_ACTION)
    due = out("due_action")
    return (
        f"case when asked_action = {none} then {first} when {due} <> {none} then {due} "
        f"else {out('next_action')} end"
    )


def _next_on(strategy: Strategy, by_duty: Any, duties: Sequence[Demand], as_of: date) -> str:
    """And when: on the first day that is open for it."""
    none, due = literal(NO_ACTION), out("due_action")
    opens = []
    for duty in duties:
        calendar = _actions(strategy, duty)[0].calendar
        away = "0" if calendar is None else fact_column(calendar.until_open)
        opens.append(f"as_of + cast({away} as integer)")
    arms = []
    for (action, calendar), paths in paths_by_calendar(strategy):
        if calendar is not None:
            here = ", ".join(map(literal, paths))
            is_due = f"{due} = {literal(action)} and {inner('due_path')} in ({here})"
            arms.append(f"when {is_due} then as_of + {moved(calendar, as_of, 2)[1]}")
    tomorrow = f"case {' '.join(arms)} else as_of + 1 end" if arms else "as_of + 1"
    return (
        f"case when asked_action = {none} then {by_duty(opens)} "
        f"when {due} <> {none} then {tomorrow} else {out('next_on')} end"
    )


def asked_term(
    strategy: Strategy, account: Account, guards: Mapping[str, Any], due: Any
) -> tuple[Any, Any]:
    """That a duty comes before the path's step, and the rank of what is due then; `due` is the
    rank of the step's own action."""
    duties = strategy.duties
    is_open = [duty.open_term(account) for duty in duties]
    deadlines = [duty.deadline_term(account) for duty in duties]
    asks: Any = z3.BoolVal(False)
    rank = due
    for number, duty in enumerate(duties):
        sooner = [
            both(
                is_open[other],
                deadlines[other] <= deadlines[number]
                if other < number
                else deadlines[other] < deadlines[number],
            )
            for other in range(len(duties))
            if other != number
        ]
        actions = _actions(strategy, duty)
        lawful = {a.name: negated(forbidden(strategy, guards, a.name)) for a in actions}
        by_step = either(*(both(due == a.rank, lawful[a.name]) for a in actions))
        asks_now = both(is_open[number], negated(either(*sooner)), negated(by_step))
        # What is written last is tried first: lawful actions, and of those the first.
        chosen: Any = z3.IntVal(0)
        for action in reversed(actions):
            is_closed = closed_term(action.calendar, account)
            chosen = z3.If(is_closed, chosen, z3.IntVal(action.rank))
        for action in reversed(actions):
            possible = both(negated(closed_term(action.calendar, account)), lawful[action.name])
            chosen = z3.If(possible, z3.IntVal(action.rank), chosen)
        asks = either(asks, asks_now)
        rank = z3.If(asks_now, chosen, rank)
    return asks, rank
