"""What the rows say for or against a proposal: asked of the engine."""

from __future__ import annotations

from collections.abc import Iterable

from riskseg.engine import Engine, EngineError
from riskseg.sources.matching.profile import ENOUGH_ROWS


def share_unique(engine: Engine, relation: str, expressions: Iterable[str]) -> float:
    """How many different values these expressions have together, as a share of the rows."""
    values = ", ".join(f"cast({expression} as varchar)" for expression in expressions)
    sql = f"select count(*), count(distinct row({values})) from {relation}"
    try:
        [(rows, distinct)] = engine.rows(sql)
    except EngineError:
        return 0.0
    return distinct / rows if rows else 0.0


def share_met(engine: Engine, ids: tuple[str, str], others: tuple[str, str]) -> float:
    """Of the different values of an expression over a relation, the share that another has too."""
    (expression, relation), (other_expression, other) = ids, others
    sql = f"""
        with ids as (
            select distinct cast({expression} as varchar) as id from {relation} limit {ENOUGH_ROWS}
        ),
        others as (select distinct cast({other_expression} as varchar) as id from {other})
        select count(*), count(others.id) from ids left join others on others.id = ids.id
        where ids.id is not null
        """
    try:
        [(count, met)] = engine.rows(sql)
    except EngineError:
        return 0.0
    return met / count if count else 0.0


def share_in_order(engine: Engine, relation: str, earlier: str, later: str) -> float | None:
    """The share of rows with both days in which the one is not after the other; None where no row
    has both."""
    first, second = (f"try_cast({day} as date)" for day in (earlier, later))
    sql = f"""
        select count(*) filter (where {first} is not null and {second} is not null),
            count(*) filter (where {first} <= {second})
        from (select * from {relation} limit {ENOUGH_ROWS})
        """
    try:
        [(both, in_order)] = engine.rows(sql)
    except EngineError:
        return None
    return in_order / both if both else None
