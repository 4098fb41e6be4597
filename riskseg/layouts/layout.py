"""A layout, read from its YAML file: what a system calls the tables and columns of the contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import Field

from riskseg.domain.documents import Shape, parse_yaml
from riskseg.domain.problems import Problems
from riskseg.layouts.columns import Dates, Headers, LayoutColumn, plain

__all__ = ["Completed", "Layout", "LayoutTable", "Reads", "layouts", "plain"]


class Reads(Shape):
    """One way to load a table: the files or database tables it reads, each with the names that it
    may have, and the select over them where there are several. `{NAME}` in the select stands for
    the file whose first name that is."""

    files: list[list[str]]
    select: str | None = None


@dataclass(frozen=True)
class Completed:
    """What a layout makes of a source's columns: SQL expressions by contract column or attribute,
    and which rows are of the table; `lacks` are columns it could not fill."""

    columns: Mapping[str, str]
    where: str | None
    lacks: tuple[str, ...]


class LayoutTable(Shape):
    """How a system keeps one table of the contract. `recognised_by` are columns without which a
    file is not this table of this system, whatever it is called."""

    reads: list[Reads]
    recognised_by: list[str] = Field(default_factory=list)
    where: list[str] = Field(default_factory=list)
    columns: dict[str, LayoutColumn]
    dates: Literal["ymd", "dmy", "mdy"] = "ymd"
    null_dates: list[str] = Field(default_factory=list)
    note: str = ""

    def completed(self, headers: Iterable[str]) -> Completed:
        """The columns of a source with these headers, filled as this table says."""
        found, dates = Headers(headers), Dates(self.null_dates, self.dates)
        filled = {name: column.filled(found, dates) for name, column in self.columns.items()}
        conditions = [
            f"({condition})" for where in self.where if (condition := found.filled(where, dates))
        ]
        return Completed(
            {name: expression for name, expression in filled.items() if expression is not None},
            " and ".join(conditions) or None,
            tuple(name for name, expression in filled.items() if expression is None),
        )

    def recognises(self, headers: Iterable[str]) -> bool:
        """Whether a source with these headers is this table."""
        found = Headers(headers)
        return bool(self.recognised_by) and all(
            found.first(name.split("|")) for name in self.recognised_by
        )


class Layout(Shape):
    """A system's layout. `field_names_from` says where the names of its fields come from,
    `confirmed_by` which real extract has confirmed them, `unconfirmed` what none has."""

    title: str
    field_names_from: list[str]
    confirmed_by: str | None = None
    unconfirmed: str = ""
    tables: dict[str, LayoutTable] = Field(min_length=1)

    name: str = ""

    @property
    def standing(self) -> str:
        """How far the layout can be trusted, in a sentence."""
        if self.confirmed_by:
            return f"Confirmed by {self.confirmed_by}."
        return "Field names are those of public documentation; no real extract has confirmed them."


@cache
def layouts() -> Mapping[str, Layout]:
    """The layouts that come with riskseg, by name, in the order of their names."""
    problems, by_name = Problems(), {}
    for file in sorted(
        files("riskseg.layouts").joinpath("systems").iterdir(), key=lambda f: f.name
    ):
        if not file.name.endswith(".yaml"):
            continue
        document = parse_yaml(file.read_text(encoding="utf-8"), file.name, problems)
        layout = document.shaped(Layout, problems) if document is not None else None
        if layout is not None:
            name = file.name.removesuffix(".yaml")
            by_name[name] = layout.model_copy(update={"name": name})
    problems.raise_if_any()
    return by_name
