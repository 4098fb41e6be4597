"""tiers.yaml: each scheme has a last row that takes every other account."""

from __future__ import annotations

from riskseg.domain.facts import Fact, Kind
from riskseg.rules.model import Scheme, TierRow
from riskseg.strategy.check.scope import Scope

_FILE = "tiers.yaml"
_BEFORE = "A tier reads facts, bands, and the tier schemes above its own."


def check_tiers(scope: Scope) -> tuple[Scheme, ...]:
    """The schemes from top to bottom: each may read the bands, and the schemes above it."""
    schemes: list[Scheme] = []
    names = list(scope.authored.tiers.root)
    for place, (scheme_name, rows) in enumerate(scope.authored.tiers.root.items()):
        scope.later = dict.fromkeys((*names[place:], "segment", "path"), _BEFORE)
        checked_rows: list[TierRow] = []
        last_line: int | None = None
        for i, row in enumerate(rows):
            row_path = (scheme_name, i)
            line = scope.line(_FILE, *row_path)
            if last_line is not None:
                message = (
                    f'The row "{row.tier}" can never match: the row on line {last_line} takes all.'
                )
                scope.add_problem(
                    "RS204", message, _FILE, *row_path, hint=f"Move it above line {last_line}."
                )
            if (row.when is None) == (row.otherwise is None):
                message = f'The row "{row.tier}" needs either `when` or `otherwise: true`.'
                scope.add_problem("RS005", message, _FILE, *row_path)
                continue
            row_condition = None
            if row.when is not None:
                row_condition = scope.condition(row.when, row.unknown, _FILE, *row_path, "when")
                if row_condition is None:
                    continue
            elif row.unknown is not None:
                message = "`unknown` is about `when`: this row takes everything."
                scope.add_problem("RS003", message, _FILE, *row_path, "unknown", hint="Remove it.")
            if row_condition is None and last_line is None:
                last_line = line
            checked_rows.append(TierRow(row.tier, row_condition, line))
        if last_line is None:
            message = f'The scheme "{scheme_name}" has no last row that takes every other account.'
            hint = "End it with `- {tier: …, otherwise: true}`."
            scope.add_problem("RS203", message, _FILE, scheme_name, hint=hint)
        schemes.append(Scheme(scheme_name, tuple(checked_rows)))
        tiers = tuple(dict.fromkeys(row.tier for row in rows))
        scope.readable[scheme_name] = Fact(scheme_name, Kind.LEVEL, levels=tiers)
    return tuple(schemes)
