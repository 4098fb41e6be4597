"""Examples as accounts: rows of facts for the very SQL that decides real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any, cast

from riskseg.domain.documents import shown_value
from riskseg.domain.facts import FIRST_DAY, LAST_DAY, MOST_DAYS, Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.domain.relations import Relation, fact_column, literal
from riskseg.domain.words import with_article
from riskseg.expressions.assumptions import can_be_written
from riskseg.expressions.tree import Call, Literal, Name
from riskseg.rules.holding import nothing_held
from riskseg.rules.model import Example, PackExample, Path, Strategy
from riskseg.treatment.calendar import calendar_facts
from riskseg.treatment.contact_hours import contact_hours_facts

TYPES = {
    Kind.BOOLEAN: "boolean",
    Kind.INTEGER: "bigint",
    Kind.DECIMAL: "decimal(38, 6)",
    Kind.NUMBER: "double",
    Kind.DATE: "date",
    Kind.TEXT: "varchar",
    Kind.LEVEL: "varchar",
}

# The day of its path that an example may give in the place of dates.
DAY = Fact("day", Kind.INTEGER)


def day_of(strategy: Strategy, example: Example, otherwise: date, problems: Problems) -> date:
    """The as-of date an example is decided on. One without a date of its own is decided
    `otherwise`, or on the nearest day on which the strategy holds."""
    as_of = example.given.get("as_of", otherwise)
    position: dict[str, Any] = {"file": example.file, "line": example.line}
    if not isinstance(as_of, date):
        problems.add(
            "RS211",
            f'In "{example.name}", as_of is {shown_value(as_of)}, which is not a date.',
            **position,
        )
    elif "as_of" not in example.given:
        as_of = max(as_of, strategy.effective_from or as_of)
        return min(as_of, strategy.effective_to or as_of)
    elif not strategy.holds(as_of):
        message = f'"{example.name}" is of {as_of}, when the strategy does not hold.'
        problems.add("RS211", message, hint="Give it another as_of.", **position)
    return as_of if isinstance(as_of, date) else otherwise


def scored_examples(
    strategy: Strategy,
    examples: Sequence[Example],
    as_of: date,
    problems: Problems,
    paths: Sequence[Path | None] = (),
) -> Relation | None:
    """`scored`: one row an example, numbered by `snap` from 1; or None after adding Problems.

    All of them are of the day `as_of`. A fact an example leaves out is unknown. An example with a
    `day` has the dates that paths start at set so that it stands on that day of its path: the one
    of `paths`, else whichever path starts at such a date.
    """
    example_rows = []
    examples_by_fact: dict[str, list[Example]] = {}
    problems_before = len(problems)
    for number, example in enumerate(examples, start=1):
        facts_given = {**example.given, "as_of": as_of}
        if example.day is not None:
            own_path = paths[number - 1] if paths else None
            for example_fact, day in _day_0(strategy, own_path).items():
                facts_given.setdefault(example_fact, as_of - timedelta(days=example.day + day))
        facts_given = {
            **calendar_facts(strategy.facts, as_of),
            **contact_hours_facts(strategy.facts, as_of, facts_given),
            **nothing_held(strategy.facts),
            **facts_given,
        }
        known_values = {
            fact_name: facts_given.get(fact_name, strategy.default_values.get(fact_name))
            for fact_name in strategy.facts
        }
        for example_fact, fact in strategy.facts.items():
            if known_values[example_fact] is None and not fact.nullable:
                examples_by_fact.setdefault(example_fact, []).append(example)
        example_rows.append(_row(number, strategy, known_values, example, problems))
    for example_fact, examples_lacking in examples_by_fact.items():
        _report_lacking(example_fact, examples_lacking, examples, problems)
    if len(problems) > problems_before or not example_rows:
        return None
    return _relation("scored", [*strategy.facts], example_rows)


def _day_0(strategy: Strategy, own_path: Path | None) -> dict[str, int]:
    """The dates that paths start at, with the days after them on which day 0 falls: those of the
    path the example is to stand on come first."""
    days_by_fact: dict[str, int] = {}
    for path in (*([own_path] if own_path else []), *strategy.paths):
        match path.starts.tree:
            case Call("add_days", (Name(name), Literal(int() as days))):
                days_by_fact.setdefault(name, days)
        for name in sorted(path.starts.names - {"as_of"}):
            days_by_fact.setdefault(name, 0)
    return days_by_fact


def check_day(
    strategy: Strategy, example: Example, path: Path, day: int | None, problems: Problems
) -> None:
    """Add RS211 where an example does not stand on the day of its path that it names."""
    if example.day is not None and day != example.day:
        problems.add(
            "RS211",
            f'In "{example.name}", day {example.day} of the path "{path.name}" cannot be worked '
            f"out: the path starts at `{path.starts.text}`.",
            file=example.file,
            line=example.line,
            hint="Give the dates that it names, and leave `day` out.",
        )


def _report_lacking(
    name: str, examples_lacking: Sequence[Example], examples: Sequence[Example], problems: Problems
) -> None:
    """Examples that do not give a fact: a fact new to the strategy is one Problem, not one each."""
    needed = f"{name}, which the strategy reads and which is never unknown."
    hint = f"Add {name} to `given`, or to `defaults`."
    if len(examples_lacking) == len(examples) > 1:
        first_example, hint = examples[0], f"Add {name} to `defaults`."
        message = f"None of {len(examples)} examples gives {needed}"
        problems.add("RS211", message, file=first_example.file, line=first_example.line, hint=hint)
        return
    for example in examples_lacking:
        message = f'"{example.name}" does not give {needed}'
        problems.add("RS211", message, file=example.file, line=example.line, hint=hint)


def guarded_examples(
    strategy: Strategy, examples: Sequence[PackExample], problems: Problems
) -> Relation | None:
    """`stepped`: one row an example of a guard pack, numbered by `snap` from 1, with the facts
    that the rules of packs look at (unknown where not given); or None after adding Problems."""
    with_examples = {example.guard for example in examples}
    facts_named = {
        fact_name
        for rule in (*strategy.guards, *strategy.duties)
        if rule.name in with_examples
        for fact_name in (*rule.named_facts, *(fact.name for fact in rule.state_facts()))
    }
    facts = [fact_name for fact_name in strategy.facts if fact_name in facts_named | {"as_of"}]
    problems_before = len(problems)
    example_rows = []
    for number, example in enumerate(examples, start=1):
        as_of = cast(date, example.given["as_of"])
        known_values = {
            **dict.fromkeys(facts),
            **nothing_held(facts),
            **calendar_facts(facts, as_of),
            **contact_hours_facts(facts, as_of, example.given),
            **{
                given_fact: value
                for given_fact, value in example.given.items()
                if given_fact in facts
            },
        }
        example_rows.append(_row(number, strategy, known_values, example, problems))
    if len(problems) > problems_before or not example_rows:
        return None
    return _relation("stepped", facts, example_rows, materialized=False)


def _row(
    number: int,
    strategy: Strategy,
    known: Mapping[str, object],
    example: Example | PackExample,
    problems: Problems,
) -> str:
    row_values = [str(number)]
    for given_fact, value in known.items():
        fact = strategy.facts[given_fact]
        sql = _literal(fact, value)
        if sql is None:
            problems.add(
                "RS211",
                f'In "{example.name}", {given_fact} is {shown_value(value)}, which is not '
                f"{with_article(fact.kind)}.",
                file=example.file,
                line=example.line,
            )
        row_values.append(sql or "null")
    return f"({', '.join(row_values)})"


def _relation(
    name: str, facts: Sequence[str], rows: Sequence[str], *, materialized: bool = True
) -> Relation:
    column_list = ", ".join(["snap", *map(fact_column, facts)])
    return Relation(
        name,
        f"select * from (values {', '.join(rows)}) e({column_list})",
        materialized=materialized,
    )


def misses(
    strategy: Strategy, example: Example, decision: dict[str, object], problems: Problems
) -> None:
    """Add a Problem where an example's decision is not what it expects."""
    mismatches = {
        column: value for column, value in example.expect.items() if decision.get(column) != value
    }
    if mismatches:
        expected = ", ".join(f"{column} {value}" for column, value in mismatches.items())
        decided = ", ".join(f"{column} {decision.get(column)}" for column in mismatches)
        problems.add(
            "RS211",
            f'"{example.name}" should give {expected}; it gives {decided} '
            f"(rows {decision.get('rows_matched')}, guards {decision.get('guards') or 'none'}).",
            file=example.file,
            line=example.line,
            hint="Correct the strategy, or the example.",
        )


