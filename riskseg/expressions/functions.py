"""The functions of the language: one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from riskseg.domain.facts import Kind

NUMERIC = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.NUMBER})
ORDERED = NUMERIC | {Kind.DATE}
ANY = frozenset(Kind)
_DATE = frozenset({Kind.DATE})
_INTEGER = frozenset({Kind.INTEGER})


@dataclass(frozen=True)
class Function:
    """How a function is called and what it gives.

    `takes` are the kinds each argument may have. With `any_number`, two arguments or more follow
    the pattern of the first and are brought to one kind, which the result has. Otherwise `gives`
    maps the first argument's kind to the result's; a kind it does not list stays as it is.
    `usage` is what a person is shown.
    """

    usage: str
    meaning: str
    takes: tuple[frozenset[Kind], ...]
    gives: Mapping[Kind, Kind]
    any_number: bool = False


_SAME: Mapping[Kind, Kind] = {}
_DATE_TO_INTEGER = {Kind.DATE: Kind.INTEGER}

FUNCTIONS: Mapping[str, Function] = {
    "coalesce": Function(
        "coalesce(x, y, …)", "the first that is known", (ANY,), _SAME, any_number=True
    ),
    "nullif": Function(
        "nullif(x, literal)", "x, but unknown where it is that value", (ANY, ANY), _SAME
    ),
    "least": Function(
        "least(x, y, …)", "the smallest; none may be unknown", (ORDERED,), _SAME, any_number=True
    ),
    "greatest": Function(
        "greatest(x, y, …)", "the largest; none may be unknown", (ORDERED,), _SAME, any_number=True
    ),
    "abs": Function("abs(x)", "x without its sign", (NUMERIC,), _SAME),
    "round": Function(
        "round(x, digits)",
        "x to 0 to 6 decimals, a half away from zero",
        (NUMERIC, _INTEGER),
        _SAME,
    ),
    "floor": Function(
        "floor(x)",
        "the whole number at or below x",
        (NUMERIC,),
        {Kind.DECIMAL: Kind.INTEGER},
    ),
    "ceil": Function(
        "ceil(x)", "the whole number at or above x", (NUMERIC,), {Kind.DECIMAL: Kind.INTEGER}
    ),
    "year": Function("year(date)", "its year", (_DATE,), _DATE_TO_INTEGER),
    "month": Function("month(date)", "its month, 1 to 12", (_DATE,), _DATE_TO_INTEGER),
    "day_of_month": Function("day_of_month(date)", "its day, 1 to 31", (_DATE,), _DATE_TO_INTEGER),
    "day_of_week": Function(
        "day_of_week(date)", "1 for Monday to 7 for Sunday", (_DATE,), _DATE_TO_INTEGER
    ),
    "days_between": Function(
        "days_between(a, b)", "b - a in whole days", (_DATE, _DATE), _DATE_TO_INTEGER
    ),
    "add_days": Function(
        "add_days(date, n)", "date + n, n whole days later", (_DATE, _INTEGER), _SAME
    ),
}
