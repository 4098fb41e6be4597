"""Which calculation of the rules gave a number the engine cannot hold, and of whom.

The language has no greatest number and an engine has one. Whether it is met depends on the facts,
so it shows only where accounts are decided. A whole number or a decimal too large stops the engine;
a float does not, so each calculation with floats is looked at before anything is decided by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from riskseg.domain.problems import Problems
from riskseg.domain.relations import fact_column
from riskseg.engine import Engine, TooLargeError
from riskseg.expressions import Expression, to_sql
from riskseg.rules.model import Strategy
from riskseg.strategy.compile import prioritised
from riskseg.strategy.located import located


@dataclass(frozen=True)
class Calculation:
    """An expression of a strategy, the SQL it is carried out by, and where it stands."""

    expression: Expression
    sql: str
    file: str
    line: int | None

    def too_large(self, text: str, first: str | None, problems: Problems) -> None:
        """Add RS614 for the expression, or the part of it given by `text`."""
        message = f"`{text}` gives a number too large to calculate with"
        message += "." if first is None else f", for {first} first."
        problems.add("RS614", message, file=self.file, line=self.line, hint="Use smaller factors.")


@contextmanager
def located_overflow(
    engine: Engine, strategy: Strategy, as_of: date, key: str, name: Callable[[int], str]
) -> Iterator[None]:
    """Raise RS614 for each calculation over `scored` that is too large, if deciding meets one.

    `key` is a column of `scored`, and `name` what a person calls a value of it.
    """
    try:
        yield
    except TooLargeError:
        problems = Problems()
        for calculation in calculations(strategy, as_of):
            try:
                engine.run(f"select count({calculation.sql}) from scored")
            except TooLargeError:
                reads = calculation.expression.names & set(strategy.read)
                select = _first_without_result(calculation, key)
                first_key = None if reads else engine.value(select)
                account = None if first_key is None else name(first_key)
                calculation.too_large(calculation.expression.text, account, problems)
        problems.raise_if_any()
        raise


def _first_without_result(calculation: Calculation, key: str) -> str:
    """SQL of the first account whose facts are all known and for which there is no result."""
    conditions = [f"try({calculation.sql}) is null"]
    conditions += [
        f"{fact_column(calculated_fact)} is not null"
        for calculated_fact in sorted(calculation.expression.names)
    ]
    return f"""
        select min({key})
        from scored
        where {" and ".join(conditions)}
        """


def calculations(strategy: Strategy, as_of: date | None = None) -> Iterator[Calculation]:
    """Every expression that decides something: as of a date, or on any."""

    def column(name: str) -> str:
        # What is decided is no part of a calculation, and is not known before it.
        return "cast(null as varchar)" if name in strategy.read else fact_column(name)

    for part in located(strategy, as_of):
        is_priority = part.expression is strategy.priority
        sql = prioritised(part.expression) if is_priority else to_sql(part.expression, column)
        yield Calculation(part.expression, sql, part.file, part.line)
