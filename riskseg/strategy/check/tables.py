"""Decision tables: columns with levels, rows that can match, a last row that takes the rest.

The table of segments is one; a tier scheme may be one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from riskseg.domain.facts import Fact, Kind, folded
from riskseg.domain.problems import did_you_mean
from riskseg.domain.words import with_article
from riskseg.expressions.assumptions import can_be_written
from riskseg.rules.cells import CellFault, NotLevel, NumberRange, constants_in, read_range
from riskseg.rules.model import Cells, SegmentRow
from riskseg.strategy.check.names import Levels
from riskseg.strategy.check.scope import Scope
from riskseg.strategy.divided_columns import divide
from riskseg.strategy.shapes import CellLevel
from riskseg.strategy.unreachable_rows import unreachable

# Rows that cover another are named up to this many.
_NAMED = 12
# A column's levels, or None where its texts are not known by heart.
Columns = Mapping[str, tuple[str | bool, ...] | None]


@dataclass(frozen=True)
class WrittenTable:
    """A table as a file writes it: its rows as cells, and the `names` of the rows, for messages.
    `path` leads to the keys `columns` and `rows` of the file."""

    scope: Scope
    file: str
    path: tuple[str | int, ...]
    columns: Sequence[str]
    rows: Sequence[Sequence[CellLevel | list[CellLevel] | None]]
    names: Sequence[str]

    def add_problem(self, code: str, message: str, *path: str | int, hint: str = "") -> None:
        self.scope.add_problem(code, message, self.file, *self.path, *path, hint=hint)

    def note_unseen(self, column: str, text: str, *path: str | int) -> None:
        self.scope.note_unseen(column, text, self.file, *self.path, *path)

    def line(self, row: int) -> int | None:
        return self.scope.line(self.file, *self.path, "rows", row)


def check_table(table: WrittenTable, own: Levels) -> tuple[tuple[str, ...], dict[int, Cells]]:
    """The table's columns, and the cells of each sound row by its place. `own` are the levels of
    the bands and schemes that may be columns."""
    names = _canonical(table, own)
    levels = _columns(table, names, own)
    cells_by_row: dict[int, Cells] = {}
    for i in range(len(table.rows)):
        cells = _cells(table, i, names, levels)
        if cells is not None:
            cells_by_row[i] = cells
    _check_last(table)
    # Rows at fault are left out: fewer rows above can only find fewer rows covered.
    if len(levels) == len(table.columns):
        _check_unreachable(table, names, levels, own, cells_by_row)
    return tuple(names), cells_by_row


def _check_last(table: WrittenTable) -> None:
    if table.rows and all(cell == "any" for cell in table.rows[-1]):
        return
    message = "The last row does not take every other account."
    everything = ", ".join(["any"] * len(table.columns))
    hint = f"End with a row whose cells are all `any`: [{everything}]."
    path = ("rows", len(table.rows) - 1) if table.rows else ("rows",)
    table.add_problem("RS203", message, *path, hint=hint)


def _check_unreachable(
    table: WrittenTable,
    names: Sequence[str],
    levels: Columns,
    own: Levels,
    cells_by_row: Mapping[int, Cells],
) -> None:
    facts = table.scope.facts
    nullable = {
        column
        for column in levels
        if column in facts and column not in own and facts[column].nullable
    }
    rows = [SegmentRow(str(i), cells, "", table.line(i)) for i, cells in cells_by_row.items()]
    divided = divide(rows, names, levels, facts)
    found = unreachable(divided.rows, tuple(divided.levels.items()), nullable)
    for row, covering_rows in found:
        covering_text = ", ".join(
            f'row "{table.names[int(covering.id)]}" (line {covering.line})'
            for covering in covering_rows[:_NAMED]
        )
        and_more = f" and {len(covering_rows) - _NAMED} more" if len(covering_rows) > _NAMED else ""
        message = (
            f'The row "{table.names[int(row.id)]}" can never match: {covering_text}{and_more} '
            f"cover{'s' if len(covering_rows) == 1 else ''} it."
        )
        hint = f"Move it above line {covering_rows[0].line}, or narrow that row."
        table.add_problem("RS204", message, "rows", int(row.id), hint=hint)


def _canonical(table: WrittenTable, own: Levels) -> list[str]:
    """The table's columns, each by the name of the band, scheme or fact that it is."""
    owned = {folded(canonical_name): canonical_name for canonical_name in own}
    return [
        owned.get(folded(canonical_name)) or table.scope.canonical(canonical_name)
        for canonical_name in table.columns
    ]


def _columns(table: WrittenTable, columns: Sequence[str], own: Levels) -> Columns:
    """The levels of each column that can be one."""
    scope = table.scope
    levels: dict[str, tuple[str | bool, ...] | None] = {}
    for i, column in enumerate(columns):
        fact = scope.facts.get(column)
        if column not in own:
            scope.column(column, table.file, *table.path, "columns", i)
        if column in columns[:i]:
            message = f'The column "{column}" occurs twice.'
            table.add_problem("RS202", message, "columns", i, hint="Remove one of them.")
        elif column in own:
            levels[column] = own[column]
        elif column in scope.later:
            message = f'"{column}" is not decided yet where this table is read.'
            table.add_problem("RS303", message, "columns", i, hint=scope.later[column])
        elif fact is None and column in scope.lacking:
            scope.unknown_fact(column, table.file, *table.path, "columns", i)
        elif fact is None:
            message = f'"{column}" is not a band, a tier scheme or a fact.'
            hint = scope.meant(column, [*own, *scope.facts])
            table.add_problem("RS201", message, "columns", i, hint=hint)
        elif fact.kind is Kind.BOOLEAN:
            levels[column] = (True, False)
        elif fact.kind.is_textual:
            levels[column] = fact.levels or None
        elif fact.kind.is_numeric:
            levels[column] = None
        else:
            message = f'"{column}" is {with_article(fact.kind)}; a column needs levels.'
            hint = "Make it a band or a tier scheme."
            table.add_problem("RS304", message, "columns", i, hint=hint)
    return levels


