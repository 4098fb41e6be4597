"""examples.yaml: what they give are facts, what they expect can be decided."""

from __future__ import annotations

from collections.abc import Sequence

from riskseg.domain.documents import shown_value
from riskseg.domain.problems import did_you_mean
from riskseg.rules.elements import Action
from riskseg.rules.model import Example
from riskseg.strategy.check.names import Levels, decided
from riskseg.strategy.check.scope import Scope
from riskseg.strategy.examples import DAY, misfit

_FILE = "examples.yaml"


def check_examples(scope: Scope, levels: Levels, actions: Sequence[Action]) -> tuple[Example, ...]:
    authored = scope.authored
    expected = decided(authored, levels, actions)
    given = [*scope.facts, *scope.lacking, *authored.head.expects, DAY.name]
    document = authored.documents[_FILE]
    examples = []
    for name, value in authored.examples.defaults.items():
        _known(scope, name, value, given, "defaults", name)
    for i, example in enumerate(authored.examples.examples):
        at = ("examples", i)
        for name, value in example.given.items():
            _known(scope, name, value, given, *at, "given", name)
        for name, value in example.expect.items():
            if name not in expected:
                told = f'An example cannot expect "{name}".'
                hint = did_you_mean(name, expected)
                scope.tell("RS201", told, _FILE, *at, "expect", name, hint=hint)
            elif value not in expected[name]:
                told = f'"{name}" can never be "{value}".'
                hint = did_you_mean(str(value), expected[name])
                scope.tell("RS205", told, _FILE, *at, "expect", name, hint=hint)
        merged = {
            scope.canonical(name): value
            for name, value in (*authored.examples.defaults.items(), *example.given.items())
        }
        # A fact of that name comes first.
        day = merged.pop(DAY.name, None) if DAY.name not in scope.facts else None
        examples.append(
            Example(
                example.example,
                merged,
                example.expect,
                document.file,
                document.line(*at),
                day if isinstance(day, int) else None,
            )
        )
    return tuple(examples)


def _known(scope: Scope, name: str, value: object, given: Sequence[str], *path: str | int) -> None:
    """Whether there is the fact, and the value can be one of it."""
    name = scope.canonical(name)
    if name not in given:
        told = f'There is no fact "{name}".'
        scope.tell("RS201", told, _FILE, *path, hint=scope.meant(name, given))
    elif (fact := {DAY.name: DAY, **scope.facts}.get(name)) and (why := misfit(fact, value)):
        scope.tell("RS004", f"{name} is {shown_value(value)}, {why}.", _FILE, *path)
