"""examples.yaml: what they give are facts, what they expect can be decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from riskseg.domain.documents import shown_value
from riskseg.domain.facts import Fact
from riskseg.domain.problems import did_you_mean
from riskseg.rules.elements import Action
from riskseg.rules.model import Example
from riskseg.strategy.check.names import Levels, decided
from riskseg.strategy.check.scope import Scope
from riskseg.strategy.examples import DAY, misfit

_FILE = "examples.yaml"


def check_examples(
    scope: Scope, levels: Levels, actions: Sequence[Action], state: Mapping[str, Fact]
) -> tuple[Example, ...]:
    """The examples. What was done for an account before, its `state`, can be given as a fact is."""
    authored = scope.authored
    expected = decided(authored, levels, actions)
    facts = {DAY.name: DAY, **scope.facts, **state}
    known_names = [*facts, *scope.lacking, *authored.head.expects]
    document = authored.documents[_FILE]
    examples = []
    for example_fact, value in authored.examples.defaults.items():
        _known(scope, example_fact, value, facts, known_names, "defaults", example_fact)
    for i, example in enumerate(authored.examples.examples):
        example_path = ("examples", i)
        for example_fact, value in example.given.items():
            _known(
                scope, example_fact, value, facts, known_names, *example_path, "given", example_fact
            )
        for example_fact, value in example.expect.items():
            if example_fact not in expected:
                message = f'An example cannot expect "{example_fact}".'
                hint = did_you_mean(example_fact, expected)
                scope.add_problem(
                    "RS201", message, _FILE, *example_path, "expect", example_fact, hint=hint
                )
            elif value not in expected[example_fact]:
                message = f'"{example_fact}" can never be "{value}".'
                hint = did_you_mean(str(value), expected[example_fact])
                scope.add_problem(
                    "RS205", message, _FILE, *example_path, "expect", example_fact, hint=hint
                )
        merged = {
            scope.canonical(example_fact): value
            for example_fact, value in (*authored.examples.defaults.items(), *example.given.items())
        }
        # A fact of that name comes first.
        path_day = merged.pop(DAY.name, None) if DAY.name not in scope.facts else None
        examples.append(
            Example(
                example.example,
                merged,
                example.expect,
                document.file,
                document.line(*example_path),
                path_day if isinstance(path_day, int) else None,
            )
        )
    return tuple(examples)


def _known(
    scope: Scope,
    name: str,
    value: object,
    facts: Mapping[str, Fact],
    known_names: Sequence[str],
    *path: str | int,
) -> None:
    """Whether there is the fact, and the value can be one of it."""
    name = scope.canonical(name)
    if name not in known_names:
        message = f'There is no fact "{name}".'
        scope.add_problem("RS201", message, _FILE, *path, hint=scope.meant(name, known_names))
    elif (fact := facts.get(name)) and (misfit_reason := misfit(fact, value)):
        scope.add_problem(
            "RS004", f"{name} is {shown_value(value)}, {misfit_reason}.", _FILE, *path
        )
