"""tiers.yaml: each scheme has a last row that takes every other account."""

from __future__ import annotations

from riskseg.rules.model import Scheme, TierRow
from riskseg.strategy.check.scope import Scope

_FILE = "tiers.yaml"


def check_tiers(scope: Scope) -> tuple[Scheme, ...]:
    schemes = []
    for name, rows in scope.authored.tiers.root.items():
        checked: list[TierRow] = []
        ended: int | None = None
        for i, row in enumerate(rows):
            at = (name, i)
            line = scope.line(_FILE, *at)
            if ended is not None:
                told = f'The row "{row.tier}" can never match: the row on line {ended} takes all.'
                scope.tell("RS204", told, _FILE, *at, hint=f"Move it above line {ended}.")
            if (row.when is None) == (row.otherwise is None):
                told = f'The row "{row.tier}" needs either `when` or `otherwise: true`.'
                scope.tell("RS005", told, _FILE, *at)
                continue
            when = None
            if row.when is not None:
                when = scope.condition(row.when, row.unknown, _FILE, *at, "when")
                if when is None:
                    continue
            elif row.unknown is not None:
                told = "`unknown` is about `when`: this row takes everything."
                scope.tell("RS003", told, _FILE, *at, "unknown", hint="Remove it.")
            if when is None and ended is None:
                ended = line
            checked.append(TierRow(row.tier, when, line))
        if ended is None:
            told = f'The scheme "{name}" has no last row that takes every other account.'
            hint = "End it with `- {tier: …, otherwise: true}`."
            scope.tell("RS203", told, _FILE, name, hint=hint)
        schemes.append(Scheme(name, tuple(checked)))
    return tuple(schemes)
