"""Guards: which are in force for an account, and which action is lawful; as SQL and as terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import z3

from riskseg.domain.relations import Relation, fact_column, literal, quoted
from riskseg.expressions.smt import both, either, negated
from riskseg.rules.elements import NO_ACTION
from riskseg.rules.model import Strategy
from riskseg.rules.proof_account import Account
from riskseg.rules.rule import Restriction
from riskseg.rules.sql import out
from riskseg.treatment.calendar import closed_sql, closed_term


def guarded(guards: Sequence[Restriction]) -> Relation:
    """Whether each guard is in force for the account, as `!NAME`, and whether that is for want of
    knowing, as `?NAME`; from `stepped`."""
    columns = []
    for guard in guards:
        columns.append(f"{guard.in_force_sql()} as {quoted('!' + guard.name)}")
        if (doubt := guard.doubt_sql()) is not None:
            columns.append(f"{doubt} as {quoted('?' + guard.name)}")
    return Relation("guarded", f"select {', '.join(['*', *columns])} from stepped")


def _forbids(guards: Sequence[Restriction], action: str) -> str:
    """Whether any guard in force forbids the action."""
    holding = [quoted("!" + g.name) for g in guards if action in g.never]
    return f"({' or '.join(holding)})" if holding else "false"


def acted(strategy: Strategy, guards: Sequence[Restriction]) -> Relation:
    """The action that is lawful: the step's own, else the mildest lawful `instead`, else none."""
    due = out("due_action")
    used = {s.action for p in strategy.paths for s in p.steps}
    arms = []
    for action in strategy.actions:
        if action.name not in used:
            continue
        forbidden = _forbids(guards, action.name)
        if forbidden == "false":
            continue
        held = [quoted("!" + g.name) for g in guards if g.stops_everything]
        insteads = []
        for other in strategy.actions:  # from mild to harsh
            offering = [
                quoted("!" + g.name)
                for g in guards
                if g.instead == other.name and action.name in g.never
            ]
            if offering:
                refused = f"{_forbids(guards, other.name)} or {closed_sql(other.calendar)}"
                insteads.append(
                    f"when ({' or '.join(offering)}) and not ({refused}) then {literal(other.name)}"
                )
        nothing = literal(NO_ACTION)
        rest = f"case {' '.join(insteads)} else {nothing} end" if insteads else nothing
        if held:
            rest = f"case when {' or '.join(held)} then {nothing} else {rest} end"
        arms.append(f"when {due} = {literal(action.name)} and {forbidden} then {rest}")
    case = f"case {' '.join(arms)} else {due} end" if arms else due
    moved = _moved_to(strategy, guards)
    select = f"select *, {case} as {out('action')} from guarded"
    if moved is None:
        return Relation("acted", select)
    none = literal(NO_ACTION)
    waits = f"{out('action')} = {none} and {due} <> {none} and {moved} is not null"
    return Relation(
        "acted",
        f"""
        select * replace (
            case when {waits} then {due} else {out("next_action")} end as {out("next_action")},
            case when {waits} then {moved} else {out("next_on")} end as {out("next_on")}
        )
        from ({select}) s
        """,
    )


def _moved_to(strategy: Strategy, guards: Sequence[Restriction]) -> str | None:
    """The first day on which no rule that has one forbids the step's own action; null where others
    forbid it as well. None without such rules."""
    arms = []
    for action in strategy.actions:
        own = [g for g in guards if action.name in g.never]
        dated = [(g.name, g.lawful_from) for g in own if g.lawful_from is not None]
        if not dated:
            continue
        days = [
            f"case when {quoted('!' + name)} then {fact_column(fact)} end" for name, fact in dated
        ]
        others = [quoted("!" + g.name) for g in own if g.lawful_from is None]
        free = f"not ({' or '.join(others)})" if others else "true"
        is_due = f"{out('due_action')} = {literal(action.name)}"
        arms.append(f"when {is_due} and {free} then greatest({', '.join(days)}, null)")
    return f"(case {' '.join(arms)} end)" if arms else None


def forbidden(strategy: Strategy, guards: Mapping[str, Any], action: str) -> Any:
    """That a guard in force forbids the action."""
    return either(*(guards[g.name] for g in strategy.guards if action in g.never))


def lawful(strategy: Strategy, guards: Mapping[str, Any], due: Any, account: Account) -> Any:
    """The rank of what is emitted where an action of the rank `due` is: itself, else the mildest
    lawful `instead` of the guards that forbid it, else 0."""
    held = either(*(guards[g.name] for g in strategy.guards if g.stops_everything))
    emitted = due
    for action in strategy.actions:
        refused = forbidden(strategy, guards, action.name)
        if z3.is_false(refused):
            continue
        rest: Any = z3.IntVal(0)
        for other in reversed(strategy.actions):  # the mildest is written last, and so tried first
            offered = either(
                *(
                    guards[g.name]
                    for g in strategy.guards
                    if g.instead == other.name and action.name in g.never
                )
            )
            closed = closed_term(other.calendar, account)
            fits = both(offered, negated(either(forbidden(strategy, guards, other.name), closed)))
            rest = z3.If(fits, z3.IntVal(other.rank), rest)
        emitted = z3.If(both(due == action.rank, refused), z3.If(held, z3.IntVal(0), rest), emitted)
    return emitted
