"""A source under the names of the contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from riskseg.domain.column_types import ColumnType
from riskseg.domain.facts import Kind
from riskseg.domain.relations import fact_column, quoted
from riskseg.ledger.contract import Holds, Table


@dataclass(frozen=True, slots=True)
class UnusedColumn:
    """A column of a source that nothing reads, and a column of the contract that it may be meant
    for, if there is one."""

    name: str
    near: str | None


@dataclass(frozen=True)
class Mapped:
    """A source whose columns are found: SQL expressions by contract column, attributes apart.

    `relation` is what stands after FROM. `types` are the types of every expression, `written`
    the names of the attributes as the source or riskseg.toml has them, and `lines` the lines there.
    `unused` are the columns that neither a line of riskseg.toml nor the contract reads.
    `locate` gives the file and the line of a row, counted from 1, or None for a line that is not
    known; without it no row has a place. `declared` are the kinds that riskseg.toml says
    attributes are of: their expressions give texts, which are checked and converted when they are
    staged. `timezone` is the zone whose days are meant, which the engine is set to; without one, an
    instant has no day.
    `rows_in_files` is how many rows its files have, by another count than the engine's, or None.
    `notes` are what a person should know of it. `observes` is the table that is read, where these
    accounts are worked out of another: monthly balances. `converted` is SQL of the text that the
    expression of a column or attribute converts, where it does; `row_by_row` says that a value it
    cannot convert is a fault of its row. `made_of` tells the rows that `relation` reads now from
    those of another time, where its text does not, and `read_notes` are what a person should know
    of how they were read.
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
    locate: Callable[[int], tuple[str, int | None]] | None
    declared: Mapping[str, Kind] = field(default_factory=dict)
    timezone: str | None = None
    rows_in_files: int | None = None
    notes: tuple[str, ...] = ()
    unused: tuple[UnusedColumn, ...] = ()
    observes: Mapped | None = None
    converted: Mapping[str, str] = field(default_factory=dict)
    row_by_row: bool = False
    made_of: tuple[str, ...] = ()
    read_notes: tuple[str, ...] = ()

    def has(self, column: str) -> bool:
        return column in self.columns

    @property
    def as_read(self) -> Mapped:
        """The table whose rows are read: itself, or the one that it observes."""
        return self.observes or self

    @property
    def rows(self) -> str:
        """The source under the contract's own names, attributes in their
        `fact_column`: what is made of it need not mind what its columns are called."""
        listed = [f"{self._read(name)} as {quoted(name)}" for name in self.columns]
        listed += [f"{e} as {fact_column(name)}" for name, e in self.attributes.items()]
        return f"(select {', '.join(listed)} from {self.relation})"

    def converting_row_by_row(self) -> Mapped:
        """The same source, in which a value that an expression cannot convert to a date, an amount
        or a declared kind is a text that says so. It is slower, and asked for when one fails."""
        columns, attributes, types = dict(self.columns), dict(self.attributes), dict(self.types)
        for name in self.converted:
            column = self.table.column(name)
            if name in attributes and name in self.declared:
                attributes[name] = self._text_or_failure(name, attributes[name])
            elif column is None or self.types[name].zoned:
                continue
            elif column.holds is Holds.DATE:
                columns[name] = self._text_or_failure(name, f"cast({columns[name]} as date)")
            elif column.holds is Holds.MONEY:
                columns[name] = self._text_or_failure(name, columns[name])
            else:
                continue
            types[name] = ColumnType("text")
        return replace(self, columns=columns, attributes=attributes, types=types, row_by_row=True)

    def _text_or_failure(self, name: str, expression: str) -> str:
        """A struct is null only where making it failed, and not where its value is null."""
        made = f"try(struct_pack(value := cast({expression} as varchar)))"
        failure = f"concat({self.converted[name]}, ' (cannot be converted)')"
        return f"case when {made} is null then {failure} else struct_extract({made}, 'value') end"

    def _read(self, name: str) -> str:
        column = self.table.column(name)
        is_id = column is not None and column.holds is Holds.ID
        return _as_id(self.columns[name], self.types[name]) if is_id else self.columns[name]


def exact_up_to(type_: ColumnType) -> int:
    """The whole number below which a float holds every other one exactly."""
    return 2 ** (24 if type_.size == 32 else 53)


def _as_id(expression: str, type_: ColumnType) -> str:
    """An id of a column of numbers with decimals, as other sources write it: 502.0 is 502. Programs
    make such columns of whole numbers where a value is missing."""
    e = f"({expression})"
    if type_.family == "float":
        return f"""case
            when isnan({e}) then null
            when abs({e}) < {exact_up_to(type_)} and {e} = trunc({e})
                then cast(cast({e} as bigint) as varchar)
            else cast({e} as varchar)
        end"""
    if type_.family == "decimal" and type_.scale > 0:
        return f"""case
            when {e} = trunc({e}) then cast(trunc({e}) as varchar)
            else cast({e} as varchar)
        end"""
    return expression
