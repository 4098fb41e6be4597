"""Which accounts a model covers: what its target implies, and the spec's own condition."""

from __future__ import annotations

from collections.abc import Mapping

from riskseg.domain.facts import Fact
from riskseg.domain.problems import Problems
from riskseg.domain.relations import fact_column
from riskseg.expressions import Expression, check, to_sql


def implied(event: str | None, days_past_due: int, *, billed: bool) -> str:
    """SQL over `facts`. An event is asked of live accounts with a history; a default only of
    those not yet in default. A column is asked of every account."""
    if event is None:
        return "true"
    condition = f"{fact_column('closed_on')} is null and {fact_column('written_off_on')} is null"
    if billed:
        condition += f" and {fact_column('lifecycle')} <> 'no_history'"
    if event == "default":
        condition += f" and {fact_column('days_past_due')} < {days_past_due}"
    return condition


def check_population(
    text: str | None,
    facts: Mapping[str, Fact],
    problems: Problems,
    *,
    file: str,
    line: int | None = None,
) -> Expression | None:
    """The spec's own condition; an account for which it is unknown is not of the population."""
    if text is None:
        return None
    return check(text, facts, problems, file=file, line=line, may_be_unknown=True)


def population_sql(implied_sql: str, own: Expression | None) -> str:
    if own is None:
        return implied_sql
    return f"{implied_sql} and coalesce({to_sql(own, fact_column)}, false)"
