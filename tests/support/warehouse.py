"""Accounts decided by the query that a strategy is exported as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import duckdb

from riskseg.domain.relations import literal
from riskseg.expressions.dialects import DIALECTS
from riskseg.rules.model import Strategy
from riskseg.strategy.examples import TYPES
from riskseg.strategy.warehouse.period import period_of
from riskseg.strategy.warehouse.query import Query


def exported(
    strategy: Strategy, accounts: Sequence[Mapping[str, Any]], as_of: date
) -> list[dict[str, Any]]:
    """The decisions of the exported query, run by DuckDB, in the order of the accounts."""
    query = Query.of(strategy, period_of(strategy, as_of))
    kinds = {fact: TYPES[strategy.facts[fact].kind] for fact in query.facts}
    rows = ", ".join(
        f"({number}, {', '.join(_sql(account.get(fact), kinds[fact]) for fact in kinds)})"
        for number, account in enumerate(accounts)
    )
    columns = ", ".join(f'"{name}"' for name in query.facts.values())
    with duckdb.connect() as engine:
        engine.execute(f"create table facts as from (values {rows}) t(account_id, {columns})")
        found = engine.execute(query.sql(DIALECTS["duckdb"], "facts"))
        described = [*("account_id", "as_of"), *query.outputs]
        decided = [dict(zip(described, row, strict=True)) for row in found.fetchall()]
    decided.sort(key=lambda row: int(row["account_id"]))
    return decided


def _sql(value: Any, type_: str) -> str:
    return f"cast({'null' if value is None else literal(str(value))} as {type_})"
