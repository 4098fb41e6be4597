"""Facts as data frames: the one place where the engine's rows meet the learners' arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from riskseg.domain.facts import Fact, Kind, folded
from riskseg.domain.relations import fact_column, quoted
from riskseg.engine import Engine

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def learnable(fact: Fact) -> bool:
    """Whether a model can learn from the fact: dates it cannot, only the days between them."""
    return fact.kind is not Kind.DATE


def model_columns(names: Iterable[str], facts: Mapping[str, Fact]) -> str:
    """Facts as a model takes them: numbers as doubles, text as it is; under the model's own names,
    which an older one may have in another letter case."""
    column_items = []
    for model_column in names:
        fact = facts[folded(model_column)]
        type_ = "varchar" if fact.kind.is_textual else "double"
        column_items.append(f"cast({fact_column(fact.name)} as {type_}) as {quoted(model_column)}")
    return ", ".join(column_items)


def frame(engine: Engine, sql: str) -> pd.DataFrame:
    """A result as a data frame: numbers as float64, nulls as NaN, text as objects with None."""
    return keyed_frame(engine, sql, keys=0)[1]


def keyed_frame(engine: Engine, sql: str, *, keys: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A result whose first `keys` columns are ours and the rest a model's, as two data frames: a
    column of one may have the name of one of the other."""
    return framed(engine.arrow(sql), keys=keys)


def framed(table: pa.Table, *, keys: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A table as the two data frames of :func:`keyed_frame`."""
    names, table_columns = table.column_names, table.columns
    row_count = table.num_rows
    return (
        _framed(names[:keys], table_columns[:keys], row_count),
        _framed(names[keys:], table_columns[keys:], row_count),
    )


def _framed(names: Sequence[str], columns: Sequence[pa.ChunkedArray], count: int) -> pd.DataFrame:
    import pandas as pd

    framed = {}
    for frame_column, column in zip(names, columns, strict=True):
        array = column.to_numpy(zero_copy_only=False)
        framed[frame_column] = pd.Series(array, dtype=object) if array.dtype == object else array
    # A frame of no columns has its rows too.
    return pd.DataFrame(framed, index=pd.RangeIndex(count), copy=False)
