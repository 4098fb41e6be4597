"""A slow decider in plain Python, one account at a time: what the compiled SQL must agree with.

It shares nothing with the compiler but the checked strategy; conditions are given as functions
beside their text, so that not even the expression language is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from riskseg.strategy.checked import Condition, Guard, Path, Strategy

Facts = Mapping[str, Any]
# True, false or None for unknown; or a value.
Reading = Callable[[Facts], Any]
Due = tuple[str, int, int | None, str, str | None, str | None, int | None]


def on_day(first: Path, paths: Sequence[Path], day: int) -> Due:
    """What a path says of a day: path in force, its day 0, step, action, template, next action,
    its day; found by walking from path to path."""
    by_name = {p.name: p for p in paths}
    here, offset = first, 0
    while here.then is not None:
        last = offset + here.steps[-1].day + here.due_for - 1 if here.steps else offset - 1
        if day <= last:
            break
        here, offset = by_name[here.then], last + 1
    step, action, template = None, "none", None
    for number, candidate in enumerate(here.steps, start=1):
        begins = offset + candidate.day
        if begins <= day < begins + here.due_for:
            step, action, template = number, candidate.action, candidate.template
    ahead = _ahead(here, offset, by_name, day)
    return here.name, offset, step, action, template, *ahead


def _ahead(
    here: Path, offset: int, by_name: Mapping[str, Path], day: int
) -> tuple[str | None, int | None]:
    for step in here.steps:
        if offset + step.day > day:
            return step.action, offset + step.day
    if here.then is None:
        return None, None
    last = offset + here.steps[-1].day + here.due_for - 1 if here.steps else offset - 1
    return _ahead(by_name[here.then], last + 1, by_name, day)


def decide(
    strategy: Strategy, facts: Facts, as_of: date, readings: Mapping[str, Reading]
) -> dict[str, Any]:
    """An account's decision, less facts_hash and what only a run knows."""
    facts = {**facts, "as_of": as_of}
    out: dict[str, Any] = {}
    rows: list[str] = []
    for band in strategy.bands:
        p = facts[band.of]
        out[band.name] = "unscored"
        if p is not None:
            below = [level for level, cut in band.cuts if p < cut]
            out[band.name] = below[0] if below else band.cuts[-1][0]
    for scheme in strategy.schemes:
        for number, row in enumerate(scheme.rows, start=1):
            if row.when is None or _holds(row.when, facts, readings):
                out[scheme.name] = row.tier
                rows.append(f"{scheme.name}#{number}")
                break
    seen = {**facts, **out}
    matched = next(
        row
        for row in strategy.rows
        if all(c is None or seen[n] in c for n, c in zip(strategy.columns, row.cells, strict=True))
    )
    out["segment"] = matched.segment
    rows.append(f"segments#{matched.id}")
    out["rows_matched"] = ";".join(rows)
    guards = [g for g in strategy.guards if _effective(g, as_of)]
    placed, due = _placed(strategy, matched.segment, facts, as_of, readings)
    out |= placed
    in_force = [g for g in guards if _in_force(g, facts, readings)]
    out["guards"] = ";".join(
        g.name + ("?" if readings[g.when.expression.text](facts) is None else "") for g in in_force
    )
    action = _lawful(strategy, due, in_force)
    out["action"] = action
    if action == "none":
        out["step"] = None
    if action != due or action == "none":
        out["template"] = None
    found = strategy.action(action)
    out["channel"] = found.channel if found else None
    if strategy.priority is not None:
        out["priority"] = readings[strategy.priority.text](facts)
    return out


def _holds(condition: Condition, facts: Facts, readings: Mapping[str, Reading]) -> bool:
    value = readings[condition.expression.text](facts)
    return condition.unknown if value is None else bool(value)


def _effective(guard: Guard, as_of: date) -> bool:
    begun = guard.effective_from is None or guard.effective_from <= as_of
    return begun and (guard.effective_to is None or as_of <= guard.effective_to)


def _in_force(guard: Guard, facts: Facts, readings: Mapping[str, Reading]) -> bool:
    if guard.kind == "requirement":  # in force until what it needs is surely so
        return readings[guard.when.expression.text](facts) is not True
    return _holds(guard.when, facts, readings)


def _placed(
    strategy: Strategy,
    segment: str,
    facts: Facts,
    as_of: date,
    readings: Mapping[str, Reading],
) -> tuple[dict[str, Any], str]:
    path = next(p for p in strategy.paths if segment in p.segments)
    starts = readings[path.starts.text](facts)
    ended = path.ends_when is not None and _holds(path.ends_when, facts, readings)
    if starts is None:
        nothing = dict.fromkeys(("path_day", "step", "template", "next_action", "next_on"))
        return {"path": path.name, **nothing}, "none"
    day = (as_of - starts).days
    name, offset, step, action, template, ahead, ahead_day = on_day(path, strategy.paths, day)
    if ended:
        nothing = dict.fromkeys(("path_day", "step", "template", "next_action", "next_on"))
        return {"path": name, **nothing}, "none"
    return {
        "path": name,
        "path_day": day - offset,
        "step": step,
        "template": template,
        "next_action": ahead,
        "next_on": None if ahead_day is None else as_of + timedelta(days=ahead_day - day),
    }, action


def _lawful(strategy: Strategy, due: str, in_force: Sequence[Guard]) -> str:
    """The due action; forbidden, the mildest lawful stand-in for it; held, nothing at all."""
    forbidden = {action for guard in in_force for action in guard.never}
    if due == "none" or due not in forbidden:
        return due
    if any(guard.kind == "hold" for guard in in_force):
        return "none"
    offered = {g.instead for g in in_force if due in g.never}
    for action in sorted(strategy.actions, key=lambda a: a.rank):
        if action.name in offered - forbidden:
            return action.name
    return "none"