def _cells(table: WrittenTable, i: int, columns: Sequence[str], levels: Columns) -> Cells | None:
    """A row's cells, or None after adding a Problem for each that is wrong."""
    match = table.rows[i]
    if len(match) != len(columns):
        message = f'The row "{table.names[i]}" has {len(match)} cells for {len(columns)} columns.'
        table.add_problem("RS215", message, "rows", i, "match")
        return None
    cells: list[frozenset[str | bool] | None] = []
    all_sound = True
    for j, (cell, column) in enumerate(zip(match, columns, strict=True)):
        if cell == "any":
            cells.append(None)
            continue
        if cell is None:
            message = f'The cell of "{column}" is empty.'
            hint = "Name a level, or write `any` for every account."
            table.add_problem("RS205", message, "rows", i, "match", j, hint=hint)
            all_sound = False
            continue
        written = cell if isinstance(cell, list) else [cell]
        cell_levels = _meant(table, written, column, levels, at=("rows", i, "match", j))
        if cell_levels is None:
            all_sound = False
            continue
        for message, hint in _wrong(cell_levels, column, levels):
            table.add_problem("RS205", message, "rows", i, "match", j, hint=hint)
            all_sound = False
        for twice in sorted(
            {
                str(level)
                for position, level in enumerate(cell_levels)
                if level in cell_levels[:position]
            }
        ):
            message = f'The level "{twice}" occurs twice in one cell.'
            hint = "Keep one of them, or write the level that was meant."
            table.add_problem("RS202", message, "rows", i, "match", j, hint=hint)
        if levels.get(column, ()) is None:
            for level in cell_levels:
                text = level.level if isinstance(level, NotLevel) else str(level)
                if not isinstance(level, NumberRange):
                    table.note_unseen(column, text, "rows", i, "match", j)
        cells.append(frozenset(cell_levels))
    return tuple(cells) if all_sound else None


def _meant(
    table: WrittenTable,
    written: Sequence[CellLevel],
    column: str,
    levels: Columns,
    *,
    at: tuple[str | int, ...],
) -> list[str | bool] | None:
    """The levels and ranges that a cell holds, or None after adding Problems."""
    scope = table.scope
    fact = scope.facts.get(column)
    numbers = column not in scope.readable and fact is not None and fact.kind.is_numeric
    meant: list[str | bool] = []
    before = len(scope.problems)
    for part in written:
        scope.constants_named |= constants_in(part) if numbers else set()
        try:
            if numbers and fact is not None and part != "any":
                meant.append(_range(part, scope, fact))
            else:
                meant.append(_level(part, levels.get(column)))
        except CellFault as fault:
            table.add_problem("RS205", fault.what, *at, hint=fault.hint)
    excluded = [isinstance(level, NotLevel) for level in meant]
    if any(excluded) and not all(excluded):
        message = f'The cell of "{column}" lists levels, and levels that it is not.'
        hint = "List those that match alone, or those that do not alone."
        table.add_problem("RS205", message, *at, hint=hint)
    return None if len(scope.problems) > before else meant


def _range(part: CellLevel, scope: Scope, fact: Fact) -> NumberRange:
    found = read_range(part, scope.constants)
    ends = [end.number for end in (found.begin, found.end) if end is not None]
    if fact.kind is Kind.INTEGER and any(end != int(end) for end in ends):
        raise CellFault(f'"{fact.name}" is a whole number, and "{found}" is not.', "Round it.")
    if not all(map(can_be_written, ends)):
        raise CellFault(f'"{found}" has too many digits.', "Write at most 6 decimals.")
    return found


def _level(part: CellLevel, known: tuple[str | bool, ...] | None) -> str | bool:
    """A level as it is written, or one that is not."""
    if isinstance(part, bool):
        return part
    if not isinstance(part, str):
        raise CellFault(f'"{part}" is a number, and the column has levels.', "Write a level.")
    if not part.startswith("not ") or (known is not None and part in known):
        return part
    level = part.removeprefix("not ").strip()
    if known is not None and level not in known:
        hint = did_you_mean(level, map(str, known))
        if level in ("true", "false"):
            hint = f"Write `{'false' if level == 'true' else 'true'}`."
        raise CellFault(f'There is no level "{level}" that it could not be.', hint)
    return NotLevel.of(level)


def _wrong(listed: Sequence[str | bool], column: str, levels: Columns) -> Iterator[tuple[str, str]]:
    """What is wrong with the levels of a cell, and how to fix it: it would match nobody."""
    if not listed:
        yield f'The cell of "{column}" names no level.', "Name one, or write `any`."
    known_levels = levels.get(column)
    for level in listed:
        if isinstance(level, NotLevel | NumberRange):
            continue
        if known_levels is not None and level not in known_levels:
            message = f'"{column}" has no level "{level}".'
            yield message, did_you_mean(str(level), map(str, known_levels))
        elif level == "any":
            yield '"any" stands in a list.', "Write `any` by itself, or the levels alone."
        elif column in levels and known_levels is None and isinstance(level, bool):
            message = f'"{column}" holds texts, and {str(level).lower()} is not one.'
            yield message, "Write a text, in quotes where need be."
