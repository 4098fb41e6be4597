"""Whether a database can be written for: a Problem for each expression that it has no exact
equivalent of, with the place where it stands."""

from __future__ import annotations

from riskseg.domain.problems import Problems
from riskseg.expressions.dialects import Dialect, UnknownFormError, Writer, parsed, read
from riskseg.expressions.dialects.forms import TEXT, Column, Form
from riskseg.rules.model import Strategy
from riskseg.rules.sql import condition_sql, fact_sql
from riskseg.strategy.located import located
from riskseg.strategy.warehouse.query import SQL_TYPES, column_of


def check_portable(strategy: Strategy, dialect: Dialect, problems: Problems) -> None:
    """Add RS241 for each expression, and each rule of a kind with SQL of its own, that cannot be
    written for the database."""
    types = {column_of(name): SQL_TYPES[fact.kind] for name, fact in strategy.facts.items()}

    def column(name: str) -> Form:
        return Column(name, types.get(name, TEXT))  # what is decided is a text

    def check(sql: str, text: str, file: str, line: int | None) -> None:
        try:
            Writer(dialect).line(read(parsed(sql), column))
        except UnknownFormError as error:
            message = f"`{text}` cannot be written for {dialect.title}: it has no exact equivalent"
            hint = "Decide it where the facts are made, and name the result as a fact."
            problems.add("RS241", f"{message} of {error}.", file=file, line=line, hint=hint)

    for part in located(strategy):
        check(fact_sql(part.expression), part.expression.text, part.file, part.line)
    for guard in strategy.guards:
        if guard.in_force_sql() != condition_sql(guard.when):
            file = f"{strategy.folder}/guards.yaml"
            check(guard.in_force_sql(), guard.condition_text, file, guard.line)
