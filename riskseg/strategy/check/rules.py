"""guards.yaml: what no score, table or path may override, and what is to be proved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

from riskseg.rules.periods import Period
from riskseg.rules.rule import FILE, Entry, Restriction, Rule, registered
from riskseg.strategy.check.scope import Scope
from riskseg.strategy.kinds.shape import kind_of, values_of


def check_rules(scope: Scope) -> tuple[Rule, ...]:
    """The rules in the order of the file, those of an included pack where it is included; after
    all others those that may name what the others bring about."""
    entries: list[tuple[type[Rule], Entry]] = []
    count_by_kind: Counter[str] = Counter()
    for index, written in enumerate(scope.authored.guards.root):
        entry_values = values_of(written)
        kind = kind_of(entry_values)
        if kind is None:
            message = f"An entry is one of: {', '.join(registered())}."
            scope.add_problem("RS004", message, FILE, index)
            continue
        count_by_kind[kind.kind] += 1
        entry_name = kind.name_of(entry_values, count_by_kind[kind.kind])
        entries.append(
            (kind, Entry(entry_values, entry_name, scope, scope.line(FILE, index), (index,)))
        )
    rules: list[Rule] = []
    for late in (False, True):
        restriction_names = {rule.name for rule in rules if isinstance(rule, Restriction)}
        for kind, entry in entries:
            if kind.late is not late:
                continue
            if entry.name in restriction_names:
                entry.add_problem(
                    "RS202", f'The name "{entry.name}" occurs twice.', hint=kind.twice
                )
                continue
            restriction_names.add(entry.name)
            if kind.has_its_keys(entry):
                rules += kind.check(entry)
    _check_hours(scope, [rule for rule in rules if isinstance(rule, Restriction)])
    return tuple(rules)


def _check_hours(scope: Scope, rules: Sequence[Restriction]) -> None:
    """One rule at a time says at which hours of the day an action is taken."""
    for one, other in combinations((rule for rule in rules if rule.hours_fact is not None), 2):
        actions = sorted(one.never & other.never)
        if actions and Period.of(one).within(Period.of(other)):
            message = f'"{one.name}" and "{other.name}" both say at which hours {actions[0]} is '
            hint = "Keep the narrower; of a pack, leave a rule out with `without`."
            place = {**scope.at(FILE), "line": other.line}
            scope.problems.add("RS227", f"{message}taken.", hint=hint, **place)
