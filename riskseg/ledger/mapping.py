"""A source under the names of the contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from riskseg.domain.column_types import ColumnType
from riskseg.domain.facts import Kind
from riskseg.domain.relations import fact_column, quoted
from riskseg.ledger.contract import Table


@dataclass(frozen=True)
class Mapped:
    """A source whose columns are found: SQL expressions by contract column, attributes apart.

    `relation` is what stands after FROM. `types` are the types of every expression, `written`
    the names of the attributes as the source or riskseg.toml has them, and `lines` the lines there.
    `first_line` is the line on which the first row stands in its file, or None where rows come from
    several files. `declared` are the kinds that riskseg.toml says attributes are of: their
    expressions give texts, which are checked and converted when they are staged. `timezone` is
    the zone whose days are meant, which the engine is set to; without one, an instant has no day.
    `rows_in_files` is how many rows its files have, by another count than the engine's, or None.
    `notes` are what a person should know of it.
    """

    table: Table
    file: str
    relation: str
    columns: Mapping[str, str]
    attributes: Mapping[str, str]
    types: Mapping[str, ColumnType]
    loaded_from: str
    written: Mapping[str, str]
    lines: Mapping[str, int | None]
    first_line: int | None
    declared: Mapping[str, Kind] = field(default_factory=dict)
    timezone: str | None = None
    rows_in_files: int | None = None
    notes: tuple[str, ...] = ()

    def has(self, column: str) -> bool:
        return column in self.columns

    @property
    def rows(self) -> str:
        """The source under the contract's own names, attributes in their
        `fact_column`: what is made of it need not mind what its columns are called."""
        listed = [f"{e} as {quoted(name)}" for name, e in self.columns.items()]
        listed += [f"{e} as {fact_column(name)}" for name, e in self.attributes.items()]
        return f"(select {', '.join(listed)} from {self.relation})"
