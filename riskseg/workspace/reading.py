"""How the files of a source are to be read: `[source.TABLE.read]` in riskseg.toml."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from riskseg.domain.documents import Document, Shape
from riskseg.domain.problems import Problems

Character = Annotated[str, Field(min_length=1, max_length=1, pattern=r"^[\x00-\x7f]$")]
Width = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class TextForm:
    """How a text file is to be read; None where the file itself shows it."""

    encoding: str | None = None
    delimiter: str | None = None
    quote: str = '"'
    header_row: int | None = None
    footer_rows: int = 0


@dataclass(frozen=True, slots=True)
class LineColumn:
    """A column of lines of a fixed width: its first character, counted from 1, and how many
    characters it has; 0 for all that follow."""

    name: str
    start: int
    width: int


class ReadTable(Shape):
    """What riskseg.toml says of the form of a source's files; None where the file itself shows it.

    `header_row` is the line of the names of the columns, counted from 1; `footer_rows` are rows at
    the end that are none of the table's. `sheet` names a sheet of a workbook. `widths` (in order,
    without gaps) or `fields` (name, first character counted from 1, width) are the columns of lines
    of a fixed width; a last width of 0 is the rest of the line.
    """

    encoding: str | None = None
    delimiter: Character | None = None
    quote: Annotated[str, Field(max_length=1, pattern=r"^[\x00-\x7f]?$")] | None = None
    header_row: int | None = Field(default=None, ge=1)
    footer_rows: int = Field(default=0, ge=0)
    sheet: str | None = None
    widths: dict[str, Width] | None = None
    fields: list[tuple[str, Annotated[int, Field(ge=1)], Width]] | None = None

    @field_validator("fields", mode="before")
    @classmethod
    def _triples(cls, value: object) -> object:
        """TOML has lists where these are tuples."""
        is_listed = isinstance(value, list) and all(isinstance(field, list) for field in value)
        return [tuple(field) for field in value] if is_listed else value  # type: ignore[attr-defined]

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, value: str | None) -> str | None:
        try:
            is_text = value is None or codecs.lookup(value)._is_text_encoding
        except (LookupError, ValueError):
            is_text = False
        if not is_text:
            raise ValueError(
                "it should be an encoding, such as windows-1252, utf-16 or iso-8859-15"
            )
        return value

    @model_validator(mode="after")
    def _one_layout(self) -> Self:
        if self.widths and self.fields:
            raise ValueError("`widths` and `fields` both say where the columns are: keep one")
        columns = self.line_columns
        if any(column.width == 0 for column in columns[:-1]):
            raise ValueError("only the last column can have the width 0, the rest of the line")
        for column, following in pairwise(columns):
            if column.start + column.width > following.start:
                raise ValueError(f"the columns {column.name} and {following.name} overlap")
        return self

    @property
    def text_form(self) -> TextForm:
        quote = '"' if self.quote is None else self.quote
        return TextForm(self.encoding, self.delimiter, quote, self.header_row, self.footer_rows)

    @property
    def is_fixed_width(self) -> bool:
        return bool(self.widths or self.fields)

    @property
    def line_columns(self) -> list[LineColumn]:
        """The columns of lines of a fixed width, as they follow each other in a line."""
        if self.fields:
            return sorted((LineColumn(*field) for field in self.fields), key=lambda c: c.start)
        columns, start = [], 1
        for name, width in (self.widths or {}).items():
            columns.append(LineColumn(name, start, width))
            start += width
        return columns


def read_table(
    written: Mapping[str, Any], document: Document, path: Sequence[str], problems: Problems
) -> ReadTable:
    """The table `read` of a table that stands at `path`; RS004 is added for one that cannot be."""
    table = written.get("read")
    if isinstance(table, dict):
        try:
            return ReadTable.model_validate(table)
        except ValidationError as error:
            for fault in error.errors():
                key = ".".join(map(str, fault["loc"])) or "read"
                message = f'"{key}" says in no valid way how files are read: {fault["msg"]}.'
                problems.add("RS004", message, **document.at(*path, "read", *fault["loc"][:1]))
    elif table is not None and not isinstance(table, str):
        message = '"read" is a table of how files are read, or a text.'
        problems.add("RS004", message, **document.at(*path, "read"))
    return ReadTable()
