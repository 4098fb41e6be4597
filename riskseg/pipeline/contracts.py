"""Tables that are built are held against their declarations in `domain/tables.py`."""

from __future__ import annotations

from collections.abc import Mapping

from riskseg.domain.column_types import ColumnType
from riskseg.domain.tables import TABLES, ContractError
from riskseg.sources.describe import kind_of


def check_table(name: str, columns: Mapping[str, ColumnType]) -> None:
    """Raise ContractError where a table or relation of this name, with these columns, is declared
    otherwise."""
    table = TABLES.get(name)
    if table is None:
        return
    kinds = {column: kind_of(type_)[0] for column, type_ in columns.items()}
    if misfits := table.misfits(kinds):
        raise ContractError(table, misfits)
