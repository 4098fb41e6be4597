"""SQL of the parts of a strategy: its columns, conditions and texts by row."""

from __future__ import annotations

from collections.abc import Sequence

from riskseg.domain.relations import fact_column, literal, quoted
from riskseg.expressions import Expression, to_sql
from riskseg.rules.elements import Condition


def out(name: str) -> str:
    """The quoted column of something decided."""
    return quoted(f"={name}")


def row_of(scheme: str) -> str:
    """The quoted column of the number of the row of a tier scheme that matched, from 1."""
    return quoted(f"#{scheme}")


def inner(name: str) -> str:
    """A quoted column on the way to a decision: `segment_row` (the row of the segment table that
    matched, from 1), `first` (the path of the segment), `leg` (which path of its route the
    account is on, from 0), `day0`, `day1`, … (the day of each of them),
    `begun_ago` (days since the route began), `day`, `ended`, `due`,
    `due_step`, `due_template`."""
    return quoted(f"~{name}")


def fact_sql(expression: Expression) -> str:
    return to_sql(expression, fact_column)


def condition_sql(condition: Condition) -> str:
    """The condition as plain true or false."""
    sql = fact_sql(condition.expression)
    if not condition.expression.type.nullable:
        return sql
    return f"coalesce({sql}, {'true' if condition.unknown else 'false'})"


def text_by_row(column: str, values: Sequence[str]) -> str:
    """A text for each row of a table, by the row's number."""
    return f"(array[{', '.join(map(literal, values))}])[{column}]"


def int_sql(value: int | None, otherwise: int | None = None) -> str:
    value = otherwise if value is None else value
    return "cast(null as integer)" if value is None else str(value)


def text_sql(value: str | None) -> str:
    return "cast(null as varchar)" if value is None else literal(value)
