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
    known_names = [*scope.facts, *scope.lacking, *authored.head.expects, DAY.name]
    document = authored.documents[_FILE]
    examples = []
    for name, value in authored.examples.defaults.items():
        _known(scope, name, value, known_names, "defaults", name)
    for i, example in enumerate(authored.examples.examples):
        path = ("examples", i)
        for name, value in example.given.items():
            _known(scope, name, value, known_names, *path, "given", name)
        for name, value in example.expect.items():
            if name not in expected:
                message = f'An example cannot expect "{name}".'
                hint = did_you_mean(name, expected)
                scope.tell("RS201", message, _FILE, *path, "expect", name, hint=hint)
            elif value not in expected[name]:
                message = f'"{name}" can never be "{value}".'
                hint = did_you_mean(str(value), expected[name])
                scope.tell("RS205", message, _FILE, *path, "expect", name, hint=hint)
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
                document.line(*path),
                day if isinstance(day, int) else None,
            )
        )
    return tuple(examples)


def _known(
    scope: Scope, name: str, value: object, known_names: Sequence[str], *path: str | int
) -> None:
    """Whether there is the fact, and the value can be one of it."""
    name = scope.canonical(name)
    if name not in known_names:
        message = f'There is no fact "{name}".'
        scope.tell("RS201", message, _FILE, *path, hint=scope.meant(name, known_names))
    elif (fact := {DAY.name: DAY, **scope.facts}.get(name)) and (
        misfit_reason := misfit(fact, value)
    ):
        scope.tell("RS004", f"{name} is {shown_value(value)}, {misfit_reason}.", _FILE, *path)
