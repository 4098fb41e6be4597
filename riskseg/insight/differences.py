"""How two tables of one row an account differ: which accounts, which columns, how many rows."""

from __future__ import annotations

from riskseg.domain.column_types import ColumnType
from riskseg.domain.relations import quoted
from riskseg.engine import Engine
from riskseg.results.runs import Differences

KEY = "account_id"
_SHOWN = 5


def differing(engine: Engine, first: str, second: str) -> Differences:
    """Compare two relations by account id, in the columns that both have."""
    types = engine.columns(first), engine.columns(second)
    both = [n for n in types[0] if n in types[1] and n != KEY]
    conditions = {n: _differ(n, types[0][n], types[1][n]) for n in both}
    counted = "".join(
        f", count(*) filter (where a.{KEY} is not null and b.{KEY} is not null and {condition})"
        for condition in conditions.values()
    )
    any_of = " or ".join(f"({c})" for c in conditions.values()) or "false"
    inside = f"a.{KEY} is not null and b.{KEY} is not null"
    joined = f"from {first} a full join {second} b on a.{KEY} = b.{KEY}"
    found = engine.rows(
        f"select count(*) filter (where a.{KEY} is null), count(*) filter (where b.{KEY} is null), "
        f"count(*) filter (where {inside} and ({any_of})){counted} {joined}"
    )[0]
    appeared, vanished, rows, *counts = map(int, found)
    shown = engine.rows(
        f"select coalesce(a.{KEY}, b.{KEY}) {joined} "
        f"where a.{KEY} is null or b.{KEY} is null or {any_of} order by 1 limit {_SHOWN}"
    )
    return Differences(
        rows=rows,
        columns={n: c for n, c in zip(conditions, counts, strict=True) if c},
        appeared=appeared,
        vanished=vanished,
        accounts=tuple(row[0] for row in shown),
    )


def _differ(name: str, one: ColumnType, other: ColumnType) -> str:
    columns = f"a.{quoted(name)}", f"b.{quoted(name)}"
    if one != other:
        columns = f"cast({columns[0]} as varchar)", f"cast({columns[1]} as varchar)"
    return f"{columns[0]} is distinct from {columns[1]}"
