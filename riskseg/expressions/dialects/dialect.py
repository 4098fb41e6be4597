"""What differs from one database's SQL to another's, for each form of the closed list."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from riskseg.expressions.dialects.forms import (
    TEXT,
    AddDays,
    Call,
    Convert,
    DaysBetween,
    Family,
    Form,
    Spelled,
    SqlType,
    Text,
    UnknownFormError,
    Value,
    WholeQuotient,
)

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
# Words that some database reserves: as names they are quoted everywhere.
RESERVED = frozenset(
    re.findall(
        r"\w+",
        """
    all alter analyse analyze and any array as asc assert_rows_modified asymmetric at
    authorization between binary both by case cast check collate column concurrently connect
    connection constraint contains create cross cube current current_date current_role
    current_time current_timestamp current_user database default deferrable define delete desc
    describe distinct do drop else end enum escape except exclude exists extract false fetch
    filter following for foreign freeze from full function grant group grouping groups
    gscluster hash having if ignore ilike in increment initially inner insert intersect
    interval into is isnull issue join lateral leading left like limit localtime
    localtimestamp lookup merge minus natural new no not notnull null nulls of offset on only
    or order organization outer over overlaps partition pivot placing preceding primary proto
    qualify range recursive references regexp respect returning revoke right rlike rollup row
    rows sample schema select session_user set show similar some start struct summarize
    symmetric table tablesample then to trailing treat trigger true try_cast unbounded union
    unique unnest unpivot update user using values variadic verbose view when whenever where
    window with within
    """,
    )
)


class Dialect(ABC):
    """How a database spells the forms that are not spelled alike everywhere. `title` is what people
    call it."""

    name: ClassVar[str]
    title: ClassVar[str]
    types: ClassVar[Mapping[Family, str]]
    decimal: ClassVar[str] = "decimal"
    # What keeps named relations apart, where the planner would put one into another until it does
    # not come to an end.
    fence: ClassVar[str] = ""
    # Functions that have another name, or another shape, than their own name with its arguments.
    calls: ClassVar[Mapping[str, str]] = {}

    def quoted(self, name: str) -> str:
        """A name, in quotes where it needs them."""
        return name if _PLAIN.fullmatch(name) and name not in RESERVED else self._in_quotes(name)

    def _in_quotes(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    def text(self, value: str) -> str:
        """A text literal."""
        return "'" + value.replace("'", "''") + "'"

    def type_name(self, type_: SqlType) -> str:
        if type_.family == "decimal":
            return f"{self.decimal}({type_.digits}, {type_.scale})"
        return self.types[type_.family]

    def literal(self, value: Value) -> str:
        """A value as written."""
        match value.value:
            case None:
                return "null"
            case bool() as known:
                return "true" if known else "false"
            case int() as number:
                return str(number)
            case Decimal() as number:
                return self.exact(f"{number:f}")
            case float() as number:
                text = repr(number)
                return self.double(text if "e" in text else f"{text}e0")
            case date() as day:
                return f"date '{day.isoformat()}'"
            case str() as text:
                return self.text(text)

    def rows(self, name: str, columns: Mapping[str, SqlType], rows: Sequence[Sequence[Any]]) -> str:
        """A select of rows as written. Those of the first row say of what type they are."""
        first, *others = rows
        typed = [
            f"cast({self.literal(Value(value, type_))} as {self.type_name(type_)})"
            for value, type_ in zip(first, columns.values(), strict=True)
        ]
        lines = [typed, *(self._row(row, columns) for row in others)]
        listed = ",\n    ".join(f"({', '.join(line)})" for line in lines)
        names = ", ".join(map(self.quoted, columns))
        return f"select *\nfrom (values\n    {listed}\n) as {name}({names})"

    def relation(self, name: str, select: str) -> str:
        """A named relation of a `with`."""
        indented = f"{select.rstrip()}{self.fence}".replace("\n", "\n    ")
        return f"{name} as (\n    {indented}\n)"

    def _row(self, row: Sequence[Any], columns: Mapping[str, SqlType]) -> list[str]:
        types = columns.values()
        return [self.literal(Value(v, type_)) for v, type_ in zip(row, types, strict=True)]

    def exact(self, number: str) -> str:
        """A decimal as written."""
        return number

    def double(self, number: str) -> str:
        """A float as written, with an exponent."""
        return number

    def spelled(self, form: Form) -> Form | None:
        """A form as this database spells it; None where it is spelled as everywhere. Raises
        UnknownFormError where it has no spelling."""
        match form:
            case Value(None, type_) if type_.family != "null":
                return Spelled(f"cast(null as {self.type_name(type_)})")
            case Convert(part, type_):
                return self.converted(part, type_)
            case AddDays(day, days):
                return self.days_added(day, days)
            case DaysBetween(first, last):
                return self.days_between(first, last)
            case WholeQuotient():
                return self.whole_quotient(form)
            case Text(parts, separator) if separator is not None:
                return self.separated(parts, Value(separator, TEXT))
            case Call():
                return self.called(form)
        return None

    def converted(self, part: Form, type_: SqlType) -> Form:
        return Spelled(f"cast({{0}} as {self.type_name(type_)})", (part,))

    @abstractmethod
    def days_added(self, day: Form, days: Form) -> Form: ...

    @abstractmethod
    def days_between(self, first: Form, last: Form) -> Form: ...

    @abstractmethod
    def whole_quotient(self, form: WholeQuotient) -> Form: ...

    def separated(self, parts: tuple[Form, ...], separator: Value) -> Form:
        return listed("concat_ws", (separator, *parts))

    def called(self, form: Call) -> Form:
        if form.function == "round" and form.type.family == "number":
            return self.rounded(form)
        if form.function in ("greatest", "least") and form.nullable_arguments:
            return self.extreme(form)
        if (shape := self.calls.get(form.function)) is not None:
            return Spelled(shape, form.arguments)
        return listed(form.function, form.arguments)

    def rounded(self, form: Call) -> Form:
        """A float, rounded: databases do it in their own ways."""
        raise UnknownFormError("`round` of a float")

    def extreme(self, form: Call) -> Form:
        """The greatest or the least of what is known."""
        return listed(form.function, form.arguments)


def listed(function: str, arguments: tuple[Form, ...]) -> Spelled:
    """A function by its name, with its arguments."""
    places = ", ".join(f"{{{number}}}" for number in range(len(arguments)))
    return Spelled(f"{function}({places})", arguments)


def backslashed(value: str) -> str:
    """A text literal where a backslash begins an escape."""
    for character, escaped in (("\\", "\\\\"), ("'", "\\'"), ("\n", "\\n"), ("\r", "\\r")):
        value = value.replace(character, escaped)
    return f"'{value}'"
