"""What a layout fills of a source, and how that is reported."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from riskseg.domain.facts import folded
from riskseg.engine import Engine, EngineError
from riskseg.layouts import layouts
from riskseg.sources.reader import open_source
from riskseg.sources.sql_text import NotAllowedError
from riskseg.workspace import Source, Workspace


def with_layout(source: Source, headers: Iterable[str]) -> tuple[Source, str | None]:
    """The source with the columns that its layout fills and no line of riskseg.toml does, and the
    condition, over the loaded columns, of the rows that are of its table."""
    if source.laid_out is None:
        return source, None
    completed = source.laid_out.table.completed(headers)
    by_hand = {folded(name) for name in source.columns}
    supplied = {
        name: expression for name, expression in completed.columns.items() if name not in by_hand
    }
    lines = {**dict.fromkeys(supplied, source.lines.get("from")), **source.lines}
    return replace(source, columns={**supplied, **source.columns}, lines=lines), completed.where


def layout_notes(engine: Engine, workspace: Workspace) -> Iterator[str]:
    """What the workspace's layout fills, a line a table, and how far it can be trusted."""
    by_layout = [s for s in workspace.settings.sources.values() if s.laid_out is not None]
    for source in by_layout:
        assert source.laid_out is not None
        try:
            headers = open_source(source, workspace.root).describe(engine)
        except (EngineError, NotAllowedError):
            continue
        completed = source.laid_out.table.completed(headers)
        by_hand = {folded(name) for name in source.columns}
        filled = ", ".join(
            f"{name} = {_shown(expression)}"
            for name, expression in completed.columns.items()
            if name not in by_hand
        )
        note = f" {source.laid_out.table.note}" if source.laid_out.table.note else ""
        yield f"{source.table} by the layout {source.laid_out.layout}: {filled}.{note}"
    if by_layout:
        assert by_layout[0].laid_out is not None
        layout = layouts()[by_layout[0].laid_out.layout]
        yield f"{layout.title}: {layout.standing} {layout.unconfirmed}".strip()


def _shown(expression: str) -> str:
    """An expression short enough for a line: of a long one, the columns that it reads."""
    if re.fullmatch(r'"[^"]+"', expression):
        return expression[1:-1]
    if len(expression) <= 40:
        return expression
    quoted_names = dict.fromkeys(part for part in expression.split('"')[1::2] if part)
    return "from " + " and ".join(quoted_names)
