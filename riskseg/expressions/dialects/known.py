"""The databases that SQL is written for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from riskseg.expressions.dialects.dialect import Dialect, backslashed, listed
from riskseg.expressions.dialects.forms import (
    INTEGER,
    Call,
    Convert,
    Form,
    Spelled,
    SqlType,
    Value,
    WholeQuotient,
)


class DuckDB(Dialect):
    name = "duckdb"
    title = "DuckDB"
    types: ClassVar = {
        "boolean": "boolean",
        "integer": "bigint",
        "whole": "hugeint",
        "number": "double",
        "date": "date",
        "text": "varchar",
    }
    calls: ClassVar = {"day_of_month": "day({0})", "day_of_week": "isodow({0})"}

    def days_added(self, day: Form, days: Form) -> Form:
        return Spelled("{0} + {1}", (day, _narrow(days, "integer")), sign="+")

    def days_between(self, first: Form, last: Form) -> Form:
        return Spelled("{1} - {0}", (first, last), sign="-")

    def whole_quotient(self, form: WholeQuotient) -> Form:
        return Spelled("{0} // {1}", (form.left, form.right), sign="/")

    def rounded(self, form: Call) -> Form:
        return listed("round", form.arguments)


class Postgres(Dialect):
    name = "postgres"
    title = "PostgreSQL"
    types: ClassVar = {
        "boolean": "boolean",
        "integer": "bigint",
        "whole": "numeric",
        "number": "double precision",
        "date": "date",
        "text": "text",
    }
    decimal = "numeric"
    fence = "\noffset 0"
    calls: ClassVar = {
        "year": "cast(extract(year from {0}) as bigint)",
        "month": "cast(extract(month from {0}) as bigint)",
        "day_of_month": "cast(extract(day from {0}) as bigint)",
        "day_of_week": "cast(extract(isodow from {0}) as bigint)",
    }

    def double(self, number: str) -> str:
        return f"float8 '{number}'"

    def days_added(self, day: Form, days: Form) -> Form:
        return Spelled("{0} + {1}", (day, _narrow(days, "integer")), sign="+")

    def days_between(self, first: Form, last: Form) -> Form:
        return Spelled("{1} - {0}", (first, last), sign="-")

    def whole_quotient(self, form: WholeQuotient) -> Form:
        if form.type is INTEGER:
            return Spelled("{0} / {1}", (form.left, form.right), sign="/")
        return listed("div", (form.left, form.right))


class Snowflake(Dialect):
    name = "snowflake"
    title = "Snowflake"
    types: ClassVar = {
        "boolean": "boolean",
        "integer": "bigint",
        "whole": "number(38, 0)",
        "number": "double",
        "date": "date",
        "text": "varchar",
    }
    decimal = "number"
    calls: ClassVar = {"day_of_month": "day({0})", "day_of_week": "dayofweekiso({0})"}

    def _in_quotes(self, name: str) -> str:
        # Names without quotes are kept in capitals: a plain name in quotes is written as they are.
        return super()._in_quotes(name.upper())

    def text(self, value: str) -> str:
        return backslashed(value)

    def double(self, number: str) -> str:
        return f"{number}::double"

    def days_added(self, day: Form, days: Form) -> Form:
        return Spelled("dateadd('day', {1}, {0})", (day, days))

    def days_between(self, first: Form, last: Form) -> Form:
        return Spelled("datediff('day', {0}, {1})", (first, last))

    def whole_quotient(self, form: WholeQuotient) -> Form:
        # `/` would round to six decimals.
        remainder = listed("mod", (form.left, form.right))
        parts = (form.left, remainder, form.right)
        exact = Spelled("({0} - {1}) / {2}", parts, sign="/")
        return Spelled("cast({0} as number(38, 0))", (exact,))

    def separated(self, parts: tuple[Form, ...], separator: Value) -> Form:
        known = listed("array_construct_compact", parts)
        return Spelled("array_to_string({0}, {1})", (known, separator))

    def extreme(self, form: Call) -> Form:
        return listed(f"{form.function}_ignore_nulls", form.arguments)


class BigQuery(Dialect):
    name = "bigquery"
    title = "BigQuery"
    types: ClassVar = {
        "boolean": "bool",
        "integer": "int64",
        "whole": "bignumeric",
        "number": "float64",
        "date": "date",
        "text": "string",
    }
    decimal = "bignumeric"
    calls: ClassVar = {
        "year": "extract(year from {0})",
        "month": "extract(month from {0})",
        "day_of_month": "extract(day from {0})",
        "day_of_week": "(mod(extract(dayofweek from {0}) + 5, 7) + 1)",
    }

    def _in_quotes(self, name: str) -> str:
        return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"

    def text(self, value: str) -> str:
        return backslashed(value)

    def type_name(self, type_: SqlType) -> str:
        return self.decimal if type_.family == "decimal" else super().type_name(type_)

    def rows(self, name: str, columns: Mapping[str, SqlType], rows: Sequence[Sequence[Any]]) -> str:
        types = (f"{self.quoted(name)} {self.type_name(t)}" for name, t in columns.items())
        listed = ",\n    ".join(f"({', '.join(self._row(row, columns))})" for row in rows)
        return f"select *\nfrom unnest(array<struct<{', '.join(types)}>>[\n    {listed}\n])"

    def exact(self, number: str) -> str:
        # Without the word it would be a float.
        return f"bignumeric '{number}'"

    def converted(self, part: Form, type_: SqlType) -> Form:
        plain = super().converted(part, type_)
        if type_.family != "decimal" or part.type is INTEGER:
            return plain
        exact = part if part.type.family in ("whole", "decimal") else plain
        return Spelled(f"round({{0}}, {type_.scale})", (exact,))

    def days_added(self, day: Form, days: Form) -> Form:
        return Spelled("date_add({0}, interval {1} day)", (day, days))

    def days_between(self, first: Form, last: Form) -> Form:
        return Spelled("date_diff({1}, {0}, day)", (first, last))

    def whole_quotient(self, form: WholeQuotient) -> Form:
        return listed("div", (form.left, form.right))

    def separated(self, parts: tuple[Form, ...], separator: Value) -> Form:
        places = ", ".join(f"{{{number}}}" for number in range(len(parts)))
        return Spelled(f"array_to_string([{places}], {{{len(parts)}}})", (*parts, separator))

    def extreme(self, form: Call) -> Form:
        # It is unknown where one of the values is: each stands for the other.
        first, *others = form.arguments
        found: Form = first
        for other in others:
            parts = (found, other)
            found = Spelled(
                f"{form.function}(coalesce({{0}}, {{1}}), coalesce({{1}}, {{0}}))", parts
            )
        return found


class Spark(Dialect):
    name = "spark"
    title = "Spark"
    types: ClassVar = {
        "boolean": "boolean",
        "integer": "bigint",
        "whole": "decimal(38, 0)",
        "number": "double",
        "date": "date",
        "text": "string",
    }
    calls: ClassVar = {"day_of_month": "day({0})", "day_of_week": "(weekday({0}) + 1)"}

    def _in_quotes(self, name: str) -> str:
        return "`" + name.replace("`", "``") + "`"

    def text(self, value: str) -> str:
        return backslashed(value)

    def days_added(self, day: Form, days: Form) -> Form:
        return Spelled("date_add({0}, {1})", (day, _narrow(days, "int")))

    def days_between(self, first: Form, last: Form) -> Form:
        return Spelled("datediff({1}, {0})", (first, last))

    def whole_quotient(self, form: WholeQuotient) -> Form:
        if form.type is INTEGER:
            return Spelled("{0} div {1}", (form.left, form.right), sign="/")
        # `div` would give a bigint, and `/` would round.
        parts = (form.left, form.right)
        exact = Spelled("({0} - {0} % {1}) / {1}", parts, sign="/")
        return Spelled("cast({0} as decimal(38, 0))", (exact,))


def _narrow(days: Form, type_name: str) -> Form:
    """Days as the integer of 32 bits that a date takes."""
    if isinstance(days, Convert) and days.type is INTEGER:
        days = days.part
    return days if isinstance(days, Value) else Spelled(f"cast({{0}} as {type_name})", (days,))


DIALECTS: Mapping[str, Dialect] = {
    dialect.name: dialect for dialect in (DuckDB(), Postgres(), Snowflake(), BigQuery(), Spark())
}
