"""What identifies a version of a strategy: what it means, not how its files say it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from riskseg.expressions import Expression, show
from riskseg.expressions.tree import In, Literal
from riskseg.rules.calendar import Calendar
from riskseg.rules.elements import Condition
from riskseg.rules.model import Step, Strategy


def fingerprint(strategy: Strategy) -> str:
    """Twelve hex digits of a hash over the strategy's canonical form.

    Comments, layout, the order of keys, defaults written out and the examples do not count; the
    order of rows, guards and actions does, and so do purpose, owner and sources. It does not hang
    on the workspace: not on which facts are there, nor on their types.
    """
    canonical_json = json.dumps(canonical(strategy), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical_json.encode()).hexdigest()[:12]


def canonical(strategy: Strategy) -> dict[str, Any]:
    """The strategy as plain JSON values, one form for one meaning."""
    s = strategy
    return {
        "name": s.name,
        "purpose": s.purpose,
        "owner": s.owner,
        "effective": _dates(s.effective_from, s.effective_to),
        "uses": dict(s.uses),
        # The one place where the order of keys means something: whose reasons are shown.
        "reasons_of": s.bands[0].of if s.bands else next(iter(s.uses), None),
        "bands": {
            band.name: [band.of, [[level, _value(cut)] for level, cut in band.cuts]]
            for band in s.bands
        },
        "tiers": {
            scheme.name: [[row.tier, _condition(row.when)] for row in scheme.rows]
            for scheme in s.schemes
        },
        "columns": list(s.columns),
        "rows": [[row.id, [_cell(cell) for cell in row.cells], row.segment] for row in s.rows],
        "actions": [
            [
                *[action.name, action.channel, action.contact, action.significant, action.helps],
                *(["four_eyes"] if action.four_eyes else []),
                *(["automatic"] if action.automatic else []),
                *_calendar(action.calendar),
            ]
            for action in s.actions
        ],
        "protective": sorted(s.protective),
        **_special_category(s),
        "priority": _expression(s.priority),
        **({"treat": s.treat} if s.treat != "account" else {}),
        "paths": {
            path.name: {
                "for": sorted(path.segments),
                "starts": _expression(path.starts),
                "steps": [_step(step) for step in path.steps],
                "then": path.then,
                "ends_when": _condition(path.ends_when),
                "due_for": path.due_for,
                "effective": _dates(path.effective_from, path.effective_to),
                **({"repeat": str(path.repeat)} if path.repeat else {}),
                **({"backlog": path.backlog} if path.backlog != "latest_step" else {}),
                **({"on_change": path.on_change} if path.on_change != "continue" else {}),
                **({"hold_for": path.hold_for} if path.hold_for is not None else {}),
                **({"at_once": True} if path.at_once else {}),
            }
            for path in s.paths
        },
        **_rules(s),
        "expects": {name: [kind, _value(value)] for name, (kind, value) in s.expects.items()},
    }


def _step(step: Step) -> list[Any]:
    must = ["must"] if step.must else []
    when = [_condition(step.when)] if step.when else []
    after = [str(step.after)] if step.after else []
    return [step.day, step.action, step.template, *must, *_calendar(step.calendar), *when, *after]


def _calendar(calendar: Calendar | None) -> list[str]:
    return [] if calendar is None else [str(calendar)]


def _rules(strategy: Strategy) -> dict[str, list[Any]]:
    """The rules by section. Sections that every strategy has always had are there when empty."""
    sections: dict[str, list[Any]] = {"guards": [], "packs": [], "properties": []}
    for rule in strategy.rules:
        sections.setdefault(rule.section, []).append(canonical_value(rule.canonical()))
    return sections


def canonical_value(value: object) -> Any:
    """A part of a rule as plain JSON: conditions and expressions by what they mean, sets in
    order."""
    match value:
        case Condition():
            return _condition(value)
        case Expression():
            return _expression(value)
        case Mapping():
            return {
                str(member_name): canonical_value(member) for member_name, member in value.items()
            }
        case frozenset():
            return sorted(map(canonical_value, value))
        case tuple() | list():
            return [canonical_value(member) for member in value]
        case _:
            return _value(value)


def _dates(first: date | None, last: date | None) -> list[Any]:
    return [_value(first), _value(last)]


def _cell(cell: frozenset[str | bool] | None) -> Any:
    return None if cell is None else sorted(map(_value, cell), key=str)


def _condition(condition: Condition | None) -> Any:
    return None if condition is None else [_expression(condition.expression), condition.unknown]


def _expression(expression: Expression | None) -> str | None:
    return None if expression is None else show(_plain(expression.tree))


def _plain(part: Any) -> Any:
    """A tree, or a part of one, with one form for a number however it was typed, and the options
    of `in` in order."""
    if isinstance(part, tuple):
        return tuple(map(_plain, part))
    if isinstance(part, Literal):
        return replace(part, value=_number(part.value))
    if is_dataclass(part) and not isinstance(part, type):
        plain_fields = {field_.name: _plain(getattr(part, field_.name)) for field_ in fields(part)}
        plain_node = replace(part, **plain_fields)
        if isinstance(plain_node, In):
            options = tuple(sorted(plain_node.options, key=lambda option: str(option.value)))
            return replace(plain_node, options=options)
        return plain_node
    return part


def _number(value: Any) -> Any:
    """10, 10.0 and 1e1 are one; what is no number stays as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return value
    exact = Decimal(str(value)).normalize()
    return exact + 0  # no negative zero


def _value(value: object) -> Any:
    """A value of YAML as JSON, true and the text "true" apart."""
    match _number(value):
        case Decimal() as number:
            return f"{number:f}"
        case date() as day:
            return day.isoformat()
        case other:
            return other


def _special_category(strategy: Strategy) -> dict[str, list[str]]:
    """The flags of special categories, where they are not those that protect."""
    special = sorted(strategy.special_category)
    return {} if special == sorted(strategy.protective) else {"special_category": special}
