"""Facts as data frames: the one place where the engine's rows meet the learners' arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.relations import fact_column, quoted
from riskseg.engine import Engine

if TYPE_CHECKING:
    import pandas as pd


def learnable(fact: Fact) -> bool:
    """Whether a model can learn from the fact: dates it cannot, only the days between them."""
    return fact.kind is not Kind.DATE


def model_columns(names: Iterable[str], facts: Mapping[str, Fact]) -> str:
    """Facts as a model takes them: numbers as doubles, text as it is."""
    listed = []
    for name in names:
        type_ = "varchar" if facts[name].kind.is_textual else "double"
        listed.append(f"cast({fact_column(name)} as {type_}) as {quoted(name)}")
    return ", ".join(listed)


def frame(engine: Engine, sql: str) -> pd.DataFrame:
    """A result as a data frame: numbers as float64, nulls as NaN, text as objects with None."""
    import pandas as pd

    table = engine.arrow(sql)
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        array = column.to_numpy(zero_copy_only=False)
        columns[name] = pd.Series(array, dtype=object) if array.dtype == object else array
    return pd.DataFrame(columns, copy=False)
