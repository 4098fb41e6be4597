"""The closed list of forms that SQL of this house is made of, each with the type of what it gives.

Whoever writes SQL for another database writes these forms and no others: what is not on the list
cannot be exported. They are few, frozen, and none of them sqlglot's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal, TypeAlias, get_args

Family = Literal["boolean", "integer", "whole", "decimal", "number", "date", "text", "null"]
Comparison: TypeAlias = Literal["=", "<>", "<", "<=", ">", ">="]
Operator: TypeAlias = Literal["+", "-", "*", "/"]
_NUMBERS = ("integer", "whole", "decimal", "number")


@dataclass(frozen=True, slots=True)
class SqlType:
    """What a value is. `whole` is a whole number of up to 38 digits; a `decimal` has `digits`, of
    which `scale` stand after the point; `null` is an unknown of no type in particular."""

    family: Family
    digits: int = 38
    scale: int = 6

    @property
    def is_numeric(self) -> bool:
        return self.family in _NUMBERS


BOOLEAN, INTEGER, WHOLE = SqlType("boolean"), SqlType("integer"), SqlType("whole")
DECIMAL, NUMBER = SqlType("decimal"), SqlType("number")
DATE, TEXT, NULL = SqlType("date"), SqlType("text"), SqlType("null")


class UnknownFormError(Exception):
    """SQL that is not of the closed list, or that a database has no spelling for."""


def wider(one: SqlType, other: SqlType) -> SqlType:
    """The type of what is calculated from numbers of two types."""
    order = ("null", *_NUMBERS)
    return max(one, other, key=lambda type_: order.index(type_.family))


def common(types: Iterable[SqlType]) -> SqlType:
    """The type of a value that is of one of these. Raises UnknownFormError where none is."""
    known = [type_ for type_ in types if type_ != NULL]
    if not known:
        return NULL
    found = known[0]
    for type_ in known[1:]:
        if found.is_numeric and type_.is_numeric:
            found = wider(found, type_)
        elif found.family != type_.family:
            raise UnknownFormError(f"a value of {found.family} or {type_.family}")
    return found


@dataclass(frozen=True, slots=True)
class Value:
    """A value as written; None is an unknown."""

    value: bool | int | Decimal | float | str | date | None
    type: SqlType

    @property
    def nullable(self) -> bool:
        return self.value is None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the relation that is read. `least` is the least number that it can hold."""

    name: str
    type: SqlType
    nullable: bool = True
    least: int | None = None


@dataclass(frozen=True, slots=True)
class Convert:
    """A value as one of another type."""

    part: Form
    type: SqlType

    @property
    def nullable(self) -> bool:
        return self.part.nullable


@dataclass(frozen=True, slots=True)
class Calculation:
    """`+ - *` of numbers, and `/` of floats."""

    operator: Operator
    left: Form
    right: Form
    type: SqlType

    @property
    def nullable(self) -> bool:
        return self.left.nullable or self.right.nullable


@dataclass(frozen=True, slots=True)
class WholeQuotient:
    """How often one whole number goes into another, towards zero."""

    left: Form
    right: Form
    type: SqlType

    @property
    def nullable(self) -> bool:
        return self.left.nullable or self.right.nullable


@dataclass(frozen=True, slots=True)
class DaysBetween:
    """The days from one date to another."""

    first: Form
    last: Form
    type: SqlType = INTEGER

    @property
    def nullable(self) -> bool:
        return self.first.nullable or self.last.nullable


@dataclass(frozen=True, slots=True)
class AddDays:
    """The date so many days after a date."""

    day: Form
    days: Form
    type: SqlType = DATE

    @property
    def nullable(self) -> bool:
        return self.day.nullable or self.days.nullable


@dataclass(frozen=True, slots=True)
class Compare:
    operator: Comparison
    left: Form
    right: Form
    type: SqlType = BOOLEAN

    @property
    def nullable(self) -> bool:
        return self.left.nullable or self.right.nullable


@dataclass(frozen=True, slots=True)
class Between:
    part: Form
    low: Form
    high: Form
    type: SqlType = BOOLEAN

    @property
    def nullable(self) -> bool:
        return self.part.nullable or self.low.nullable or self.high.nullable


@dataclass(frozen=True, slots=True)
class In:
    part: Form
    options: tuple[Form, ...]
    type: SqlType = BOOLEAN

    @property
    def nullable(self) -> bool:
        return self.part.nullable


@dataclass(frozen=True, slots=True)
class IsNull:
    part: Form
    type: SqlType = BOOLEAN
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    part: Form
    type: SqlType = BOOLEAN

    @property
    def nullable(self) -> bool:
        return self.part.nullable


