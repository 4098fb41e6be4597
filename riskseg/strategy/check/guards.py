"""guards.yaml: what no score, table or path may override."""

from __future__ import annotations

from collections.abc import Sequence

from riskseg.domain.problems import did_you_mean
from riskseg.rules.elements import NO_ACTION, Action
from riskseg.rules.model import Guard, Included
from riskseg.strategy.authored import AuthoredGuard
from riskseg.strategy.check.entries import KINDS, fits, guard_of, kind_of
from riskseg.strategy.check.packs import check_pack
from riskseg.strategy.check.scope import Scope

_FILE = "guards.yaml"


def check_guards(
    scope: Scope, actions: Sequence[Action]
) -> tuple[tuple[Guard, ...], tuple[Included, ...]]:
    """Guards, holds and requirements in the order of the file, those of an included pack where
    it is included; and the packs."""
    seen: set[str] = set()
    guards: list[Guard] = []
    packs: list[Included] = []
    for i, entry in enumerate(scope.authored.guards.root):
        kind = kind_of(entry)
        if kind is None:
            told = f"An entry is one of: {', '.join(KINDS)}."
            scope.tell("RS004", told, _FILE, i)
            continue
        if kind == "prove":  # a property, which forbids nothing
            continue
        name = str(getattr(entry, kind))
        if name in seen:
            told = f'The name "{name}" stands twice.'
            hint = "Remove one of them." if kind == "include" else "Give it another name."
            scope.tell("RS202", told, _FILE, i, hint=hint)
            continue
        seen.add(name)
        if kind == "duty":
            scope.tell(
                "RS213",
                f'The duty "{name}" would not be carried out: this version has no duties.',
                _FILE,
                i,
                hint="Put the action on a path, or remove the duty.",
            )
        elif not fits(scope, entry, kind, name, _FILE, i):
            continue
        elif kind == "include":
            found, pack = check_pack(scope, entry, i, actions)
            guards += found
            packs.append(pack)
        else:
            guards += _own(scope, entry, kind, name, i, actions)
    return tuple(guards), tuple(packs)


def _own(
    scope: Scope, entry: AuthoredGuard, kind: str, name: str, i: int, actions: Sequence[Action]
) -> list[Guard]:
    never = _forbidden(scope, entry, kind, actions, i)
    _instead(scope, entry, name, never, actions, i)
    instead = None if entry.instead == NO_ACTION else entry.instead
    line = scope.line(_FILE, i)
    guard = guard_of(scope, entry, kind, name, never, instead, line, _FILE, i)
    return [] if guard is None else [guard]


def _forbidden(
    scope: Scope, entry: AuthoredGuard, kind: str, actions: Sequence[Action], i: int
) -> list[str]:
    known = {a.name for a in actions}
    if kind == "hold":
        return sorted(known)
    listed = [entry.of] if kind == "requirement" else list(entry.never or ())
    for j, action in enumerate(listed):
        if action not in known:
            at: tuple[str | int, ...] = (i, "of") if kind == "requirement" else (i, "never", j)
            told = f'There is no action "{action}".'
            hint = did_you_mean(str(action), known)
            scope.tell("RS209", told, _FILE, *at, hint=hint)
    return [str(a) for a in listed]


def _instead(
    scope: Scope,
    entry: AuthoredGuard,
    name: str,
    never: Sequence[str],
    actions: Sequence[Action],
    i: int,
) -> None:
    """What is done instead exists, is not itself forbidden, and is no harsher."""
    if entry.instead is None or entry.instead == NO_ACTION:
        return
    ranks = {a.name: a.rank for a in actions}
    if entry.instead not in ranks:
        told = f'There is no action "{entry.instead}".'
        scope.tell("RS209", told, _FILE, i, "instead", hint=did_you_mean(entry.instead, ranks))
        return
    if entry.instead in never:
        told = f'"{name}" forbids "{entry.instead}", which it gives as `instead`.'
        scope.tell("RS220", told, _FILE, i, "instead", hint="Choose an action it does not forbid.")
        return
    milder = [a for a in never if a in ranks and ranks[a] < ranks[entry.instead]]
    if milder:
        told = f'"{name}" would turn "{milder[0]}" into "{entry.instead}", which is harsher.'
        hint = "Choose a milder action; `actions` in strategy.yaml runs from mild to harsh."
        scope.tell("RS220", told, _FILE, i, "instead", hint=hint)
