"""Guards: which are in force for an account, and which action is lawful; as SQL and as terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import z3

from riskseg.domain.relations import Relation, literal, quoted
from riskseg.expressions.smt import both, either, negated
from riskseg.rules.calendar import Calendar
from riskseg.rules.elements import NO_ACTION, in_force
from riskseg.rules.model import Strategy
from riskseg.rules.proof_account import Account
from riskseg.rules.rule import Restriction
from riskseg.rules.sql import inner, out
from riskseg.treatment.calendar import closed_sql, closed_term, is_open

# How many days ahead it is looked which are open and not quiet, and how long those that are not may
# last beyond.
_LOOK, _LONGEST_PAUSE = 120, 120


def guarded(guards: Sequence[Restriction]) -> Relation:
    """Whether each guard is in force for the account, as `!NAME`, and whether that is only
    because a fact is unknown, as `?NAME`; from `stepped`."""
    columns = []
    for guard in guards:
        columns.append(f"{guard.in_force_sql()} as {quoted('!' + guard.name)}")
        if (doubt := guard.doubt_sql()) is not None:
            columns.append(f"{doubt} as {quoted('?' + guard.name)}")
    return Relation("guarded", f"select {', '.join(['*', *columns])} from stepped")


def forbidding(strategy: Strategy, guards: Sequence[Restriction]) -> Relation:
    """`forbidden`, from `guarded`: whether any guard in force forbids an action, for each that one
    may forbid (`ACTION forbidden`); and whether one stops everything (`held`)."""
    columns = [
        f"({' or '.join(in_force)}) as {forbids_sql(guards, action.name)}"
        for action in strategy.actions
        if (in_force := [quoted("!" + g.name) for g in guards if action.name in g.never])
    ]
    held = [quoted("!" + g.name) for g in guards if g.stops_everything]
    if held:
        columns.append(f"({' or '.join(held)}) as {inner('held')}")
    return Relation("forbidden", f"select {', '.join(['*', *columns])} from guarded")


def forbids_sql(guards: Sequence[Restriction], action: str) -> str:
    """Whether any guard in force forbids the action, over the columns of `forbidden`."""
    return inner(f"{action} forbidden") if any(action in g.never for g in guards) else "false"


def acted(
    strategy: Strategy, guards: Sequence[Restriction], as_of: date, asked: Relation | None
) -> Relation:
    """The action that is lawful: that of what is due, else the mildest lawful `instead`, else none;
    from `forbidden`, or from what is `asked` where duties are in force."""
    due = out("due_action")
    used = {action for (action, _), _ in paths_by_calendar(strategy)}
    arms = []
    for action in strategy.actions:
        if action.name not in used:
            continue
        forbidden = forbids_sql(guards, action.name)
        if forbidden == "false":
            continue
        insteads = []
        for other in strategy.actions:  # from mild to harsh
            offering = [
                quoted("!" + g.name)
                for g in guards
                if g.instead == other.name and action.name in g.never
            ]
            if offering:
                refused = f"{forbids_sql(guards, other.name)} or {closed_sql(other.calendar)}"
                insteads.append(
                    f"when ({' or '.join(offering)}) and not ({refused}) then {literal(other.name)}"
                )
        nothing = literal(NO_ACTION)
        rest = f"case {' '.join(insteads)} else {nothing} end" if insteads else nothing
        if any(g.stops_everything for g in guards):
            rest = f"case when {inner('held')} then {nothing} else {rest} end"
        arms.append(f"when {due} = {literal(action.name)} and {forbidden} then {rest}")
    case = f"case {' '.join(arms)} else {due} end" if arms else due
    moved = _moved_to(strategy, guards)
    source = "forbidden" if asked is None else asked.name
    select = f"select *, {case} as {out('action')} from {source}"
    if moved is None:
        return Relation("acted", select)
    none = literal(NO_ACTION)
    waits = f"{out('action')} = {none} and {due} <> {none} and {moved} is not null"
    lawful_on = _first_possible(strategy, as_of)
    return Relation(
        "acted",
        f"""
        select * exclude (lawful_on) replace (
            case when lawful_on is not null then {due} else {out("next_action")} end
                as {out("next_action")},
            coalesce({lawful_on}, {out("next_on")}) as {out("next_on")}
        )
        from (
            select *, case when {waits} then {moved} end as lawful_on
            from ({select}) s
        ) s
        """,
    )


def _moved_to(strategy: Strategy, guards: Sequence[Restriction]) -> str | None:
    """The first day on which no rule that has one forbids the step's own action; null where others
    forbid it as well. None without such rules."""
    arms = []
    for action in strategy.actions:
        own = [g for g in guards if action.name in g.never]
        dated = [(g.name, g.lawful_from_sql) for g in own if g.lawful_from_sql is not None]
        if not dated:
            continue
        days = [f"case when {quoted('!' + name)} then {day} end" for name, day in dated]
        unknown = [f"{quoted('!' + name)} and {day} is null" for name, day in dated]
        others = [quoted("!" + g.name) for g in own if g.lawful_from_sql is None]
        free = f"not ({' or '.join([*others, *unknown])})"
        is_due = f"{out('due_action')} = {literal(action.name)}"
        arms.append(f"when {is_due} and {free} then greatest({', '.join(days)}, null)")
    return f"(case {' '.join(arms)} end)" if arms else None


def _first_possible(strategy: Strategy, as_of: date) -> str:
    """The day `lawful_on`, or the first one after it that is open and not quiet for the action of
    the step that is due: what is known of days ahead."""
    arms = []
    for (action, calendar), paths in paths_by_calendar(strategy):
        days = _possible_days(strategy, action, calendar, as_of)
        if days == [*range(_LOOK)]:
            continue
        here = ", ".join(map(literal, paths))
        is_due = f"{out('due_action')} = {literal(action)} and {inner('due_path')} in ({here})"
        away = "cast(lawful_on - as_of as integer)"
        days_listed = ", ".join(map(str, days))
        later = f"coalesce((array[{days_listed}])[{away} + 1], {away})"
        arms.append(f"when {is_due} then as_of + cast({later} as integer)")
    return f"(case {' '.join(arms)} else lawful_on end)" if arms else "lawful_on"


def paths_by_calendar(
    strategy: Strategy,
) -> list[tuple[tuple[str, Calendar | None], Sequence[str]]]:
    """Each action with each calendar that it goes by, and what it goes by it on: the names of
    paths, and what stands for a path where a duty asks for it."""
    found: dict[tuple[str, Calendar | None], dict[str, None]] = {}
    for path in strategy.paths:
        for step in path.steps:
            found.setdefault((step.action, step.calendar), {})[path.name] = None
    calendars = {action.name: action.calendar for action in strategy.actions}
    for duty in strategy.duties:
        for action in duty.actions:
            found.setdefault((action, calendars[action]), {})[duty.path] = None
    return [(key, [*paths]) for key, paths in found.items()]


def _possible_days(
    strategy: Strategy, action: str, calendar: Calendar | None, as_of: date
) -> list[int]:
    """For each of the next days, from the as-of date on, after how many days the first one comes
    from it on that is open, and on which no rule is quiet about the action."""

    rules = [guard for guard in strategy.guards if action in guard.never]

    def possible(day: date) -> bool:
        is_closed = calendar is not None and not is_open(calendar, day)
        return not is_closed and not any(g.is_quiet(day) for g in in_force(rules, day))

    found: list[int] = []
    first = _LOOK + _LONGEST_PAUSE
    for ahead in reversed(range(first)):
        if possible(as_of + timedelta(days=ahead)):
            first = ahead
        found.append(first)
    return found[::-1][:_LOOK]


def forbidden(strategy: Strategy, guards: Mapping[str, Any], action: str) -> Any:
    """That a guard in force forbids the action."""
    return either(*(guards[g.name] for g in strategy.guards if action in g.never))


def lawful(
    strategy: Strategy,
    guards: Mapping[str, Any],
    due: Any,
    account: Account,
    *,
    actions: Sequence[str] | None = None,
) -> Any:
    """The rank of what is emitted where an action of the rank `due` is: itself, else the mildest
    lawful `instead` of the guards that forbid it, else 0. Only one of `actions` is due, where they
    are given."""
    rules = strategy.guards
    held = either(*(guards[g.name] for g in rules if g.stops_everything))

    insteads = {g.instead for g in rules}
    possible = {
        other.name: negated(
            either(forbidden(strategy, guards, other.name), closed_term(other.calendar, account))
        )
        for other in strategy.actions
        if other.name in insteads
    }
    emitted = due
    for action in strategy.actions:
        if actions is not None and action.name not in actions:
            continue
        refused = forbidden(strategy, guards, action.name)
        if z3.is_false(refused):
            continue
        rest: Any = z3.IntVal(0)
        for other in reversed(strategy.actions):  # the mildest is written last, and so tried first
            offering = [
                guards[g.name] for g in rules if g.instead == other.name and action.name in g.never
            ]
            if offering:
                fits = both(either(*offering), possible[other.name])
                rest = z3.If(fits, z3.IntVal(other.rank), rest)
        emitted = z3.If(both(due == action.rank, refused), z3.If(held, z3.IntVal(0), rest), emitted)
    return emitted
