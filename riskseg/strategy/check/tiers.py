"""tiers.yaml: each scheme has a last row that takes every other account."""

from __future__ import annotations

from collections.abc import Sequence

from riskseg.domain.facts import Fact, Kind
from riskseg.expressions import show
from riskseg.expressions.tree import Name
from riskseg.rules.cells import condition_of
from riskseg.rules.elements import Condition
from riskseg.rules.model import Cells, Scheme, TierRow
from riskseg.strategy.check.scope import Scope
from riskseg.strategy.check.tables import WrittenTable, check_table
from riskseg.strategy.shapes import AuthoredTable, AuthoredTier

_FILE = "tiers.yaml"
_BEFORE = "A tier reads facts, bands, and the tier schemes above its own."


def check_tiers(scope: Scope) -> tuple[Scheme, ...]:
    """The schemes from top to bottom: each may read the bands, and the schemes above it."""
    schemes: list[Scheme] = []
    names = list(scope.authored.tiers.root)
    for place, (name, written) in enumerate(scope.authored.tiers.root.items()):
        scope.later = {later: _move(later, name) for later in names[place:]}
        scope.later |= dict.fromkeys(("segment", "path"), _BEFORE)
        if isinstance(written, AuthoredTable):
            schemes.append(_table(scope, name, written))
        else:
            schemes.append(Scheme(name, _conditions(scope, name, written)))
        levels = scope.authored.tiers.levels[name]
        scope.readable[name] = Fact(name, Kind.LEVEL, levels=levels)
    return tuple(schemes)


def _move(later: str, name: str) -> str:
    """How a scheme comes to read another."""
    if later == name:
        return f"{_BEFORE} No scheme reads itself."
    return f"{_BEFORE} Move `{later}` above `{name}`; two schemes cannot read each other."


def _conditions(scope: Scope, name: str, rows: Sequence[AuthoredTier]) -> tuple[TierRow, ...]:
    """The rows of a scheme that is a list of conditions."""
    checked_rows: list[TierRow] = []
    last_line: int | None = None
    for i, row in enumerate(rows):
        line = scope.line(_FILE, name, i)
        if last_line is not None:
            message = (
                f'The row "{row.tier}" can never match: the row on line {last_line} takes all.'
            )
            hint = f"Move it above line {last_line}."
            scope.add_problem("RS204", message, _FILE, name, i, hint=hint)
        if (row.when is None) == (row.otherwise is None):
            message = f'The row "{row.tier}" needs either `when` or `otherwise: true`.'
            scope.add_problem("RS005", message, _FILE, name, i)
            continue
        condition = None
        if row.when is not None:
            condition = scope.condition(row.when, row.unknown, _FILE, name, i, "when")
            if condition is None:
                continue
        elif row.unknown is not None:
            message = "`unknown` is about `when`: this row takes everything."
            scope.add_problem("RS003", message, _FILE, name, i, "unknown", hint="Remove it.")
        if condition is None and last_line is None:
            last_line = line
        checked_rows.append(TierRow(row.tier, condition, line))
    if last_line is None:
        message = f'The scheme "{name}" has no last row that takes every other account.'
        hint = "End it with `- {tier: …, otherwise: true}`."
        scope.add_problem("RS203", message, _FILE, name, hint=hint)
    return tuple(checked_rows)


def _table(scope: Scope, name: str, written: AuthoredTable) -> Scheme:
    """A scheme that is a table: what its cells say are conditions, so that all that reads the
    conditions of a scheme reads those of a table too."""
    table = WrittenTable(
        scope,
        _FILE,
        (name,),
        written.columns,
        [row.match for row in written.rows],
        [row.tier for row in written.rows],
    )
    above = {decided: fact.levels for decided, fact in scope.readable.items()}
    columns, cells_by_row = check_table(table, above)
    rows = []
    for i, cells in cells_by_row.items():
        if any(cell is not None for cell in cells):
            condition = _condition(scope, columns, cells, name, i)
            if condition is None:
                continue
        else:
            condition = None
        rows.append(TierRow(written.rows[i].tier, condition, table.line(i), cells))
    return Scheme(name, tuple(rows), columns)


def _condition(
    scope: Scope, columns: Sequence[str], cells: Cells, name: str, row: int
) -> Condition | None:
    """What a row takes. A cell takes no unknown, so an unknown condition does not hold."""
    parts = [
        condition_of(show(Name(column, Kind.TEXT)), cell)
        for column, cell in zip(columns, cells, strict=True)
        if cell is not None
    ]
    if len(parts) > 1:
        parts = [f"({part})" if " or " in part else part for part in parts]
    return scope.condition(" and ".join(parts), "skip", _FILE, name, "rows", row, "match")
