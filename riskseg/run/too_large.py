"""Which calculation of the rules gave a number the engine cannot hold, and of whom.

The language has no greatest number and an engine has one. Whether it is met depends on the facts,
so it shows only where accounts are decided.
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
from riskseg.strategy.checked import Strategy, in_force
from riskseg.strategy.compile import prioritised


@dataclass(frozen=True)
class _Calculation:
    expression: Expression
    sql: str
    file: str
    line: int | None


@contextmanager
def told_where(
    engine: Engine, strategy: Strategy, as_of: date, key: str, name: Callable[[int], str]
) -> Iterator[None]:
    """Raise RS614 for each calculation over `scored` that is too large, if deciding meets one.

    `key` is a column of `scored`, and `name` what a person calls a value of it.
    """
    try:
        yield
    except TooLargeError:
        problems = Problems()
        for one in _calculations(strategy, as_of):
            try:
                engine.run(f"select count({one.sql}) from scored")
            except TooLargeError:
                known = [f"{fact_column(n)} is not null" for n in sorted(one.expression.names)]
                first = engine.value(
                    f"select min({key}) from scored "
                    f"where {' and '.join([f'try({one.sql}) is null', *known])}"
                )
                told = f"`{one.expression.text}` gives a number too large to calculate with"
                told += "." if first is None else f", for {name(first)} first."
                file = f"{strategy.folder}/{one.file}"
                problems.add("RS614", told, file=file, line=one.line, mend="Use smaller factors.")
        problems.raise_if_any()
        raise


def _calculations(strategy: Strategy, as_of: date) -> Iterator[_Calculation]:
    def one(expression: Expression, file: str, line: int | None = None) -> _Calculation:
        return _Calculation(expression, to_sql(expression, fact_column), file, line)

    for scheme in strategy.schemes:
        for row in scheme.rows:
            if row.when is not None:
                yield one(row.when.expression, "tiers.yaml", row.line)
    for path in in_force(strategy.paths, as_of):
        yield one(path.starts, "paths.yaml")
        if path.ends_when is not None:
            yield one(path.ends_when.expression, "paths.yaml")
    for guard in in_force(strategy.guards, as_of):
        yield one(guard.when.expression, "guards.yaml", guard.line)
    if strategy.priority is not None:
        yield _Calculation(strategy.priority, prioritised(strategy.priority), "strategy.yaml", None)
