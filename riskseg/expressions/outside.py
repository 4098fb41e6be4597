"""What is SQL but not part of the language, with a hint for each: what to write instead."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

_NO_TABLE = "An expression names facts of the account; it cannot reach a table."
_NO_CAST = "A fact keeps the type it has; a date is written `date '2026-01-01'`."
# What a statement of SQL can hold beside the language: its name, and what to write instead.
OUTSIDE: Mapping[type[exp.Expr], tuple[str, str]] = {
    exp.Select: ("a subquery", _NO_TABLE),
    exp.Subquery: ("a subquery", _NO_TABLE),
    exp.Exists: ("a subquery", _NO_TABLE),
    exp.Star: ("a star", _NO_TABLE),
    exp.Window: ("a window function", "Define a feature for what is counted over several rows."),
    exp.Cast: ("a cast", _NO_CAST),
    exp.TryCast: ("a cast", _NO_CAST),
    exp.Is: ("this use of `is`", "After `is` comes null, true or false."),
    exp.DPipe: (
        "joining texts",
        "Compare each text by itself; for one of two conditions, write `or`.",
    ),
    exp.Concat: ("joining texts", "Compare each text by itself."),
    exp.Like: ("matching a pattern", "List the texts with `in (…)`."),
    exp.ILike: ("matching a pattern", "List the texts with `in (…)`."),
    exp.Placeholder: ("a parameter", "Write the value itself."),
    exp.Parameter: ("a parameter", "Write the value itself."),
    exp.Interval: ("an interval", "Add or subtract a whole number of days."),
    exp.CurrentDate: ("the clock", "Use `as_of`."),
    exp.CurrentTime: ("the clock", "Use `as_of`."),
    exp.CurrentTimestamp: ("the clock", "Use `as_of`."),
    exp.Tuple: ("a list outside `in (…)`", ""),
    exp.NullSafeEQ: ("`is not distinct from`", "Use `=` and `is null`."),
    exp.NullSafeNEQ: ("`is distinct from`", "Use `<>` and `is null`."),
    exp.Mod: ("the remainder of a division", ""),
    exp.IntDiv: ("`//`", "Use `floor(a / b)`."),
    exp.Pow: ("a power", "Multiply instead."),
}
# Functions of other languages, and what to write for them.
INSTEAD: Mapping[str, str] = {
    "cast": _NO_CAST,
    "try_cast": _NO_CAST,
    "date": _NO_CAST,
    "now": "Use `as_of`.",
    "today": "Use `as_of`.",
    "if": "Use `case when … then … else … end`.",
    "ifnull": "Use `coalesce`.",
    "day": "Use `day_of_month` or `day_of_week`.",
    "datediff": "Use `days_between`.",
    "date_diff": "Use `days_between`.",
    "date_add": "Add a whole number of days to the date.",
    "min": "Use `least`.",
    "max": "Use `greatest`.",
}
LANGUAGE = "See the reference of the expression language."
