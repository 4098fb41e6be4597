"""What is due on a day, listed in the engine: for `worklist`, and for whoever rehearses it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

from riskseg.domain.relations import Relation
from riskseg.engine import Engine
from riskseg.pipeline.decision_columns import IN_FULL
from riskseg.pipeline.decisions import Decider
from riskseg.pipeline.selection import Selection
from riskseg.treatment.worklist import (
    duties_select,
    listed_actions,
    paths_select,
    worklist_select,
)

# A column of `d`; a text in quotes and the name of another column are passed over.
_COLUMN = re.compile(r"""'(?:[^']|'')*'|\bd\.("(?:[^"]|"")*"|\w+)|"(?:[^"]|"")*\"""")

# What `add_due` fills.
DUE_TABLES = ("due_actions", "account_paths", "open_duties")


def add_due(
    engine: Engine, decider: Decider, *, columns: Sequence[str] = (), anew: bool = True
) -> None:
    """Add what is due of the accounts in `decided` to `due_actions`, the path that each of them is
    on to `account_paths`, and the duties that are open to `open_duties`. With `anew`, the tables
    are made anew. `columns` are attributes of accounts to add."""
    for table, select in zip(DUE_TABLES, _due(decider, columns), strict=True):
        into = f"create or replace temp table {table} as" if anew else f"insert into {table}"
        engine.run(f"{into} {select}")


def _due(decider: Decider, columns: Sequence[str]) -> tuple[str, str, str]:
    """What is selected from `decided d` for each of the tables."""
    strategy = decider.strategy
    return (
        worklist_select(
            strategy, decider.as_of, decider.of, decider.scale, columns, billed=decider.billed
        ),
        paths_select(strategy),
        duties_select(strategy, decider.as_of),
    )


def columns_read(select: str) -> set[str]:
    """The columns of `d` that a select names."""
    return {token[1] for token in _COLUMN.finditer(select) if token[1]}


def decided_for_due(decider: Decider, columns: Sequence[str] = ()) -> Relation:
    """`decided` with no other columns than :func:`add_due` reads."""
    read = sorted({column for select in _due(decider, columns) for column in columns_read(select)})
    return Relation("decided", f"select {', '.join(read)} from {IN_FULL}", materialized=True)


def list_due(
    engine: Engine,
    as_of: date,
    scale: int,
    *,
    selection: Selection | None = None,
    capacity: Mapping[str, int] | None = None,
) -> None:
    """Make `listed_actions` of `due_actions`: see `riskseg.treatment.worklist.listed_actions`."""
    chosen = (selection or Selection()).condition("d")
    engine.run(listed_actions(as_of, scale, chosen, capacity or {}))
