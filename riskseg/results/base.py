"""A result: typed, frozen, as JSON, as Arrow and pandas, as text and as HTML."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

import pyarrow as pa
from pydantic import ConfigDict, PlainSerializer, RootModel, WithJsonSchema

from riskseg.domain.decision import COLUMNS, NAMES
from riskseg.domain.facts import Kind
from riskseg.domain.problems import Problem
from riskseg.results.part import Part

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
Cells = Sequence[Sequence[object]]

# As many rows as are shown of a table that may have any number.
SHOWN = 10


# One value of an account or of a file. In JSON decimals and dates are text: they stay exact.
Scalar = Annotated[Any, WithJsonSchema({"type": ["string", "number", "boolean", "null"]})]


def _decision_schema(*, whole: bool) -> dict[str, Any]:
    """The JSON Schema of a decision; unless it is `whole`, any column may be left out."""
    json_types = {Kind.INTEGER: "integer", Kind.NUMBER: "number", Kind.BOOLEAN: "boolean"}
    properties: dict[str, Any] = {}
    for column in COLUMNS:
        properties[column.name] = {"type": [json_types.get(column.kind, "string"), "null"]}
        if column.description:
            properties[column.name]["description"] = column.description
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    # The probabilities, bands and tiers of the strategy have names of its own.
    schema["additionalProperties"] = {"type": ["string", "number", "boolean", "null"]}
    return schema | ({"required": list(NAMES)} if whole else {})


Decision = Annotated[Mapping[str, Any], WithJsonSchema(_decision_schema(whole=True))]
PartOfDecision = Annotated[Mapping[str, Any], WithJsonSchema(_decision_schema(whole=False))]


class ProblemEntry(Part):
    """A fault in what was given: its code, what kind of fault it is, where it stands, what is wrong
    and how to fix it."""

    code: str
    kind: str
    file: str | None
    line: int | None
    what: str
    hint: str


def _entry(problem: Problem) -> ProblemEntry:
    return ProblemEntry.model_validate(problem.as_dict())


ProblemField = Annotated[Problem, PlainSerializer(_entry)]


class Shown(ABC):
    """What every result can do: be JSON, a table of Arrow or pandas, text, or HTML."""

    @abstractmethod
    def to_arrow(self) -> pa.Table:
        """The rows as an Arrow table."""

    @abstractmethod
    def _title(self) -> str:
        """What it is, in a sentence or a few, one a line."""

    @abstractmethod
    def as_json(self) -> Any:
        """What `--json` prints, as plain data. Decimals are text, so that they stay exact."""

    def to_pandas(self) -> pd.DataFrame:
        """The rows as a pandas data frame; amounts and probabilities stay exact decimals."""
        frame: pd.DataFrame = self.to_arrow().to_pandas()
        return frame

    def _shown(self) -> tuple[Sequence[str], Cells]:
        """The columns and rows that are shown."""
        table = self.to_arrow()
        return table.column_names, [[*row.values()] for row in table.slice(0, SHOWN).to_pylist()]

    def __repr__(self) -> str:
        columns, rows = self._shown()
        return f"{self._title()}\n{_as_text(columns, rows)}" if rows else self._title()

    def __str__(self) -> str:
        return repr(self)

    def _repr_html_(self) -> str:
        columns, rows = self._shown()
        return _as_html(self._title(), columns, rows)


class Result(Shown, Part):
    """A result that has rows."""

    def as_json(self) -> Any:
        return self.model_dump(mode="json")


class Single(Result):
    """A result that is one row: those of its fields that hold a single value."""

    def to_arrow(self) -> pa.Table:
        """One row, of the fields that hold a single value."""
        values = ((name, getattr(self, name)) for name in type(self).model_fields)
        plain = str | int | float | Decimal | None
        return pa.Table.from_pylist([{n: v for n, v in values if isinstance(v, plain)}])

    def _shown(self) -> tuple[Sequence[str], Cells]:
        return (), ()


class Rows(Shown, RootModel[tuple[T, ...]], Generic[T]):
    """A result that is a list."""

    model_config = ConfigDict(frozen=True, from_attributes=True, defer_build=True)

    def as_json(self) -> Any:
        return self.model_dump(mode="json")

    def __iter__(self) -> Iterator[T]:  # type: ignore[override]
        return iter(self.root)

    def __getitem__(self, index: int) -> T:
        return self.root[index]

    def __len__(self) -> int:
        return len(self.root)


def records(columns: Mapping[str, pa.DataType], rows: Iterable[Any]) -> pa.Table:
    """An Arrow table of rows that have the columns as attributes, or under their names."""
    return pa.Table.from_pylist(
        [
            {
                column_name: row[column_name]
                if isinstance(row, Mapping)
                else getattr(row, column_name)
                for column_name in columns
            }
            for row in rows
        ],
        schema=pa.schema(list(columns.items())),
    )


def cell(value: object) -> str:
    """A value in one line, whatever characters it holds."""
    if value is None:
        return "–"
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return f"{value:,}"
    text = f"{value:.4f}" if isinstance(value, float) else str(value)
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def _as_text(columns: Sequence[str], rows: Cells) -> str:
    grid = [[*map(cell, columns)], *([*map(cell, row)] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(grid_line, widths, strict=True))
        for grid_line in grid
    )
    return "\n".join(grid_line.rstrip() for grid_line in lines)


def _as_html(title: str, columns: Sequence[str], rows: Cells) -> str:
    text = "<br>".join(html.escape(cell(line)) for line in title.splitlines())
    if not rows:
        return f"<p>{text}</p>"
    header_cells = "".join(
        f"<th>{html.escape(cell(column_title))}</th>" for column_title in columns
    )
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell(value))}</td>" for value in row) + "</tr>"
        for row in rows
    )
    return (
        f"<p>{text}</p><table><thead><tr>{header_cells}</tr></thead><tbody>{body}</tbody></table>"
    )
