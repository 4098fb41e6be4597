"""segments.yaml: the table of segments, whose rows have ids of their own."""

from __future__ import annotations

from riskseg.rules.model import SegmentRow
from riskseg.strategy.check.names import Levels
from riskseg.strategy.check.scope import Scope
from riskseg.strategy.check.tables import WrittenTable, check_table

_FILE = "segments.yaml"


def check_segments(scope: Scope, own: Levels) -> tuple[tuple[str, ...], tuple[SegmentRow, ...]]:
    """The table's columns and rows. `own` are the levels of bands and schemes."""
    written = scope.authored.segments
    ids: set[str] = set()
    for i, row in enumerate(written.rows):
        if row.id in ids:
            message = f'The row id "{row.id}" occurs twice.'
            scope.add_problem("RS202", message, _FILE, "rows", i, hint="Give it another id.")
        ids.add(row.id)
    table = WrittenTable(
        scope,
        _FILE,
        (),
        written.columns,
        [row.match for row in written.rows],
        [row.id for row in written.rows],
    )
    columns, cells_by_row = check_table(table, own)
    return columns, tuple(
        SegmentRow(written.rows[i].id, cells, written.rows[i].segment, table.line(i))
        for i, cells in cells_by_row.items()
    )
