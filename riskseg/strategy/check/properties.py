"""guards.yaml, `prove:`: what the strategy's owner wants to hold for every account."""

from __future__ import annotations

from collections.abc import Sequence

from riskseg.rules.elements import Action, Condition
from riskseg.rules.model import Guard, Property
from riskseg.strategy.check.entries import fits, kind_of
from riskseg.strategy.check.names import Levels, decided_facts
from riskseg.strategy.check.scope import Scope

_FILE = "guards.yaml"


def check_properties(
    scope: Scope, levels: Levels, actions: Sequence[Action], guards: Sequence[Guard]
) -> tuple[Property, ...]:
    """Declared properties, over facts and what is decided; they change no decision.

    One that can be unknown is no Problem here: an unknown counts as broken, unless the entry
    says `unknown: match`.
    """
    names = decided_facts(scope.authored, levels, actions)
    seen = {guard.name for guard in guards}
    properties: list[Property] = []
    number = 0
    for i, entry in enumerate(scope.authored.guards.root):
        if kind_of(entry) != "prove":
            continue
        number += 1
        name = entry.name or f"property_{number}"
        if name in seen:
            told = f'The name "{name}" stands twice.'
            scope.tell("RS202", told, _FILE, i, hint="Give it another name.")
        seen.add(name)
        if not fits(scope, entry, "prove", name, _FILE, i):
            continue
        that = scope.expression(entry.prove, _FILE, i, "prove", unknown=True, decided=names)
        if that is not None:
            condition = Condition(that, entry.unknown == "match")
            properties.append(Property(name, condition, entry.source, scope.line(_FILE, i)))
    return tuple(properties)
