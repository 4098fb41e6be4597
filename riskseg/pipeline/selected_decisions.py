"""Decisions of which a part is written: rows and columns that were asked for, by priority."""

from __future__ import annotations

from collections.abc import Collection

from riskseg.domain.decision import decision_names
from riskseg.domain.problems import Problems
from riskseg.domain.relations import quoted
from riskseg.engine import Engine
from riskseg.pipeline.decisions import Decider, decision_select
from riskseg.pipeline.selection import Selection
from riskseg.results.runs import Selected
from riskseg.store import sinks
from riskseg.store.sinks import Dated, InMemory, Written

_TABLE = "selected_decisions"


class SelectedDecisions:
    """The decisions of a run that are written. Problems are added for what there is none of."""

    def __init__(
        self, selection: Selection, decider: Decider, facts: Collection[str], problems: Problems
    ) -> None:
        usual = decision_names([*decider.strategy.uses], decider.strategy.levels)
        selection.check_names(decider.strategy, problems)
        selection.check_columns(usual, facts, problems)
        self.selection, self.decider = selection, decider
        self.more = selection.more(usual)
        self.columns = selection.shown(usual)
        self.begun = False

    def add(self, engine: Engine) -> None:
        """Add what is to be written of the accounts just decided."""
        rows = f"""
            select d.*
            from ({decision_select(self.decider, self.more)}) d
            where {self.selection.condition("d")}
            """
        into = f"insert into {_TABLE}" if self.begun else f"create or replace table {_TABLE} as"
        engine.run(f"{into} {rows}")
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
        dated = Dated(self.decider.as_of, key)
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
