"""tiers.yaml: each scheme has a last row that takes every other account."""

from __future__ import annotations

from riskseg.rules.model import Scheme, TierRow
from riskseg.strategy.check.scope import Scope

_FILE = "tiers.yaml"


def check_tiers(scope: Scope) -> tuple[Scheme, ...]:
    schemes = []
    for name, rows in scope.authored.tiers.root.items():
        checked_rows: list[TierRow] = []
        last_line: int | None = None
        for i, row in enumerate(rows):
            path = (name, i)
            line = scope.line(_FILE, *path)
            if last_line is not None:
                message = (
                    f'The row "{row.tier}" can never match: the row on line {last_line} takes all.'
                )
                scope.tell("RS204", message, _FILE, *path, hint=f"Move it above line {last_line}.")
            if (row.when is None) == (row.otherwise is None):
                message = f'The row "{row.tier}" needs either `when` or `otherwise: true`.'
                scope.tell("RS005", message, _FILE, *path)
                continue
            when = None
            if row.when is not None:
                when = scope.condition(row.when, row.unknown, _FILE, *path, "when")
                if when is None:
                    continue
            elif row.unknown is not None:
                message = "`unknown` is about `when`: this row takes everything."
                scope.tell("RS003", message, _FILE, *path, "unknown", hint="Remove it.")
            if when is None and last_line is None:
                last_line = line
            checked_rows.append(TierRow(row.tier, when, line))
        if last_line is None:
            message = f'The scheme "{name}" has no last row that takes every other account.'
            hint = "End it with `- {tier: …, otherwise: true}`."
            scope.tell("RS203", message, _FILE, name, hint=hint)
        schemes.append(Scheme(name, tuple(checked_rows)))
    return tuple(schemes)
