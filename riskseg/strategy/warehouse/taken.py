"""Whether a step counts as taken, as a column of its own.

The engine asks it again in each place; a person reads a name more easily than the same four lines
for the tenth time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from riskseg.expressions.dialects.forms import (
    BOOLEAN,
    INTEGER,
    Between,
    Call,
    Column,
    DaysBetween,
    Form,
    Value,
    columns_in,
    parts_of,
    rebuilt,
)
from riskseg.rules.step_facts import ISSUED, elsewhere
from riskseg.strategy.warehouse.chain import Chain, Step

STEP = "taken_before"


def with_taken(made: Chain) -> Chain:
    """The chain with a step that says of each day on which something was issued whether it lies
    between the beginning of the route and the as-of date."""
    forms = [form for step in made.steps for form in step.added.values()]
    asked = dict.fromkeys(form for root in forms for form in _asked(root))
    if not asked:
        return made
    names: dict[Form, str] = {}
    of_name = Counter[str]()
    for form in asked:
        name = _name(form)
        of_name[name] += 1
        names[form] = name if of_name[name] == 1 else f"{name} {of_name[name]}"
    columns = {form: Column(name, BOOLEAN, nullable=False) for form, name in names.items()}

    def named(form: Form) -> Form:
        return columns[form] if form in columns else rebuilt(form, named)

    steps = []
    added = Step(STEP, {names[form]: form for form in asked})
    for step in made.steps:
        if added not in steps and any(_asks(form) for form in step.added.values()):
            steps.append(added)
        steps.append(Step(step.name, {name: named(form) for name, form in step.added.items()}))
    return replace(made, steps=tuple(steps))


def _asks(root: Form) -> bool:
    return next(_asked(root), None) is not None


def _asked(root: Form) -> Iterator[Form]:
    """The questions within a form, whether something was issued since the route began."""
    match root:
        case Call("coalesce", (Between(DaysBetween(issued), Value(1, type_)), Value(False))) if (
            type_ is INTEGER and any(map(_action_of, columns_in(issued)))
        ):
            yield root
        case _:
            for part in parts_of(root):
                yield from _asked(part)


def _action_of(column: str) -> str:
    """What was issued on the day that a column holds, in words; nothing for other columns."""
    fact = column.removeprefix("@")
    if (found := elsewhere(fact)) is not None:
        return f"{found[0].action} taken elsewhere"
    return f"{fact.removeprefix(ISSUED)} taken" if fact.startswith(ISSUED) else ""


def _name(form: Form) -> str:
    """The step, where it is one of the route; else the action that was taken on another path."""
    issued = sorted(filter(None, map(_action_of, columns_in(form))))
    own = [words for words in issued if words.endswith("taken")]
    return f"~{(own or issued)[0]}"
