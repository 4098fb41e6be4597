"""Decisions of which a part is written: rows and columns that were asked for, by priority."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from riskseg.domain.decision import decision_names
from riskseg.domain.problems import Problems
from riskseg.domain.relations import quoted
from riskseg.engine import Engine
from riskseg.pipeline.decision_columns import decision_select
from riskseg.pipeline.decisions import Decider
from riskseg.pipeline.selection import Selection
from riskseg.results.runs import Selected
from riskseg.store import sinks
from riskseg.store.sinks import Dated, InMemory, Written

if TYPE_CHECKING:
    import pyarrow as pa

_TABLE, _GIVEN = "selected_decisions", "selected_rows"


class SelectedDecisions:
    """The decisions of a run that are written. Problems are added for what there is none of."""

    def __init__(
        self, selection: Selection, decider: Decider, facts: Collection[str], problems: Problems
    ) -> None:
        usual = decision_names([*decider.strategy.uses], decider.strategy.levels)
        selection.check_names(decider.strategy, problems)
        selection.check_columns(usual, facts, problems)
        self.selection, self.as_of = selection, decider.as_of
        self.more = selection.more(usual)
        self.columns = selection.shown(usual)
        self.begun = False

    def rows(self, engine: Engine, decider: Decider) -> pa.Table:
        """What is to be written of the accounts just decided."""
        return engine.arrow(
            f"""
            select d.*
            from ({decision_select(decider, self.more, hashed=True)}) d
            where {self.selection.condition("d")}
            """
        )

    def add(self, engine: Engine, rows: pa.Table) -> None:
        """Add rows of a range of accounts to those of the ranges before it."""
        into = f"insert into {_TABLE}" if self.begun else f"create or replace table {_TABLE} as"
        engine.register(_GIVEN, rows)
        engine.run(f"{into} select * from {_GIVEN}")
        engine.unregister(_GIVEN)
        self.begun = True

    def write(self, engine: Engine, target: str | InMemory, run: str) -> Written:
        """Write the rows, those of the highest priority first."""
        rows = engine.batches(
            f"""
            select {", ".join(map(quoted, self.columns))}
            from {_TABLE}
            order by priority desc nulls last, account_id
            """
        )
        key = ("account_id",) if "account_id" in self.columns else ()
        dated = Dated(self.as_of, key)
        return sinks.write(target, rows.schema, rows, token=run, dated=dated)

    def described(self, rows: int) -> Selected:
        """What was written."""
        selection = self.selection
        return Selected(
            rows=rows,
            columns=tuple(self.columns),
            due=selection.due,
            actions=selection.actions,
            segments=selection.segments,
        )
