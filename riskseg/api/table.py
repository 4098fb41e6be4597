"""A result that has rows, and how it is shown."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    import pandas as pd

Cells = Sequence[Sequence[object]]

# As many rows as are shown of a table that may have any number.
SHOWN = 10


class Table(ABC):
    """A result that has rows: as Arrow, as pandas, as text and as HTML."""

    @abstractmethod
    def to_arrow(self) -> pa.Table:
        """The rows as an Arrow table."""

    def to_pandas(self) -> pd.DataFrame:
        """The rows as a pandas data frame; amounts and probabilities stay exact decimals."""
        frame: pd.DataFrame = self.to_arrow().to_pandas()
        return frame

    @abstractmethod
    def _title(self) -> str:
        """What it is, in a sentence or a few, one a line."""

    def _shown(self) -> tuple[Sequence[str], Cells]:
        """The columns and rows that are shown."""
        table = self.to_arrow()
        return table.column_names, [[*row.values()] for row in table.slice(0, SHOWN).to_pylist()]

    def __repr__(self) -> str:
        columns, rows = self._shown()
        return f"{self._title()}\n{_as_text(columns, rows)}" if rows else self._title()

    def _repr_html_(self) -> str:
        columns, rows = self._shown()
        return _as_html(self._title(), columns, rows)


def records(columns: Mapping[str, pa.DataType], rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(
        [dict(row) for row in rows], schema=pa.schema(list(columns.items()))
    )


def cell(value: object) -> str:
    """A value in one line, whatever characters it holds."""
    if value is None:
        return "–"
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return f"{value:,}"
    text = f"{value:.4f}" if isinstance(value, float) else str(value)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _as_text(columns: Sequence[str], rows: Cells) -> str:
    grid = [[*map(cell, columns)], *([*map(cell, row)] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in grid
    )
    return "\n".join(line.rstrip() for line in lines)


def _as_html(title: str, columns: Sequence[str], rows: Cells) -> str:
    text = "<br>".join(html.escape(cell(line)) for line in title.splitlines())
    if not rows:
        return f"<p>{text}</p>"
    head = "".join(f"<th>{html.escape(cell(name))}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell(value))}</td>" for value in row) + "</tr>"
        for row in rows
    )
    return f"<p>{text}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
