"""language.md: the expression language, with examples that are judged by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reference_pages.markdown import code, table
from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.expressions import FUNCTIONS, check
from riskseg.ledger.accounts import LIFECYCLE

# Facts the examples below are judged with.
_SCOPE: Mapping[str, Fact] = {
    fact.name: fact
    for fact in (
        Fact("balance_overdue", Kind.DECIMAL),
        Fact("days_past_due", Kind.INTEGER),
        Fact("bills_12m", Kind.INTEGER),
        Fact("months_on_book", Kind.INTEGER, nullable=True),
        Fact("is_vulnerable", Kind.BOOLEAN, nullable=True),
        Fact("next_due_on", Kind.DATE, nullable=True),
        Fact("lifecycle", Kind.LEVEL, levels=LIFECYCLE.levels),
        Fact("as_of", Kind.DATE),
    )
}
_RIGHT = (
    "days_past_due > 30 and balance_overdue >= 50.00",
    "lifecycle in ('live', 'final_billed')",
    "days_past_due between 1 and 30",
    "coalesce(months_on_book, 0) < 6",
    "months_on_book is null or months_on_book < 6",
    "is_vulnerable is true",
    "as_of >= date '2026-04-01'",
    "month(as_of) in (10, 11, 12, 1, 2, 3)",
    "bills_12m > 0 and balance_overdue / bills_12m > 20",
    "case when days_past_due > 60 then balance_overdue > 20 else balance_overdue > 50 end",
)
_WRONG = (
    "months_on_book < 6",
    "balance_overdu > 50",
    "lifecycle = 'closed'",
    "balance_overdue / bills_12m > 20",
    "days_past_due",
    "days_past_due > 'thirty'",
    "next_due_on < now()",
    "days_past_due > (select 30)",
)


def language() -> Iterator[str]:
    yield "# The expression language"
    yield ""
    yield (
        "One language serves tiers, guards, `ends_when`, `starts`, `priority`, a model's "
        "`population` and the features of a catalogue. It is a subset of SQL over named facts. An "
        "expression cannot reach a table, a file or the clock, and nothing in it is run as Python. "
        "Each is parsed, held to this list, type-checked and turned into SQL that runs over all "
        "accounts at once."
    )
    yield ""
    yield "## Types"
    yield ""
    yield from table(
        ("type", "what it is"),
        (
            ("boolean", "true or false"),
            ("integer", "a whole number"),
            ("decimal", "an exact number: money, shares, probabilities. Six decimals"),
            ("number", "a floating number that came so from the source"),
            ("date", "a day, written `date '2026-01-31'`; beside a date, `'2026-01-31'` will do"),
            ("text, level", "text; a level can only be one of a known list"),
        ),
    )
    yield "## Operators"
    yield ""
    yield from table(
        ("written", "takes", "gives"),
        (
            ("`and` `or` `not`", "booleans", "boolean"),
            ("`=` `<>` `<` `<=` `>` `>=`", "two of one type; numbers mix", "boolean"),
            ("`x between a and b`", "both ends included", "boolean"),
            ("`x in (a, b)`, `x not in (a, b)`", "plain values", "boolean"),
            ("`x is null`, `x is not null`", "anything", "boolean, never unknown"),
            ("`x is true`, `x is false`", "a boolean", "boolean, never unknown"),
            ("`+` `-` `*`", "numbers", "the wider type of the two"),
            ("`/`", "numbers", "decimal, or number; never a whole number cut short"),
            ("`date + n`, `date - n`", "a date and whole days", "date"),
            ("`date - date`", "two dates", "whole days"),
            ("`case when … then … else … end`", "", "the type of its branches"),
        ),
    )
    yield (
        "Decimals are rounded to six decimals, a half away from zero, after each `*` and `/`. "
        "A result that is too large to hold stops the run (RS614), whatever its type. "
        "`not` binds more than `and`, `and` more than `or`."
    )
    yield ""
    yield "## Functions"
    yield ""
    yield from table(
        ("function", "gives"), ((code(f.usage), f.meaning) for f in FUNCTIONS.values())
    )
    yield "## Unknown values"
    yield ""
    yield (
        "A fact can be unknown (null). The language follows SQL: a comparison with an unknown is "
        "unknown; `false and unknown` is false; `true or unknown` is true. Whether an expression "
        "*can* be unknown is part of its type, and a condition that can be is a Problem (RS305) "
        "until it says what then. There are three ways to say it:"
    )
    yield ""
    yield "1. test for it: `x is null`, `x is not null`, `x is true`;"
    yield "2. give it a value: `coalesce(x, 0)`;"
    yield (
        "3. where the file has the key, add `unknown: match` (an unknown counts as true) or "
        "`unknown: skip` (as false)."
    )
    yield ""
    yield (
        "A test counts for what stands beside it: in `x is not null and x < 6` the comparison "
        "cannot be unknown. In the same way `bills_12m > 0 and a / bills_12m > 2` is no division "
        "by zero. A guard needs no `unknown`: an unknown guard holds, unless it says "
        "`unknown: skip`. In a `requirement`, an unknown need is not met. An account for which a "
        "model's `population` is unknown is not part of it."
    )
    yield ""
    yield "## Examples"
    yield ""
    yield "Taken:"
    yield ""
    yield "```sql"
    for text in _RIGHT:
        yield text + _judged(text, right=True)
    yield "```"
    yield ""
    yield "Refused:"
    yield ""
    yield from table(
        ("written", "Problem"), ((code(text), _judged(text, right=False)) for text in _WRONG)
    )


def _judged(text: str, *, right: bool) -> str:
    found = Problems()
    expression = check(text, _SCOPE, found)
    if (expression is not None) is not right:
        raise ValueError(f"the example {text!r} is not {'right' if right else 'wrong'}: {[*found]}")
    return "; ".join(map(str, found))
