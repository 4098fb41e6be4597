"""Tables that are built are held against their declarations in `domain/tables.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from riskseg.domain.column_types import ColumnType
from riskseg.domain.relations import Relation, chained
from riskseg.domain.tables import TABLES, ContractError
from riskseg.sources.describe import kind_of

if TYPE_CHECKING:
    from riskseg.engine import Engine


def check_table(name: str, columns: Mapping[str, ColumnType]) -> None:
    """Raise ContractError where a table or relation of this name, with these columns, is declared
    otherwise."""
    declared_table = TABLES.get(name)
    if declared_table is None:
        return
    kind_by_column = {column: kind_of(type_)[0] for column, type_ in columns.items()}
    if misfits := declared_table.misfits(kind_by_column):
        raise ContractError(declared_table, misfits)


def build(engine: Engine, relations: Iterable[Relation]) -> None:
    """Make the materialized relations, each in one statement with the others before it.

    One with two columns of one name is refused, materialized or not: DuplicateColumnsError; and
    one that is declared otherwise: ContractError.
    """
    relations = list(relations)
    if not relations:
        return
    for relation, columns in zip(relations, engine.columns_of_each(relations), strict=True):
        check_table(relation.name, columns)
    named_relations: list[Relation] = []
    for relation in relations:
        named_relations.append(relation)
        if relation.materialized:
            engine.run(
                f"create or replace temp table {relation.name} as {chained(named_relations)}"
            )
            named_relations.pop()