@dataclass(frozen=True, slots=True)
class Joined:
    """Two conditions or more, joined by `and` or by `or`."""

    word: Literal["and", "or"]
    parts: tuple[Form, ...]
    type: SqlType = BOOLEAN

    @property
    def nullable(self) -> bool:
        return any(part.nullable for part in self.parts)


@dataclass(frozen=True, slots=True)
class Case:
    """The value of the first branch whose condition is true, else `otherwise`."""

    branches: tuple[tuple[Form, Form], ...]
    otherwise: Form
    type: SqlType

    @property
    def nullable(self) -> bool:
        return self.otherwise.nullable or any(value.nullable for _, value in self.branches)


Name = Literal[
    "coalesce",
    "nullif",
    "greatest",
    "least",
    "abs",
    "round",
    "floor",
    "ceil",
    "year",
    "month",
    "day_of_month",
    "day_of_week",
    "exp",
    "ln",
]


@dataclass(frozen=True, slots=True)
class Call:
    """A function. `greatest` and `least` pass over what is unknown."""

    function: Name
    arguments: tuple[Form, ...]
    type: SqlType

    @property
    def nullable_arguments(self) -> bool:
        return any(argument.nullable for argument in self.arguments)

    @property
    def nullable(self) -> bool:
        if self.function == "nullif":
            return True
        unknown = [argument.nullable for argument in self.arguments]
        return all(unknown) if self.function in ("coalesce", "greatest", "least") else any(unknown)


@dataclass(frozen=True, slots=True)
class Text:
    """Texts, one after the other; with a `separator`, those that are known, and it between them."""

    parts: tuple[Form, ...]
    separator: str | None = None
    type: SqlType = TEXT

    @property
    def nullable(self) -> bool:
        return self.separator is None and any(part.nullable for part in self.parts)


@dataclass(frozen=True, slots=True)
class Spelled:
    """How a database spells a form: `{0}`, `{1}`, … of the template stand for the parts. With a
    `sign`, the parts have it or one that binds alike between them, and are no arguments."""

    template: str
    parts: tuple[Form, ...] = ()
    sign: Operator | None = None
    type: SqlType = NULL
    nullable: bool = True


Form: TypeAlias = (
    Value
    | Column
    | Convert
    | Calculation
    | WholeQuotient
    | DaysBetween
    | AddDays
    | Compare
    | Between
    | In
    | IsNull
    | Not
    | Joined
    | Case
    | Call
    | Text
    | Spelled
)

_FORMS = get_args(Form)


def parts_of(form: Form) -> tuple[Form, ...]:
    """The forms that a form is made of."""
    match form:
        case Convert(part) | Not(part) | IsNull(part):
            return (part,)
        case Calculation(_, left, right) | WholeQuotient(left, right) | Compare(_, left, right):
            return (left, right)
        case DaysBetween(first, last):
            return (first, last)
        case AddDays(day, days):
            return (day, days)
        case Between(part, low, high):
            return (part, low, high)
        case In(part, options):
            return (part, *options)
        case Joined(_, parts) | Text(parts) | Spelled(_, parts):
            return parts
        case Case(branches, otherwise):
            return (*(part for branch in branches for part in branch), otherwise)
        case Call(_, arguments):
            return arguments
        case _:
            return ()


def rebuilt(form: Form, change: Callable[[Form], Form]) -> Form:
    """A form with what `change` makes of each of the forms that it is made of."""
    match form:
        case Case(branches, otherwise):
            changed = tuple((change(when), change(then)) for when, then in branches)
            return replace(form, branches=changed, otherwise=change(otherwise))
        case In(part):
            return replace(form, part=change(part))
        case Joined() | Text() | Spelled():
            return replace(form, parts=tuple(map(change, form.parts)))
        case Call(_, arguments):
            return replace(form, arguments=tuple(map(change, arguments)))
        case Value() | Column():
            return form
    parts: dict[str, Any] = {
        part.name: change(value)
        for part in fields(form)
        if isinstance(value := getattr(form, part.name), _FORMS)
    }
    return replace(form, **parts)


def least(form: Form) -> int | None:
    """The least whole number that a form can be, where it is one of several that are written."""
    match form:
        case Value(int() as number, SqlType("integer")):
            return number
        case Case(branches, otherwise):
            values = [least(value) for value in (*(then for _, then in branches), otherwise)]
            known = [value for value in values if value is not None]
            return min(known) if len(known) == len(values) else None
        case Column():
            return form.least
        case _:
            return None


def columns_in(form: Form) -> set[str]:
    """The columns that a form reads."""
    found: set[str] = set()
    todo = [form]
    while todo:
        form = todo.pop()
        if isinstance(form, Column):
            found.add(form.name)
        todo.extend(parts_of(form))
    return found
