"""Examples as accounts: rows of facts for the very SQL that decides real ones."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.domain.relations import Relation, literal, quoted
from riskseg.strategy.checked import Example, Strategy

TYPES = {
    Kind.BOOLEAN: "boolean",
    Kind.INTEGER: "bigint",
    Kind.DECIMAL: "decimal(18, 6)",
    Kind.NUMBER: "double",
    Kind.DATE: "date",
    Kind.TEXT: "varchar",
    Kind.LEVEL: "varchar",
}


def scored_examples(strategy: Strategy, as_of: date, problems: Problems) -> Relation | None:
    """`scored`: one row an example, numbered by `snap` from 1; or None after adding Problems.

    A fact an example leaves out is unknown. `day: N` sets every date a path starts at to N days
    before the as-of date, so that the example stands on day N of its path.
    """
    anchors = {n for p in strategy.paths for n in p.starts.names if n != "as_of"}
    rows = []
    before = len(problems)
    for number, example in enumerate(strategy.examples, start=1):
        given = dict(example.given)
        here = given.get("as_of", as_of)
        given["as_of"] = here
        if "day" in given and isinstance(given["day"], int) and isinstance(here, date):
            for anchor in anchors:
                given.setdefault(anchor, here - timedelta(days=given["day"]))
        values = [str(number)]
        for name, fact in strategy.facts.items():
            value = given.get(name, strategy.stand_ins.get(name))
            sql = _literal(fact, value)
            if sql is None:
                problems.add(
                    "RS211",
                    f'In "{example.name}", {name} is {value!r}, which is no {fact.kind}.',
                    file=example.file,
                    line=example.line,
                )
            elif value is None and not fact.nullable:
                problems.add(
                    "RS211",
                    f'"{example.name}" does not give {name}, which the strategy reads and which '
                    "is never unknown.",
                    file=example.file,
                    line=example.line,
                    mend=f"Add {name} to `given`, or to `defaults`.",
                )
            values.append(sql or "null")
        rows.append(f"({', '.join(values)})")
    if len(problems) > before or not rows:
        return None
    names = ", ".join(["snap", *(quoted(n) for n in strategy.facts)])
    return Relation("scored", f"select * from (values {', '.join(rows)}) e({names})", stored=True)


def misses(
    strategy: Strategy, example: Example, decision: dict[str, object], problems: Problems
) -> None:
    """Add a Problem where an example's decision is not what it expects."""
    wrong = {k: v for k, v in example.expect.items() if decision.get(k) != v}
    if wrong:
        expected = ", ".join(f"{k} {v}" for k, v in wrong.items())
        came = ", ".join(f"{k} {decision.get(k)}" for k in wrong)
        problems.add(
            "RS211",
            f'"{example.name}" should give {expected}; it gives {came} '
            f"(rows {decision.get('rows_matched')}, guards {decision.get('guards') or 'none'}).",
            file=example.file,
            line=example.line,
            mend="Mend the strategy, or the example.",
        )


def _literal(fact: Fact, value: object) -> str | None:
    """A YAML value as the SQL of its fact's type; None where it is of another type."""
    type_ = TYPES[fact.kind]
    if value is None:
        return f"cast(null as {type_})"
    fits: bool
    match fact.kind:
        case Kind.BOOLEAN:
            fits, text = isinstance(value, bool), str(value).lower()
        case Kind.INTEGER:
            fits, text = isinstance(value, int) and not isinstance(value, bool), str(value)
        case Kind.DECIMAL | Kind.NUMBER:
            fits = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
            text = f"{Decimal(str(value)):f}" if fits else ""
        case Kind.DATE:
            fits, text = isinstance(value, date), f"date '{value}'"
        case _:
            fits, text = isinstance(value, str), literal(str(value))
    return f"cast({text} as {type_})" if fits else None