def guard_misses(example: PackExample, forbids: bool, problems: Problems) -> None:
    """Add a Problem where a pack's rule does not say of an example what it should."""
    if forbids is not example.forbidden:
        word = example.words[0 if example.forbidden else 1].replace("_", " ")
        message = f'By "{example.guard}" this should be {word}, and is not: "{example.text}".'
        hint = "Correct the rule, or the example."
        problems.add("RS211", message, file=example.file, line=example.line, hint=hint)


def misfit(fact: Fact, value: object) -> str | None:
    """Why a YAML value cannot be one of a fact, in words; None where it can, or is unknown."""
    fits: bool
    match fact.kind:
        case _ if value is None:
            return None
        case Kind.BOOLEAN:
            fits = isinstance(value, bool)
        case Kind.INTEGER:
            fits = isinstance(value, int) and not isinstance(value, bool)
        case Kind.DECIMAL | Kind.NUMBER:
            fits = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
            fits = fits and isfinite(value)  # type: ignore[arg-type]
        case Kind.DATE:
            fits = isinstance(value, date)
        case _:
            fits = isinstance(value, str)
    if not fits:
        return f"which is not {with_article(fact.kind)}"
    if fact.kind is Kind.DECIMAL and round(exact := Decimal(str(value)), 6) != exact:
        return "which has more than 6 decimals"
    is_exact = fact.kind in (Kind.INTEGER, Kind.DECIMAL)
    if is_exact and not can_be_written(Decimal(str(value))):
        return "which has more than 18 digits"
    if isinstance(value, date) and not FIRST_DAY <= value <= LAST_DAY:
        return f"which is not between {FIRST_DAY} and {LAST_DAY}"
    if fact is DAY and abs(int(str(value))) > MOST_DAYS:
        return f"which is more than {MOST_DAYS:,} days"
    return None


def _literal(fact: Fact, value: object) -> str | None:
    """A YAML value as the SQL of its fact's type; None where it cannot be one."""
    if misfit(fact, value):
        return None
    match fact.kind:
        case _ if value is None:
            literal_text = "null"
        case Kind.BOOLEAN:
            literal_text = str(value).lower()
        case Kind.INTEGER | Kind.DECIMAL | Kind.NUMBER:
            literal_text = f"{Decimal(str(value)):f}"
        case Kind.DATE:
            literal_text = f"date '{value}'"
        case _:
            literal_text = literal(str(value))
    return f"cast({literal_text} as {TYPES[fact.kind]})"
